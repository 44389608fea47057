import type { Column, Manifest } from '../../../protocol/data-set.ts'
import type { KeptRows } from '../../../protocol/law/retention.ts'
import { STORED } from '../bound/bound-query.ts'
import type {
  Condition,
  Expr,
  PerPersonAggregate,
  PerPersonSource,
  RowsSource,
  Source,
} from '../bound/bound-query.ts'
import { bounded } from '../bind/aggregate/bounded-argument.ts'
import { personSources, sourcesOf } from '../bound/joined-level.ts'
import type { Dialect } from '../catalogue/catalogue-row.ts'
import { postgresDouble } from '../catalogue/forms.ts'
import type { Text } from '../catalogue/forms.ts'
import type { PlanRelation } from './plan-context.ts'
import { printPerPersonAggregate } from './print-per-person.ts'
import { printExpression, quoted } from './print.ts'
import type { Printing } from './print.ts'
import { partsOf } from '../bound/same-expression.ts'

/** What sources are printed with. */
export interface SourcePrinting {
  readonly dialect: Dialect
  readonly parameters: Printing['parameters']
  readonly relations: ReadonlyMap<string, PlanRelation>
  readonly manifests: ReadonlyMap<string, Manifest>
  /** For a level that reads the row around it. */
  readonly around?: Around | undefined
}

/** How columns of the level around are called, and what the names of its sources begin with. */
interface Around {
  readonly column: Printing['column']
  readonly letter: string
}

/** A level of sources joined by the person, and the expressions that are computed over it. */
export interface PrintedLevel {
  readonly sources: readonly Source[]
  readonly where: readonly Condition[]
  /** Everything that reads columns of the level besides `where`. */
  readonly reads: readonly Expr[]
}

/** Prints expressions over the sources of a level. */
export function levelPrinting(printing: SourcePrinting, sources: readonly Source[]): Printing {
  const { dialect, parameters, around } = printing
  const none = (): never => {
    throw new Error('Cannot print a key or measure: this is below the groups')
  }
  return {
    dialect,
    parameters,
    column: (index, column) => {
      const source = sources[index]
      return around && source?.kind === 'outer'
        ? around.column(source.source, column)
        : `${aliasOf(index, printing)}.${quoted(column)}`
    },
    key: none,
    measure: none,
  }
}

/** What names of sources begin with: within a row of another level they must not hide that level's. */
function letterOf({ around }: SourcePrinting): string {
  return around ? `l${around.letter}` : 's'
}

function aliasOf(index: number, printing: SourcePrinting): Text {
  return `"${letterOf(printing)}${index}"`
}

/** `from … where …` of a level. `correlation` ties it to the row around it. */
export function printLevel(
  { sources, where, reads }: PrintedLevel,
  printing: SourcePrinting,
  correlation: readonly Text[] = [],
): Text {
  const joins = sources.flatMap(({ join }) => join?.on ?? [])
  const needed = columnsNeeded([...reads, ...where.map(({ expr }) => expr), ...joins], sources)
  const level = levelPrinting(printing, sources)
  const relations = sources.flatMap((source, index) =>
    source.kind === 'outer' || (isOptionalRow(source) && !needed.has(index))
      ? []
      : [printJoined(index, [...(needed.get(index) ?? [])].toSorted(), { sources, level, printing })],
  )
  const conditions = [...correlation, ...where.map(({ expr }) => printExpression(expr, level))]
  return `from ${relations.join('\n')}${conditions.length === 0 ? '' : `\nwhere ${conditions.join(' and ')}`}`
}

/** The same as the column `_p`. */
export function printPersonColumn(sources: readonly Source[], printing: SourcePrinting): Text {
  const text = printPerson(sources, printing)
  return personSources(sources).length === 1 ? text : `${text} as "_p"`
}

/** The person of each row of a level. */
export function printPerson(sources: readonly Source[], printing: SourcePrinting): Text {
  const [first = '', ...others] = personSources(sources).map((index) => `${aliasOf(index, printing)}."_p"`)
  return others.length === 0 ? first : `coalesce(${[first, ...others].join(', ')})`
}

/** A source that changes no rows: it may be left out when nothing reads it. */
function isOptionalRow(source: Source): boolean {
  return source.join?.kind === 'left' && source.kind === 'per-person' && source.keys.length === 0
}

