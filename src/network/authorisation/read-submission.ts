import { peekJws, verifyJws } from '../../kernel/crypto/jws.ts'
import { digestOf, sha256 } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import type { IdSource } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { parseWith } from '../../kernel/parse.ts'
import { askBatchSchema, askSchema } from '../../protocol/ask.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { MemberRecord } from '../../protocol/network-api.ts'
import { TYP } from '../../protocol/message-types.ts'
import { presentKey } from '../membership/directory.ts'
import type { Directory } from '../membership/directory.ts'
import type { KeptBatch, SentAsk } from './sent-ask.ts'

/** What came in one request. */
export interface Submission {
  readonly asks: readonly SentAsk[]
  readonly batch: KeptBatch | undefined
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
  const payload = readPayload(body.ask, 'ask')
  const ask = readAsk(payload, 'ask')
  const verified = verifyJws(body.ask, {
    typ: TYP.ask,
    keyFor: (keyId) => presentKey(directory.find(ask.acquirer), keyId),
  })
  const isFromSender = ask.acquirer === sender.id || isProcessorOf(sender, ask, directory)
  const sent: SentAsk = {
    ask,
    bodyDigest: bodyDigestOf(payload),
    jws: body.ask,
    batch: undefined,
    sender: sender.id,
    isSigned: verified.ok && isFromSender,
  }
  return { asks: [sent], batch: undefined }
}

function readBatch(jws: string, { sender, directory, ids }: Reading): Submission {
  const envelope = parseWith(askBatchSchema, readPayload(jws, 'batch'))
  if (!envelope.ok) throw malformed(envelope.error)
  const { processor, asks } = envelope.value
  if (asks.length > LIMITS.asksPerBatchMax) {
    throw malformed([{ field: 'batch.asks', expected: `expected at most ${LIMITS.asksPerBatchMax} asks` }])
  }
  const verified = verifyJws(jws, {
    typ: TYP.askBatch,
    keyFor: (keyId) => presentKey(directory.find(processor), keyId),
  })
  const isSigned = verified.ok && processor === sender.id
  const digest = digestOf(jws)
  const sent = asks.map((raw, index): SentAsk => {
    const ask = readAsk(raw, `batch.asks[${index}]`)
    return {
      ask,
      bodyDigest: bodyDigestOf(raw),
      jws: undefined,
      batch: { digest, index },
      sender: sender.id,
      isSigned: isSigned && (ask.acquirer === processor || isProcessorOf(sender, ask, directory)),
    }
  })
  return { asks: sent, batch: { id: ids.next('bat'), digest, processor, jws } }
}

function isProcessorOf(sender: MemberRecord, ask: Ask, directory: Directory): boolean {
  return directory.member(ask.acquirer)?.processors.includes(sender.id) ?? false
}

function readPayload(jws: string, field: string): unknown {
  const payload = peekJws(jws)?.payload
  try {
    if (payload !== undefined) return JSON.parse(payload)
  } catch {
    // Falls through to the same answer as a text that is no JWS: neither shows what came.
  }
  throw malformed([{ field, expected: 'expected a compact JWS over JSON' }])
}

function readAsk(raw: unknown, field: string): Ask {
  const parsed = askSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const problems = parseWith(askSchema, raw)
  throw malformed(
    problems.ok ? [] : problems.error.map((problem) => ({ ...problem, field: `${field}.${problem.field}` })),
  )
}

/** JSON that was parsed and written again has one form for one body, whoever signed it and however often. */
function bodyDigestOf(raw: unknown): Buffer {
  return Buffer.from(sha256(JSON.stringify(raw)))
}

function malformed(errors: readonly FieldProblem[]): Fault {
  return new Fault('fault.request_malformed', {
    what: 'Cannot read the ask: some fields are not what was expected',
    errors,
  })
}
