import { formatDate } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { isPurposeWithin } from '../../protocol/law/purpose.ts'
import type { Assessment, AssessmentStore } from './assessment-store.ts'

/**
 * Whether an assessment says today that an interest outweighs those of the people (GDPR Art. 6(1)(f)): of the data set, for
 * the purpose or a broader one, approved, not withdrawn, not due for review.
 */
function interestPrevails(
  { facts, withdrawnAt }: Assessment,
  { dataSet, purpose, now }: { dataSet: string; purpose: string; now: Instant },
): boolean {
  return (
    withdrawnAt === undefined &&
    facts.kind === 'lia' &&
    facts.balancing?.result === 'interest_prevails' &&
    facts.dataSet === dataSet &&
    isPurposeWithin(purpose, facts.purpose) &&
    facts.approvedOn <= formatDate(now) &&
    formatDate(now) < facts.reviewBy
  )
}

/** The same by the id of an assessment; one that is not there carries nothing. */
export function isAssessed(
  assessments: AssessmentStore,
  id: string,
  use: { dataSet: string; purpose: string; now: Instant },
): boolean {
  const found = assessments.find(id)
  return found !== undefined && interestPrevails(found, use)
}
