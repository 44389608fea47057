import type { VaultStatement } from '../../vault/vault.ts'
import { LIMITS } from '../../../kernel/limits.ts'
import type { Expr, Source } from '../bound/bound-query.ts'
import type { Text } from '../catalogue/forms.ts'
import { NO_STEP, PACKED_PEOPLE_MAX, packedRow } from '../run/packed-rows.ts'
import type { PlanContext } from './plan-context.ts'
import { levelPrinting, printLevel, printPersonColumn } from './print-sources.ts'
import type { SourcePrinting } from './print-sources.ts'
import { withoutDomain } from './plan-aggregate.ts'
import { printGroupingSets } from './print-grouping-sets.ts'
import { printExpression, printReleased } from './print.ts'
import type { PrivateDesign, PrivateFigure, PrivateSeries } from './private-design.ts'
import { isOfRow, ROW_WEIGHT } from './private-design.ts'
import { reachOf } from './private-grid.ts'
import type { Grid } from './private-grid.ts'

/** How the whole numbers of a question of mode `private` are collected. */
export interface PrivatePlan {
  readonly design: PrivateDesign
  /**
   * Without bounding what one person gives: of use where nobody has more than may count. It also gives the people of each group, by
   * which that is seen. Absent where somebody has more rows than count.
   */
  readonly plain?: VaultStatement | undefined
  /** The rows of each group in one list, to be bounded here (`bound-listed.ts`). Absent where they may be too many to hold. */
  readonly listed?: ListedStatement | undefined
  /** With the rows of each person in each group, and the groups of each person, bounded. */
  readonly bounded: VaultStatement
  /** For a quantile: what stands on each place of its grid, by group. */
  readonly places: (
    figure: Extract<PrivateFigure, { kind: 'place' }>,
    how: 'plain' | 'bounded',
  ) => VaultStatement
}

export interface ListedStatement {
  readonly statement: VaultStatement
  /** Every person's number is below. */
  readonly personCount: number
  /** Secret and fixed for a question: it chooses which groups a person counts in. */
  readonly choiceKey: string
}

export interface PrivatePlanContext extends PlanContext {
  /** Secret and fixed for a question: it chooses which groups a person counts in. */
  readonly choiceKey: string
}

/** Prints the statements, for DuckDB. */
export function planPrivate(design: PrivateDesign, context: PrivatePlanContext): PrivatePlan {
  if (context.dialect !== 'duckdb') throw new Error('Cannot plan: noise is added to what DuckDB collects')
  const printer: Printer = { design, context }
  return {
    design,
    plain: isWithinRows(printer) ? printPlain(printer) : undefined,
    listed: canBeListed(printer) ? printListed(printer) : undefined,
    bounded: printBounded(printer),
    places: (figure, how) => printPlaces(printer, figure, how),
  }
}

interface Printer {
  readonly design: PrivateDesign
  readonly context: PrivatePlanContext
}

/** Whether nobody has more rows than count. Only how it is computed depends on it, not what comes out. */
function isWithinRows({ design: { checked, bounds }, context }: Printer): boolean {
  // A person stands in a group of each set, so who is in which has to be bounded.
  if (checked.query.groupingSets) return false
  const most = rowsThere(checked.query.sources, context)
  // The people of each group are gathered as lists, which take memory.
  return most <= bounds.rowsMax && most * personCountOf(context) <= LIMITS.queryListedPeopleMax
}

/** Whether the rows can be held at once: of each a number of four bytes and for each series a double. */
function canBeListed({ design: { checked, series }, context }: Printer): boolean {
  const { sources, groupingSets } = checked.query
  const ofRow = 1 + 2 * series.filter((one) => !isOfRow(one)).length
  const rows = Math.min(rowsThere(sources, context) * personCountOf(context), rowsInAll(sources, context))
  const areNear = series.every(({ grid }) => grid === undefined || reachOf(grid).distance < BigInt(-NO_STEP))
  // A full join has rows of nobody, whose person is not known.
  return (
    areNear &&
    Number.isFinite(rowsThere(sources, context)) &&
    rows * ofRow * (groupingSets?.length ?? 1) <= LIMITS.queryListedPeopleMax
  )
}

function personCountOf({ relations }: PrivatePlanContext): number {
  return Math.max(1, ...[...relations.values()].map(({ personCount }) => personCount))
}

