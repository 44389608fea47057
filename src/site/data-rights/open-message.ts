import type { z } from 'zod'
import type { Instant } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { verifyBytes } from '../../kernel/crypto/signature.ts'
import { digestOf } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { parseJsonBytes } from '../../kernel/parse-json.ts'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { SignedMessage } from '../../protocol/http/data-rights-protocol.ts'

/** Why a request was not taken, in the words of the protocol (3.06). */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 409
  readonly message: string
  /** It will never be taken as it is. */
  readonly isFatal?: boolean
}

export function refused(
  status: Refusal['status'],
  message: string,
  more: Omit<Refusal, 'status' | 'message'> = {},
): { readonly ok: false; readonly error: Refusal } {
  return err({ status, message, ...more })
}

const SIGNATURE_BYTES = 64
/** Far more than claims take. */
export const MESSAGE_CHARACTERS_MAX = 64 * 1024

/** A message that its agent signed, and the name by which it can come only once. */
export interface OpenedMessage<T> {
  readonly message: T
  readonly digest: Digest
}

/** Opens a signed message (3.07.1): base64 of an Ed25519 signature and the JSON behind it. Nothing is read before it verifies. */
export function openMessage<S extends z.ZodType>(
  text: string,
  { schema, key }: { schema: S; key: PublicJwk },
): Result<OpenedMessage<z.output<S>>, Refusal> {
  const trimmed = text.trim()
  if (trimmed.length > MESSAGE_CHARACTERS_MAX) return refused(400, 'The message is too long')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed)) return refused(400, 'Expected base64 of a signed message')
  const bytes = Buffer.from(trimmed, 'base64')
  const [signature, body] = [bytes.subarray(0, SIGNATURE_BYTES), bytes.subarray(SIGNATURE_BYTES)]
  if (body.length === 0 || !verifyBytes(body, signature, key))
    return refused(403, 'The signature is not one of the agent’s key over this message')
  const parsed = parseWith(schema, parseJsonBytes(body))
  if (!parsed.ok) return refused(400, `Not what was expected: ${describeProblems(parsed.error)}`, FATAL)
  // Over the body: a signature can be written in more than one way, what it is over cannot.
  return ok({ message: parsed.value, digest: digestOf(body) })
}

const FATAL = { isFatal: true } as const

/** Longest time that a message may hold: ten minutes are advised (2.01), and what is held against replays has to end. */
const LIFETIME_MS_MAX = 24 * 60 * 60_000

/** The checks after the signature, in the order of the protocol (3.07): agent, business, issued, expires. */
export function checkMessage(
  message: SignedMessage,
  { agent, businesses, now }: { agent: string; businesses: readonly string[]; now: Instant },
): Result<true, Refusal> {
  if (message['agent-id'] !== agent) return refused(403, 'The message is of another agent')
  if (!businesses.includes(message['business-id']))
    return refused(403, 'The message is for a business that is not here')
  const [issued, expires] = [message['issued-at'], message['expires-at']]
  if (now < issued) return refused(400, 'The message was issued after now: see to the clock')
  if (now >= expires) return refused(400, 'The message has expired', FATAL)
  return expires - issued > LIFETIME_MS_MAX
    ? refused(400, 'The message holds for longer than a day', FATAL)
    : ok(true)
}