interface Joining {
  readonly sources: readonly Source[]
  readonly level: Printing
  readonly printing: SourcePrinting
}

function printJoined(index: number, columns: readonly string[], { sources, level, printing }: Joining): Text {
  const [source, name] = [sources[index], aliasOf(index, printing)]
  if (source === undefined) throw new Error('Cannot print a level: it has no such source')
  if (index === 0) return `${printSource(source, columns, printing)} as ${name}`
  if (source.join === undefined)
    return `inner join ${printSource(source, columns, printing)} as ${name} on ${name}."_p" = ${printPerson(sources.slice(0, index), printing)}`
  const { kind, by, on } = source.join
  const [only = '', ...others] = by.map((other) => level.column(other, '_p'))
  const person = others.length === 0 ? only : `coalesce(${[only, ...others].join(', ')})`
  if (source.kind === 'per-person' && readsAround(source)) {
    const around: Around = { column: level.column, letter: letterOf(printing) }
    return `left join lateral ${printForRow(source, columns, { ...printing, around }, person)} as ${name} on true`
  }
  const conditions = [`${name}."_p" = ${person}`, ...on.map((expr) => printExpression(expr, level))]
  return `${kind} join ${printSource(source, columns, printing)} as ${name} on ${conditions.join(' and ')}`
}

/** Whether a source is computed for each row around it. */
function readsAround(source: Source): source is PerPersonSource {
  return source.kind === 'per-person' && source.sources.some(({ kind }) => kind === 'outer')
}

function columnsNeeded(
  exprs: readonly Expr[],
  sources: readonly Source[],
): ReadonlyMap<number, ReadonlySet<string>> {
  const needed = new Map<number, Set<string>>()
  const note = (source: number, column?: string): void => {
    const columns = needed.get(source) ?? new Set<string>()
    if (column !== undefined) columns.add(column)
    needed.set(source, columns)
  }
  for (const source of sources.flatMap(({ join }) => join?.by ?? [])) note(source)
  for (const part of exprs.flatMap((expr) => [...partsOf(expr)])) {
    if (part.kind === 'column') note(part.source, part.column)
    if (part.kind === 'person') for (const source of sourcesOf(part)) note(source)
  }
  // A source reads those before it only.
  for (const [index, source] of [...sources.entries()].toReversed()) {
    if (needed.has(index)) for (const { source: other, column } of outerReads(source)) note(other, column)
  }
  return needed
}

/** Columns of the level around that a source reads. */
export function outerReads(source: Source): readonly { readonly source: number; readonly column: string }[] {
  if (!readsAround(source)) return []
  const reads = [
    ...expressionsOf(source).flatMap((expr) =>
      [...partsOf(expr)].flatMap((part) => (part.kind === 'column' ? [part] : [])),
    ),
    ...source.sources.flatMap(outerReads),
  ]
  return reads.flatMap(({ source: index, column }) => {
    const from = source.sources[index]
    return from?.kind === 'outer' ? [{ source: from.source, column }] : []
  })
}

/** Every expression over the sources of a sub-select. */
function expressionsOf({ where, keys, aggregates }: PerPersonSource): readonly Expr[] {
  return [
    ...where.map(({ expr }) => expr),
    ...keys,
    ...aggregates.flatMap(({ argument, filter }) => [argument, filter].filter((expr) => expr !== undefined)),
  ]
}

