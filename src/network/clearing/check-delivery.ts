import type { SiteDecision } from '../../protocol/decision.ts'
import type { ClearingRecord } from '../../protocol/money/clearing-record.ts'

/**
 * What is wrong with a clearing record beside the decision that the acquirer has; `undefined` when nothing is. A site is paid for
 * the release that it delivered and for no other, and tells the acquirer no other price than it charges.
 */
export function deliveryProblem(
  { releaseDigest, price }: ClearingRecord,
  decision: Pick<SiteDecision, 'releaseDigest' | 'price'>,
): string | undefined {
  if (releaseDigest !== decision.releaseDigest)
    return 'the clearing record is for another release than the decision'
  const { price: told } = decision
  if (told && (told.amountMinor !== price.amountMinor || told.currency !== price.currency)) {
    return 'the clearing record has another price than the decision'
  }
  return undefined
}
