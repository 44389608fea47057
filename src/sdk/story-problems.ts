import type { Digest } from '../kernel/digest.ts'
import type { Money } from '../kernel/money.ts'
import type { SiteDecision } from '../protocol/decision.ts'
import type { Receipt } from '../protocol/proof/receipt.ts'

/** What came of one site's answer, each part by itself verified or not. */
export interface AnswerStory {
  readonly askId: string
  readonly site: string
  readonly decision: SiteDecision
  readonly receipts: readonly (Receipt | undefined)[]
  /** The digest of the sealed release that came. */
  readonly sealed: Digest | undefined
  readonly isWithdrawn: boolean
  /** What the network says that it took for it. */
  readonly captured: Money | undefined
}

/**
 * Where what a site signed and what the network says do not tell one story: a release that was kept back or changed, another
 * price, receipts of something else. What the site signed is what an acquirer can show to anybody.
 */
export function storyProblems(story: AnswerStory): readonly string[] {
  return [...releaseProblems(story), ...priceProblems(story), ...receiptProblems(story)]
}

function releaseProblems({ decision, sealed, isWithdrawn }: AnswerStory): readonly string[] {
  if (sealed !== undefined)
    return sealed === decision.releaseDigest ? [] : ['the release is not the one that the decision names']
  const isMissing = decision.releaseDigest !== undefined && !isWithdrawn
  return isMissing ? ['the release that the decision names did not come'] : []
}

function priceProblems({ decision: { price }, captured }: AnswerStory): readonly string[] {
  if (!captured || captured.amountMinor === 0n) return []
  if (price && isSameMoney(price, captured)) return []
  return ['what was charged is not the price that the site signed']
}

function receiptProblems({ askId, site, decision, receipts }: AnswerStory): readonly string[] {
  const own = receipts.flatMap((receipt) =>
    receipt?.askId === askId && receipt.site === site ? [receipt] : [],
  )
  if (own.length === 0) return ['no receipt names this ask']
  const isOther = own.some(
    ({ reason, price, release }) =>
      (reason !== undefined && reason !== decision.reason) ||
      (price !== undefined && decision.price !== undefined && !isSameMoney(price, decision.price)) ||
      (release !== undefined && release !== decision.releaseDigest),
  )
  return isOther ? ['a receipt tells something else than the decision'] : []
}

function isSameMoney(left: Money, right: Money): boolean {
  return left.amountMinor === right.amountMinor && left.currency === right.currency
}
