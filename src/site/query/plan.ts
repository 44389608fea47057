import type { VaultStatement } from '../vault/vault.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { BoundQuery, CheckedQuery, Expr, Measure } from './bound-query.ts'
import type { Range } from './expression-type.ts'
import type { Dialect } from './catalogue-row.ts'
import type { Text } from './forms.ts'
import { nullableSources } from './joined-level.ts'
import { levelPrinting, printLevel, printPerson, printPersonColumn, rawColumn } from './print-sources.ts'
import type { SourcePrinting } from './print-sources.ts'
import type { PlanContext } from './plan-context.ts'
import { printExpression, printReleased, printSortKey } from './print.ts'
import type { Printing } from './print.ts'
import { partsOf, sameOptional } from './same-expression.ts'

/**
 * What is collected per group of one argument and filter. Measures of the same argument and filter share it.
 * `x`, `c` and `f` are columns of the rows: the argument, the argument clamped, the filter.
 */
export interface Series {
  readonly argument?: Expr | undefined
  readonly filter?: Expr | undefined
  readonly clamp?: Range | undefined
  readonly needsSquares: boolean
  /**
   * Whether `collect` asks for the people with a value, and for those with one that is not 0. Where the manifest lets
   * expect that they are the people of the rows, the counts are awaited: they tell, and a set costs more than they.
   */
  readonly asksWithValue: boolean
  readonly asksNonZero: boolean
}

/** How an aggregate question is answered: see `run-aggregate.ts`. */
export interface AggregatePlan {
  readonly checked: CheckedQuery
  readonly dialect: Dialect
  readonly series: readonly Series[]
  /** For each measure of the question its series. */
  readonly seriesOf: readonly number[]
  /** Most rows of one person that can stand in a group, by the manifests. */
  readonly rowsPerPersonMax: number
  /** Everything but sets that are probably those of the rows. */
  readonly collect: VaultStatement
  /** Sets of people for some series, by group. */
  readonly collectSets: (series: readonly number[]) => VaultStatement
  /** For each group and series the largest number of rows, and the largest sum of |clamped values|, of one person. */
  readonly exactShares: () => VaultStatement
}

/** Prints how the groups of a question are collected. Deciding, finishing and releasing come later, over safe groups only. */
export function planAggregate(checked: CheckedQuery, context: PlanContext): AggregatePlan {
  const { query } = checked
  const { series, seriesOf } = seriesOfMeasures(checked)
  const rowsPerPersonMax = rowsPerPerson(query.sources, checked, context)
  const printer: Printer = { checked, query, context, series, rowsPerPersonMax }
  return {
    checked,
    dialect: context.dialect,
    series,
    seriesOf,
    rowsPerPersonMax,
    collect: printCollect(printer),
    collectSets: (wanted) => printSets(printer, wanted),
    exactShares: () => printShares(printer),
  }
}

interface Printer {
  readonly checked: CheckedQuery
  readonly query: BoundQuery
  readonly context: PlanContext
  readonly series: readonly Series[]
  readonly rowsPerPersonMax: number
}

function seriesOfMeasures({ query, manifests }: CheckedQuery): {
  readonly series: readonly Series[]
  readonly seriesOf: readonly number[]
} {
  const found: Measure[][] = []
  const seriesOf = query.measures.map((measure) => {
    const known = found.findIndex(
      ([one]) => sameOptional(one?.argument, measure.argument) && sameOptional(one?.filter, measure.filter),
    )
    if (known < 0) return found.push([measure]) - 1
    found[known]?.push(measure)
    return known
  })
  return { series: found.map((measures) => seriesOfEqual(measures, query, manifests)), seriesOf }
}