/** Most rows there are, where they are those of one data set. */
function rowsInAll(sources: readonly Source[], context: PlanContext): number {
  const [source, ...others] = sources.filter(({ kind }) => kind !== 'outer')
  if (source === undefined || others.length > 0) return Number.POSITIVE_INFINITY
  if (source.kind === 'rows' || source.kind === 'per-person') return rowsInAll(source.sources, context)
  return source.kind === 'data-set'
    ? (context.relations.get(source.dataSet)?.rowCount ?? Number.POSITIVE_INFINITY)
    : Number.POSITIVE_INFINITY
}

/** Most rows that one person has, as far as the vault knows; a full join has rows of either side beside those of both. */
function rowsThere(sources: readonly Source[], context: PrivatePlanContext): number {
  return sources.reduce((product, source) => {
    if (source.join?.kind === 'full') return Number.POSITIVE_INFINITY
    if (source.kind === 'outer') return product
    if (source.kind === 'rows') return product * rowsThere(source.sources, context)
    if (source.kind === 'per-person')
      return product * (source.keys.length === 0 ? 1 : rowsThere(source.sources, context))
    return product * (context.relations.get(source.dataSet)?.rowsPerPerson ?? Number.POSITIVE_INFINITY)
  }, 1)
}

/** The rows as `"q"`: the person, keys `k`, and for each series a whole number `y`, or `nothing` where the row does not count. */
function printRows(
  { design, context }: Printer,
  wanted: readonly number[],
  nothing: Text = 'null',
): { readonly rows: Text; readonly parameters: SourcePrinting['parameters'] } {
  const { query, manifests } = design.checked
  const parameters: SourcePrinting['parameters'] = []
  const printing: SourcePrinting = {
    dialect: context.dialect,
    parameters,
    relations: context.relations,
    manifests,
  }
  const inner = levelPrinting(printing, query.sources)
  const list = query.keys.map((key, index) => `${printExpression(key, inner)} as "k${index}"`)
  // Two zeros would be two groups.
  const printed = query.keys.map(({ type }, index) =>
    type === 'number'
      ? `case when "r"."k${index}" = 0 then 0e0 else "r"."k${index}" end as "k${index}"`
      : `"r"."k${index}"`,
  )
  const reads: Expr[] = [...query.keys]
  const sets = printGroupingSets(query, printed)
  const outer = [...sets.keys]
  for (const index of wanted) {
    const one = design.series[index]
    if (one === undefined) continue
    // The step that a value falls on is null for what is no number of the domain.
    const argument = one.grid && one.argument ? withoutDomain(one.argument, query.sources) : one.argument
    for (const [name, expr] of [
      ['x', argument],
      ['f', one.filter],
    ] as const) {
      if (expr === undefined) continue
      list.push(`${printExpression(expr, inner)} as "${name}${index}"`)
      reads.push(expr)
    }
    outer.push(`${printWhole(one, index, nothing)} as "y${index}"`)
  }
  const level = printLevel({ sources: query.sources, where: query.where, reads }, printing)
  const rows = `(select ${printPersonColumn(query.sources, printing)}${list.map((text) => `, ${text}`).join('')}\n${level}) as "r"`
  return {
    rows: `(select "r"."_p"${outer.map((text) => `, ${text}`).join('')} from ${rows}${sets.join}) as "q"`,
    parameters,
  }
}

function printWhole({ argument, filter, grid }: PrivateSeries, index: number, nothing: Text): Text {
  const value = grid ? printStep(`"r"."x${index}"`, grid, nothing) : '1'
  const conditions = [
    ...(argument && !grid ? [`"r"."x${index}" is not null`] : []),
    ...(filter ? [`"r"."f${index}"`] : []),
  ]
  return conditions.length === 0
    ? value
    : `case when ${conditions.join(' and ')} then ${value} else ${nothing} end`
}

/**
 * A value within its bounds as a whole number of steps from the middle, still as a double, which holds it exactly; `nothing`
 * for what is no number of the domain.
 */
function printStep(value: Text, { unit, centre, least, greatest }: Grid, nothing: Text): Text {
  const [low, high] = [centre + Number(least) * unit, centre + Number(greatest) * unit]
  const inside = `round((cast(${value} as double) - ${number(centre)}) * ${number(1 / unit)})`
  return `case when ${value} between ${number(low)} and ${number(high)} then ${inside} when ${value} < ${number(low)} and ${value} >= -1e150 then ${number(Number(least))} when ${value} > ${number(high)} and ${value} <= 1e150 then ${number(Number(greatest))} else ${nothing} end`
}

/** Up to here every whole number is a double, so that a sum of fewer of them is exact whatever its order. */
const EXACT_MAX = 2n ** 53n

