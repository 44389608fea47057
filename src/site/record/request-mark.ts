import { createSecretKey } from 'node:crypto'
import { digestOf, hmacSha256 } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { RequestMemory } from '../../kernel/http/idempotency.ts'
import type { Random } from '../../kernel/random.ts'
import { newestLookup } from '../vault/keys/lookup-digest.ts'
import type { LookupKeys } from '../vault/keys/lookup-digest.ts'
import { open, seal } from '../vault/keys/seal-cell.ts'

/** What a text of a request stands as in the record. */
export type RequestMark = (text: string) => Digest

/**
 * Marks what the record remembers of requests: who made them, whom they are about, what they said. HMAC-SHA-256 under the site's
 * newest lookup key, because a bare digest of a person's key and a few words could be found by trying what they may be,
 * and the record of an erasure outlives the person.
 */
export function requestMark(keys: LookupKeys): RequestMark {
  const key = hmacSha256(newestLookup(keys).reveal(), 'remembered requests')
  return (text) => digestOf(hmacSha256(key, text))
}

const NONCE_BYTES = 12
const CONTEXT = Buffer.from('(answer to a request)')

/**
 * What a site's door remembers. An answer may say what a person said, or who is whose guardian, so it is sealed under a key made of
 * the site's and of the whole request with its `Idempotency-Key`, which stands nowhere: who sends it again has it opened, and
 * after an erasure nobody else.
 */
export function requestMemory(keys: LookupKeys, random: Random): RequestMemory {
  const secret = hmacSha256(newestLookup(keys).reveal(), 'answers to remembered requests')
  const keyOf = (request: string) => createSecretKey(hmacSha256(secret, request))
  return {
    markOf: requestMark(keys),
    seal: (answer, request) =>
      Buffer.from(
        seal(answer, { key: keyOf(request), nonce: random.bytes(NONCE_BYTES), context: CONTEXT }),
      ).toString('base64url'),
    open: (kept, request) => {
      const opened = open(Buffer.from(kept, 'base64url'), { key: keyOf(request), context: CONTEXT })
      if (opened === undefined)
        throw new Fault('fault.internal', { what: 'Cannot open the answer that was kept for this request' })
      return Buffer.from(opened).toString()
    },
  }
}
