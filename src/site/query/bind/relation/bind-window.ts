import type { FuncCall, Node, WindowDef } from '@pgsql/types'
import { bindCondition, bindTerm, bindValue } from '../expression/bind-expression.ts'
import { offsetOf } from '../../text/nodes.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { sortKeyOf } from '../aggregate/bind-groups.ts'
import type { Expr, SortKey, WindowCall, WindowFrame, WindowFunction } from '../../bound/bound-query.ts'
import { call, caseOf, coerce, literal, requireScalar } from '../expression/build-expression.ts'
import { isNullablePerson } from '../../bound/joined-level.ts'
import { isSpreadOf, rangeOfSpread } from '../../bound/spread.ts'
import { spreadArgument } from '../aggregate/bounded-argument.ts'
import { hull, range } from '../../catalogue/ranges.ts'
import { notAllowed, notSupported } from '../../text/refusal.ts'
import type { Level } from '../expression/scope.ts'
import { tiesOf } from '../expression/ties.ts'
import { frameOfWindow, hasFrame, isWholePartition, orderOfFrame } from '../expression/window-frame.ts'

/** A table: window functions of a sub-select, each over the rows of one person. */
export const WINDOW_FUNCTIONS: Readonly<Record<WindowFunction, { readonly says: string }>> = {
  row_number: { says: 'rows that the order leaves equal keep the order in which they are stored' },
  rank: { says: 'the same for equal rows, with gaps' },
  dense_rank: { says: 'the same for equal rows, without gaps' },
  percent_rank: { says: 'rows before its equals, over all others; 0 of a single row' },
  cume_dist: { says: 'rows up to its equals, over all' },
  lag: { says: '`lag(x)`, `lag(x, n)` or `lag(x, n, otherwise)`, n at most 100' },
  lead: { says: '`lead(x)`, `lead(x, n)` or `lead(x, n, otherwise)`, n at most 100' },
  count: { says: 'without ORDER BY over all rows of the partition, with it up to the row and its equals' },
  sum: { says: 'the same' },
  avg: { says: 'the same' },
  min: { says: 'the same' },
  max: { says: 'the same' },
  var_samp: { says: 'the same, also as `variance`' },
  var_pop: { says: 'the same' },
  stddev_samp: { says: 'the same, also as `stddev`' },
  stddev_pop: { says: 'the same' },
  bool_or: { says: 'the same' },
  bool_and: { says: 'the same, also as `every`' },
  first_value: { says: 'rows that the order leaves equal keep the order in which they are stored' },
  last_value: {
    says: 'with a frame of ROWS, or of all rows of the partition; without a frame the last of the row’s equals',
  },
  nth_value: { says: '`nth_value(x, n)`, n at most 100; with the same frames, or without one' },
  ntile: { says: '`ntile(n)`, n at most 100' },
}

/** Further names of some. */
const OTHER_NAMES: Readonly<Partial<Record<string, WindowFunction>>> = {
  every: 'bool_and',
  variance: 'var_samp',
  stddev: 'stddev_samp',
}

const OFFSET_MAX = 100

/** Where window functions stand: over which sources, with which names of windows. */
export interface Windows extends NamedWindows {
  readonly level: Level
}

/** What windows look at, and which have names. */
interface NamedWindows {
  readonly frame: Frame
  readonly named: readonly Node[]
}

/** Binds a window function of a sub-select. Its partition is of one person, so that its value is made of their own rows. */
export function bindWindow(node: FuncCall, name: string, windows: Windows): Expr {
  const { level } = windows
  const { definition, read } = readWindow(node, name, windows)
  const partition = (definition.partitionClause ?? []).map((item) => bindTerm(item, windows.frame))
  const person = partition.find((term) => term.kind === 'person')
  if (person === undefined || isNullablePerson(person, level.sources))
    throw notSupported(
      'a window that is not PARTITION BY <person key>; over the groups of a question there may be any, as avg(count(*)) over (); of people ask a mean, a deviation or bands first and write them out; with noise, mode private answers quantiles',
      node.location,
    )
  return placedCall(read, (made) => ({ person, ties: isOfSingleRows(made) ? tiesOf(level) : [] }))
}

