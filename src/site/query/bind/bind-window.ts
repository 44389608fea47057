import type { FuncCall, Node, WindowDef } from '@pgsql/types'
import { bindTerm, bindValue } from './bind-expression.ts'
import { offsetOf } from '../text/nodes.ts'
import type { Frame } from './bind-expression.ts'
import { sortKeyOf } from './bind-groups.ts'
import type { Expr, WindowCall, WindowFrame, WindowFunction } from '../bound/bound-query.ts'
import { requireScalar } from './build-expression.ts'
import { isNullablePerson } from '../bound/joined-level.ts'
import { range } from '../catalogue/ranges.ts'
import { notAllowed, notSupported } from '../text/refusal.ts'
import type { Level } from './scope.ts'
import { tiesOf } from './ties.ts'
import { frameOfWindow, isWholePartition, orderOfFrame } from './window-frame.ts'

/** A table: window functions of a sub-select, each over the rows of one person. */
export const WINDOW_FUNCTIONS: Readonly<Record<WindowFunction, { readonly says: string }>> = {
  row_number: { says: 'rows that the order leaves equal keep the order in which they are stored' },
  rank: { says: 'the same for equal rows, with gaps' },
  dense_rank: { says: 'the same for equal rows, without gaps' },
  lag: { says: '`lag(x)` or `lag(x, n)`, n at most 100' },
  lead: { says: '`lead(x)` or `lead(x, n)`, n at most 100' },
  count: { says: 'without ORDER BY over all rows of the partition, with it up to the row and its equals' },
  sum: { says: 'the same' },
  avg: { says: 'the same' },
  min: { says: 'the same' },
  max: { says: 'the same' },
  first_value: { says: 'rows that the order leaves equal keep the order in which they are stored' },
  last_value: { says: 'with a frame of ROWS, or one to UNBOUNDED FOLLOWING' },
  ntile: { says: '`ntile(n)`, n at most 100' },
}

const OFFSET_MAX = 100

/** Where window functions stand: over which sources, with which names of windows. */
export interface Windows {
  readonly level: Level
  readonly frame: Frame
  readonly named: readonly Node[]
}

/** Binds a window function of a sub-select. Its partition is of one person, so that its value is made of their own rows. */
export function bindWindow(node: FuncCall, name: string, windows: Windows): Expr {
  const { frame, level } = windows
  const made = Object.keys(WINDOW_FUNCTIONS).find((known): known is WindowFunction => known === name)
  if (made === undefined || node.agg_distinct || node.agg_filter)
    throw notAllowed(`"${name}" with OVER${made ? ' and DISTINCT or FILTER' : ''}`, node.location)
  const definition = definitionOf(node.over, windows)
  const { partitionClause = [], orderClause = [] } = definition
  const partition = partitionClause.map((item) => bindTerm(item, frame))
  const persons = partition.filter((term) => term.kind === 'person')
  const [person] = persons
  if (person === undefined || isNullablePerson(person, level.sources))
    throw notSupported('a window that is not PARTITION BY <person key>', node.location)
  const others = partitionClause
    .filter((_, index) => partition[index]?.kind !== 'person')
    .map((item) => bindSingle(item, frame))
  const given = frameOfWindow(definition, (bound) => bindValue(bound, frame))
  const keys = orderClause.map((item) => sortKeyOf(item, (by) => bindOrdered(by, frame)))
  const { args, offset } = argumentsOf(node, made, frame)
  if (given?.unit === 'groups' && keys.length === 0)
    throw notSupported('GROUPS without ORDER BY', node.location)
  const rows = PLACED.has(made) ? undefined : given
  const order = orderOfFrame(rows, keys, node.location)
  checkEnds(made, rows, node.location)
  const ties = isOfRows(made, rows) ? tiesOf(level) : []
  return windowCall({ function: made, person, args, offset, partition: others, order, ties, frame: rows })
}

