import type { DataSetId } from '../../protocol/wire.ts'
import type { UsedColumn } from '../guard/known-columns.ts'
import { STORED } from '../query/bound/bound-query.ts'
import type { CheckedQuery } from '../query/bound/bound-query.ts'
import { nullableSources } from '../query/bound/joined-level.ts'

/**
 * What a question of mode `rows` lets be known of a data set: every column that it uses, in whatever clause. One is shown as it
 * is where an output is the column and nobody has several rows, of which a condition could have left some out, nor a row that an
 * outer join could have left out.
 */
export function usedColumns(
  { query, uses, manifests }: Pick<CheckedQuery, 'query' | 'uses' | 'manifests'>,
  dataSet: DataSetId,
): readonly UsedColumn[] {
  const hasOneRow = manifests.get(dataSet)?.person.rowsMax === 1
  const nullable = nullableSources(query.sources)
  const shown = query.outputs.flatMap(({ expr }) => {
    if (expr.kind !== 'column' || expr.column === STORED || nullable.has(expr.source)) return []
    const source = query.sources[expr.source]
    const isOfIt = source?.kind === 'data-set' && source.dataSet === dataSet
    return isOfIt && hasOneRow ? [expr.column] : []
  })
  const names = new Set(uses.filter((use) => use.dataSet === dataSet).map(({ column }) => column))
  return [...names].map((name) => ({ name, isShown: shown.includes(name) }))
}

/** What is told of rows that do not leave, by their price: how many they are. So the columns that chose them may be known, and none is shown. */
export function choosingColumns(
  { uses }: Pick<CheckedQuery, 'uses'>,
  dataSet: DataSetId,
): readonly UsedColumn[] {
  const choosing = uses.filter((use) => use.dataSet === dataSet && use.clause !== 'select')
  return [...new Set(choosing.map(({ column }) => column))].map((name) => ({ name, isShown: false }))
}
