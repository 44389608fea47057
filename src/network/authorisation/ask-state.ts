import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { ReceiptBundle } from '../../protocol/decision.ts'
import type { askStateSchema } from '../../protocol/http/network-api.ts'
import type { DeclinedAsk, PassedAsk } from './decided-ask.ts'

/** An ask's state in its wire form. */
export type AskStateMessage = z.input<typeof askStateSchema>

/** The answer to an ask that was just taken (`received`: RFC 3339): nothing but what was asked, so nothing is read back. */
export function takenState({ sent, holdMinor, legs }: PassedAsk, received: string): AskStateMessage {
  const { ask } = sent
  const currency = ask.maxPrice.currency
  return {
    ...commonState(sent.ask, received),
    status: 'waiting',
    ...(ask.dryRun ? {} : { hold: amount(holdMinor, currency) }),
    sites: legs.map(({ site, limitMinor }) => ({
      site,
      status: 'waiting',
      priceLimit: amount(limitMinor, currency),
      receipts: [],
      hasRelease: false,
    })),
  }
}

/** The answer to an ask that the network declines, with its receipt. */
export function declinedState(
  { sent, decline }: DeclinedAsk,
  { received, receipt }: { received: string; receipt: ReceiptBundle },
): AskStateMessage {
  return {
    ...commonState(sent.ask, received),
    status: 'declined',
    reason: decline.code,
    ...(decline.detail === undefined ? {} : { detail: decline.detail }),
    sites: [],
    receipt,
  }
}

type Common = Pick<
  AskStateMessage,
  'id' | 'acquirer' | 'offer' | 'purpose' | 'mode' | 'dryRun' | 'received' | 'expires'
>

function commonState(ask: PassedAsk['sent']['ask'], received: string): Common {
  const { id, acquirer, offer, purpose, mode, dryRun, expires } = ask
  return {
    id,
    acquirer,
    offer,
    purpose,
    mode,
    dryRun,
    received,
    expires: formatInstant(expires),
  }
}

/** Minor units on the wire. */
export function amount(amountMinor: bigint, currency: Currency): { amount: number; currency: Currency } {
  return { amount: Number(amountMinor), currency }
}
