import { digestOf } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { verifyJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { ok } from '../../kernel/result.ts'
import { askBatchSchema, askSchema } from '../../protocol/ask.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { KeySet } from '../../protocol/member.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { MemberRecord, WorkItem } from '../../protocol/http/network-api.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'

/** An ask whose signature this site has checked itself, and the digest by which receipts name it. */
export interface VerifiedAsk {
  readonly ask: Ask
  readonly askDigest: Digest
}

/** What came from the network about one ask, with the keys this site believes in. */
export interface SignedWork {
  readonly item: WorkItem
  /** The signed batch, where the ask came in one. */
  readonly batchJws: string | undefined
  readonly acquirer: MemberRecord
  /** Keys of whoever signed: the acquirer, or the processor that sent the batch. */
  readonly signerKeys: KeySet
}

/**
 * Checks the acquirer's signature again at the site: the network switches asks, it cannot make or change one.
 * A batch counts for an ask when the acquirer names its signer as a processor, or signed it itself.
 */
export function verifyAsk({ item, batchJws, acquirer, signerKeys }: SignedWork): Outcome<VerifiedAsk> {
  const payload = item.batch ? openBatch(batchJws, item.batch, signerKeys) : openSingle(item.jws, signerKeys)
  if (!payload.ok) return payload
  const parsed = askSchema.safeParse(payload.value.ask)
  if (!parsed.success || parsed.data.id !== item.ask || parsed.data.acquirer !== acquirer.id) {
    return declined('declined.signature', { operatorNote: 'the signed ask is not the one it is said to be' })
  }
  const processor = item.batch?.processor
  if (processor !== undefined && processor !== acquirer.id && !acquirer.processors.includes(processor)) {
    return declined('declined.signature', {
      operatorNote: 'the batch was signed by nobody who may sign for the acquirer',
    })
  }
  if (costsMore(item, parsed.data)) {
    return declined('declined.signature', { operatorNote: 'it may cost more than the acquirer signed' })
  }
  return ok({ ask: parsed.data, askDigest: payload.value.digest })
}

/** The network says how much of a highest price is held for this site: never more than was signed, nor other money. */
function costsMore({ priceLimit }: WorkItem, { maxPrice }: Ask): boolean {
  return priceLimit.currency !== maxPrice.currency || priceLimit.amountMinor > maxPrice.amountMinor
}

type Opened = Outcome<{ readonly ask: unknown; readonly digest: Digest }>

function openSingle(jws: string | undefined, keys: KeySet): Opened {
  const payload = jws === undefined ? undefined : verifiedPayload(jws, { typ: TYP.ask, keys })
  if (jws === undefined || payload === undefined) return declined('declined.signature')
  return ok({ ask: payload, digest: digestOf(jws) })
}

function openBatch(
  jws: string | undefined,
  { digest, index }: { digest: Digest; index: number },
  keys: KeySet,
): Opened {
  const payload = jws === undefined ? undefined : verifiedPayload(jws, { typ: TYP.askBatch, keys })
  const batch = askBatchSchema.safeParse(payload)
  if (jws === undefined || !batch.success || digestOf(jws) !== digest) return declined('declined.signature')
  return ok({ ask: batch.data.asks[index], digest: digestOf(`${digest}#${index}`) })
}

function verifiedPayload(jws: string, { typ, keys }: { typ: string; keys: KeySet }): unknown {
  const verified = verifyJws(jws, {
    typ,
    keyFor: (keyId) => (keyId === keyIdOf(keys.signing) ? keys.signing : undefined),
  })
  return verified.ok ? parseJson(verified.value.payload) : undefined
}
