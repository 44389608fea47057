import type { VaultStatement } from '../../vault/vault.ts'
import { LIMITS } from '../../../kernel/limits.ts'
import { holdsZero, rowsPerPerson, seriesOfMeasures } from './aggregate-series.ts'
import type { Series } from './aggregate-series.ts'
import type { BoundQuery, CheckedQuery, Expr } from '../bound/bound-query.ts'
import type { Range } from '../catalogue/expression-type.ts'
import type { Dialect } from '../catalogue/catalogue-row.ts'
import type { Text } from '../catalogue/forms.ts'
import { levelPrinting, printLevel, printPersonColumn, rawColumn } from './print-sources.ts'
import type { SourcePrinting } from './print-sources.ts'
import type { PlanContext } from './plan-context.ts'
import { printGroupingSets } from './print-grouping-sets.ts'
import { printPeople } from './print-people.ts'
import { printExpression, printReleased } from './print.ts'

/** How an aggregate question is answered: see `run-aggregate.ts`. */
export interface AggregatePlan {
  readonly checked: CheckedQuery
  readonly dialect: Dialect
  readonly series: readonly Series[]
  /** For each measure of the question its series. */
  readonly seriesOf: readonly number[]
  /** Most rows of one person that can stand in a group, by the manifests. */
  readonly rowsPerPersonMax: number
  /** Most groups that there may be. */
  readonly groupsMax: number
  /** Everything but sets that are probably those of the rows. Printed when it is read, which may be while the vault begins. */
  readonly collect: VaultStatement
  /** Sets of people for some series, at most `SETS_AT_ONCE`, by group. */
  readonly collectSets: (series: readonly number[]) => VaultStatement
  /** For each group and series the largest number of rows, sum of |clamped values| and sum of squares of one person. */
  readonly exactShares: () => VaultStatement
}

/** Prints how the groups of a question are collected. Deciding, finishing and releasing come later, over safe groups only. */
export function planAggregate(checked: CheckedQuery, context: PlanContext): AggregatePlan {
  const { query } = checked
  const { series: all, seriesOf } = seriesOfMeasures(checked)
  const series = all.length > SETS_AT_ONCE ? all.map(withoutSets) : all
  const rowsPerPersonMax = rowsPerPerson(query.sources, checked, context)
  const groupsMax = Math.min(LIMITS.queryGroupsMax, Math.floor(LIMITS.queryFiguresMax / series.length))
  const printer: Printer = { checked, query, context, series, rowsPerPersonMax, groupsMax }
  return {
    checked,
    dialect: context.dialect,
    series,
    seriesOf,
    rowsPerPersonMax,
    groupsMax,
    collect: printedWhenRead(() => printCollect(printer)),
    collectSets: (wanted) => printSets(printer, wanted),
    exactShares: () => printShares(printer),
  }
}

/**
 * Of how many series one statement asks for sets of people. Each is an aggregate with a FILTER, for which DuckDB sets all columns of
 * the others aside, past the limit of its memory: of 240 series at once that were 1.3 GB.
 */
export const SETS_AT_ONCE = 16

/** Asked for afterwards, some at a time, where the counts do not tell them. */
function withoutSets(one: Series): Series {
  return { ...one, asksWithValue: false, asksNonZero: false }
}

function printedWhenRead(print: () => VaultStatement): VaultStatement {
  let printed: VaultStatement | undefined
  const statement = (): VaultStatement => (printed ??= print())
  return {
    get sql() {
      return statement().sql
    },
    get parameters() {
      return statement().parameters ?? []
    },
  }
}

interface Printer {
  readonly checked: CheckedQuery
  readonly query: BoundQuery
  readonly context: PlanContext
  readonly series: readonly Series[]
  readonly rowsPerPersonMax: number
  readonly groupsMax: number
}

/**
 * The rows that are grouped, as `"q"`: the person, keys `k`, and for each series what counts of it, `c`: its argument, clamped where it is
 * summed, where its filter holds, else null. No sum has a FILTER of its own, for the reason of `SETS_AT_ONCE`.
 */
