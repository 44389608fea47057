import { Fault } from '../../kernel/faults.ts'
import type { MemberId } from '../../protocol/wire.ts'
import type { NamedPerson } from '../rights/named-person.ts'
import { forbidden, notFound } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'
import { byOf } from './speak-for.ts'

/**
 * Whom a caller may exercise a right for: a person for themselves, a guardian for the child, an issuer for its own people, the operator for
 * anybody whose issuer it names. What is somebody else's is not found, as if it were not there.
 */
export function onBehalfOf(
  caller: SiteCaller,
  { ref, issuer }: { ref: string; issuer?: MemberId | undefined },
  { requestMark }: Pick<SiteActs, 'requestMark'>,
): NamedPerson {
  const named = (who: { issuer: MemberId; person: string }, by: string): NamedPerson => ({
    issuer: who.issuer,
    person: who.person,
    by,
    nameMark: requestMark(nameOfPerson(who)),
  })
  switch (caller.kind) {
    case 'person': {
      const own = caller.identities.filter(
        (identity) =>
          (ref === 'me' || ref === identity.person) && (issuer === undefined || issuer === identity.issuer),
      )
      const [only] = own
      if (only === undefined) throw notFound()
      if (own.length > 1)
        throw whose(
          `expected one of those that know you: ${own
            .map((one) => one.issuer)
            .toSorted()
            .join(', ')}`,
        )
      return named(only, 'person')
    }
    case 'guardian':
      return named(caller, byOf(caller))
    case 'issuer':
      if (issuer !== undefined && issuer !== caller.member) throw notFound()
      return named({ issuer: caller.member, person: ref }, `issuer:${caller.member}`)
    case 'regulator':
      throw forbidden()
    case 'operator':
      if (issuer === undefined) throw whose('expected the issuer that knows the person by this key')
      return named({ issuer, person: ref }, 'operator')
  }
}

function whose(expected: string): Fault {
  return new Fault('fault.request_malformed', {
    what: 'Cannot tell whose person it is',
    errors: [{ field: 'issuer', expected }],
  })
}

/** A person's name in one text, which is marked and stands in no table. */
export function nameOfPerson({ issuer, person }: { issuer: MemberId; person: string }): string {
  return `${issuer}\0${person}`
}
