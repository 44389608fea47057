import type { Expr } from '../../bound/bound-query.ts'
import { notAllowed } from '../../text/refusal.ts'
import { resolveCall } from './build-expression.ts'
import type { Place, Term } from './build-expression.ts'
import { asText } from './join-texts.ts'

/**
 * `format('%s (%s)', a, b)` is what stands between and the values, one after the other, with nothing for null. The pattern is
 * written out and has `%s`, `%1$s` and `%%` only.
 */
export function bindFormat([pattern, ...values]: readonly Term[], place: Place): Expr {
  const text = pattern?.kind === 'untyped' ? pattern.value : undefined
  if (text === undefined || text === null || !/^(?:[^%]|%%|%(?:[1-9]\$)?s)*$/su.test(text))
    throw notAllowed('"format" by anything but a written pattern of %s, %1$s and %%', place.offset)
  let next = 0
  const parts = [...text.matchAll(/%%|%(?:([1-9])\$)?s|[^%]+/gsu)].map(([part, at]): Term => {
    if (part === '%%') return { kind: 'untyped', value: '%' }
    if (!part.startsWith('%')) return { kind: 'untyped', value: part }
    next = at === undefined ? next + 1 : Number(at)
    const value = values[next - 1]
    if (value === undefined) throw notAllowed('"format" with fewer values than its pattern has', place.offset)
    return asText(value)
  })
  return resolveCall(parts.length === 0 ? [{ kind: 'untyped', value: '' }] : parts, {
    ...place,
    name: 'concat',
  })
}
