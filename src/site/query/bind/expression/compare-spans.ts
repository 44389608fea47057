import type { A_Expr, Node } from '@pgsql/types'
import type { Expr } from '../../bound/bound-query.ts'
import { resolveCall } from './build-expression.ts'
import type { Term } from './build-expression.ts'
import { secondsOf } from './spans.ts'
import { textsOf } from '../../text/nodes.ts'

/** Binds an operand where the operator stands. */
export type BindOperand = (node: Node | undefined) => Term

const COMPARISONS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '=', '<>'])

/**
 * A span of time between two values, compared with one that is written out or with another: `a - b > interval '30 minutes'`,
 * `age(a, b) between interval '20 years' and interval '30 years'`. Spans have no type of their own here; they are compared as
 * PostgreSQL does, by their seconds. `undefined` for any other operator.
 */
export function compareSpans(node: A_Expr, bind: BindOperand): Expr | undefined {
  const { kind = 'AEXPR_OP', name = [], lexpr, rexpr, location } = node
  const [sign = '', another] = textsOf(name) ?? []
  if (kind === 'AEXPR_BETWEEN' || kind === 'AEXPR_NOT_BETWEEN')
    return between(lexpr, itemsOf(rexpr), {
      bind,
      location,
      name: kind === 'AEXPR_BETWEEN' ? 'BETWEEN' : 'NOT BETWEEN',
    })
  if (kind !== 'AEXPR_OP' || another || !COMPARISONS.has(sign)) return undefined
  const [isLeft, isRight] = [isBetweenTwo(lexpr), isBetweenTwo(rexpr)]
  if (!(isLeft && (isRight || isSpan(rexpr))) && !(isRight && isSpan(lexpr))) return undefined
  const [left, right] = [lexpr, rexpr].map((side) => isBetweenTwo(side) && secondsApart(side, bind))
  // Days between dates are a number.
  if ((isLeft && !left) || (isRight && !right)) return undefined
  return resolveCall([left || secondsOf(bind(lexpr), location), right || secondsOf(bind(rexpr), location)], {
    offset: location,
    name: sign,
  })
}

function itemsOf(node: Node | undefined): readonly Node[] {
  return node && 'List' in node ? (node.List.items ?? []) : []
}

interface Between {
  readonly bind: BindOperand
  readonly location: number | undefined
  readonly name: string
}

function between(
  node: Node | undefined,
  ends: readonly Node[],
  { bind, location, name }: Between,
): Expr | undefined {
  if (!isBetweenTwo(node) || !ends.every(isSpan)) return undefined
  const apart = secondsApart(node, bind)
  return (
    apart &&
    resolveCall([apart, ...ends.map((end) => secondsOf(bind(end), location))], { offset: location, name })
  )
}

/** `a - b`, or `age(a, b)`. */
function isBetweenTwo(node: Node | undefined): node is Node {
  return node !== undefined && (differenceOf(node) !== undefined || ageOf(node) !== undefined)
}

/** The seconds of a span; `undefined` of what is no span, as the days between dates. */
function secondsApart(node: Node, bind: BindOperand): Expr | undefined {
  const difference = differenceOf(node)
  const operands = (difference ? [difference.lexpr, difference.rexpr] : (ageOf(node) ?? [])).map(bind)
  if (difference && !operands.some((term) => term.kind !== 'untyped' && term.type === 'timestamp'))
    return undefined
  return resolveCall(operands, {
    offset: difference?.location,
    name: difference ? 'extract(epoch from a - b)' : 'age(a, b)',
  })
}

function differenceOf(node: Node): A_Expr | undefined {
  if (!('A_Expr' in node)) return undefined
  const { kind, name, lexpr } = node.A_Expr
  return kind === 'AEXPR_OP' && textsOf(name ?? [])?.join() === '-' && lexpr ? node.A_Expr : undefined
}

/** The two values of `age(a, b)`. The age at this moment, of one value, is another tomorrow. */
function ageOf(node: Node): readonly Node[] | undefined {
  if (!('FuncCall' in node) || textsOf(node.FuncCall.funcname ?? [])?.join('.') !== 'age') return undefined
  const { args = [] } = node.FuncCall
  return args.length === 2 ? args : undefined
}

function isSpan(node: Node | undefined): boolean {
  return (
    node !== undefined &&
    'TypeCast' in node &&
    textsOf(node.TypeCast.typeName?.names ?? [])?.at(-1) === 'interval'
  )
}
