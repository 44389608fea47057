import { verifyJws } from '../../kernel/crypto/jws.ts'
import { hexDigestOf } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { askSchema } from '../../protocol/ask.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { ClearingRecord } from '../../protocol/money/clearing-record.ts'
import type { LocalAnswer } from '../../protocol/floor-limit.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import { readDecision, refused } from '../clearing/read-decision.ts'
import type { ReadDecision } from '../clearing/read-decision.ts'
import { everKey } from '../membership/directory.ts'
import type { Directory } from '../membership/directory.ts'
import type { FloorRow } from './floor-store.ts'

/** An answer that a site gave on the local network, with every signed part verified. */
export interface ReadLocalAnswer {
  readonly ask: Ask
  readonly bodyDigest: string
  readonly decision: ReadDecision['decision']
  readonly record: ClearingRecord
}

/**
 * Verifies and reads it: the site's decision and clearing record, and the ask that the acquirer signed for it. Without that
 * signature a site could charge for what nobody asked.
 *
 * @throws Fault `fault.conflict` saying what does not hold: sent again, it would not either
 */
export async function readLocalAnswer(
  { ask: jws, floorLimit: _, ...message }: LocalAnswer,
  { site, directory }: { site: string; directory: Directory },
): Promise<ReadLocalAnswer> {
  const { decision, clearing: record } = await readDecision(message, { site, directory })
  if (decision.decision === 'declined' || !record)
    throw refused('nothing was delivered, so nothing is captured')
  const { ask, payload } = readAsk(jws, { acquirer: record.acquirer, directory })
  if (ask.id !== decision.ask || ask.acquirer !== record.acquirer || ask.offer !== record.dataSet)
    throw refused('the ask is not the one that the clearing record is about')
  if (decision.decidedAt >= ask.expires + LIMITS.clockSkewMsMax)
    throw refused('the ask had expired when the site decided')
  if (ask.dryRun) throw refused('a dry run has no clearing record')
  if (ask.sites.length !== 1 || ask.sites[0] !== site) throw refused('the ask does not name this site alone')
  if (ask.maxPrice.currency !== record.price.currency || ask.maxPrice.amountMinor < record.price.amountMinor)
    throw refused('the price is above what the acquirer signed for')
  return { ask, bodyDigest: hexDigestOf(JSON.stringify(payload)), decision, record }
}

function readAsk(
  jws: string,
  { acquirer, directory }: { acquirer: string; directory: Directory },
): { ask: Ask; payload: unknown } {
  const verified = verifyJws(jws, {
    typ: TYP.ask,
    keyFor: (keyId) => everKey(directory.find(acquirer), keyId),
  })
  if (!verified.ok) throw refused(`the ask is not signed by its acquirer (${verified.error})`)
  const payload: unknown = parseJson(verified.value.payload)
  const parsed = askSchema.safeParse(payload)
  if (!parsed.success) throw refused('the ask is not of the form expected')
  return { ask: parsed.data, payload }
}

/** What is wrong with booking an answer on a limit; `undefined` when nothing is. */
export function floorProblem(
  { record, decision }: ReadLocalAnswer,
  { limit, site }: { limit: FloorRow | undefined; site: string },
): string | undefined {
  if (limit?.site !== site) return 'there is no such floor limit of this site'
  if (limit.acquirer !== record.acquirer || limit.currency !== record.price.currency)
    return 'the floor limit is for another acquirer or currency'
  const isBefore = decision.decidedAt < limit.valid_from - LIMITS.clockSkewMsMax
  if (isBefore || decision.decidedAt >= limit.valid_until + LIMITS.clockSkewMsMax)
    return 'the floor limit was not in force when the site decided'
  if (limit.captured_minor + record.price.amountMinor > limit.amount_minor)
    return 'the floor limit does not cover it'
  return undefined
}
