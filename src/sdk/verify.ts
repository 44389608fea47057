import type { Cosigned, Witness } from '../protocol/cosignature.ts'
import type { ReceiptBundle } from '../protocol/decision.ts'
import type { Receipt } from '../protocol/receipt.ts'
import { verifyReceiptBundle, witnessesOf } from '../protocol/verify-receipt.ts'
import { signingKeysOf, witnessesIn } from './pinned-keys.ts'
import type { PinnedKeys } from './pinned-keys.ts'

/** A receipt that was held against the keys that are believed. `problem` is one sentence. */
export type VerifiedReceipt =
  | {
      readonly isVerified: true
      readonly receipt: Receipt
      /** Witnesses that signed its checkpoint, and when. */
      readonly witnessed: readonly Cosigned[]
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
  const witnesses = witnessesIn(pinned)
  const keysOf = (signer: string) => signingKeysOf(pinned, signer)
  const verified = verifyReceiptBundle(bundle, { keysOf, witnesses, required })
  return verified.ok
    ? {
        isVerified: true,
        receipt: verified.value,
        witnessed: witnessesOf(bundle, [...witnesses, ...required]),
      }
    : { isVerified: false, problem: verified.error.text }
}
