import type { FuncCall, Node } from '@pgsql/types'
import { LIMITS } from '../../../../kernel/limits.ts'
import { isScalarType } from '../../../../protocol/data-set.ts'
import type { Manifest } from '../../../../protocol/data-set.ts'
import { innermost } from '../../bound/bound-query.ts'
import type { Expr, PerPersonAggregate, PerPersonFunction, Source } from '../../bound/bound-query.ts'
import type { Range } from '../../catalogue/expression-type.ts'
import { hull, range } from '../../catalogue/ranges.ts'
import { isSpreadOf, rangeOfSpread } from '../../bound/spread.ts'
import { definitionOf } from '../../bound/derived-column.ts'
import { IN_STAGES, groupsRefused, notAllowed, notSupported, tooLarge } from '../../text/refusal.ts'
import { checkMultiplied, readAggregate } from '../aggregate/bind-aggregate.ts'
import { bindCondition, bindValue } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { spreadArgument, withinBounds } from '../aggregate/bounded-argument.ts'
import { coerce, requireScalar } from '../expression/build-expression.ts'
import { readFraction, sortedValue } from '../aggregate/written-quantile.ts'

/** A table: aggregates of a sub-select that is grouped by the person key, by what they are. */
export const PER_PERSON_AGGREGATES = {
  count: 'count',
  sum: 'sum',
  avg: 'avg',
  min: 'min',
  max: 'max',
  bool_or: 'bool_or',
  bool_and: 'bool_and',
  every: 'bool_and',
  var_samp: 'var_samp',
  variance: 'var_samp',
  var_pop: 'var_pop',
  stddev_samp: 'stddev_samp',
  stddev: 'stddev_samp',
  stddev_pop: 'stddev_pop',
  percentile_cont: 'percentile_cont',
  percentile_disc: 'percentile_disc',
  median: 'percentile_cont',
  mode: 'mode',
  string_agg: 'string_agg',
} as const satisfies Readonly<Record<string, PerPersonFunction>>

/** Whether a function is one of these. */
export function isPerPersonAggregate(name: string): name is keyof typeof PER_PERSON_AGGREGATES {
  return Object.hasOwn(PER_PERSON_AGGREGATES, name)
}

/** What an aggregate looks at, and of it which rows and which of their order. */
interface Read extends Pick<
  PerPersonAggregate,
  'argument' | 'filter' | 'isDistinct' | 'quantileMicro' | 'separator'
> {
  readonly isOfPeople?: boolean
}

/** Of which rows a person has how many, and what the manifests say of their columns. */
interface OfPerson {
  readonly sources: readonly Source[]
  /** Bounds the rows of one person. */
  readonly rowsMax: () => number
}

/** Collects the aggregates of a sub-select that is grouped by the person key. */
export function perPersonSink(
  inner: Frame,
  { sources, rowsMax }: OfPerson,
): {
  readonly aggregates: PerPersonAggregate[]
  readonly bind: (node: FuncCall, name: string) => Expr | undefined
} {
  const aggregates: PerPersonAggregate[] = []
  const bind = (node: FuncCall, name: string): Expr | undefined => {
    if (!isPerPersonAggregate(name)) return undefined
    const made = PER_PERSON_AGGREGATES[name]
    const { isOfPeople, ...read } = readOf(node, name, inner)
    if (isOfPeople)
      throw groupsRefused(
        `counting people in a sub-select or CTE of people's rows; leave the person key out of GROUP BY where it is there, ${IN_STAGES}`,
        node.location,
      )
    const { argument } = read
    const type = typeOf(made, { argument, name, offset: node.location })
    if (argument && isOfEachRow(made))
      checkMultiplied(argument, { inner, sources, offset: node.location, name })
    const isSpread = isSpreadOf(made)
    const isClamped = argument !== undefined && (made === 'sum' || made === 'avg' || isSpread)
    const copies =
      made === 'string_agg'
        ? copiesOfJoined(argument, { sources, rowsMax, dataSets: inner.binding.dataSets }, node.location)
        : argument?.copies
    const index =
      aggregates.push({
        ...read,
        function: made,
        argument: isClamped ? (isSpread ? spreadArgument : withinBounds)(argument) : argument,
        clamp: isClamped && argument.kind === 'column' ? argument.range : undefined,
        copies,
        type,
      }) - 1
    const bounds = rangeOf(made, argument, rowsMax())
    const isSpan = made === 'count' ? undefined : argument?.isSpan
    return { kind: 'measure', measure: index, type, size: 1, range: bounds, copies, isSpan }
  }
  return { aggregates, bind }
}

/** Whether it matters how often a value is there. */
function isOfEachRow(made: PerPersonFunction): boolean {
  return (
    made === 'sum' ||
    made === 'avg' ||
    made === 'percentile_cont' ||
    made === 'percentile_disc' ||
    made === 'mode' ||
    isSpreadOf(made)
  )
}

function readOf(node: FuncCall, name: keyof typeof PER_PERSON_AGGREGATES, inner: Frame): Read {
  if (name === 'percentile_cont' || name === 'percentile_disc' || name === 'mode')
    return readOrdered(node, name, inner)
  if (name === 'string_agg') return readJoined(node, inner)
  const read = readAggregate(node, name, { ...inner, isPerPerson: true })
  return name === 'median' ? { ...read, quantileMicro: 500_000 } : read
}