/** The same over the groups of an answer, which are rows of nobody: over all of them, or by whatever keys. */
export function bindGroupWindow(node: FuncCall, name: string, windows: NamedWindows): Expr {
  const { read } = readWindow(node, name, windows)
  return placedCall(read, () => ({ ties: [] }))
}

type Placing = (made: ReadWindow['read']) => Pick<WindowCall, 'person' | 'ties'>

/**
 * Without a frame a row sees the rows up to the last of its equals. The last value of those is that of its equals alone; the
 * n-th is that of all the rows, once there are so many.
 */
function placedCall(read: ReadWindow['read'], place: Placing): Expr {
  const { function: made, order, frame } = read
  const isUnframed = frame === undefined && order.length > 0
  if (isUnframed && made === 'last_value') {
    const equals = { ...read, partition: [...read.partition, ...order.map(({ expr }) => expr)], order: [] }
    const last = { ...equals, frame: frameOfAll(made, []) }
    return windowCall({ ...last, ...place(last) })
  }
  if (isUnframed && made === 'nth_value') {
    const nth = { ...read, frame: { ...WHOLE, unit: 'rows' as const } }
    const rows = { ...read, function: 'count' as const, args: [] }
    const count = windowCall({ ...rows, ...place(rows) })
    const when = call('ge', [count, literal('integer', read.offset)])
    return caseOf([{ when, value: windowCall({ ...nth, ...place(nth) }) }], undefined)
  }
  return windowCall({ ...read, ...place(read) })
}

interface ReadWindow {
  readonly definition: WindowDef
  readonly read: Pick<WindowCall, 'function' | 'args' | 'offset' | 'partition' | 'order' | 'frame'>
}

function readWindow(node: FuncCall, name: string, windows: NamedWindows): ReadWindow {
  const { frame } = windows
  const plain = OTHER_NAMES[name] ?? name
  const made = Object.keys(WINDOW_FUNCTIONS).find((known): known is WindowFunction => known === plain)
  const isFiltered = node.agg_filter !== undefined
  if (made === undefined || node.agg_distinct || (isFiltered && !AGGREGATED.has(made)))
    throw notAllowed(
      `"${name}" with OVER${made ? ` and ${isFiltered ? 'FILTER' : 'DISTINCT'}` : ''}`,
      node.location,
    )
  const definition = definitionOf(node.over, windows)
  const { partitionClause = [], orderClause = [] } = definition
  const partition = partitionClause
    .filter((item) => bindTerm(item, frame).kind !== 'person')
    .map((item) => bindSingle(item, frame))
  const given = frameOfWindow(definition, (bound) => bindValue(bound, frame))
  const keys = orderClause.map((item) => sortKeyOf(item, (by) => bindOrdered(by, frame)))
  const { args, offset } = filtered(argumentsOf(node, made, frame), { node, frame })
  if (given?.unit === 'groups' && keys.length === 0)
    throw notSupported('GROUPS without ORDER BY', node.location)
  const rows = PLACED.has(made) ? undefined : (given ?? frameOfAll(made, keys))
  const order = orderOfFrame(rows, keys, node.location)
  checkEnds(made, rows, node.location)
  return { definition, read: { function: made, args, offset, partition, order, frame: rows } }
}

/** Functions that give equal rows the same. */
const RANKS: ReadonlySet<WindowFunction> = new Set(['rank', 'dense_rank', 'percent_rank', 'cume_dist'])

/** Functions of a row's place, which no frame changes. */
const PLACED: ReadonlySet<WindowFunction> = new Set([...RANKS, 'row_number', 'lag', 'lead', 'ntile'])