/** Functions of a row's place, which no frame changes. */
const PLACED: ReadonlySet<WindowFunction> = new Set([
  'row_number',
  'rank',
  'dense_rank',
  'lag',
  'lead',
  'ntile',
])

/** Whether a function looks at single rows, so that those which the order leaves equal have to be told apart. */
function isOfRows(made: WindowFunction, frame: WindowFrame | undefined): boolean {
  if (made === 'rank' || made === 'dense_rank') return false
  return PLACED.has(made) || made === 'first_value' || made === 'last_value' || frame?.unit === 'rows'
}

/** Which of equal rows is the first or last of a frame that goes by equal rows is nowhere said. */
function checkEnds(made: WindowFunction, frame: WindowFrame | undefined, offset: number | undefined): void {
  if (made !== 'first_value' && made !== 'last_value') return
  const isKnown =
    frame === undefined
      ? made === 'first_value'
      : frame.unit === 'rows' || (isWholePartition(frame) && frame.exclude === undefined)
  if (!isKnown) throw notSupported(`"${made}" without a frame of ROWS`, offset)
}

function definitionOf(over: WindowDef | undefined, { named }: Windows): WindowDef {
  if (over?.name === undefined) return over ?? {}
  const found = named.flatMap((one) =>
    'WindowDef' in one && one.WindowDef.name === over.name ? [one.WindowDef] : [],
  )
  if (found[0] === undefined) throw notSupported('a window that is not defined', over.location)
  return found[0]
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

function argumentsOf(
  node: FuncCall,
  made: WindowFunction,
  frame: Frame,
): { readonly args: readonly Expr[]; readonly offset: number } {
  const given = (node.args ?? []).map((arg) => bindSingle(arg, frame))
  const [first, second, more] = given
  if (made === 'row_number' || made === 'rank' || made === 'dense_rank' || node.agg_star) {
    if (first || (node.agg_star && made !== 'count'))
      throw notAllowed(`"${made}" of these arguments`, node.location)
    return { args: [], offset: 1 }
  }
  if (made === 'ntile') {
    if (second) throw notAllowed('"ntile" of these arguments', node.location)
    return { args: [], offset: countOf(first, made, node.location) }
  }
  const isMoving = made === 'lag' || made === 'lead'
  const offset = second === undefined ? 1 : countOf(second, made, node.location)
  if (
    first === undefined ||
    more ||
    (second && !isMoving) ||
    first.type === 'person' ||
    first.type === 'interval'
  )
    throw notAllowed(`"${made}" with OVER of these arguments`, node.location)
  const isNumber = first.type === 'integer' || first.type === 'number'
  if (
    ((made === 'sum' || made === 'avg') && !isNumber) ||
    ((made === 'min' || made === 'max') && first.type === 'boolean')
  )
    throw notAllowed(`"${made}" of ${first.type}`, node.location)
  return { args: [first], offset }
}

function countOf(expr: Expr | undefined, made: WindowFunction, offset: number | undefined): number {
  const count = expr?.kind === 'literal' ? Number(expr.value ?? Number.NaN) : Number.NaN
  if (!Number.isSafeInteger(count) || count < 1 || count > OFFSET_MAX)
    throw notAllowed(`"${made}" by anything but a written number from 1 to ${OFFSET_MAX}`, offset)
  return count
}

/** A window call with its type and what is known of its values. */
export function windowCall(made: Omit<WindowCall, 'kind' | 'type' | 'size' | 'range'>): WindowCall {
  const [first] = made.args
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
    case 'avg':
      return { kind: 'window', ...made, type: 'number', size, range: first?.range }
    case 'lag':
    case 'lead':
    case 'min':
    case 'max':
    case 'first_value':
    case 'last_value':
      return {
        kind: 'window',
        ...made,
        type: first?.type ?? 'text',
        size,
        range: first?.range,
        copies: first?.copies,
      }
  }
}