function printRows(
  { query, context, series }: Printer,
  printing: SourcePrinting,
  wanted: readonly number[],
): Text {
  const inner = levelPrinting(printing, query.sources)
  const list = query.keys.map((key, index) => `${printExpression(key, inner)} as "k${index}"`)
  const reads: Expr[] = [...query.keys]
  const printed = query.keys.map((key, index) =>
    key.type === 'number'
      ? `case when "r"."k${index}" = 0 then ${zero(context.dialect)} else "r"."k${index}" end as "k${index}"`
      : `"r"."k${index}"`,
  )
  const sets = printGroupingSets(query, printed)
  const outer = [...sets.keys]
  for (const index of wanted) {
    const one = series[index]
    if (one === undefined) continue
    const { argument, filter, clamp } = one
    const read = argument && (clamp ? withoutDomain(argument, query.sources) : argument)
    for (const [name, expr] of [
      ['x', read],
      ['f', filter],
    ] as const) {
      if (expr === undefined) continue
      list.push(`${printExpression(expr, inner)} as "${name}${index}"`)
      reads.push(expr)
    }
    if (argument ?? filter) outer.push(`${printCounted(one, index, context.dialect)} as "c${index}"`)
  }
  const level = printLevel({ sources: query.sources, where: query.where, reads }, printing)
  const rows = `(select ${printPersonColumn(query.sources, printing)}${list.map((text) => `, ${text}`).join('')}\n${level}) as "r"`
  return `(select "r"."_p"${outer.map((text) => `, ${text}`).join('')} from ${rows}${sets.join}) as "q"`
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
  const type = doubleOf(dialect)
  const [low, high, end] = [least, greatest, 1e150].map(
    (number) => `cast(${number.toExponential()} as ${type})`,
  )
  // What is within comes first: it is nearly every row.
  return `case when ${value} between ${low} and ${high} then cast(${value} as ${type}) when ${value} < ${low} and ${value} >= -${end} then ${low} when ${value} > ${high} and ${value} <= ${end} then ${high} end`
}

/** Clamping makes no null and loses none. */
function printCounted({ argument, filter, clamp }: Series, index: number, dialect: Dialect): Text {
  const read = `"r"."x${index}"`
  const value = argument === undefined ? 'true' : clamp ? printClamp(read, clamp, dialect) : read
  return filter ? `case when "r"."f${index}" then ${value} end` : value
}

/** What counts of a series, null where a row does not; absent where each row does. */
function valueOf({ argument, filter }: Series, index: number): Text | undefined {
  return argument || filter ? `"q"."c${index}"` : undefined
}

/** Columns of a series in `collect`, in this order; `run-aggregate.ts` reads them so. */
export const SERIES_COLUMNS = ['rows', 'nonZeroRows', 'sum', 'absolute', 'squares'] as const

function printSeries(one: Series, index: number, dialect: Dialect): readonly Text[] {
  const type = doubleOf(dialect)
  const value = valueOf(one, index) ?? '*'
  const rows = `count(${value})`
  if (one.clamp === undefined) return [rows, '0', '0', '0', '0']
  const sum = (text: Text): Text => `cast(coalesce(sum(${text}), 0) as ${type})`
  return [
    rows,
    holdsZero(one.clamp) ? `count(nullif(${value}, cast(0 as ${type})))` : '0',
    sum(value),
    one.clamp.least >= 0 ? '0' : sum(`abs(${value})`),
    one.needsSquares ? sum(printSquare(value, type)) : '0',
  ]
}

function doubleOf(dialect: Dialect): Text {
  return dialect === 'duckdb' ? 'double' : 'float8'
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
  const { query, context, series, groupsMax } = printer
  const parameters: SourcePrinting['parameters'] = []
  const all = series.map((_, index) => index)
  const rows = printRows(printer, sourcePrinting(printer, parameters), all)
  const columns = [
    ...printKeys(printer),
    'count(*)',
    printPeople(undefined, printer),
    ...series.flatMap((one, index) => printSeries(one, index, context.dialect)),
    ...series.flatMap((one, index) => printSeriesSets(one, index, printer, one)),
  ]
  return {
    sql: `select ${named(columns)}\nfrom ${rows}${printGroupBy(query)}\nlimit ${groupsMax + 1}`,
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
  const value = valueOf(one, index)
  return [
    ...(asksWithValue ? [printPeople(value && `${value} is not null`, printer)] : []),
    ...(asksNonZero ? [printPeople(`"q"."c${index}" <> 0`, printer)] : []),
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

/** Columns of a series in `exactShares`, in this order; `run-aggregate.ts` reads them so. */
export const SHARE_COLUMNS = ['rows', 'absolute', 'squares'] as const

function printShares(printer: Printer): VaultStatement {
  const { query, context, series } = printer
  const parameters: SourcePrinting['parameters'] = []
  const all = series.map((_, index) => index)
  const rows = printRows(printer, sourcePrinting(printer, parameters), all)
  const names = query.keys.map((_, index) => `"q"."k${index}"`)
  const shares = series.flatMap((one, index) => {
    return [
      `count(${valueOf(one, index) ?? '*'}) as "n${index}"`,
      ...(one.clamp ? [`sum(abs("q"."c${index}")) as "w${index}"`] : []),
      ...(one.needsSquares
        ? [`sum(${printSquare(`"q"."c${index}"`, doubleOf(context.dialect))}) as "s${index}"`]
        : []),
    ]
  })
  const perPerson = `(select ${[...names, '"q"."_p"', ...shares].join(', ')} from ${rows} group by ${[...names, '"q"."_p"'].join(', ')}) as "q"`
  const largest = series.flatMap((one, index) => [
    `max("q"."n${index}")`,
    one.clamp ? `max("q"."w${index}")` : '0',
    one.needsSquares ? `max("q"."s${index}")` : '0',
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