/** A sum of steps, exact: in doubles where all of them together stay whole, else in 128 bits. */
function printSum(y: Text, grid: Grid, { context }: Printer): Text {
  const rows = [...context.relations.values()].reduce(
    (most, { personCount, rowsPerPerson }) =>
      most * (rowsPerPerson === undefined ? Infinity : Math.max(1, personCount * rowsPerPerson)),
    1,
  )
  const isExact = Number.isSafeInteger(rows) && BigInt(rows) * reachOf(grid).distance < EXACT_MAX
  return isExact ? `cast(sum(${y}) as hugeint)` : `sum(cast(${y} as hugeint))`
}

/** A sum of squares of steps: past what doubles hold. */
function printSquares(y: Text): Text {
  return `sum(cast(${y} as hugeint) * cast(${y} as hugeint))`
}

function number(value: number): Text {
  return `(${value.toExponential()})`
}

/** Columns of a series, after keys and people: rows, distances, squares; `run-private.ts` reads them so. */
export const PRIVATE_COLUMNS = ['rows', 'distances', 'squares'] as const

function printPlain(printer: Printer): VaultStatement {
  const { design } = printer
  const { rows, parameters } = printRows(
    printer,
    design.series.map((_, index) => index),
  )
  const columns = [
    ...printKeys(printer),
    'list("q"."_p")',
    ...design.series.flatMap((one, index) => {
      const y = `"q"."y${index}"`
      if (isOfRow(one)) return ['0', '0', '0']
      if (one.isOfPeople) return [`count(distinct case when ${y} is not null then "q"."_p" end)`, '0', '0']
      return [
        `count(${y})`,
        one.grid ? text(printSum(y, one.grid, printer)) : '0',
        one.needsSquares ? text(printSquares(y)) : '0',
      ]
    }),
  ]
  return {
    sql: `select ${named(columns)}\nfrom ${rows}${groupBy(printer, '"q"')}\nlimit ${LIMITS.releaseRowsMax + 1}`,
    parameters,
  }
}

/** Sums are exact and past 64 bits, so they travel as texts. */
function text(sum: Text): Text {
  return `cast(coalesce(${sum}, 0) as varchar)`
}

function named(columns: readonly Text[]): Text {
  return columns.map((column, index) => `${column} as "o${index}"`).join(', ')
}

function printKeys({ design, context }: Printer, name = '"q"'): readonly Text[] {
  return design.checked.query.keys.map(({ type }, index) =>
    printReleased(type, `${name}."k${index}"`, context.dialect),
  )
}

function groupBy({ design }: Printer, name: Text, ...more: readonly Text[]): Text {
  const keys = [...design.checked.query.keys.map((_, index) => `${name}."k${index}"`), ...more]
  return keys.length === 0 ? '' : `\ngroup by ${keys.join(', ')}`
}

function printListed(printer: Printer): ListedStatement {
  const { design, context } = printer
  // What does not count is a number too: a coalesce over all rows costs a tenth of the statement.
  const { rows, parameters } = printRows(
    printer,
    design.series.map((_, index) => index),
    number(NO_STEP),
  )
  const fields = design.series.flatMap((one, index) =>
    isOfRow(one) ? [] : [`cast("q"."y${index}" as double)`],
  )
  // One list of both: what stands beside one another there is of the same row.
  const [only, ...others] = fields
  const row =
    only !== undefined && others.length === 0 && personCountOf(context) <= PACKED_PEOPLE_MAX
      ? packedRow('"q"."_p"', only)
      : `row(${['"q"."_p"', ...fields].join(', ')})`
  const columns = [...printKeys(printer), `list(${row})`]
  return {
    statement: {
      sql: `select ${named(columns)}\nfrom ${rows}${groupBy(printer, '"q"')}\nlimit ${LIMITS.releaseRowsMax + 1}`,
      parameters,
    },
    personCount: personCountOf(context),
    choiceKey: context.choiceKey,
  }
}

/** Groups below the minimum are never shown, so they need not come here; public groups are all shown. */
function least({ design: { groups, minimumGroup } }: Printer, people: Text): Text {
  return groups === undefined
    ? `\nhaving ${people} >= ${minimumGroup}\nlimit ${LIMITS.releaseRowsMax + 1}`
    : ''
}

