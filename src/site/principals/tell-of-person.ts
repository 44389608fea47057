import { formatDate, later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { AGE_EVIDENCE } from '../../protocol/law/age-evidence.ts'
import type { AgeEvidenceKind } from '../../protocol/law/age-evidence.ts'
import type { CalendarDate } from '../../protocol/law/legal-zones.ts'
import { changeGrants } from '../consent/change-grants.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { GrantChange } from '../consent/grant-mirror.ts'
import { issueFor } from '../consent/change-objections.ts'
import type { SiteContext } from '../site-context.ts'
import { evidenceOf, insertEvidence, insertMove, saveEvidenceEnd } from './principal-store.ts'

type TellParts = Pick<SiteContext, 'consent' | 'ids' | 'vault' | 'clock' | 'log'>

const DAY_MS = 86_400_000

/** What evidence says, of what kind, at whose word. */
export interface EvidenceFacts {
  readonly kind: AgeEvidenceKind
  readonly atLeast?: number | undefined
  readonly below?: number | undefined
  readonly document?: Digest | undefined
  readonly expires?: Instant | undefined
  readonly by: string
}

/**
 * Takes evidence of somebody's age: from the moment this resolves they are judged by it, runs under way included. It says
 * a band and never a birth date, it expires, and of two that contradict each other the stricter counts.
 *
 * @throws Fault `fault.request_malformed` naming each field
 */
export async function giveAgeEvidence(
  parts: TellParts,
  { person, facts }: { person: number; facts: EvidenceFacts },
): Promise<string> {
  const now = parts.clock.now()
  requireBand(facts, now)
  const evidence = parts.ids.next('age')
  const { kind, atLeast, below, document, by: givenBy } = facts
  const last = later(now, AGE_EVIDENCE[kind].days * DAY_MS)
  const expires = facts.expires !== undefined && facts.expires < last ? facts.expires : last
  await changeGrants(parts.consent, {
    body: { evidence },
    facts: { by: givenBy },
    act: async (tx, { last: before }) => {
      const receipt = await principalReceipt(tx, parts, { person, last: before })
      const sequence = before + 1
      const made = { sequence, evidence, person, kind, atLeast, below, givenAt: now, expires }
      await insertEvidence(tx, { ...made, document, givenBy, receipt })
      return { change: changeOf(sequence, [{ what: 'evidence', evidence: made }]), unchanged: 0 }
    },
  })
  await parts.log.publish()
  return evidence
}

/** Ends evidence that was wrong. */
export async function endAgeEvidence(
  parts: TellParts,
  { person, evidence, by }: { person: number; evidence: string; by: string },
): Promise<void> {
  await changeGrants(parts.consent, {
    body: { endEvidence: evidence },
    facts: { by },
    act: async (tx, { last, now }) => {
      if (!(await evidenceOf(tx, [person])).some((one) => one.evidence === evidence))
        throw new Fault('fault.not_found', { what: 'No such thing here, or not for this caller' })
      const sequence = last + 1
      if (!(await saveEvidenceEnd(tx, { evidence, person, now, sequence })))
        return { change: changeOf(last, []), unchanged: 1 }
      await principalReceipt(tx, parts, { person, last })
      return { change: changeOf(sequence, [{ what: 'evidence ended', person, evidence }]), unchanged: 0 }
    },
  })
  await parts.log.publish()
}

/**
 * Notes that somebody lives in another country from a day on, which changes whose law on ages counts from that day. Told
 * by the issuer it takes the former country's place; told by the person or a guardian both count, the stricter law wins.
 */
export async function tellMove(
  parts: TellParts,
  {
    person,
    facts: { country, fromDay, isConfirmed, by: toldBy },
  }: {
    person: number
    facts: { country: string; fromDay?: CalendarDate | undefined; isConfirmed: boolean; by: string }
  },
): Promise<void> {
  const { residence, countries } = await parts.vault.principals()
  const was = countries[residence[person] ?? 0] ?? ''
  await changeGrants(parts.consent, {
    body: { move: { person, country, fromDay } },
    facts: { by: toldBy },
    act: async (tx, { last, now }) => {
      const receipt = await principalReceipt(tx, parts, { person, last })
      const sequence = last + 1
      const move = { sequence, person, country, fromDay: fromDay ?? formatDate(now), was, isConfirmed }
      await insertMove(tx, { ...move, toldAt: now, toldBy, receipt })
      return { change: changeOf(sequence, [{ what: 'move', move }]), unchanged: 0 }
    },
  })
  await parts.log.publish()
}

function changeOf(sequence: number, principals: NonNullable<GrantChange['principals']>): GrantChange {
  return { sequence, newTerms: [], given: [], revoked: [], principals }
}

async function principalReceipt(
  tx: DatabaseTransaction,
  { consent }: TellParts,
  { person, last }: { person: number; last: number },
): Promise<number> {
  const [receipt] = await issueFor(tx, consent, { people: [person], last, kind: 'principal' })
  return receipt ?? 0
}

function requireBand({ atLeast, below, kind, document, expires }: EvidenceFacts, now: Instant): void {
  const errors = []
  if (atLeast === undefined && below === undefined)
    errors.push({ field: 'atLeast', expected: 'expected an age that is reached, or one that is not' })
  if (atLeast !== undefined && below !== undefined && below <= atLeast)
    errors.push({ field: 'below', expected: 'expected more years than are reached' })
  if (kind === 'document' && document === undefined)
    errors.push({ field: 'document', expected: 'expected the digest of the reference of what was seen' })
  if (expires !== undefined && expires <= now)
    errors.push({ field: 'expires', expected: 'expected a time that lies ahead' })
  if (errors.length === 0) return
  throw new Fault('fault.request_malformed', {
    what: `Cannot take the evidence: ${errors[0]?.expected ?? ''}`,
    errors,
  })
}
