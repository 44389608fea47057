import { peekJws, verifyJws } from '../../kernel/crypto/jws.ts'
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
 * story.
 *
 * @throws Fault `fault.conflict` saying what does not hold: sent again, it would not either
 */
export function readDecision(
  message: DecisionMessage,
  { site, directory }: { site: string; directory: Directory },
): ReadDecision {
  const { decision: jws, release, receipts, clearing: clearingJws } = message
  const decision = readSigned(jws, {
    typ: TYP.decision,
    schema: siteDecisionSchema,
    site,
    directory,
    what: 'decision',
  })
  if (decision.site !== site) throw refused('the decision is of another site')
  if (decisionOf(decision.reason) !== decision.decision)
    throw refused('decision and reason do not go together')
  const clearing = clearingJws === undefined ? undefined : readClearing(clearingJws, { site, directory })
  if (clearing && clearing.ask !== decision.ask) throw refused('decision and clearing record are of two asks')
  const untrue = clearing && deliveryProblem(clearing, decision)
  if (untrue !== undefined) throw refused(untrue)
  if (decision.decision === 'declined' && (release !== undefined || clearing)) {
    throw refused('a declined ask has neither a release nor a clearing record')
  }
  if (release !== undefined && digestOf(release) !== decision.releaseDigest) {
    throw refused('the release is not the one that the decision names')
  }
  for (const { receipt } of receipts)
    requireSigned(receipt, { typ: TYP.receipt, site, directory, what: 'receipt' })
  return { decision, clearing }
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
  const clearing = readSigned(jws, {
    typ: TYP.clearingRecord,
    schema: clearingRecordSchema,
    site,
    directory,
    what: 'clearing record',
  })
  if (clearing.site !== site) throw refused('the clearing record is of another site')
  return clearing
}

/** What a site sent does not hold. */
export function refused(why: string): Fault {
  return new Fault('fault.conflict', { what: `Cannot take what the site sent: ${why}` })
}

interface Signed {
  readonly typ: string
  readonly site: string
  readonly directory: Directory
  readonly what: string
}

function requireSigned(jws: string, { typ, site, directory, what }: Signed): string {
  const verified = verifyJws(jws, { typ, keyFor: (keyId) => everKey(directory.find(site), keyId) })
  if (!verified.ok) throw refused(`the ${what} is not signed by the site (${verified.error})`)
  return verified.value.payload
}

function readSigned<S extends z.ZodType>(
  jws: string,
  { schema, ...signed }: Signed & { schema: S },
): z.output<S> {
  const parsed = parseWith(schema, parseJson(requireSigned(jws, signed)))
  if (parsed.ok) return parsed.value
  throw new Fault('fault.request_malformed', {
    what: `Cannot read the ${signed.what}: some fields are not what was expected`,
    errors: parsed.error.map((problem) => ({ ...problem, field: `${signed.what}.${problem.field}` })),
  })
}