/** `percentile_cont(0.5) within group (order by x)`, `mode() within group (order by x)`. */
function readOrdered(
  node: FuncCall,
  name: 'percentile_cont' | 'percentile_disc' | 'mode',
  inner: Frame,
): Read {
  const [fraction, more] = node.args ?? []
  const [order, another] = node.agg_order ?? []
  const isRead = name === 'mode' ? fraction === undefined : fraction !== undefined && more === undefined
  if (!node.agg_within_group || !isRead || order === undefined || another || node.agg_distinct)
    throw notAllowed(
      `"${name}" ${name === 'mode' ? 'with an argument, or without' : 'without one fraction and'} WITHIN GROUP (ORDER BY one value)`,
      node.location,
    )
  const { value, isDescending } = sortedValue(order)
  if (isDescending && name === 'mode') throw notAllowed('"mode" by a falling order', node.location)
  const filter = node.agg_filter && bindCondition(node.agg_filter, inner)
  if (fraction === undefined) return { argument: bindValue(value, inner), filter }
  const micro = readFraction(fraction, name, inner)
  if (isDescending && name === 'percentile_disc')
    throw notAllowed('"percentile_disc" by a falling order', node.location)
  return {
    argument: bindValue(value, inner),
    filter,
    quantileMicro: isDescending ? 1_000_000 - micro : micro,
  }
}

const SEPARATOR_BYTES_MAX = 16

/** `string_agg(distinct x, ', ')`, in whatever order it says, as long as that is x, rising. */
function readJoined(node: FuncCall, inner: Frame): Read {
  const [value, between, more] = node.args ?? []
  const { location } = node
  if (value === undefined || between === undefined || more || node.agg_star || node.agg_within_group)
    throw notAllowed('"string_agg" of these arguments', location)
  if (!node.agg_distinct)
    throw notSupported(
      '"string_agg" without DISTINCT: how long its text is would follow from the rows',
      location,
    )
  const argument = coerce(bindValue(value, inner), 'text', { offset: location, name: 'string_agg' })
  const separator = coerce(bindValue(between, inner), 'text', { offset: location, name: 'string_agg' })
  if (
    separator.kind !== 'literal' ||
    typeof separator.value !== 'string' ||
    Buffer.byteLength(separator.value) > SEPARATOR_BYTES_MAX
  )
    throw notAllowed(
      `"string_agg" with anything between but a written text of at most ${SEPARATOR_BYTES_MAX} bytes`,
      location,
    )
  const [order, another] = node.agg_order ?? []
  if (another || (order && !isRisingBy(order, argument, inner)))
    throw notSupported('"string_agg" in another order than that of its values, rising', location)
  return {
    argument,
    isDistinct: true,
    separator: separator.value,
    filter: node.agg_filter && bindCondition(node.agg_filter, inner),
  }
}

function isRisingBy(order: Node, argument: Expr, inner: Frame): boolean {
  const { value, isDescending } = sortedValue(order)
  return !isDescending && JSON.stringify(bindValue(value, inner)) === JSON.stringify(argument)
}

interface Facts {
  readonly argument: Expr | undefined
  readonly name: string
  readonly offset: number | undefined
}

function typeOf(made: PerPersonFunction, { argument, name, offset }: Facts): PerPersonAggregate['type'] {
  if (made === 'count') return 'integer'
  const type = argument?.type
  if (type === undefined || type === 'person' || type === 'interval' || !isScalarType(type))
    throw notAllowed(`"${name}" of ${type ?? 'nothing'}`, offset)
  if (argument) requireScalar(argument, offset)
  if (KEEPS_TYPE.has(made)) {
    if (type === 'boolean' && made !== 'mode') throw notAllowed(`"${name}" of boolean`, offset)
    return type
  }
  const expected =
    made === 'bool_or' || made === 'bool_and' ? 'boolean' : made === 'string_agg' ? 'text' : 'number'
  if (type !== expected && !(expected === 'number' && type === 'integer'))
    throw notAllowed(`"${name}" of ${type}`, offset)
  return expected
}

/** Aggregates that give one of the values. */
const KEEPS_TYPE: ReadonlySet<PerPersonFunction> = new Set(['min', 'max', 'mode', 'percentile_disc'])

function rangeOf(made: PerPersonFunction, argument: Expr | undefined, rowsMax: number): Range | undefined {
  const bounds = argument?.range
  if (made === 'count') return range(0, rowsMax)
  if (made === 'sum')
    return bounds && hull([range(bounds.least * rowsMax, bounds.greatest * rowsMax), bounds])
  return isSpreadOf(made) ? rangeOfSpread(made, bounds) : bounds
}

interface OfDataSets extends OfPerson {
  readonly dataSets: ReadonlyMap<string, Manifest>
}

/** Each different value of a person once, and what stands between them: as many as the person has rows, or as are declared. */
function copiesOfJoined(
  argument: Expr | undefined,
  { sources, rowsMax, dataSets }: OfDataSets,
  offset: number | undefined,
): number {
  const most = Math.min(
    rowsMax(),
    (argument && valuesOf(argument, sources, dataSets)) ?? Number.POSITIVE_INFINITY,
  )
  const copies = 2 * most * (argument?.copies ?? 1)
  if (copies > LIMITS.queryTextCopiesMax)
    throw tooLarge(
      `"string_agg" of what may have more than ${LIMITS.queryTextCopiesMax / 2} different values of one person; count them, or ask with bool_or`,
      offset,
    )
  return copies
}

/** How many different values a column has, where the manifest lists them. */
function valuesOf(
  expr: Expr,
  sources: readonly Source[],
  dataSets: ReadonlyMap<string, Manifest>,
): number | undefined {
  const found = expr.kind === 'column' ? sources[expr.source] : undefined
  if (expr.kind !== 'column' || found === undefined) return undefined
  const source = innermost(found)
  if (source.kind === 'outer') return undefined
  if (source.kind === 'data-set')
    return dataSets.get(source.dataSet)?.columns.find(({ name }) => name === expr.column)?.values?.length
  const { expr: made } = definitionOf(source, expr.column)
  return made && valuesOf(made, source.sources, dataSets)
}