/** Functions of all rows of a frame, which FILTER may choose among. */
const AGGREGATED: ReadonlySet<WindowFunction> = new Set([
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'var_samp',
  'var_pop',
  'stddev_samp',
  'stddev_pop',
  'bool_or',
  'bool_and',
])

/** Whether a name is that of an aggregate that may stand over all rows of a frame. */
export function isOfAllRows(name: string): boolean {
  const made = OTHER_NAMES[name] ?? name
  return [...AGGREGATED].some((known) => known === made)
}

/** Functions of one row of a frame. */
const ENDS: ReadonlySet<WindowFunction> = new Set(['first_value', 'last_value', 'nth_value'])

/** Whether a function looks at single rows, so that those which the order leaves equal have to be told apart. */
export function isOfSingleRows({ function: made, frame }: Pick<WindowCall, 'function' | 'frame'>): boolean {
  return !RANKS.has(made) && (PLACED.has(made) || ENDS.has(made) || frame?.unit === 'rows')
}

/** Without an order all rows are equal, so the frame is all of them: in the order in which they are stored. */
function frameOfAll(made: WindowFunction, order: readonly SortKey[]): WindowFrame | undefined {
  return ENDS.has(made) && order.length === 0 ? { ...WHOLE, unit: 'range' } : undefined
}

const WHOLE = { start: { kind: 'unbounded preceding' }, end: { kind: 'unbounded following' } } as const

/** Which of equal rows is the first or last of a frame that goes by equal rows is nowhere said. */
function checkEnds(made: WindowFunction, frame: WindowFrame | undefined, offset: number | undefined): void {
  if (!ENDS.has(made)) return
  const isKnown =
    frame === undefined || frame.unit === 'rows' || (isWholePartition(frame) && frame.exclude === undefined)
  if (!isKnown) throw notSupported(`"${made}" without a frame of ROWS`, offset)
}

interface Arguments {
  readonly args: readonly Expr[]
  readonly offset: number
}

/** FILTER: what it leaves out is null, which no aggregate looks at. */
function filtered(given: Arguments, { node, frame }: { node: FuncCall; frame: Frame }): Arguments {
  if (node.agg_filter === undefined) return given
  const when = bindCondition(node.agg_filter, frame)
  return { ...given, args: [caseOf([{ when, value: given.args[0] ?? literal('integer', 1) }], undefined)] }
}

function definitionOf(over: WindowDef = {}, { named }: NamedWindows): WindowDef {
  const windows = named.flatMap((one) => ('WindowDef' in one ? [one.WindowDef] : []))
  if (over.name === undefined) return completed(over, windows)
  const found = windows.findIndex(({ name }) => name === over.name)
  const window = windows[found]
  if (window === undefined) throw notSupported('a window that is not defined', over.location)
  return completed(window, windows.slice(0, found))
}

/** A window made from an earlier one has its partition and its order, and no frame of its. */
function completed(window: WindowDef, earlier: readonly WindowDef[]): WindowDef {
  const { refname, location } = window
  if (refname === undefined) return window
  const at = earlier.findIndex(({ name }) => name === refname)
  const found = earlier[at]
  if (found === undefined) throw notSupported('a window that is not defined', location)
  const base = completed(found, earlier.slice(0, at))
  if (window.partitionClause || (window.orderClause && base.orderClause) || hasFrame(base))
    throw notSupported(
      'a window made from another that changes its partition, its order or its frame',
      location,
    )
  const { partitionClause = [], orderClause = window.orderClause ?? [] } = base
  return { ...window, partitionClause, orderClause }
}

function bindSingle(node: Node, frame: Frame): Expr {
  const expr = bindValue(node, frame)
  requireScalar(expr, offsetOf(node))
  return expr
}

function bindOrdered(by: Node, frame: Frame): Expr {
  const expr = bindSingle(by, frame)
  if (expr.type === 'person' || expr.kind === 'literal')
    throw notSupported('this ORDER BY of a window', offsetOf(by))
  return expr
}

