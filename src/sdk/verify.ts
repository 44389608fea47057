import type { Cosigned, Witness } from '../protocol/proof/cosignature.ts'
import type { ReceiptBundle } from '../protocol/decision.ts'
import type { Receipt } from '../protocol/proof/receipt.ts'
import { verifyReceiptBundle } from '../protocol/proof/verify-receipt.ts'
import type { RetiredSignature, VerifyingKeys } from '../protocol/proof/verify-receipt.ts'
import { formerWitnessesIn, signersIn, witnessesIn } from './pinned-keys.ts'
import type { PinnedKeys } from './pinned-keys.ts'

/** A receipt that was held against the keys that are believed. `problem` is one sentence. */
export type VerifiedReceipt =
  | {
      readonly isVerified: true
      readonly receipt: Receipt
      /** Witnesses that signed its checkpoint, and when. */
      readonly witnessed: readonly Cosigned[]
      /** A key that was retired since has signed it, or its checkpoint. */
      readonly retired?: RetiredSignature | undefined
      readonly problem?: undefined
    }
  | { readonly isVerified: false; readonly receipt?: undefined; readonly problem: string }

/**
 * Verifies a receipt off line: signature, place in the log, inclusion proof and checkpoint, with pinned keys only; witnesses where
 * there are some, and those of `required` in any case.
 */
export function verifyReceipt(
  bundle: ReceiptBundle,
  pinned: PinnedKeys,
  required: readonly Witness[] = [],
): VerifiedReceipt {
  return verifyBy(bundle, { ...keysIn(pinned), required })
}

/** The same of receipts that came together; a checkpoint that they share is verified once. */
export function verifyReceipts(
  bundles: readonly ReceiptBundle[],
  pinned: PinnedKeys,
): readonly VerifiedReceipt[] {
  const keys = { ...keysIn(pinned), checkpoints: new Map() }
  return bundles.map((bundle) => verifyBy(bundle, keys))
}

function keysIn(pinned: PinnedKeys): VerifyingKeys {
  return {
    keysOf: (signer) => signersIn(pinned, signer).present,
    retiredOf: (signer) => signersIn(pinned, signer).retired,
    witnesses: witnessesIn(pinned),
    formerWitnesses: formerWitnessesIn(pinned),
  }
}

function verifyBy(bundle: ReceiptBundle, keys: VerifyingKeys): VerifiedReceipt {
  const verified = verifyReceiptBundle(bundle, keys)
  return verified.ok
    ? { isVerified: true, ...verified.value }
    : { isVerified: false, problem: verified.error.text }
}
