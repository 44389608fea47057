import { STORED } from '../../bound/bound-query.ts'
import type { ColumnRef, Source } from '../../bound/bound-query.ts'
import type { Level } from './scope.ts'

/**
 * Columns that tell the rows of a level apart by where they are stored, which is the same for an equal question.
 * Sub-selects that are joined as they are get columns for it.
 */
export function tiesOf(level: Level): readonly ColumnRef[] {
  return level.sources.flatMap((source, index) => {
    const told = withTies(source)
    level.sources[index] = told.source
    return told.columns.map((column) => storedColumn(index, column))
  })
}

function withTies(source: Source): { readonly source: Source; readonly columns: readonly string[] } {
  switch (source.kind) {
    case 'outer':
      return { source, columns: [] }
    case 'data-set':
      return { source, columns: [STORED] }
    case 'per-person':
      return { source, columns: source.keys.map((_, key) => `k${key}`) }
    case 'rows': {
      const inside = source.sources.map(withTies)
      const more = inside.flatMap(({ columns }, index) =>
        columns.map((column) => storedColumn(index, column)),
      )
      return {
        source: {
          ...source,
          sources: inside.map((one) => one.source),
          columns: [...source.columns, ...more],
        },
        columns: more.map((_, index) => `c${source.columns.length + index}`),
      }
    }
  }
}

function storedColumn(source: number, column: string): ColumnRef {
  return { kind: 'column', source, column, isDerived: true, type: 'integer', size: 1 }
}
