import type { FuncCall, Node, WindowDef } from '@pgsql/types'
import { bindTerm, bindValue, offsetOf } from './bind-expression.ts'
import type { Frame } from './bind-expression.ts'
import { sortKeyOf } from './bind-groups.ts'
import { STORED } from './bound-query.ts'
import type { ColumnRef, Expr, Source, WindowCall, WindowFunction } from './bound-query.ts'
import { isNullablePerson } from './joined-level.ts'
import { range } from './ranges.ts'
import { notAllowed, notSupported } from './refusal.ts'
import type { Level } from './scope.ts'

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
  const { partitionClause = [], orderClause = [] } = definitionOf(node.over, windows)
  const partition = partitionClause.map((item) => bindTerm(item, frame))
  const persons = partition.filter((term) => term.kind === 'person')
  const [person] = persons
  if (person === undefined || isNullablePerson(person, level.sources))
    throw notSupported('a window that is not PARTITION BY <person key>', node.location)
  const others = partitionClause
    .filter((_, index) => partition[index]?.kind !== 'person')
    .map((item) => bindValue(item, frame))
  const order = orderClause.map((item) => sortKeyOf(item, (by) => bindOrdered(by, frame)))
  const { args, offset } = argumentsOf(node, made, frame)
  const ties =
    made === 'row_number' || made === 'lag' || made === 'lead' ? tiesOf(level.sources, node.location) : []
  return typed({ function: made, person, args, offset, partition: others, order, ties })
}

function definitionOf(over: WindowDef | undefined, { named }: Windows): WindowDef {
  if (over?.name === undefined) return over ?? {}
  const found = named.flatMap((one) =>
    'WindowDef' in one && one.WindowDef.name === over.name ? [one.WindowDef] : [],
  )
  if (found[0] === undefined) throw notSupported('a window that is not defined', over.location)
  return found[0]
}

function bindOrdered(by: Node, frame: Frame): Expr {
  const expr = bindValue(by, frame)
  if (expr.type === 'person' || expr.kind === 'literal')
    throw notSupported('this ORDER BY of a window', offsetOf(by))
  return expr
}

function argumentsOf(
  node: FuncCall,
  made: WindowFunction,
  frame: Frame,
): { readonly args: readonly Expr[]; readonly offset: number } {
  const given = (node.args ?? []).map((arg) => bindValue(arg, frame))
  const [first, second, more] = given
  if (made === 'row_number' || made === 'rank' || made === 'dense_rank' || node.agg_star) {
    if (first || (node.agg_star && made !== 'count'))
      throw notAllowed(`"${made}" of these arguments`, node.location)
    return { args: [], offset: 1 }
  }
  const isMoving = made === 'lag' || made === 'lead'
  const offset = second === undefined ? 1 : second.kind === 'literal' ? Number(second.value) : 0
  if (
    first === undefined ||
    more ||
    (second && !isMoving) ||
    first.type === 'person' ||
    first.type === 'interval'
  )
    throw notAllowed(`"${made}" with OVER of these arguments`, node.location)
  if (!Number.isSafeInteger(offset) || offset < 1 || offset > OFFSET_MAX)
    throw notAllowed(`"${made}" by anything but a written number from 1 to ${OFFSET_MAX}`, node.location)
  const isNumber = first.type === 'integer' || first.type === 'number'
  if (
    ((made === 'sum' || made === 'avg') && !isNumber) ||
    ((made === 'min' || made === 'max') && first.type === 'boolean')
  )
    throw notAllowed(`"${made}" of ${first.type}`, node.location)
  return { args: [first], offset }
}

/** How rows that are equal so far are told apart: by where they are stored, which is the same for an equal question. */
function tiesOf(sources: readonly Source[], offset: number | undefined): readonly ColumnRef[] {
  return sources.flatMap((source, index): readonly ColumnRef[] => {
    if (source.kind === 'rows')
      throw notSupported('this window over a sub-select of joins or windows', offset)
    if (source.kind === 'outer') return []
    const names = source.kind === 'data-set' ? [STORED] : source.keys.map((_, key) => `k${key}`)
    return names.map((column) => ({
      kind: 'column',
      source: index,
      column,
      isDerived: true,
      type: 'integer',
      size: 1,
    }))
  })
}

function typed(made: Omit<WindowCall, 'kind' | 'type' | 'size' | 'range'>): WindowCall {
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
      return { kind: 'window', ...made, type: 'integer', size, range: range(0, 1e9) }
    case 'sum':
      return { kind: 'window', ...made, type: 'number', size }
    case 'avg':
      return { kind: 'window', ...made, type: 'number', size, range: first?.range }
    case 'lag':
    case 'lead':
    case 'min':
    case 'max':
      return { kind: 'window', ...made, type: first?.type ?? 'text', size, range: first?.range }
  }
}