function argumentsOf(node: FuncCall, made: WindowFunction, frame: Frame): Arguments {
  const given = (node.args ?? []).map((arg) => bindSingle(arg, frame))
  const [first, second, third, more] = given
  if (made === 'row_number' || RANKS.has(made) || node.agg_star) {
    if (first || (node.agg_star && made !== 'count'))
      throw notAllowed(`"${made}" of these arguments`, node.location)
    return { args: [], offset: 1 }
  }
  if (made === 'ntile') {
    if (second) throw notAllowed('"ntile" of these arguments', node.location)
    return { args: [], offset: countOf(first, made, node.location) }
  }
  const isMoving = made === 'lag' || made === 'lead'
  const offset = second === undefined && made !== 'nth_value' ? 1 : countOf(second, made, node.location)
  if (
    first === undefined ||
    more ||
    (second && !isMoving && made !== 'nth_value') ||
    (third && !isMoving) ||
    first.type === 'person' ||
    first.type === 'interval'
  )
    throw notAllowed(`"${made}" with OVER of these arguments`, node.location)
  if (!takes(made, first.type)) throw notAllowed(`"${made}" of ${first.type}`, node.location)
  const place = { offset: node.location, name: made }
  if (isSpreadOf(made)) return { args: [spreadArgument(first)], offset }
  return {
    args: third ? [first, coerce(bindTerm(node.args?.[2], frame), first.type, place)] : [first],
    offset,
  }
}

function takes(made: WindowFunction, type: Expr['type']): boolean {
  if (made === 'sum' || made === 'avg' || isSpreadOf(made)) return type === 'integer' || type === 'number'
  if (made === 'min' || made === 'max') return type !== 'boolean'
  return (made !== 'bool_or' && made !== 'bool_and') || type === 'boolean'
}

function countOf(expr: Expr | undefined, made: WindowFunction, offset: number | undefined): number {
  const count = expr?.kind === 'literal' ? Number(expr.value ?? Number.NaN) : Number.NaN
  if (!Number.isSafeInteger(count) || count < 1 || count > OFFSET_MAX)
    throw notAllowed(`"${made}" by anything but a written number from 1 to ${OFFSET_MAX}`, offset)
  return count
}

/** How often what tells of a spread writes its window. */
const SPREAD_PRINTS = 4

/** A window call with its type and what is known of its values. */
export function windowCall(made: Omit<WindowCall, 'kind' | 'type' | 'size' | 'range'>): WindowCall {
  const [first, otherwise] = made.args
  const size = [...made.args, ...made.partition, ...made.order.map(({ expr }) => expr)].reduce(
    (total, { size: one }) => total + one,
    1,
  )
  switch (made.function) {
    case 'row_number':
    case 'rank':
    case 'dense_rank':
    case 'count':
    case 'ntile':
      return { kind: 'window', ...made, type: 'integer', size, range: range(0, 1e9) }
    case 'sum':
      return { kind: 'window', ...made, type: 'number', size }
    case 'percent_rank':
    case 'cume_dist':
      return { kind: 'window', ...made, type: 'number', size, range: range(0, 1) }
    case 'avg':
      return { kind: 'window', ...made, type: 'number', size, range: first?.range }
    case 'var_samp':
    case 'var_pop':
    case 'stddev_samp':
    case 'stddev_pop':
      return {
        kind: 'window',
        ...made,
        type: 'number',
        size: size * SPREAD_PRINTS,
        range: rangeOfSpread(made.function, first?.range),
      }
    case 'bool_or':
    case 'bool_and':
      return { kind: 'window', ...made, type: 'boolean', size }
    case 'lag':
    case 'lead':
    case 'min':
    case 'max':
    case 'first_value':
    case 'last_value':
    case 'nth_value':
      return {
        kind: 'window',
        ...made,
        type: first?.type ?? 'text',
        size,
        range: hull(made.args.map((arg) => arg.range)),
        copies: otherwise ? Math.max(first?.copies ?? 1, otherwise.copies ?? 1) : first?.copies,
      }
  }
}
