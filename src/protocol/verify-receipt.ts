import { peekJws, verifyJws } from '../kernel/crypto/jws.ts'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import type { PublicJwk } from '../kernel/crypto/keys.ts'
import { err, ok } from '../kernel/result.ts'
import type { Result } from '../kernel/result.ts'
import { logOrigin, openCheckpoint } from './checkpoint.ts'
import { cosignaturesOf } from './cosignature.ts'
import type { Cosigned, Witness } from './cosignature.ts'
import type { ReceiptBundle } from './decision.ts'
import { isIncluded, leafHash } from './merkle.ts'
import { TYP } from './message-types.ts'
import { receiptSchema } from './receipt.ts'
import type { Receipt } from './receipt.ts'

/** What can be wrong with a receipt, with the sentence that says so. */
export const RECEIPT_PROBLEMS = {
  malformed: 'The receipt is not a signed receipt',
  'signer-unknown': 'The receipt is signed with a key that is not one of its signer',
  'bad-signature': 'The signature of the receipt does not verify: it was changed, or signed by somebody else',
  'not-a-receipt': 'What was signed is not a receipt in a form that this version knows',
  'wrong-place': 'The receipt names another place in the log than the proof does',
  'wrong-log': 'The proof is from the log of somebody other than the signer',
  'bad-checkpoint': 'The checkpoint is not signed by the log it names',
  'bad-witness':
    'A witness signature on the checkpoint does not verify: the checkpoint is not the one that was witnessed',
  'not-witnessed':
    'The checkpoint is not witnessed: nobody independent has said that the log shows the same to everybody',
  'not-included': 'The proof does not show the receipt in the log',
} as const
export type ReceiptProblemCode = keyof typeof RECEIPT_PROBLEMS

export interface ReceiptProblem {
  readonly code: ReceiptProblemCode
  readonly text: (typeof RECEIPT_PROBLEMS)[ReceiptProblemCode]
}

/** The Ed25519 keys that a signer (a site, or the network) has or ever had: old receipts stay verifiable. */
export type SignerKeys = (signer: string) => readonly PublicJwk[]

/** By what a receipt is verified. */
export interface VerifyingKeys {
  readonly keysOf: SignerKeys
  /** Witnesses whose signature must verify where there is one. */
  readonly witnesses?: readonly Witness[] | undefined
  /** Witnesses whose signature must be there. */
  readonly required?: readonly Witness[] | undefined
}

/** Which of these witnesses signed the checkpoint that a receipt came with, and when. */
export function witnessesOf(bundle: ReceiptBundle, witnesses: readonly Witness[]): readonly Cosigned[] {
  return cosignaturesOf(bundle.log.checkpoint, witnesses) ?? []
}

/**
 * Verifies a receipt with nothing but its bundle and the signer's keys: the signature, that it says what a receipt
 * says, its place in the log, the proof that it is there, the log's signed checkpoint, and its witnesses.
 */
export function verifyReceiptBundle(
  bundle: ReceiptBundle,
  { keysOf, witnesses = [], required = [] }: VerifyingKeys,
): Result<Receipt, ReceiptProblem> {
  const opened = openReceipt(bundle.receipt, { keysOf })
  if (!opened.ok) return opened
  const receipt = opened.value
  const { origin, index, checkpoint: note, inclusionProof } = bundle.log
  if (receipt.sequence !== index) return problem('wrong-place')
  if (origin !== logOrigin(receipt.site)) return problem('wrong-log')
  const checkpoint = openCheckpoint(note, { origin, keys: keysOf(receipt.site) })
  if (!checkpoint) return problem('bad-checkpoint')
  const cosigned = cosignaturesOf(note, [...witnesses, ...required])
  if (!cosigned) return problem('bad-witness')
  if (required.some((witness) => !cosignaturesOf(note, [witness])?.length)) return problem('not-witnessed')
  const proof = decodeProof(inclusionProof)
  const leaf = leafHash(new TextEncoder().encode(bundle.receipt))
  if (!proof || !isIncluded({ index, size: checkpoint.size, leaf, root: checkpoint.root, proof }))
    return problem('not-included')
  return ok(receipt)
}

/** Verifies the signature of a receipt alone and reads it; whether it is in the log is not looked at. */
export function openReceipt(
  jws: string,
  { keysOf }: { keysOf: SignerKeys },
): Result<Receipt, ReceiptProblem> {
  const seen = peekJws(jws)
  const claimed = seen && parseReceipt(seen.payload)
  if (!seen) return problem('malformed')
  if (!claimed) return problem('not-a-receipt')
  const keys = new Map(keysOf(claimed.site).map((key) => [keyIdOf(key), key]))
  const verified = verifyJws(jws, { typ: TYP.receipt, keyFor: (keyId) => keys.get(keyId) })
  if (verified.ok) return ok(claimed)
  switch (verified.error) {
    case 'malformed':
      return problem('malformed')
    case 'wrong-type':
      return problem('not-a-receipt')
    case 'unknown-key':
      return problem('signer-unknown')
    case 'bad-signature':
      return problem('bad-signature')
  }
}

function parseReceipt(payload: string): Receipt | undefined {
  try {
    const parsed = receiptSchema.safeParse(JSON.parse(payload))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

function decodeProof(texts: readonly string[]): readonly Uint8Array[] | undefined {
  try {
    return texts.map((text) => Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' }))
  } catch {
    return undefined
  }
}

function problem(code: ReceiptProblemCode): { readonly ok: false; readonly error: ReceiptProblem } {
  return err({ code, text: RECEIPT_PROBLEMS[code] })
}
