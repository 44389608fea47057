import type { Column, Manifest } from '../../protocol/data-set.ts'
import type { Condition, Expr, PerPersonAggregate, PerPersonSource, Source } from './bound-query.ts'
import { bounded } from './bounded-argument.ts'
import type { Dialect } from './catalogue-row.ts'
import { duckdbDouble, duckdbFinite, postgresDouble, postgresFinite } from './forms.ts'
import type { Text } from './forms.ts'
import type { PlanRelation } from './plan-context.ts'
import { printExpression, quoted } from './print.ts'
import type { Printing } from './print.ts'
import { childrenOf } from './same-expression.ts'

/** What sources are printed with. */
export interface SourcePrinting {
  readonly dialect: Dialect
  readonly parameters: Printing['parameters']
  readonly relations: ReadonlyMap<string, PlanRelation>
  readonly manifests: ReadonlyMap<string, Manifest>
}

/** A level of sources joined by the person, and the expressions that are computed over it. */
export interface PrintedLevel {
  readonly sources: readonly Source[]
  readonly where: readonly Condition[]
  /** Everything that reads columns of the level besides `where`. */
  readonly reads: readonly Expr[]
}

/** Prints expressions over the sources of a level. */
export function levelPrinting({ dialect, parameters }: SourcePrinting): Printing {
  const none = (): never => {
    throw new Error('Cannot print a key or measure: this is below the groups')
  }
  return {
    dialect,
    parameters,
    column: (source, column) => `"s${source}".${quoted(column)}`,
    key: none,
    measure: none,
  }
}

/** `from … where …` of a level. */
export function printLevel({ sources, where, reads }: PrintedLevel, printing: SourcePrinting): Text {
  const needed = columnsNeeded([...reads, ...where.map(({ expr }) => expr)])
  const relations = sources.map((source, index) => {
    const text = printSource(source, [...(needed.get(index) ?? [])].toSorted(), printing)
    const name = `"s${index}"`
    return index === 0 ? `${text} as ${name}` : `inner join ${text} as ${name} on ${name}."_p" = "s0"."_p"`
  })
  const conditions = where.map(({ expr }) => printExpression(expr, levelPrinting(printing)))
  return `from ${relations.join('\n')}${conditions.length === 0 ? '' : `\nwhere ${conditions.join(' and ')}`}`
}

function columnsNeeded(exprs: readonly Expr[]): ReadonlyMap<number, ReadonlySet<string>> {
  const needed = new Map<number, Set<string>>()
  const visit = (expr: Expr): void => {
    if (expr.kind === 'column')
      needed.set(expr.source, (needed.get(expr.source) ?? new Set<string>()).add(expr.column))
    for (const child of childrenOf(expr)) visit(child)
  }
  for (const expr of exprs) visit(expr)
  return needed
}

function printSource(source: Source, columns: readonly string[], printing: SourcePrinting): Text {
  if (source.kind === 'per-person') return printPerPerson(source, columns, printing)
  const relation = printing.relations.get(source.dataSet)
  const manifest = printing.manifests.get(source.dataSet)
  if (!relation || !manifest)
    throw new Error(`Cannot print the data set "${source.dataSet}": the run has no table for it`)
  return printSecured({ ...relation, manifest }, columns, printing.dialect)
}

/** No column of a data set has a space in its name. */
const RAW = ' as stored'

/** The name of a number column without its values outside of the domain taken out: whoever reads it takes them out. */
export function rawColumn(column: string): string {
  return `${column}${RAW}`
}

interface SecuredRelation extends PlanRelation {
  readonly manifest: Manifest
}

/** The secured sub-select: permitted columns, eligible people, and nothing else of the table. */
function printSecured(relation: SecuredRelation, columns: readonly string[], dialect: Dialect): Text {
  const list = columns.map((name) => {
    const stored = name.endsWith(RAW) ? name.slice(0, -RAW.length) : name
    const column = relation.manifest.columns.find((one) => one.name === stored)
    if (
      column === undefined ||
      column.sensitivity === 'direct_identifier' ||
      column.sensitivity === 'free_text'
    )
      throw new Error(`Cannot print the column "${name}": it may stand in no question`)
    const text = stored === name ? printColumn(column, dialect) : `"t".${quoted(stored)}`
    return `, ${text} as ${quoted(name)}`
  })
  const { from, condition } = printTable(relation, dialect)
  return `(select "t"."_p"${list.join('')} from ${from} as "t" inner join ${quoted(relation.eligible)} as "e" on "e"."_p" = "t"."_p"${condition})`
}

