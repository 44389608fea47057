import { instant, later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { hmacSha256 } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { recordUsedTokens } from '../../kernel/http/used-tokens.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { KnownPerson } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import { newestLookup } from '../vault/keys/lookup-digest.ts'
import { giveAgeEvidence } from './tell-of-person.ts'
import { verifyAgeProof } from './verify-age-proof.ts'

const HOUR_MS = 3_600_000

/** What a wallet has to sign for one person: it fits nobody else's presentation. */
export interface AgeChallenge {
  readonly audience: string
  readonly nonce: string
  readonly validUntil: Instant
}

/** The challenge of the hour; it holds into the next one. Nothing is stored. */
export function ageChallenge(
  { keys, site, clock }: Pick<SiteContext, 'keys' | 'site' | 'clock'>,
  person: KnownPerson,
): AgeChallenge {
  const hour = Math.floor(clock.now() / HOUR_MS)
  return { audience: site, nonce: nonceOf(keys, person, hour), validUntil: instant((hour + 2) * HOUR_MS) }
}

/**
 * Takes a wallet's proof of an age as evidence of the highest assurance, until the credential ends. What is kept is the
 * band and that a wallet showed it, never the presentation. Each counts once.
 *
 * @throws Fault `fault.request_malformed` with one word of what does not fit
 */
export async function proveAge(
  site: SiteContext,
  { person, presentation, by }: { person: KnownPerson; presentation: string; by: string },
): Promise<void> {
  const now = site.clock.now()
  const hour = Math.floor(now / HOUR_MS)
  const proven = await verifyAgeProof(presentation, {
    attesters: site.ageAttesters,
    audience: site.site,
    nonces: [nonceOf(site.keys, person, hour), nonceOf(site.keys, person, hour - 1)],
    now,
  })
  if (!proven.ok) throw notTaken(proven.error)
  // Told again it would bring back evidence that was ended meanwhile. A binding is taken no longer than a token of that age.
  const once = {
    issuer: 'age-proof',
    jti: signedBy(presentation),
    expires: later(now, LIMITS.tokenLifetimeMsMax),
  }
  if (!(await recordUsedTokens(site).use(once))) throw notTaken('replayed')
  await giveAgeEvidence(site, { person: person.number, facts: { kind: 'wallet', ...proven.value, by } })
}

/** What the wallet signed, and not by which of the signatures that are good for it. */
function signedBy(presentation: string): string {
  return presentation.slice(presentation.lastIndexOf('~') + 1, presentation.lastIndexOf('.'))
}

function notTaken(why: string): Fault {
  return new Fault('fault.request_malformed', {
    what: `Cannot take the proof: ${why}`,
    errors: [
      { field: 'presentation', expected: 'expected an age by a trusted attester, for this challenge' },
    ],
  })
}

function nonceOf({ lookup }: SiteContext['keys'], { issuer, key }: KnownPerson, hour: number): string {
  const text = `age-proof\0${issuer}\0${key}\0${hour}`
  return Buffer.from(hmacSha256(newestLookup(lookup).reveal(), text)).toString('base64url')
}
