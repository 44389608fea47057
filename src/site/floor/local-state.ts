import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { Ask } from '../../protocol/ask.ts'
import { siteDecisionSchema } from '../../protocol/decision.ts'
import type { ReceiptBundle } from '../../protocol/decision.ts'
import type { askStateSchema } from '../../protocol/http/network-api.ts'
import { wireMoney } from '../../protocol/wire.ts'
import type { StoredAnswer } from '../asks/answer-store.ts'
import type { SiteContext } from '../site-context.ts'
import type { LocalAsk } from './local-ask-store.ts'

/** An ask's state in the wire form that the network uses too. */
export type LocalState = z.input<typeof askStateSchema>

/** What is told of an answer on the local network; its receipts are in the published log by then. */
export async function localState(
  {
    ask,
    local,
    answer,
  }: {
    ask: Ask
    local: Pick<LocalAsk, 'received' | 'limitMinor' | 'priceMinor'>
    answer: StoredAnswer
  },
  { log, site }: Pick<SiteContext, 'log' | 'site'>,
): Promise<LocalState> {
  const receipts: ReceiptBundle[] = []
  for (const sequence of answer.receiptSequences) receipts.push(await log.bundle(sequence))
  const { currency } = ask.maxPrice
  const limit = wireMoney({ amountMinor: local.limitMinor, currency })
  const { releaseJwe } = answer
  return {
    id: ask.id,
    acquirer: ask.acquirer,
    status: 'answered',
    offer: ask.offer,
    purpose: ask.purpose,
    mode: ask.mode,
    dryRun: ask.dryRun,
    ...(ask.dryRun ? {} : { hold: limit }),
    received: formatInstant(local.received),
    expires: formatInstant(ask.expires),
    sites: [
      {
        site,
        status: 'answered',
        priceLimit: limit,
        reason: siteDecisionSchema.parse(answer.decision).reason,
        decision: answer.decisionJws,
        receipts: receipts.map(({ receipt, log: place }) => ({
          receipt,
          log: { ...place, inclusionProof: [...place.inclusionProof] },
        })),
        hasRelease: releaseJwe !== undefined,
        ...(releaseJwe === undefined ? {} : { release: releaseJwe }),
        ...(local.priceMinor === undefined
          ? {}
          : { captured: wireMoney({ amountMinor: local.priceMinor, currency }) }),
      },
    ],
  }
}
