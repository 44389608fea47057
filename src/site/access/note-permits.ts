import { digestOfJson } from '../../kernel/digest.ts'
import { consentTextDigest } from '../../protocol/consent/consent-text.ts'
import type { ReceiptDraft } from '../../protocol/proof/receipt.ts'
import type { SiteContext } from '../site-context.ts'
import type { Evaluated } from './evaluate-access.ts'

/**
 * A receipt for each use of a data set that was allowed: what an application then does on the word of this site is accounted
 * for here (GDPR Art. 5(2)). Of one person there is none but that of the look: the log is read by everybody, and what one
 * person allowed stands next to nothing in it.
 */
export async function notePermits(
  { db, log, clock, evidence }: Pick<SiteContext, 'db' | 'log' | 'clock' | 'evidence'>,
  evaluated: readonly Evaluated[],
): Promise<void> {
  const proof = evidence.current(clock.now())?.digest
  const drafts = evaluated.flatMap(({ question, manifest, outcome }): ReceiptDraft[] => {
    if (!outcome.ok || !manifest || question?.kind !== 'use' || question.person !== undefined) return []
    const { bases = [] } = outcome.value
    return [
      {
        kind: 'evaluation',
        acquirer: question.acquirer,
        purpose: question.purpose,
        mode: question.mode,
        dataSet: manifest.dataSet,
        policy: digestOfJson(manifest),
        noticeVersions: [consentTextDigest(manifest)],
        ...(proof === undefined ? {} : { evidence: proof }),
        legalBasis: question.legalBasis ?? manifest.legalBasis,
        ...(bases.length === 0 ? {} : { bases: [...bases] }),
        reason: 'approved',
      },
    ]
  })
  if (drafts.length > 0) await db.transaction().execute((tx) => log.issue(tx, drafts))
}
