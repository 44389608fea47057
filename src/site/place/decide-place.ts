import booleanPointInPolygon from '@turf/boolean-point-in-polygon'
import { durationText, formatDate } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { ok } from '../../kernel/result.ts'
import type { Evidence } from '../../protocol/proof/evidence.ts'
import { areaContains, transferDecision } from '../../protocol/law/legal-zones.ts'
import type { TransferGround, ZoneFacts } from '../../protocol/law/legal-zones.ts'
import type { Perimeter, PlaceRule } from '../../protocol/law/perimeter.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { evidenceDoubt } from './evidence-doubt.ts'

/** The three operations that a perimeter confines. */
export type PlaceOperation = 'store' | 'process' | 'release'

/** What a decision about a place rests on. */
export interface PlaceQuestion {
  readonly operation: PlaceOperation
  readonly perimeter: Perimeter
  /** Where the site is, as last attested. */
  readonly evidence?: Evidence | undefined
  /** Where the result will be used and on what basis, as the asker claims; needed for `release`. */
  readonly releaseTo?:
    | { readonly jurisdiction: string; readonly transferBasis?: string | undefined }
    | undefined
  /** The bases that the network operator has checked for the recipient (`Member.transferBases`). A claim beyond them counts for nothing. */
  readonly recipientBases?: readonly string[]
  /** The kill switch: adequacy decisions and safeguards that no longer count (`legal-zones.ts`). */
  readonly removed?: ReadonlySet<string> | undefined
  readonly now: Instant
}

/** Where an operation happens, and for a release on what ground. */
export interface PlaceFacts {
  readonly territory: string
  readonly ground?: TransferGround
}

/**
 * Decides one operation at one place. Pure, fails closed: without evidence that holds now there is no place at all,
 * and what is unknown or contradictory is outside. Declines with `declined.evidence_missing`,
 * `declined.evidence_expired` or `declined.perimeter_…` of the operation.
 */
export function decidePlace(question: PlaceQuestion): Outcome<PlaceFacts> {
  const { operation, evidence, now } = question
  if (!evidence) return declined('declined.evidence_missing')
  const untimely = untimelyEvidence(evidence, now)
  if (untimely) return untimely
  const doubt = evidenceDoubt(evidence)
  if (operation === 'release') {
    // The asker can do nothing about the site's own place, so it is not the place of release that is at fault.
    return doubt === undefined
      ? decideRelease(question)
      : declined('declined.evidence_missing', { operatorNote: doubt })
  }
  const code = operation === 'store' ? 'declined.perimeter_store' : 'declined.perimeter_process'
  if (doubt !== undefined) return declined(code, { operatorNote: doubt })
  const rule = question.perimeter[operation]
  if (!isWithin(rule, evidence.territory, zoneFacts(question))) {
    return declined(code, { operatorNote: `${evidence.territory} is not in the perimeter` })
  }
  if (!isInsidePolygon(rule, evidence))
    return declined(code, { operatorNote: 'the point is not inside the polygon' })
  return ok({ territory: evidence.territory })
}

/** Evidence that does not hold now; by how much tells whether it is the evidence or the clock that is wrong. */
function untimelyEvidence(
  { validFrom, validUntil }: Evidence,
  now: Instant,
): ReturnType<typeof declined> | undefined {
  if (validFrom > now) {
    const detail = `The proof of where the site is begins in ${durationText(validFrom - now)} by the clock of the site`
    return declined('declined.evidence_missing', { detail, operatorNote: 'the evidence is not valid yet' })
  }
  if (validUntil > now) return undefined
  const detail = `The proof of where the site is ended ${durationText(now - validUntil)} ago by the clock of the site`
  return declined('declined.evidence_expired', { detail })
}

function decideRelease(question: PlaceQuestion): Outcome<PlaceFacts> {
  const { releaseTo, recipientBases = [], perimeter } = question
  const refuse = (operatorNote: string) => declined('declined.perimeter_release', { operatorNote })
  if (!releaseTo) return refuse('the ask names no place of release')
  const { jurisdiction, transferBasis } = releaseTo
  const isChecked = transferBasis !== undefined && recipientBases.includes(transferBasis)
  const facts = zoneFacts(question, isChecked ? [transferBasis] : [])
  if (!isWithin(perimeter.release, jurisdiction, facts))
    return refuse(`${jurisdiction} is not in the perimeter`)
  // Where a result is used is a country, not a point: a polygon cannot be proven, so it lets nothing out.
  if (perimeter.release.polygon) return refuse('a perimeter for release cannot have a polygon')
  const ground = transferDecision(jurisdiction, facts)
  if (!ground) return refuse(`no checked basis for a transfer to ${jurisdiction} (GDPR Art. 44)`)
  return ok({ territory: jurisdiction, ground })
}

function zoneFacts({ now, removed }: PlaceQuestion, bases: readonly string[] = []): ZoneFacts {
  return { today: formatDate(now), bases, ...(removed && { removed }) }
}

function isWithin({ within }: PlaceRule, territory: string, facts: ZoneFacts): boolean {
  return within.some((area) => areaContains(area, territory, facts))
}

function isInsidePolygon({ polygon }: PlaceRule, { longitude, latitude }: Evidence): boolean {
  return !polygon || booleanPointInPolygon([longitude, latitude], polygon, { ignoreBoundary: true })
}
