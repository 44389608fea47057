import type { Expr } from '../../bound/bound-query.ts'
import { notAllowed } from '../../text/refusal.ts'
import { call, caseOf, coerce, literal, resolveCall } from './build-expression.ts'
import type { Place, Term } from './build-expression.ts'

interface Stretch {
  readonly from: Expr
  /** Null where one end is. */
  readonly until: Expr
}

/**
 * `(a, b) overlaps (c, d)` of days or times, and of a time with a span that is written out. The ends of each stretch may come
 * in either order, the later one is not part of it, and what follows from one end alone is told, as in PostgreSQL.
 */
export function bindOverlaps(terms: readonly Term[], place: Place): Expr {
  const [a, b, c, d, more] = terms
  if (!a || !b || !c || !d || more) throw notAllowed('"overlaps" of anything but two pairs', place.offset)
  const [one, other] = [stretchOf(a, b, place), stretchOf(c, d, place)]
  return caseOf(
    [
      { when: call('gt', [one.from, other.from]), value: isWithin(one.from, other.until, one.until) },
      { when: call('lt', [one.from, other.from]), value: isWithin(other.from, one.until, other.until) },
      {
        when: call('eq', [one.from, other.from]),
        value: unlessNull([one.until, other.until], literal('boolean', true)),
      },
    ],
    undefined,
  )
}

function stretchOf(start: Term, end: Term, place: Place): Stretch {
  const isSpan = end.kind !== 'untyped' && end.type === 'interval'
  const from = coerce(start, 'timestamp', place)
  const until = isSpan ? resolveCall([from, end], { ...place, name: '+' }) : coerce(end, 'timestamp', place)
  return {
    from: call('least', [from, until]),
    until: unlessNull([from, until], call('greatest', [from, until])),
  }
}

/** Whether a moment is before the end of a stretch; null where an end that is not known decides. */
function isWithin(moment: Expr, until: Expr, own: Expr): Expr {
  return caseOf(
    [{ when: call('lt', [moment, until]), value: literal('boolean', true) }],
    unlessNull([until, own], literal('boolean', false)),
  )
}

function unlessNull([one, other]: readonly [Expr, Expr], value: Expr): Expr {
  const when = call('and', [call('is_not_null', [one]), call('is_not_null', [other])])
  return caseOf([{ when, value }], undefined)
}
