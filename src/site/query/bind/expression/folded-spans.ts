import { isLiteral } from '../../bound/bound-query.ts'
import type { Expr, Literal } from '../../bound/bound-query.ts'
import { addSpan } from '../../bound/add-span.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import { mapExpression } from '../../bound/same-expression.ts'
import { literal } from './build-expression.ts'

/** The same expression with what is computed of written times and whole numbers alone written out. */
export function foldedSpans(expr: Expr): Expr {
  return mapExpression(expr, (part) => {
    if (part.kind !== 'call') return undefined
    const args = part.args.map(foldedSpans)
    return args.every(isLiteral) ? folded(part.call, args) : undefined
  })
}

function folded(call: CallId, [one, other]: readonly Literal[]): Literal | undefined {
  if (one === undefined || other === undefined) return undefined
  if (call === 'add_timestamp_span') return moved(one, other, 1)
  if (call === 'add_span_timestamp') return moved(other, one, 1)
  if (call === 'sub_timestamp_span') return moved(one, other, -1)
  const sign = call === 'add_integer' ? 1 : call === 'sub_integer' ? -1 : undefined
  if (sign === undefined || typeof one.value !== 'number' || typeof other.value !== 'number') return undefined
  const sum = one.value + sign * other.value
  return Number.isSafeInteger(sum) ? literal('integer', sum) : undefined
}

function moved({ value }: Literal, { value: span }: Literal, sign: 1 | -1): Literal | undefined {
  if (typeof value !== 'string' || typeof span !== 'object' || span === null) return undefined
  const time = addSpan(value, span, sign)
  return time === undefined ? undefined : literal('timestamp', time)
}
