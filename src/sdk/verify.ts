import type { ReceiptBundle } from '../protocol/decision.ts'
import type { Receipt } from '../protocol/receipt.ts'
import { verifyReceiptBundle } from '../protocol/verify-receipt.ts'
import { signingKeysOf } from './pinned-keys.ts'
import type { PinnedKeys } from './pinned-keys.ts'

/** A receipt that was held against the keys that are believed. `problem` is one sentence. */
export type VerifiedReceipt =
  | { readonly isVerified: true; readonly receipt: Receipt; readonly problem?: undefined }
  | { readonly isVerified: false; readonly receipt?: undefined; readonly problem: string }

/** Verifies a receipt off line: signature, place in the log, inclusion proof and checkpoint, with pinned keys only. */
export function verifyReceipt(bundle: ReceiptBundle, pinned: PinnedKeys): VerifiedReceipt {
  const verified = verifyReceiptBundle(bundle, { keysOf: (signer) => signingKeysOf(pinned, signer) })
  return verified.ok
    ? { isVerified: true, receipt: verified.value }
    : { isVerified: false, problem: verified.error.text }
}