function seriesOfEqual(
  measures: readonly Measure[],
  { sources }: BoundQuery,
  manifests: CheckedQuery['manifests'],
): Series {
  const [first] = measures
  const { argument, filter } = first ?? {}
  const clamp = measures.find((measure) => measure.clamp)?.clamp
  const isFull =
    filter === undefined && (argument === undefined || isAlwaysThere(argument, sources, manifests))
  return {
    argument,
    filter,
    clamp,
    needsSquares: measures.some(({ kind }) => kind.startsWith('var') || kind.startsWith('stddev')),
    asksWithValue: !isFull,
    // Without a 0 within the bounds they are the same people.
    asksNonZero: clamp !== undefined && holdsZero(clamp),
  }
}

/** Made of columns that the manifest calls required, and of nothing that may be null beside. Only a guess: the counts decide. */
function isAlwaysThere(
  argument: Expr,
  sources: BoundQuery['sources'],
  manifests: CheckedQuery['manifests'],
): boolean {
  const nullable = nullableSources(sources)
  return [...partsOf(argument)].every((part) => {
    if (part.kind === 'case' || part.kind === 'person') return false
    if (part.kind !== 'column') return true
    const source = sources[part.source]
    if (source?.kind !== 'data-set' || nullable.has(part.source)) return false
    return (
      manifests.get(source.dataSet)?.columns.find(({ name }) => name === part.column)?.isRequired ?? false
    )
  })
}

function rowsPerPerson(
  sources: BoundQuery['sources'],
  { manifests }: Pick<CheckedQuery, 'manifests'>,
  context: PlanContext,
): number {
  return sources.reduce((product, source) => {
    if (source.kind === 'outer') return product
    if (source.kind === 'rows') return product * rowsPerPerson(source.sources, { manifests }, context)
    if (source.kind === 'per-person')
      return product * (source.keys.length === 0 ? 1 : rowsPerPerson(source.sources, { manifests }, context))
    const rowsMax = manifests.get(source.dataSet)?.person.rowsMax ?? Number.POSITIVE_INFINITY
    return product * Math.min(rowsMax, context.relations.get(source.dataSet)?.rowsPerPerson ?? rowsMax)
  }, 1)
}

/** The rows that are grouped, as `"q"`: the person, keys `k`, arguments `x`, clamped arguments `c`, filters `f`. */
function printRows(
  { query, context, series }: Printer,
  printing: SourcePrinting,
  wanted: readonly number[],
): Text {
  const inner = levelPrinting(printing, query.sources)
  const list = query.keys.map((key, index) => `${printExpression(key, inner)} as "k${index}"`)
  const reads: Expr[] = [...query.keys]
  const outer = query.keys.map((key, index) =>
    key.type === 'number'
      ? `case when "r"."k${index}" = 0 then ${zero(context.dialect)} else "r"."k${index}" end as "k${index}"`
      : `"r"."k${index}"`,
  )
  const sets = printGroupingSets(query, outer)
  for (const index of wanted) {
    const one = series[index]
    if (one?.argument) {
      const argument = one.clamp ? withoutDomain(one.argument, query.sources) : one.argument
      list.push(`${printExpression(argument, inner)} as "x${index}"`)
      reads.push(argument)
      outer.push(
        one.clamp
          ? `${printClamp(`"r"."x${index}"`, one.clamp, context.dialect)} as "c${index}"`
          : `"r"."x${index}"`,
      )
    }
    if (one?.filter) {
      list.push(`${printExpression(one.filter, inner)} as "f${index}"`)
      reads.push(one.filter)
      outer.push(`"r"."f${index}"`)
    }
  }
  const level = printLevel({ sources: query.sources, where: query.where, reads }, printing)
  const rows = `(select ${printPersonColumn(query.sources, printing)}${list.map((text) => `, ${text}`).join('')}\n${level}) as "r"`
  return `(select "r"."_p"${outer.map((text) => `, ${text}`).join('')} from ${rows}${sets}) as "q"`
}

