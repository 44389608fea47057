import type { Currency } from '../../kernel/currency.ts'
import { SPLIT_PARTIES, splitAmount } from '../../protocol/money/split.ts'
import type { SplitParty, Splits } from '../../protocol/money/split.ts'
import { NETWORK_OWNER, ROUNDING_OWNER, earnedBy, fundsOf, subjectsPool } from '../ledger/account-name.ts'
import type { Posting } from '../ledger/account-name.ts'

/** Who shares in a price, and what it is for. */
export interface Capture {
  readonly ask: string
  readonly site: string
  readonly acquirer: string
  readonly issuer: string
  readonly issuerProcessor: string | undefined
  readonly custodian: string
  readonly priceMinor: bigint
  readonly currency: Currency
  readonly splits: Splits
}

/** A captured price as transfers from the acquirer to each party; with the rounding they always add up to it. */
export function capturePostings(capture: Capture): readonly Posting[] {
  const { ask, site, acquirer, priceMinor, currency, splits } = capture
  const { parts, remainderMinor } = splitAmount(priceMinor, splits)
  const owners: Record<SplitParty, string> = {
    issuer: capture.issuer,
    // Without a processor its share is nothing (the manifest is refused otherwise); the issuer stands in for the type.
    issuerProcessor: capture.issuerProcessor ?? capture.issuer,
    custodian: capture.custodian,
    network: NETWORK_OWNER,
    subjects: subjectsPool(capture.issuer, site),
  }
  const posting = (party: string, owner: string, amountMinor: bigint): Posting => ({
    kind: 'capture',
    party,
    debit: fundsOf(acquirer),
    credit: earnedBy(owner),
    amountMinor,
    currency,
    ask,
    site,
  })
  return [
    ...SPLIT_PARTIES.map((party) => posting(party, owners[party], parts[party])),
    posting('rounding', ROUNDING_OWNER, remainderMinor),
  ]
}
