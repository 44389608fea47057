import { peekJws, verifyJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import type { Instant } from '../../kernel/clock.ts'
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
import { isBeforeRetirement, placeOfCheckpoint } from './retired-key.ts'
import type { RetiredKey } from './retired-key.ts'

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
  'key-retired':
    'The receipt, or the checkpoint that it is proven by, is signed with a key that was retired before, or is not in the log that this key left',
  'place-not-proven':
    'The receipt is proven by a checkpoint of a key that was retired since, and nothing shows that it was in the log by then: fetch it again ("hedgerow receipt fetch", or "hedgerow receipt save" at the site)',
} as const
export type ReceiptProblemCode = keyof typeof RECEIPT_PROBLEMS

export interface ReceiptProblem {
  readonly code: ReceiptProblemCode
  readonly text: (typeof RECEIPT_PROBLEMS)[ReceiptProblemCode]
}

/** The Ed25519 keys by which a signer (a site, or the network) signs: whatever they sign counts. */
export type SignerKeys = (signer: string) => readonly PublicJwk[]

/** By what a receipt is verified. */
export interface VerifyingKeys {
  readonly keysOf: SignerKeys
  /** Those that it had before, oldest first. What they signed counts as far as it is shown to be from before they were replaced. */
  readonly retiredOf?: ((signer: string) => readonly RetiredKey[]) | undefined
  /** Witnesses whose signature must verify where there is one. */
  readonly witnesses?: readonly Witness[] | undefined
  /** By former keys of theirs: what is signed with one has to verify too, and shows nothing, because it may have leaked since. */
  readonly formerWitnesses?: readonly Witness[] | undefined
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
  /** It is signed with a key that was replaced by a statement that did not tell the log, and by nobody else who counts. */
  readonly isUnproven: boolean
}

/** A receipt that verifies, and which of the witnesses signed the checkpoint that it came with, and when. */
export interface WitnessedReceipt {
  readonly receipt: Receipt
  readonly witnessed: readonly Cosigned[]
  /** A key that was retired since has signed it, or its checkpoint. */
  readonly retired?: RetiredSignature | undefined
}

/** What is known of a receipt under a key that was retired. */
export interface RetiredSignature {
  /** When the key was retired; absent where its statement says no time. */
  readonly at: Instant | undefined
  /** Whether it is shown that the receipt was in the log by then. Not where the statement is from before those told of the log. */
  readonly isPlaceProven: boolean
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
  const { receipt, retired } = opened.value
  const { origin, index, inclusionProof } = bundle.log
  if (receipt.sequence !== index) return problem('wrong-place')
  if (origin !== logOrigin(receipt.site)) return problem('wrong-log')
  if (retired && !isBeforeRetirement(retired, receipt)) return problem('key-retired')
  const verified = checkpointOf(bundle, { site: receipt.site, keys })
  if (!verified.ok) return verified
  const { checkpoint, witnessed, isUnproven } = verified.value
  const { size, root } = checkpoint
  const proof = decodeProof(inclusionProof)
  const leaf = leafHash(new TextEncoder().encode(bundle.receipt))
  if (!proof || !isIncluded({ index, size, leaf, root, proof })) return problem('not-included')
  return ok({
    receipt,
    witnessed,
    ...(retired || isUnproven ? { retired: { at: retired?.at, isPlaceProven: !isUnproven } } : {}),
  })
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

/** The log's signature, those of the witnesses, and whether one of them counts that cannot have been made since a key leaked. */
function verifyCheckpoint(
  note: string,
  { origin, site, keys }: { origin: string; site: string; keys: VerifyingKeys },
): Result<WitnessedCheckpoint, ReceiptProblem> {
  const { witnesses = [], formerWitnesses = [], required = [] } = keys
  const [present, retired] = [keys.keysOf(site), keys.retiredOf?.(site) ?? []]
  const ever = [...present, ...retired.map(({ key }) => key)]
  const checkpoint = openCheckpoint(note, { origin, keys: ever })
  if (!checkpoint) return problem('bad-checkpoint')
  const witnessed = cosignaturesOf(note, [...witnesses, ...required])
  if (!witnessed || !cosignaturesOf(note, formerWitnesses)) return problem('bad-witness')
  if (required.some((witness) => !cosignaturesOf(note, [witness])?.length)) return problem('not-witnessed')
  const isSignedBy = (key: PublicJwk) => openCheckpoint(note, { origin, keys: [key] }) !== undefined
  if (present.some(isSignedBy)) return ok({ checkpoint, witnessed, isUnproven: false })
  const places = retired.filter(({ key }) => isSignedBy(key)).map((one) => placeOfCheckpoint(one, checkpoint))
  if (places.includes('contradicts')) return problem('key-retired')
  if (places.includes('whole') || witnessed.length > 0)
    return ok({ checkpoint, witnessed, isUnproven: false })
  return places.includes('smaller')
    ? problem('place-not-proven')
    : ok({ checkpoint, witnessed, isUnproven: true })
}

/** Verifies the signature of a receipt alone and reads it; whether it is in the log is not looked at. */
function openReceipt(
  jws: string,
  { keysOf, retiredOf }: VerifyingKeys,
): Result<{ receipt: Receipt; retired: RetiredKey | undefined }, ReceiptProblem> {
  const seen = peekJws(jws)
  const claimed = seen && parseReceipt(seen.payload)
  if (!seen) return problem('malformed')
  if (!claimed) return problem('not-a-receipt')
  const retired = new Map(retiredOf?.(claimed.site).map((one) => [keyIdOf(one.key), one]))
  const present = new Map(keysOf(claimed.site).map((key) => [keyIdOf(key), key]))
  const keyFor = (keyId: string) => present.get(keyId) ?? retired.get(keyId)?.key
  const verified = verifyJws(jws, { typ: TYP.receipt, keyFor })
  if (verified.ok) {
    const keyId = seen.header.kid ?? ''
    return ok({ receipt: claimed, retired: present.has(keyId) ? undefined : retired.get(keyId) })
  }
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