function printSource(source: Source, columns: readonly string[], printing: SourcePrinting): Text {
  if (source.kind === 'per-person') return printPerPerson(source, columns, { ...printing, around: undefined })
  if (source.kind === 'rows') return printRowsSource(source, columns, { ...printing, around: undefined })
  if (source.kind === 'outer') throw new Error('Cannot print a row of another level as a source')
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
    if (name === STORED) return `, "t".${dialect === 'duckdb' ? 'rowid' : 'ctid'} as ${quoted(name)}`
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

/** Rows past the most that one person may give are left out, always the same ones; and before them those that have ended. */
function printTable(
  { table, rowsPerPerson, manifest, kept }: SecuredRelation,
  dialect: Dialect,
): { readonly from: Text; readonly condition: Text } {
  const { rowsMax } = manifest.person
  const isKept = kept && ` where ${printKept(kept, manifest)}`
  if (rowsPerPerson !== undefined && rowsPerPerson <= rowsMax)
    return { from: quoted(table), condition: isKept ?? '' }
  const order = dialect === 'duckdb' ? 'rowid' : 'ctid'
  const rows = isKept === undefined ? quoted(table) : `${quoted(table)} as "t"${isKept}`
  return {
    from: `(select *, ${order}, row_number() over (partition by "_p" order by ${order}) as "_row" from ${rows})`,
    condition: ` where "t"."_row" <= ${rowsMax}`,
  }
}

/** The rows of a day and later ones. The day is of this site's own making: nothing that anybody wrote is in it. */
function printKept({ column, from }: KeptRows, { columns }: Manifest): Text {
  const type = columns.find(({ name }) => name === column)?.type
  if (!/^\d{4}-\d{2}-\d{2}$/.test(from) || (type !== 'date' && type !== 'timestamp'))
    throw new Error(`Cannot print which rows are kept: "${column}" is no column of dates`)
  const day = type === 'date' ? `date '${from}'` : `timestamp '${from} 00:00:00'`
  return `"t".${quoted(column)} >= ${day}`
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
    case 'text[]':
      return dialect === 'duckdb' ? text : `${text} collate "C"`
    case 'json':
      return dialect === 'duckdb' ? text : `cast(${text} as json)`
    case 'boolean[]':
    case 'integer[]':
    case 'number[]':
    case 'integer':
    case 'boolean':
      return text
  }
}

/** A sub-select as it is. */
function printRowsSource(
  { sources, where, columns }: RowsSource,
  wanted: readonly string[],
  printing: SourcePrinting,
): Text {
  const used = columns.flatMap((expr, index) => (wanted.includes(`c${index}`) ? [{ expr, index }] : []))
  const inner = levelPrinting(printing, sources)
  const list = used.map(({ expr, index }) => `, ${printExpression(expr, inner)} as "c${index}"`)
  const level = printLevel({ sources, where, reads: used.map(({ expr }) => expr) }, printing)
  return `(select ${printPersonColumn(sources, printing)}${list.join('')}\n${level})`
}

/** A sub-select grouped by the person: one row a person and further keys. */
function printPerPerson(source: PerPersonSource, columns: readonly string[], printing: SourcePrinting): Text {
  const { rows, values } = printPerPersonRows(source, columns, { printing, correlation: [] })
  const names = ['"r"."_p"', ...source.keys.map((_, index) => `"r"."k${index}"`)]
  return `(select ${[...names, ...values].join(', ')} from (${rows}) as "r" group by ${names.join(', ')})`
}

/** The same for one row around it, of whose person its rows are: one row always. */
function printForRow(
  source: PerPersonSource,
  columns: readonly string[],
  printing: SourcePrinting,
  person: Text,
): Text {
  const own = printPerson(source.sources, printing)
  const { rows, values } = printPerPersonRows(source, columns, {
    printing,
    correlation: [`${own} = ${person}`],
  })
  return `(select ${values.join(', ')} from (${rows}) as "r")`
}

interface RowsPrinting {
  readonly printing: SourcePrinting
  readonly correlation: readonly Text[]
}

/** The rows under a sub-select, and the columns that are made of them. */
function printPerPersonRows(
  { sources, where, keys, aggregates }: PerPersonSource,
  columns: readonly string[],
  { printing, correlation }: RowsPrinting,
): { readonly rows: Text; readonly values: readonly Text[] } {
  const inner = levelPrinting(printing, sources)
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
  const level = printLevel({ sources, where, reads }, printing, correlation)
  const rows = `select ${printPersonColumn(sources, printing)}${list.map((text) => `, ${text}`).join('')}\n${level}`
  const values = used.map(
    ({ aggregate, index }) => `${printPerPersonAggregate(aggregate, index, printing)} as "a${index}"`,
  )
  return { rows, values }
}

function printArgument({ argument, clamp }: PerPersonAggregate, inner: Printing): Text {
  if (argument === undefined) return 'null'
  return printExpression(clamp ? bounded(argument) : argument, inner)
}