/** Each row once for each set of groups, with the keys that the set has: so every set is guarded like a question. */
function printGroupingSets({ keys, groupingSets }: BoundQuery, outer: Text[]): Text {
  if (groupingSets === undefined) return ''
  for (const index of keys.keys()) {
    const having = groupingSets.flatMap((set, number) => (set.includes(index) ? [number] : []))
    const value = (outer[index] ?? '').replace(/ as "k\d+"$/, '')
    outer[index] =
      index === keys.length - 1
        ? `"g"."g" as "k${index}"`
        : `case when "g"."g" in (${having.join(', ')}) then ${value} end as "k${index}"`
  }
  const numbers = groupingSets.map((_, number) => `(cast(${number} as bigint))`)
  return ` cross join (values ${numbers.join(', ')}) as "g" ("g")`
}

/** Two zeros would be two groups in one engine and one in the other. */
function zero(dialect: Dialect): Text {
  return dialect === 'duckdb' ? '0e0' : 'cast(0 as float8)'
}

/** A number column that is only clamped is read as it lies: the clamp keeps it in the domain of numbers as well. */
export function withoutDomain(argument: Expr, sources: BoundQuery['sources']): Expr {
  const isStored =
    argument.kind === 'column' && argument.type === 'number' && sources[argument.source]?.kind === 'data-set'
  return isStored ? { ...argument, column: rawColumn(argument.column) } : argument
}

/**
 * As a double within its bounds. What is no number of the domain (NaN, the infinities, past ±1e150) is null, and null
 * stays null, which `least` and `greatest` would not keep.
 */
function printClamp(value: Text, { least, greatest }: Range, dialect: Dialect): Text {
  const type = dialect === 'duckdb' ? 'double' : 'float8'
  const [low, high, end] = [least, greatest, 1e150].map(
    (number) => `cast(${number.toExponential()} as ${type})`,
  )
  // What is within comes first: it is nearly every row.
  return `case when ${value} between ${low} and ${high} then cast(${value} as ${type}) when ${value} < ${low} and ${value} >= -${end} then ${low} when ${value} > ${high} and ${value} <= ${end} then ${high} end`
}

/** `filter (where …)` of the conditions that there are. */
function printFilter(conditions: readonly (Text | undefined)[]): Text {
  const given = conditions.filter((condition) => condition !== undefined)
  return given.length === 0 ? '' : ` filter (where ${given.join(' and ')})`
}

/** The argument as it is counted: clamped where it is summed, which makes no null and loses none. */
function valueOf({ clamp }: Series, index: number): Text {
  return `"q"."${clamp ? 'c' : 'x'}${index}"`
}

function filterOf(one: Series, index: number): Text | undefined {
  return one.filter && `"q"."f${index}"`
}

/**
 * How a set of people is gathered: a list of numbers, again and again for each row, which the vault makes a set of; for
 * more rows than memory should hold a bit string by the person's number, which is slower.
 */
function printPeople(
  conditions: readonly (Text | undefined)[],
  { context: { dialect, relations }, rowsPerPersonMax }: Printer,
): Text {
  if (dialect === 'postgres') return `array_agg(distinct "q"."_p")${printFilter(conditions)}`
  const personCount = Math.max(1, ...[...relations.values()].map((relation) => relation.personCount))
  if (personCount * rowsPerPersonMax <= LIMITS.queryListedPeopleMax)
    return `list("q"."_p")${printFilter(conditions)}`
  // A whole number of bytes: then bit 0 is the first of the first byte.
  return `bitstring_agg("q"."_p", 0, ${Math.ceil(personCount / 8) * 8 - 1})${printFilter(conditions)}`
}

/** Columns of a series in `collect`, in this order; `run-aggregate.ts` reads them so. */
export const SERIES_COLUMNS = ['rows', 'nonZeroRows', 'sum', 'absolute', 'squares'] as const

function printSeries(one: Series, index: number, dialect: Dialect): readonly Text[] {
  const type = dialect === 'duckdb' ? 'double' : 'float8'
  const filter = printFilter([filterOf(one, index)])
  const value = valueOf(one, index)
  const rows = `count(${one.argument ? value : '*'})${filter}`
  if (one.clamp === undefined) return [rows, '0', '0', '0', '0']
  const sum = (text: Text): Text => `cast(coalesce(sum(${text})${filter}, 0) as ${type})`
  return [
    rows,
    holdsZero(one.clamp) ? `count(nullif(${value}, cast(0 as ${type})))${filter}` : '0',
    sum(value),
    one.clamp.least >= 0 ? '0' : sum(`abs(${value})`),
    one.needsSquares ? sum(printSquare(value, type)) : '0',
  ]
}

