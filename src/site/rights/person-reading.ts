import { Fault } from '../../kernel/faults.ts'
import type { MemberId } from '../../protocol/wire.ts'
import type { SiteContext } from '../site-context.ts'
import { lookupDigest } from '../vault/keys/lookup-digest.ts'
import { NOBODY } from '../vault/vault.ts'

/** Who looks, and why. */
export interface Reader {
  /** `person`, `guardian:…`, `issuer:NAME`, `officer:NAME` or `operator`. */
  readonly by: string
  /** Given by everybody but the person. */
  readonly reason?: string | undefined
}

/** Who looks at whose data: what every read of one person's data by name begins with. */
export interface PersonReading extends Reader {
  /** The person, as each issuer that has data of them here knows them. */
  readonly identities: readonly { readonly issuer: MemberId; readonly person: string }[]
  /** Whether a guardian still may: a long answer is on its way while their time ends. Absent: whoever began it may have it all. */
  readonly mayStill?: (() => Promise<boolean>) | undefined
}

/** The person as the site knows them: one number for each issuer. */
export interface KnownPerson {
  readonly number: number
  readonly issuer: MemberId
  readonly key: string
}

/** The numbers behind identities; nobody where the site knows none of them. */
export async function findKnownPeople(
  { vault, keys }: Pick<SiteContext, 'vault' | 'keys'>,
  identities: PersonReading['identities'],
): Promise<readonly KnownPerson[]> {
  const lookups = identities.map(({ issuer, person }) =>
    lookupDigest(keys.lookup, { issuer, personKey: person }),
  )
  const numbers = await vault.findPeople(lookups)
  return identities.flatMap(({ issuer, person }, index) => {
    const number = numbers[index] ?? NOBODY
    return number === NOBODY ? [] : [{ number, issuer, key: person }]
  })
}

/** The same; a `Fault` that says nothing when there is nobody. */
export async function knownPeople(
  site: Pick<SiteContext, 'vault' | 'keys'>,
  { identities }: Pick<PersonReading, 'identities'>,
): Promise<readonly KnownPerson[]> {
  const known = await findKnownPeople(site, identities)
  if (known.length > 0) return known
  throw unknownPerson()
}

/** What is said where there is nobody, or nobody for this caller. */
export function unknownPerson(): Fault {
  return new Fault('fault.not_found', { what: 'No such thing here, or not for this caller' })
}
