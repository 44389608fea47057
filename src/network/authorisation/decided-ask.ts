import type { Decline } from '../../protocol/reason.ts'
import { legsOf } from '../routing/route-ask.ts'
import type { Leg, Route } from '../routing/route-ask.ts'
import type { SentAsk } from './sent-ask.ts'

/** An ask that passes, with what is held for it and where it goes. */
export interface PassedAsk {
  readonly sent: SentAsk
  readonly holdMinor: bigint
  readonly legs: readonly Leg[]
}

/** An ask that the network declines itself. */
export interface DeclinedAsk {
  readonly sent: SentAsk
  readonly decline: Decline
}

/** A passed ask by its route. A dry run holds nothing; its sites still learn what they could charge. */
export function passedAsk(sent: SentAsk, route: Route): PassedAsk {
  return { sent, holdMinor: sent.ask.dryRun ? 0n : route.holdMinor, legs: legsOf(route) }
}

/** A row for the function `take_asks` of the database. */
export function askRow({ sent, holdMinor }: PassedAsk, batchId: string | undefined): object {
  const { ask, jws, batch, bodyDigest, askDigest, sender } = sent
  return {
    id: ask.id,
    acquirer: ask.acquirer,
    key: ask.idempotencyKey,
    body: bodyDigest,
    digest: askDigest,
    sender,
    data_set: ask.offer,
    purpose: ask.purpose,
    mode: ask.mode,
    currency: ask.maxPrice.currency,
    hold: Number(holdMinor),
    dry: ask.dryRun,
    expires: ask.expires,
    jws,
    batch: batchId,
    index: batch?.index,
  }
}

/** What is due from each acquirer and currency. */
export function duesOf(asks: readonly PassedAsk[]): object[] {
  const dues = new Map<string, { owner: string; currency: string; total: bigint }>()
  for (const { sent, holdMinor } of asks) {
    if (holdMinor === 0n) continue
    const { acquirer, maxPrice } = sent.ask
    const name = `${acquirer} ${maxPrice.currency}`
    const due = dues.get(name) ?? { owner: acquirer, currency: maxPrice.currency, total: 0n }
    due.total += holdMinor
    dues.set(name, due)
  }
  return [...dues.values()].map((due) => ({ ...due, total: Number(due.total) }))
}
