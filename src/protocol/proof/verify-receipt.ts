import { peekJws, verifyJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { logOrigin, openCheckpoint } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { cosignaturesOf } from './cosignature.ts'
import type { Cosigned, Witness } from './cosignature.ts'
import type { ReceiptBundle } from '../decision.ts'
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
  /** Filled in, for receipts that are verified by the same keys one after another: those of one ask mostly share a checkpoint. */
  readonly checkpoints?: VerifiedCheckpoints | undefined
}

/** Checkpoints that were verified already, with the witnesses that signed them, by log and note. */
export type VerifiedCheckpoints = Map<string, Result<WitnessedCheckpoint, ReceiptProblem>>

interface WitnessedCheckpoint {
  readonly checkpoint: Checkpoint
  readonly witnessed: readonly Cosigned[]
}

/** A receipt that verifies, and which of the witnesses signed the checkpoint that it came with, and when. */
export interface WitnessedReceipt {
  readonly receipt: Receipt
  readonly witnessed: readonly Cosigned[]
}

/**
 * Verifies a receipt with nothing but its bundle and the signer's keys: the signature, that it says what a receipt
 * says, its place in the log, the proof that it is there, the log's signed checkpoint, and its witnesses.
 */
export function verifyReceiptBundle(
  bundle: ReceiptBundle,
  keys: VerifyingKeys,
): Result<WitnessedReceipt, ReceiptProblem> {
  const opened = openReceipt(bundle.receipt, keys)
  if (!opened.ok) return opened
  const receipt = opened.value
  const { origin, index, inclusionProof } = bundle.log
  if (receipt.sequence !== index) return problem('wrong-place')
  if (origin !== logOrigin(receipt.site)) return problem('wrong-log')
  const verified = checkpointOf(bundle, { site: receipt.site, keys })
  if (!verified.ok) return verified
  const { checkpoint, witnessed } = verified.value
  const { size, root } = checkpoint
  const proof = decodeProof(inclusionProof)
  const leaf = leafHash(new TextEncoder().encode(bundle.receipt))
  if (!proof || !isIncluded({ index, size, leaf, root, proof })) return problem('not-included')
  return ok({ receipt, witnessed })
}

function checkpointOf(
  { log: { origin, checkpoint: note } }: ReceiptBundle,
  { site, keys }: { site: string; keys: VerifyingKeys },
): Result<WitnessedCheckpoint, ReceiptProblem> {
  const name = `${origin}\n${note}`
  const known = keys.checkpoints?.get(name)
  if (known) return known
  const verified = verifyCheckpoint(note, { origin, site, keys })
  keys.checkpoints?.set(name, verified)
  return verified
}

/** The log's signature, and those of the witnesses. */
function verifyCheckpoint(
  note: string,
  { origin, site, keys }: { origin: string; site: string; keys: VerifyingKeys },
): Result<WitnessedCheckpoint, ReceiptProblem> {
  const { keysOf, witnesses = [], required = [] } = keys
  const checkpoint = openCheckpoint(note, { origin, keys: keysOf(site) })
  if (!checkpoint) return problem('bad-checkpoint')
  const witnessed = cosignaturesOf(note, [...witnesses, ...required])
  if (!witnessed) return problem('bad-witness')
  if (required.some((witness) => !cosignaturesOf(note, [witness])?.length)) return problem('not-witnessed')
  return ok({ checkpoint, witnessed })
}

/** Verifies the signature of a receipt alone and reads it; whether it is in the log is not looked at. */
function openReceipt(jws: string, { keysOf }: { keysOf: SignerKeys }): Result<Receipt, ReceiptProblem> {
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
  return receiptSchema.safeParse(parseJson(payload)).data
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
