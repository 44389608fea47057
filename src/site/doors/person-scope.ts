import { Fault } from '../../kernel/faults.ts'
import type { MemberId } from '../../protocol/wire.ts'
import type { PersonReading } from '../rights/person-reading.ts'
import { forbidden, notFound } from './may.ts'
import type { SiteCaller } from './site-acts.ts'
import { byOf } from './speak-for.ts'

/** How a request says whom it is about, and why. */
export interface PersonRequest {
  readonly params: { readonly ref: string }
  readonly query: { readonly issuer?: MemberId | undefined; readonly reason?: string | undefined }
}

/**
 * Who may look at whose data: a person at their own, and a guardian at the child's; an issuer at that of its people and the operator at anybody's,
 * both only with a reason that the person can read afterwards. Anybody else's data is not there: 404.
 */
export function readingOf(caller: SiteCaller, { params: { ref }, query }: PersonRequest): PersonReading {
  switch (caller.kind) {
    case 'person': {
      const identities = caller.identities.filter(
        ({ issuer, person }) =>
          (ref === 'me' || ref === person) && (query.issuer === undefined || query.issuer === issuer),
      )
      if (identities.length === 0) throw notFound()
      return { identities, by: 'person' }
    }
    case 'guardian':
      return { identities: caller.identities, by: byOf(caller) }
    case 'issuer':
      if (query.issuer !== undefined && query.issuer !== caller.member) throw notFound()
      return {
        identities: [{ issuer: caller.member, person: ref }],
        by: byOf(caller),
        reason: required(query.reason, 'reason'),
      }
    case 'regulator':
      throw forbidden()
    case 'operator':
      return {
        identities: [{ issuer: required(query.issuer, 'issuer'), person: ref }],
        by: byOf(caller),
        reason: required(query.reason, 'reason'),
      }
  }
}

/** The reason that everybody but the person gives. */
export function requiredReason(reason: string | undefined): string {
  return required(reason, 'reason')
}

const EXPECTED = {
  reason: 'expected the reason for which you look at somebody’s data; the person will see it',
  issuer: 'expected the issuer whose key names the person',
} as const

function required<T>(value: T | undefined, field: keyof typeof EXPECTED): T {
  if (value !== undefined) return value
  throw new Fault('fault.request_malformed', {
    what: `Cannot look at the data of a person: say the ${field}`,
    errors: [{ field, expected: EXPECTED[field] }],
  })
}