/** Whether a value within these bounds can be one that changes no sum. */
export function holdsZero({ least, greatest }: Range): boolean {
  return least <= 0 && greatest >= 0
}

/** 2^-400: magnitudes below its last place count as 0, because their squares would be too small for a double. */
const SQUARE_GRAIN = 2 ** -400

function printSquare(value: Text, type: Text): Text {
  const grain = `cast(${SQUARE_GRAIN.toExponential()} as ${type})`
  const grained = `((${value} + ${grain}) - ${grain})`
  return `${grained} * ${grained}`
}

function sourcePrinting(
  { checked, context }: Printer,
  parameters: SourcePrinting['parameters'],
): SourcePrinting {
  return { dialect: context.dialect, parameters, relations: context.relations, manifests: checked.manifests }
}

function printCollect(printer: Printer): VaultStatement {
  const { query, context, series } = printer
  const parameters: SourcePrinting['parameters'] = []
  const all = series.map((_, index) => index)
  const rows = printRows(printer, sourcePrinting(printer, parameters), all)
  const columns = [
    ...printKeys(printer),
    'count(*)',
    printPeople([], printer),
    ...series.flatMap((one, index) => printSeries(one, index, context.dialect)),
    ...series.flatMap((one, index) => printSeriesSets(one, index, printer, one)),
  ]
  return {
    sql: `select ${named(columns)}\nfrom ${rows}${printGroupBy(query)}\nlimit ${LIMITS.queryGroupsMax + 1}`,
    parameters,
  }
}

/** Those with a value, and those with one that is not 0, whichever is asked for. */
function printSeriesSets(
  one: Series,
  index: number,
  printer: Printer,
  { asksWithValue, asksNonZero }: Pick<Series, 'asksWithValue' | 'asksNonZero'>,
): readonly Text[] {
  const filter = filterOf(one, index)
  const withValue = one.argument ? `${valueOf(one, index)} is not null` : undefined
  return [
    ...(asksWithValue ? [printPeople([withValue, filter], printer)] : []),
    ...(asksNonZero ? [printPeople([`"q"."c${index}" <> 0`, filter], printer)] : []),
  ]
}

function printSets(printer: Printer, wanted: readonly number[]): VaultStatement {
  const { query, series } = printer
  const parameters: SourcePrinting['parameters'] = []
  const rows = printRows(printer, sourcePrinting(printer, parameters), wanted)
  const sets = wanted.flatMap((index) => {
    const one = series[index]
    return one
      ? printSeriesSets(one, index, printer, {
          asksWithValue: true,
          asksNonZero: one.clamp !== undefined && holdsZero(one.clamp),
        })
      : []
  })
  return {
    sql: `select ${named([...printKeys(printer), ...sets])}\nfrom ${rows}${printGroupBy(query)}`,
    parameters,
  }
}

function printShares(printer: Printer): VaultStatement {
  const { query, series } = printer
  const parameters: SourcePrinting['parameters'] = []
  const all = series.map((_, index) => index)
  const rows = printRows(printer, sourcePrinting(printer, parameters), all)
  const names = query.keys.map((_, index) => `"q"."k${index}"`)
  const shares = series.flatMap((one, index) => {
    const filter = filterOf(one, index)
    const counted = one.argument ? `${valueOf(one, index)} is not null` : undefined
    return [
      `count(*)${printFilter([counted, filter])} as "n${index}"`,
      ...(one.clamp ? [`sum(abs("q"."c${index}"))${printFilter([filter])} as "w${index}"`] : []),
    ]
  })
  const perPerson = `(select ${[...names, '"q"."_p"', ...shares].join(', ')} from ${rows} group by ${[...names, '"q"."_p"'].join(', ')}) as "q"`
  const largest = series.flatMap((one, index) => [
    `max("q"."n${index}")`,
    one.clamp ? `max("q"."w${index}")` : '0',
  ])
  return {
    sql: `select ${named([...printKeys(printer), ...(largest.length === 0 ? ['0'] : largest)])}\nfrom ${perPerson}${printGroupBy(query)}`,
    parameters,
  }
}