function printBounded(printer: Printer): VaultStatement {
  const { design } = printer
  const { rows, parameters } = printRows(
    printer,
    design.series.map((_, index) => index),
  )
  const keys = design.checked.query.keys.map((_, index) => `"k${index}"`)
  const given = design.series.flatMap((one, index) => {
    const y = `"q"."y${index}"`
    return [
      `count(${y}) as "n${index}"`,
      ...(one.grid ? [`${printSum(y, one.grid, printer)} as "s${index}"`] : []),
      ...(one.needsSquares ? [`${printSquares(y)} as "t${index}"`] : []),
    ]
  })
  const perPerson = `(select ${[...keys, '"q"."_p"', ...given].join(', ')} from ${rows}${groupBy(printer, '"q"', '"q"."_p"')}) as "g"`
  const chosen = printChosen(printer, perPerson, parameters)
  const columns = [
    ...printKeys(printer, '"g"'),
    'count(*)',
    ...design.series.flatMap((one, index) => printBoundedSeries(one, index, design.bounds.rowsMax)),
  ]
  return {
    sql: `select ${named(columns)}\nfrom ${chosen}${groupBy(printer, '"g"')}${least(printer, 'count(*)')}`,
    parameters,
  }
}

/** At most so many groups of each person, chosen by a keyed hash of the person and the group: never by the order of data. */
function printChosen(
  { design, context }: Printer,
  perPerson: Text,
  parameters: SourcePrinting['parameters'],
): Text {
  const { query } = design.checked
  if (query.keys.length === 0) return perPerson
  const order = printChoice(
    query.keys.map((_, index) => `"g"."k${index}"`),
    '"g"."_p"',
    bindKey(parameters, context.choiceKey),
  )
  return `(select *, row_number() over (partition by "g"."_p" order by ${order}) as "_place" from ${perPerson}) as "g" where "g"."_place" <= ${design.bounds.groupsMax}`
}

function bindKey(parameters: SourcePrinting['parameters'], choiceKey: string): Text {
  parameters.push({ type: 'text', value: choiceKey })
  return `cast($${parameters.length} as varchar)`
}

function printChoice(keys: readonly Text[], person: Text, key: Text): Text {
  return [`hash(${[key, person, ...keys].join(', ')})`, ...keys].join(', ')
}

/** Whoever has more rows than count, counts as that many rows of their own average. */
function printBoundedSeries(one: PrivateSeries, index: number, rowsMax: number): readonly Text[] {
  const [n, s, t] = [`"g"."n${index}"`, `"g"."s${index}"`, `"g"."t${index}"`]
  if (isOfRow(one)) return ['0', '0', '0']
  if (one.isOfPeople) return [`count(nullif(${n}, 0))`, '0', '0']
  const bounded = (sum: Text): Text =>
    text(`sum(case when ${n} > ${rowsMax} then cast(${sum} as hugeint) * ${rowsMax} // ${n} else ${sum} end)`)
  return [
    text(`sum(least(${n}, ${rowsMax}))`),
    one.grid ? bounded(s) : '0',
    one.needsSquares ? bounded(t) : '0',
  ]
}

function printPlaces(
  printer: Printer,
  { series: index, places }: Extract<PrivateFigure, { kind: 'place' }>,
  how: 'plain' | 'bounded',
): VaultStatement {
  const { design, context } = printer
  const { rows, parameters } = printRows(printer, [index])
  const one = design.series[index]
  if (one?.grid === undefined) throw new Error('Cannot place a quantile: it has no grid')
  const keys = design.checked.query.keys.map((_, key) => `"q"."k${key}"`)
  const place = `(cast("q"."y${index}" as bigint) - (${one.grid.least})) // ${places.step}`
  if (how === 'plain')
    return {
      sql: `select ${named([...printKeys(printer), place, text(`count(*) * ${ROW_WEIGHT}`)])}\nfrom ${rows}\nwhere "q"."y${index}" is not null\ngroup by ${[...keys, place].join(', ')}`,
      parameters,
    }
  const own = ['"q"."_p"', ...keys].join(', ')
  const list = [
    'count("q"."y' + index + '") over (partition by ' + own + ') as "n"',
    ...(keys.length === 0
      ? []
      : [
          `dense_rank() over (partition by "q"."_p" order by ${printChoice(keys, '"q"."_p"', bindKey(parameters, context.choiceKey))}) as "_place"`,
        ]),
  ]
  const counted = `(select "q".*, ${list.join(', ')} from ${rows}) as "q"`
  const weight = `least(${ROW_WEIGHT}, ${ROW_WEIGHT} * ${design.bounds.rowsMax} // "q"."n")`
  const isChosen = keys.length === 0 ? '' : ` and "q"."_place" <= ${design.bounds.groupsMax}`
  return {
    sql: `select ${named([...printKeys(printer), place, text(`sum(${weight})`)])}\nfrom ${counted}\nwhere "q"."y${index}" is not null${isChosen}\ngroup by ${[...keys, place].join(', ')}`,
    parameters,
  }
}
