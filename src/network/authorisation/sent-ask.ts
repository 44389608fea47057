import { digestOf } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Ask } from '../../protocol/ask.ts'

/** Where an ask stands in a signed batch. */
export interface BatchPlace {
  readonly digest: Digest
  readonly index: number
}

/** A signed batch as it came, with the id under which it is kept. */
export interface KeptBatch {
  readonly id: string
  readonly digest: Digest
  readonly processor: string
  readonly jws: string
}

/** An ask as it came, before anything but its form was looked at. */
export interface SentAsk {
  readonly ask: Ask
  /** SHA-256 of the ask's JSON in hexadecimal digits: the same body gives the same answer, another one is a replay. */
  readonly bodyDigest: string
  /** Its own signed text, unless it came in a batch. */
  readonly jws: string | undefined
  readonly batch: BatchPlace | undefined
  /** Who sent it: the acquirer or a processor. */
  readonly sender: string
  /** Whether it was sent by, and claims to be signed with the present key of, somebody who may sign for the acquirer. */
  readonly isClaimed: boolean
  /** Whether the signature is good; looked at once however often it is asked for. */
  readonly isSigned: () => boolean
}

/** What receipts name an ask by: the digest of its signed text, or of its batch's digest, `#` and its place. */
export function askDigestOf({
  jws,
  batch,
}: {
  jws: string | undefined
  batch: BatchPlace | undefined
}): Digest {
  return digestOf(batch ? `${batch.digest}#${batch.index}` : (jws ?? ''))
}
