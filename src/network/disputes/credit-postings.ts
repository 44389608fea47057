import type { Currency } from '../../kernel/currency.ts'
import { earnedBy, fundsOf } from '../ledger/account-name.ts'
import type { Posting } from '../ledger/account-name.ts'

/** What somebody got of a captured price, and what is on its accounts: earned since the last settlement, and free to spend. */
export interface CreditShare {
  readonly owner: string
  readonly sharedMinor: bigint
  readonly earnedMinor: bigint
  readonly fundsMinor: bigint
}

/** Money that goes back to an acquirer. */
export interface Credit {
  readonly dispute: string
  readonly ask: string
  readonly site: string
  readonly acquirer: string
  readonly amountMinor: bigint
  readonly currency: Currency
  /** At least one. */
  readonly shares: readonly CreditShare[]
}

/**
 * Money back as transfers to the acquirer from whoever shared in the price, in the proportion of their shares; they always add up to it,
 * but for what an acquirer that shared in the price itself would pay out of its funds into them: that counts as given back and moves
 * nothing. What is left over by rounding comes from the first. Each pays out of what it earned, then out of its funds. `short` names who
 * has too little: then nothing may be booked.
 */
export function creditPostings({ shares, amountMinor, ...facts }: Credit): {
  readonly postings: readonly Posting[]
  readonly short: readonly string[]
} {
  const sharedMinor = shares.reduce((sum, share) => sum + share.sharedMinor, 0n)
  const partOf = (share: CreditShare) =>
    sharedMinor === 0n ? 0n : (amountMinor * share.sharedMinor) / sharedMinor
  const leftMinor = amountMinor - shares.reduce((sum, share) => sum + partOf(share), 0n)
  const parts = shares.map((share, index) => ({
    share,
    partMinor: partOf(share) + (index === 0 ? leftMinor : 0n),
  }))
  return {
    short: parts
      .filter(({ share, partMinor }) => partMinor > share.earnedMinor + share.fundsMinor)
      .filter(({ share }) => share.owner !== facts.acquirer)
      .map(({ share }) => share.owner),
    postings: parts.flatMap((part) => postingsOf(part, facts)),
  }
}

function postingsOf(
  { share: { owner, earnedMinor }, partMinor }: { share: CreditShare; partMinor: bigint },
  { dispute, ask, site, acquirer, currency }: Omit<Credit, 'shares' | 'amountMinor'>,
): Posting[] {
  const ofEarned = partMinor < earnedMinor ? partMinor : earnedMinor
  const posting = (kind: 'earned' | 'funds', fromMinor: bigint): Posting => ({
    kind: 'credit',
    party: 'refund',
    debit: kind === 'earned' ? earnedBy(owner) : fundsOf(owner),
    credit: fundsOf(acquirer),
    amountMinor: fromMinor,
    currency,
    ask,
    site,
    reference: dispute,
    idempotencyKey: `${dispute} ${owner} ${kind}`,
  })
  const earned = posting('earned', ofEarned)
  return owner === acquirer ? [earned] : [earned, posting('funds', partMinor - ofEarned)]
}
