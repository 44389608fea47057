import { peekJws, verifyJws, verifyJwsInPool } from '../../kernel/crypto/jws.ts'
import type { KeyFor } from '../../kernel/crypto/jws.ts'
import { digestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { parseWith } from '../../kernel/parse.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import type { z } from 'zod'
import { clearingRecordSchema } from '../../protocol/money/clearing-record.ts'
import type { ClearingRecord } from '../../protocol/money/clearing-record.ts'
import { decisionOf, siteDecisionSchema } from '../../protocol/decision.ts'
import type { DecisionMessage, SiteDecision } from '../../protocol/decision.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import { everKey } from '../membership/directory.ts'
import type { Directory } from '../membership/directory.ts'
import { deliveryProblem } from './check-delivery.ts'

/** A site's message with its signed parts read. */
export interface ReadDecision {
  readonly decision: SiteDecision
  readonly clearing: ClearingRecord | undefined
}

/**
 * Verifies and reads what a site sends: every signed part by a key of this very site, about one ask, telling one
 * story. Its four signatures are verified at once: somebody waits for them, and one after another they take half a millisecond.
 *
 * @throws Fault `fault.conflict` saying what does not hold: sent again, it would not either
 */
export async function readDecision(
  message: DecisionMessage,
  { site, directory }: { site: string; directory: Directory },
): Promise<ReadDecision> {
  const { release } = message
  const verified = await verifyAll(message, { site, directory })
  const decision = readSigned(verified.decision, { schema: siteDecisionSchema, what: 'decision' })
  if (decision.site !== site) throw refused('the decision is of another site')
  if (decisionOf(decision.reason) !== decision.decision)
    throw refused('decision and reason do not go together')
  const clearing = verified.clearing && clearingOf(verified.clearing, site)
  if (clearing && clearing.ask !== decision.ask) throw refused('decision and clearing record are of two asks')
  const untrue = clearing && deliveryProblem(clearing, decision)
  if (untrue !== undefined) throw refused(untrue)
  if (decision.decision === 'declined' && (release !== undefined || clearing)) {
    throw refused('a declined ask has neither a release nor a clearing record')
  }
  if (release !== undefined && digestOf(release) !== decision.releaseDigest) {
    throw refused('the release is not the one that the decision names')
  }
  for (const receipt of verified.receipts) requireSigned(receipt, 'receipt')
  return { decision, clearing }
}

type Verified = ReturnType<typeof verifyJws>

/** What comes of each signature; judged one by one afterwards, so that the first that does not hold is told, whichever was done first. */
async function verifyAll(
  { decision, clearing, receipts }: DecisionMessage,
  { site, directory }: { site: string; directory: Directory },
): Promise<{
  readonly decision: Verified
  readonly clearing: Verified | undefined
  readonly receipts: readonly Verified[]
}> {
  const keyFor = keysOf({ site, directory })
  const [ofDecision, ofClearing, ofReceipts] = await Promise.all([
    verifyJwsInPool(decision, { typ: TYP.decision, keyFor }),
    clearing === undefined ? undefined : verifyJwsInPool(clearing, { typ: TYP.clearingRecord, keyFor }),
    Promise.all(receipts.map(({ receipt }) => verifyJwsInPool(receipt, { typ: TYP.receipt, keyFor }))),
  ])
  return { decision: ofDecision, clearing: ofClearing, receipts: ofReceipts }
}

/** Of this very site, present or former. */
function keysOf({ site, directory }: { site: string; directory: Directory }): KeyFor {
  return (keyId) => everKey(directory.find(site), keyId)
}

/**
 * The ask that a message says it is about, nothing verified: enough to look it up for the site that is calling, while the
 * signatures are verified.
 */
export function saidAsk({ decision }: DecisionMessage): string | undefined {
  const seen = peekJws(decision)
  const said = seen && parseJson(seen.payload)
  return isObject(said) && typeof said['ask'] === 'string' ? said['ask'] : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Verifies and reads a clearing record of a site. */
export function readClearing(
  jws: string,
  { site, directory }: { site: string; directory: Directory },
): ClearingRecord {
  return clearingOf(verifyJws(jws, { typ: TYP.clearingRecord, keyFor: keysOf({ site, directory }) }), site)
}

function clearingOf(verified: Verified, site: string): ClearingRecord {
  const clearing = readSigned(verified, { schema: clearingRecordSchema, what: 'clearing record' })
  if (clearing.site !== site) throw refused('the clearing record is of another site')
  return clearing
}

/** What a site sent does not hold. */
export function refused(why: string): Fault {
  return new Fault('fault.conflict', { what: `Cannot take what the site sent: ${why}` })
}

function requireSigned(verified: Verified, what: string): string {
  if (!verified.ok) throw refused(`the ${what} is not signed by the site (${verified.error})`)
  return verified.value.payload
}

function readSigned<S extends z.ZodType>(
  verified: Verified,
  { schema, what }: { schema: S; what: string },
): z.output<S> {
  const parsed = parseWith(schema, parseJson(requireSigned(verified, what)))
  if (parsed.ok) return parsed.value
  throw new Fault('fault.request_malformed', {
    what: `Cannot read the ${what}: some fields are not what was expected`,
    errors: parsed.error.map((problem) => ({ ...problem, field: `${what}.${problem.field}` })),
  })
}
