import type { Expr } from '../../bound/bound-query.ts'
import { notAllowed } from '../../text/refusal.ts'
import { coerce } from './build-expression.ts'
import type { Place, Term } from './build-expression.ts'

/** Names of the zone in which the stored times are read, as PostgreSQL would with its own zone set to it. */
const UTC: ReadonlySet<string> = new Set(['utc', 'gmt', 'z', 'etc/utc', 'etc/gmt'])

/**
 * `t at time zone 'UTC'` is the time as it is. Times here are without a zone, and of others engines have tables of their own, which
 * change: hours that are added are the same on each.
 */
export function bindZone([zone, time, another]: readonly Term[], place: Place): Expr {
  const name = zone?.kind === 'untyped' ? zone.value?.toLowerCase() : undefined
  if (time === undefined || another || name === undefined || !UTC.has(name))
    throw notAllowed(
      "AT TIME ZONE but 'UTC': times stand as the data set has them; add hours instead, as in t + interval '2 hours'",
      place.offset,
    )
  return coerce(time, 'timestamp', place)
}
