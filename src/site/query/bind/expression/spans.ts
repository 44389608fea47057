import type { Expr } from '../../bound/bound-query.ts'
import { readLiteral } from '../../bound/literals.ts'
import { describeTerm, literal, resolveCall } from './build-expression.ts'
import type { Place, Term } from './build-expression.ts'
import { notAllowed, spoken } from '../../text/refusal.ts'

/*
 * A span of time between two values, `a - b`. PostgreSQL has a type for it; here it is the seconds between them, which are added,
 * averaged and compared as it does that, and shown with the unit s. What PostgreSQL makes of its parts (months, days and the rest) is nothing that
 * seconds could tell, and is declined.
 */

/** The same expression as seconds between two times. */
export function asSpan(expr: Expr): Expr {
  return { ...expr, isSpan: true }
}

/** The same expression as a number like any other. */
export function asNumber(expr: Expr): Expr {
  return { ...expr, isSpan: undefined }
}

/** Whether a term is a span that is computed. */
export function isSpan(term: Term | undefined): term is Expr {
  return term !== undefined && term.kind !== 'untyped' && term.isSpan === true
}

/** Operators and syntax over spans alone, or spans beside ones that are written out. */
const AMONG_SPANS: ReadonlySet<string> = new Set([
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  'BETWEEN',
  'NOT BETWEEN',
  'IN',
  'NOT IN',
  'IS DISTINCT FROM',
  'IS NOT DISTINCT FROM',
  'IS NULL',
  'IS NOT NULL',
  'COALESCE',
  'NULLIF',
  'LEAST',
  'GREATEST',
  '+',
  '-',
])

/** Resolves a call whose arguments may be spans of time. */
export function resolveTerm(terms: readonly Term[], place: Place): Expr {
  if (place.name === '-' && isBetweenTimes(terms))
    return asSpan(resolveCall(terms, { ...place, name: 'extract(epoch from a - b)' }))
  if (!terms.some(isSpan)) return resolveCall(terms, place)
  if (AMONG_SPANS.has(place.name)) {
    const made = resolveCall(secondsOfAll(terms, place), place)
    return made.type === 'boolean' ? made : asSpan(made)
  }
  if (isScaled(terms, place.name)) return asSpan(resolveCall(terms, place))
  throw notAllowed(
    `a span of time in ${spoken(place.name)}; take its seconds, as in extract(epoch from a - b) / 60`,
    place.offset,
  )
}

function isBetweenTimes(terms: readonly Term[]): boolean {
  const types = terms.map((term) => (term.kind === 'untyped' ? undefined : term.type))
  return (
    types.length === 2 &&
    types.includes('timestamp') &&
    types.every((type) => type === 'timestamp' || type === 'date')
  )
}

/** Times a number, or divided by one. */
function isScaled([left, right]: readonly Term[], name: string): boolean {
  if (name === '*') return isSpan(left) !== isSpan(right) && [left, right].every(isNumeric)
  return name === '/' && isSpan(left) && !isSpan(right) && isNumeric(right)
}

function isNumeric(term: Term | undefined): boolean {
  return term !== undefined && term.kind !== 'untyped' && (term.type === 'number' || term.type === 'integer')
}

/** All of them as seconds. Throws where one is no span. */
export function secondsOfAll(terms: readonly Term[], place: Place): readonly Term[] {
  // A month is 30 days where spans are compared, and is as long as it is where they are added.
  const mayHaveMonths = place.name !== '+' && place.name !== '-'
  return terms.map((term) => {
    if (isSpan(term)) return asNumber(term)
    if (term.kind === 'untyped' && term.value === null) return term
    const span = term.kind === 'untyped' ? readLiteral(term.value ?? '', 'interval') : undefined
    const written = span === undefined ? term : literal('interval', span)
    if (written.kind === 'literal' && written.type === 'interval')
      return secondsOf(written, place.offset, mayHaveMonths)
    throw notAllowed(
      `a span of time beside ${describeTerm(term)} in ${spoken(place.name)}; compare it with a span, as in a - b > interval '30 minutes', or take its seconds, extract(epoch from a - b)`,
      place.offset,
    )
  })
}

const SECONDS_MAX = 200 * 366 * 86_400

/** The seconds of a span that is written out, as PostgreSQL compares spans: a day has 24 hours and a month 30 days. */
export function secondsOf(term: Term, offset: number | undefined, mayHaveMonths = true): Expr {
  const span = term.kind === 'literal' ? term.value : undefined
  if (typeof span !== 'object' || span === null)
    throw notAllowed('a span of time beside a difference', offset)
  if (!mayHaveMonths && span.months !== 0)
    throw notAllowed('months added to a span between two times; write days', offset)
  const days = Number(span.months) * 30 + Number(span.days)
  const seconds = (days * 86_400 * 1e6 + Number(span.microseconds)) / 1e6
  if (Math.abs(seconds) > SECONDS_MAX) throw notAllowed('a span of more than two hundred years here', offset)
  return literal('number', seconds)
}
