import type { Instant } from '../../kernel/clock.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { findKnownPeople } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import { lookupDigest } from '../vault/keys/lookup-digest.ts'
import { NOBODY } from '../vault/vault.ts'
import { guardianshipsBy, guardianshipsOf } from './guardianship-store.ts'
import type { StoredGuardianship } from './guardianship-store.ts'
import { isStanding } from './guardians.ts'
import { knownAgeOf, whoDecides } from './who-decides.ts'

/** A person as one issuer knows them. */
export interface Identity {
  readonly issuer: MemberId
  readonly person: string
}

type PowerParts = Pick<SiteContext, 'db' | 'vault' | 'keys' | 'clock' | 'principals' | 'territory'>

/** The marks by which guardians among these identities are known. */
export function marksOf({ keys }: Pick<SiteContext, 'keys'>, identities: readonly Identity[]) {
  return identities.map(({ issuer, person }) => lookupDigest(keys.lookup, { issuer, personKey: person }))
}

/**
 * The guardianship under which somebody speaks for a child now; `undefined` for whoever has no power, has lost it, is known not to
 * decide for themselves, or whose child has reached the age at which it decides itself. It is looked at anew for each call, so that a token from
 * before gives nothing.
 */
export async function findPower(
  parts: PowerParts,
  { identities, child }: { identities: readonly Identity[]; child: Identity },
): Promise<StoredGuardianship | undefined> {
  const [known] = await findKnownPeople(parts, [child])
  const own = identities.filter(({ issuer }) => issuer === child.issuer)
  if (!known || own.length === 0) return undefined
  const marks = marksOf(parts, own)
  const now = parts.clock.now()
  const standing = (await guardianshipsOf(parts.db, [known.number])).filter(
    (one) => isStanding(one, now) && isOneOf(marks, one.guardian),
  )
  const [guardianship] = await ofGrownUps(parts, standing, now)
  return guardianship && (await isUnderAge(parts, known.number, now)) ? guardianship : undefined
}

/** For whom somebody may speak now. */
export async function findWards(
  parts: PowerParts,
  identities: readonly Identity[],
): Promise<readonly StoredGuardianship[]> {
  const now = parts.clock.now()
  const standing = (await guardianshipsBy(parts.db, marksOf(parts, identities))).filter((one) =>
    isStanding(one, now),
  )
  const wards: StoredGuardianship[] = []
  for (const one of await ofGrownUps(parts, standing, now))
    if (await isUnderAge(parts, one.person, now)) wards.push(one)
  return wards
}

/**
 * Those whose guardian is not known here to be too young to decide for themselves. Who is in no data here, or of no known age, is the
 * issuer's word.
 */
export async function ofGrownUps<G extends Pick<StoredGuardianship, 'guardian'>>(
  { vault, principals, territory }: Pick<PowerParts, 'vault' | 'principals' | 'territory'>,
  guardianships: readonly G[],
  now: Instant,
): Promise<readonly G[]> {
  const marked = guardianships.filter(({ guardian }) => guardian !== undefined)
  if (marked.length === 0) return guardianships
  const numbers = await vault.findPeople(marked.flatMap(({ guardian }) => guardian ?? []))
  const judged = await principals(now)
  const isChild = (person: number) => {
    const age = knownAgeOf(judged, person)
    return age.birthDate !== undefined && whoDecides(age, { siteCountry: territory, now }) !== 'self'
  }
  const children = new Set(marked.filter((_, index) => isChild(numbers[index] ?? NOBODY)))
  return guardianships.filter((one) => !children.has(one))
}

/** Whether somebody is below the age at which they decide alone, today. What is not known counts as below. */
export async function isUnderAge(
  { principals, territory }: Pick<PowerParts, 'principals' | 'territory'>,
  person: number,
  now: Instant,
): Promise<boolean> {
  const known = knownAgeOf(await principals(now), person)
  return whoDecides(known, { siteCountry: territory, now }) !== 'self'
}

function isOneOf(marks: readonly Uint8Array[], guardian: Uint8Array | undefined): boolean {
  return guardian !== undefined && marks.some((mark) => Buffer.compare(mark, guardian) === 0)
}