/** Rows past the most that one person may give are left out, always the same ones. */
function printTable(
  { table, rowsPerPerson, manifest }: SecuredRelation,
  dialect: Dialect,
): { readonly from: Text; readonly condition: Text } {
  const { rowsMax } = manifest.person
  if (rowsPerPerson !== undefined && rowsPerPerson <= rowsMax) return { from: quoted(table), condition: '' }
  const order = dialect === 'duckdb' ? 'rowid' : 'ctid'
  return {
    from: `(select *, row_number() over (partition by "_p" order by ${order}) as "_row" from ${quoted(table)})`,
    condition: ` where "t"."_row" <= ${rowsMax}`,
  }
}

/** A stored column within the domain of expressions: what is outside is null. */
function printColumn({ name, type }: Column, dialect: Dialect): Text {
  const text = `"t".${quoted(name)}`
  switch (type) {
    case 'number':
      return dialect === 'duckdb'
        ? `case when ${text} between -1e150 and 1e150 then ${text} end`
        : `case when ${text} between ${postgresDouble('-1e150')} and ${postgresDouble('1e150')} then ${text} end`
    case 'date':
      return `case when ${text} > date '0001-01-01' and ${text} < date '9999-12-31' then ${text} end`
    case 'timestamp':
      return `case when ${text} > timestamp '0001-01-01 00:00:00' and ${text} < timestamp '9999-12-31 00:00:00' then ${text} end`
    case 'text':
      return dialect === 'duckdb' ? text : `${text} collate "C"`
    case 'integer':
    case 'boolean':
      return text
  }
}

/** A sub-select grouped by the person: one row a person and further keys. */
function printPerPerson(
  { sources, where, keys, aggregates }: PerPersonSource,
  columns: readonly string[],
  printing: SourcePrinting,
): Text {
  const inner = levelPrinting(printing)
  const list = keys.map((key, index) => `${printExpression(key, inner)} as "k${index}"`)
  const used = aggregates.flatMap((aggregate, index) =>
    columns.includes(`a${index}`) ? [{ aggregate, index }] : [],
  )
  for (const { aggregate, index } of used) {
    if (aggregate.argument) list.push(`${printArgument(aggregate, inner)} as "x${index}"`)
    if (aggregate.filter) list.push(`${printExpression(aggregate.filter, inner)} as "f${index}"`)
  }
  const reads = [
    ...keys,
    ...used.flatMap(({ aggregate: { argument, filter } }) => [
      ...(argument ? [argument] : []),
      ...(filter ? [filter] : []),
    ]),
  ]
  const level = printLevel({ sources, where, reads }, printing)
  const rows = `select "s0"."_p"${list.map((text) => `, ${text}`).join('')}\n${level}`
  const names = ['"r"."_p"', ...keys.map((_, index) => `"r"."k${index}"`)]
  const values = used.map(
    ({ aggregate, index }) => `${printPerPersonAggregate(aggregate, index, printing.dialect)} as "a${index}"`,
  )
  return `(select ${[...names, ...values].join(', ')} from (${rows}) as "r" group by ${names.join(', ')})`
}

function printArgument({ argument, clamp }: PerPersonAggregate, inner: Printing): Text {
  if (argument === undefined) return 'null'
  return printExpression(clamp ? bounded(argument) : argument, inner)
}

function printPerPersonAggregate(
  { function: fn, argument, filter }: PerPersonAggregate,
  index: number,
  dialect: Dialect,
): Text {
  const where = filter ? ` filter (where "r"."f${index}")` : ''
  const [double, finite] =
    dialect === 'duckdb' ? [duckdbDouble, duckdbFinite] : [postgresDouble, postgresFinite]
  const value = `"r"."x${index}"`
  switch (fn) {
    case 'count':
      return `count(${argument ? value : '*'})${where}`
    case 'min':
    case 'max':
      return `${fn}(${value})${where}`
    case 'sum':
      return finite(double(`sum(${value})${where}`))
    case 'avg':
      return finite(
        `${finite(double(`sum(${value})${where}`))} / nullif(${double(`count(${value})${where}`)}, 0)`,
      )
  }
}