function printKeys({ query, context }: Printer): readonly Text[] {
  return query.keys.map(({ type }, index) => printReleased(type, `"q"."k${index}"`, context.dialect))
}

function printGroupBy({ keys }: BoundQuery): Text {
  return keys.length === 0 ? '' : `\ngroup by ${keys.map((_, index) => `"q"."k${index}"`).join(', ')}`
}

function named(columns: readonly Text[]): Text {
  return columns.map((text, index) => `${text} as "o${index}"`).join(', ')
}

/** How a question of mode `rows` is answered: one statement that gives `_p`, then the outputs. */
export interface RowsPlan {
  readonly checked: CheckedQuery
  readonly statement: VaultStatement
  /** Outputs that are the person: whoever releases the rows puts pseudonyms there. */
  readonly personOutputs: readonly number[]
}

/** Prints a question of mode `rows`. Only eligible people's rows are ordered, limited and shown. */
export function planRows(checked: CheckedQuery, context: PlanContext): RowsPlan {
  const { query } = checked
  const parameters: SourcePrinting['parameters'] = []
  const printing: SourcePrinting = {
    dialect: context.dialect,
    parameters,
    relations: context.relations,
    manifests: checked.manifests,
  }
  const inner = levelPrinting(printing, query.sources)
  const outputs = query.outputs.map(({ expr }) =>
    expr.type === 'person' ? 'null' : printReleased(expr.type, printExpression(expr, inner), context.dialect),
  )
  const reads = [...query.outputs.map(({ expr }) => expr), ...query.orderBy.map(({ expr }) => expr)]
  const list = `${printPerson(query.sources, printing)} as "o_p"${outputs.map((text, index) => `, ${text} as "o${index}"`).join('')}`
  const level = printLevel({ sources: query.sources, where: query.where, reads }, printing)
  const sql = `select ${list}\n${level}${printTail(wholeOrder(query, inner), { ...query, limit: query.limit ?? ALL_ROWS })}`
  return {
    checked,
    statement: { sql, parameters },
    personOutputs: query.outputs.flatMap(({ expr }, index) => (expr.type === 'person' ? [index] : [])),
  }
}

/** One more than may leave: that there are too many shows, and the engine sorts no more than it has to. */
const ALL_ROWS = LIMITS.releaseRowsMax + 1

/**
 * What was asked to order by, then all outputs, and the person last: numbers of people rise in the order of the issuer's file,
 * which may be that of their names. In which order rows come otherwise, and which of equal ones a
 * LIMIT takes, follows from how the engine joins, and that from how many rows people have who gave no grant.
 */
function wholeOrder({ orderBy, outputs }: BoundQuery, printing: Printing): readonly Text[] {
  const shown = outputs.flatMap(({ expr }) => {
    if (expr.type === 'person' || expr.kind === 'literal') return []
    // Engines differ in whether 0 and -0 are in an order.
    if (expr.type === 'number') return [`(${printExpression(expr, printing)} + 0) nulls last`]
    return [printSortKey({ expr, isDescending: false, nullsFirst: false }, printing)]
  })
  return [...orderBy.map((key) => printSortKey(key, printing)), ...shown, '"o_p"']
}

/** `order by … limit … offset …` of what there is. */
export function printTail(
  order: readonly Text[],
  { limit, offset }: Pick<BoundQuery, 'limit' | 'offset'>,
): Text {
  return [
    order.length === 0 ? '' : `\norder by ${order.join(', ')}`,
    limit === undefined ? '' : `\nlimit ${limit}`,
    offset === undefined ? '' : `\noffset ${offset}`,
  ].join('')
}
