import type { Expr, PerPersonAggregate, PerPersonSource, RowsSource, Source } from './bound-query.ts'

/** How a column of a sub-select is made: an expression over each of its rows, or an aggregate of them. */
export interface Definition {
  readonly expr?: Expr | undefined
  readonly aggregate?: PerPersonAggregate | undefined
}

/** What a column of a sub-select is. */
export function definitionOf(source: PerPersonSource | RowsSource, column: string): Definition {
  const index = Number(column.slice(1))
  if (source.kind === 'rows') return { expr: source.columns[index] }
  return column.startsWith('k') ? { expr: source.keys[index] } : { aggregate: source.aggregates[index] }
}

/** What a source is itself made of. */
export function insideOf(source: Source): readonly Source[] {
  return source.kind === 'per-person' || source.kind === 'rows' ? source.sources : []
}
