import type { Json } from '../../kernel/canonical-json.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type {
  ColumnRef,
  Expr,
  PerPersonSource,
  PersonRef,
  RowsSource,
  Source,
} from '../query/bound/bound-query.ts'
import { formOfExpression } from '../query/bind/expression/canonical-query.ts'
import { definitionOf, insideOf } from '../query/bound/derived-column.ts'
import { nullableSources, sourcesOf } from '../query/bound/joined-level.ts'

/** Expressions told by what their columns are, wherever in a join these stand. */
export interface SourceNames {
  /** What rows each source has: of equal names the rows are equal. */
  readonly rows: readonly string[]
  /** The same for what each sub-select is made of. */
  readonly inside: readonly (SourceNames | undefined)[]
  formOf(this: void, expr: Expr): Json
}

/**
 * Names for joined sources that say what they are and not in which place of the join they stand: a data set by its
 * name, a sub-select by all that it is made of. Of two equal ones in one join the second is another one. A name is a
 * digest where it could be long, so that sub-selects within each other take no longer than to read them.
 */
export function namesOf(sources: readonly Source[], around?: SourceNames): SourceNames {
  const inside: (SourceNames | undefined)[] = []
  const rows: string[] = []
  const columns = new Map<string, string>()
  const columnName = ({ source: index, column }: ColumnRef): string => {
    const source = sources[index]
    const within = inside[index]
    if (source === undefined || source.kind === 'data-set' || source.kind === 'outer' || !within)
      return column
    const known = columns.get(`${index} ${column}`)
    const name = known ?? digestOfJson(columnForm(source, { column, names: within }))
    columns.set(`${index} ${column}`, name)
    return name
  }
  const reference = (expr: ColumnRef | PersonRef): Json => {
    const source = sources[expr.source]
    if (source?.kind === 'outer') return ['outer', around?.formOf({ ...expr, source: source.source }) ?? null]
    // All sources are joined by the person, so it only matters whether one is there.
    if (expr.kind === 'person') {
      const nullable = nullableSources(sources)
      const own = sourcesOf(expr)
      return own.every((index) => nullable.has(index))
        ? ['person', ...own.map((index) => rows[index] ?? '')]
        : ['person']
    }
    const name = rows[expr.source] ?? ''
    const occurrence = rows.slice(0, expr.source).filter((other) => other === name).length
    return ['column', name, occurrence, columnName(expr)]
  }
  const names: SourceNames = { rows, inside, formOf: (expr) => formOfExpression(expr, reference) }
  // A source reads those before it only, so these have their names by then.
  for (const source of sources) {
    const within = source.kind === 'data-set' ? undefined : namesOf(insideOf(source), names)
    inside.push(within)
    rows.push(rowsName(source, within))
  }
  return names
}

/** A digest cannot be the name of a data set, because it has a colon. */
function rowsName(source: Source, inside: SourceNames | undefined): string {
  if (source.kind === 'data-set') return source.dataSet
  if (source.kind === 'outer' || !inside) return 'outer:'
  const where = source.where.map(({ expr }) => JSON.stringify(inside.formOf(expr)))
  const joins = source.sources.map(({ join }) => join && [join.kind, join.on.map(inside.formOf)])
  const rows = joins.some((join) => join)
    ? inside.rows.map((row, index) => [row, joins[index] ?? null])
    : inside.rows.toSorted()
  return digestOfJson([
    rows,
    where.toSorted(),
    source.kind === 'rows' ? 'rows' : source.keys.map(inside.formOf),
  ])
}

/** A column of a sub-select is how it is computed. */
function columnForm(
  source: PerPersonSource | RowsSource,
  { column, names: { formOf } }: { column: string; names: SourceNames },
): Json {
  const { expr, aggregate } = definitionOf(source, column)
  if (expr) return formOf(expr)
  const {
    function: made,
    argument,
    filter,
    isDistinct,
    quantileMicro,
    separator,
  } = aggregate ?? {
    function: column,
  }
  return [
    isDistinct ? `${made} distinct` : made,
    ...(quantileMicro === undefined ? [] : [quantileMicro]),
    ...(separator === undefined ? [] : [['separator', separator]]),
    argument ? formOf(argument) : null,
    filter ? formOf(filter) : null,
  ]
}

/** Whether every row has a value of an expression, by the manifests: then it leaves no row out. */
export function isNeverNull(
  expr: Expr,
  { sources, manifests }: { sources: readonly Source[]; manifests: ReadonlyMap<string, Manifest> },
): boolean {
  if (expr.kind !== 'column') return false
  const source = sources[expr.source]
  if (source === undefined || source.kind === 'outer' || nullableSources(sources).has(expr.source))
    return false
  if (source.kind === 'data-set') {
    const manifest = manifests.get(source.dataSet)
    return manifest?.columns.find(({ name }) => name === expr.column)?.isRequired === true
  }
  const inside = { sources: source.sources, manifests }
  const { expr: made, aggregate } = definitionOf(source, expr.column)
  if (made) return isNeverNull(made, inside)
  if (aggregate?.function === 'count') return true
  // Of a single value there is none.
  if (aggregate?.function === 'var_samp' || aggregate?.function === 'stddev_samp') return false
  // A group has at least one row, but a filter may leave none of them.
  return aggregate?.argument !== undefined && !aggregate.filter && isNeverNull(aggregate.argument, inside)
}
