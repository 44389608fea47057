import { isGoodJws, isGoodJwsInPool, peekJws } from '../../kernel/crypto/jws.ts'
import type { KeyFor, PeekedJws } from '../../kernel/crypto/jws.ts'
import { digestOf, hexDigestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import type { IdSource } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { parseWith } from '../../kernel/parse.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { askBatchSchema, askSchema } from '../../protocol/ask.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import { presentKey } from '../membership/directory.ts'
import type { Directory } from '../membership/directory.ts'
import type { KeptBatch, SentAsk } from './sent-ask.ts'

/** What came in one request. */
export interface Submission {
  readonly asks: readonly SentAsk[]
  readonly batch: KeptBatch | undefined
  /** Verifies the signature on another core; `isSigned` of the asks is at once from then on. */
  verifyElsewhere(): Promise<void>
}

/** Who sent it, and what reading it takes. */
export interface Reading {
  readonly sender: MemberRecord
  readonly directory: Directory
  readonly ids: IdSource
}

/**
 * Reads one signed ask or a signed batch. Whose signature it is gets told, not judged: a bad one is a decline for
 * each ask. Only what is no ask at all is refused here.
 *
 * @throws Fault `fault.request_malformed` naming each field that is wrong
 */
export function readSubmission(
  body: { readonly ask: string } | { readonly batch: string },
  { sender, directory, ids }: Reading,
): Submission {
  if ('batch' in body) return readBatch(body.batch, { sender, directory, ids })
  const { seen, payload } = readSigned(body.ask, 'ask')
  const ask = readAsk(payload, 'ask', directory)
  const isFromSender = ask.acquirer === sender.id || isProcessorOf(sender, ask, directory)
  const signature = lookAtSignature(body.ask, {
    typ: TYP.ask,
    seen,
    keyFor: (keyId) => presentKey(directory.find(ask.acquirer), keyId),
  })
  const sent: SentAsk = {
    ask,
    bodyDigest: bodyDigestOf(payload),
    jws: body.ask,
    batch: undefined,
    sender: sender.id,
    isClaimed: isFromSender && signature.isClaimed,
    isSigned: () => isFromSender && signature.isGood(),
  }
  return { asks: [sent], batch: undefined, verifyElsewhere: signature.verifyElsewhere }
}

/**
 * A signature that is verified when it is asked for, once: it costs as much as all the rest of an ask, and can be
 * done while the database works.
 */
function lookAtSignature(
  jws: string,
  expected: { typ: string; seen: PeekedJws; keyFor: KeyFor },
): {
  readonly isClaimed: boolean
  readonly isGood: () => boolean
  readonly verifyElsewhere: () => Promise<void>
} {
  const { typ, seen, keyFor } = expected
  let isGood: boolean | undefined
  return {
    isClaimed: seen.header.typ === typ && keyFor(seen.header.kid) !== undefined,
    isGood: () => (isGood ??= isGoodJws(jws, expected)),
    async verifyElsewhere() {
      isGood ??= await isGoodJwsInPool(jws, expected)
    },
  }
}

function readBatch(jws: string, { sender, directory, ids }: Reading): Submission {
  const { seen, payload } = readSigned(jws, 'batch')
  const envelope = parseWith(askBatchSchema, payload)
  if (!envelope.ok) throw malformed(envelope.error)
  const { processor, asks } = envelope.value
  if (asks.length > LIMITS.asksPerBatchMax) {
    throw malformed([{ field: 'batch.asks', expected: `expected at most ${LIMITS.asksPerBatchMax} asks` }])
  }
  const signature = lookAtSignature(jws, {
    typ: TYP.askBatch,
    seen,
    keyFor: (keyId) => presentKey(directory.find(processor), keyId),
  })
  const digest = digestOf(jws)
  const sent = asks.map((raw, index): SentAsk => {
    const ask = readAsk(raw, `batch.asks[${index}]`, directory)
    const mayProcess =
      processor === sender.id && (ask.acquirer === processor || isProcessorOf(sender, ask, directory))
    return {
      ask,
      bodyDigest: bodyDigestOf(raw),
      jws: undefined,
      batch: { digest, index },
      sender: sender.id,
      isClaimed: mayProcess && signature.isClaimed,
      isSigned: () => mayProcess && signature.isGood(),
    }
  })
  return {
    asks: sent,
    batch: { id: ids.next('bat'), digest, processor, jws },
    verifyElsewhere: signature.verifyElsewhere,
  }
}

function isProcessorOf(sender: MemberRecord, ask: Ask, directory: Directory): boolean {
  return directory.member(ask.acquirer)?.processors.includes(sender.id) ?? false
}

function readSigned(jws: string, field: string): { readonly seen: PeekedJws; readonly payload: unknown } {
  const seen = peekJws(jws)
  const payload = seen && parseJson(seen.payload)
  // The same answer as to a text that is no JWS: neither shows what came.
  if (seen && payload !== undefined) return { seen, payload }
  throw malformed([{ field, expected: 'expected a compact JWS over JSON' }])
}

function readAsk(raw: unknown, field: string, directory: Directory): Ask {
  const parsed = askSchema.safeParse(raw)
  if (parsed.success) {
    requireKnownSites(parsed.data, field, directory)
    return parsed.data
  }
  const problems = parseWith(askSchema, raw)
  throw malformed(
    problems.ok ? [] : problems.error.map((problem) => ({ ...problem, field: `${field}.${problem.field}` })),
  )
}

/** A site that there is none of is a slip of whoever wrote the ask: a site that offers nothing is a decline. */
function requireKnownSites({ sites }: Ask, field: string, directory: Directory): void {
  if (sites[0] === 'any') return
  const problems = sites.flatMap((site, index) =>
    directory.site(site) ? [] : [{ field: `${field}.sites[${index}]`, expected: expectedSite(directory) }],
  )
  if (problems.length > 0) throw malformed(problems)
}

function expectedSite(directory: Directory): string {
  const names = directory.sites().map(({ id }) => String(id))
  if (names.length === 0) return 'expected a site of this network, which has none yet'
  const more = names.length > SITES_NAMED_MAX ? ', …' : ''
  return `expected a site of this network: ${names.slice(0, SITES_NAMED_MAX).join(', ')}${more}`
}

/** As many as somebody reads. */
const SITES_NAMED_MAX = 12

/** JSON that was parsed and written again has one form for one body, whoever signed it and however often. */
function bodyDigestOf(raw: unknown): string {
  return hexDigestOf(JSON.stringify(raw))
}

function malformed(errors: readonly FieldProblem[]): Fault {
  return new Fault('fault.request_malformed', {
    what: 'Cannot read the ask: some fields are not what was expected',
    errors,
  })
}
