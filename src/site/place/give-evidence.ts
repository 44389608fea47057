import { durationText } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { digestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { describeProblems } from '../../kernel/parse.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Evidence } from '../../protocol/proof/evidence.ts'
import { verifyEvidence } from '../../protocol/proof/sign-evidence.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import { evidenceDoubt } from './evidence-doubt.ts'
import type { EvidenceStore, StoredEvidence } from './evidence-store.ts'

/** What giving evidence needs. */
export interface EvidenceContext {
  readonly db: Database
  readonly store: EvidenceStore
  readonly receipts: Pick<ReceiptLog, 'issue'>
  readonly clock: Clock
  /** Who the site is and where its settings say it stands. */
  readonly site: string
  readonly territory: string
  readonly operatorKey: PublicJwk
}

/**
 * Takes a statement of place that the operator signed (`signEvidence`): stored with its receipt in one transaction. The
 * same statement again changes nothing. What would never let anything happen is refused here, with a sentence that
 * says what to do.
 *
 * @throws Fault `fault.forbidden` when the operator did not sign it, `fault.request_malformed` with the fields
 */
export async function giveEvidence(context: EvidenceContext, jws: string): Promise<StoredEvidence> {
  const evidence = verifyEvidence(jws, context.operatorKey)
  if (!evidence)
    throw new Fault('fault.forbidden', {
      what: 'Cannot take the evidence: the operator of this site did not sign it',
    })
  requireBelievable(evidence, context)
  const digest = digestOf(jws)
  const known = context.store.find(digest)
  if (known) return known
  const stored = await context.db.transaction().execute(async (tx): Promise<StoredEvidence> => {
    const [receipt] = await context.receipts.issue(tx, [{ kind: 'evidence', evidence: digest }])
    if (!receipt) throw new Fault('fault.internal', { what: 'The log gave no receipt for the evidence' })
    const given = { evidence, jws, digest, givenAt: context.clock.now(), receipt: receipt.sequence }
    await context.store.write(tx, given)
    return given
  })
  context.store.keep(stored)
  return stored
}

/**
 * Refuses a claim of place that the site would refuse, whoever signs it.
 *
 * @throws Fault `fault.request_malformed` with the fields
 */
export function requireBelievable(evidence: Evidence, site: ClaimedSite): void {
  const errors = evidenceProblems(evidence, site)
  if (errors.length === 0) return
  throw new Fault('fault.request_malformed', {
    what: `Cannot take the evidence: ${describeProblems(errors)}`,
    errors,
  })
}

/** Whose place is claimed, and the clock by which a claim has ended. */
export type ClaimedSite = Pick<EvidenceContext, 'clock' | 'site' | 'territory'>

function evidenceProblems(
  evidence: Evidence,
  { clock, site, territory }: ClaimedSite,
): readonly FieldProblem[] {
  const problems: FieldProblem[] = []
  const { validFrom, validUntil } = evidence
  if (evidence.site !== site) problems.push({ field: 'site', expected: `expected "${site}"` })
  if (evidence.territory !== territory) {
    problems.push({
      field: 'territory',
      expected: `expected "${territory}", where the settings say the site stands`,
    })
  }
  if (validUntil <= validFrom)
    problems.push({ field: 'validUntil', expected: 'expected a time after "validFrom"' })
  else if (validUntil <= clock.now())
    problems.push({
      field: 'validUntil',
      expected: `expected a time that is not past; it was ${durationText(clock.now() - validUntil)} ago by the clock of the site`,
    })
  else if (validUntil - validFrom > LIMITS.evidenceLifetimeMsMax) {
    problems.push({ field: 'validUntil', expected: 'expected at most 366 days after "validFrom"' })
  }
  const doubt = evidenceDoubt(evidence)
  if (doubt !== undefined)
    problems.push({ field: 'longitude, latitude', expected: `expected the place of the site: ${doubt}` })
  return problems
}
