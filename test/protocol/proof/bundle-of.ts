import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { ReceiptBundle } from '../../../src/protocol/decision.ts'
import { logOrigin, signCheckpoint } from '../../../src/protocol/proof/checkpoint.ts'
import { leafHash, proveInclusion, rootOf } from '../../../src/protocol/proof/merkle.ts'

/** The leaves of a log, by the texts of its receipts. */
export function leavesOf(receipts: readonly string[]): readonly Uint8Array[] {
  return receipts.map((text) => leafHash(new TextEncoder().encode(text)))
}

/** A receipt of galway's as proven by the tree over the first `size` of a log, under a checkpoint that `key` signed. */
export async function bundleOf(
  receipts: readonly string[],
  { index, size = receipts.length, key }: { index: number; size?: number; key: KeyPair },
): Promise<ReceiptBundle> {
  const leaves = leavesOf(receipts.slice(0, size))
  const proof = await proveInclusion({ index, size }, ({ level, index: at }) =>
    Promise.resolve(rootOf(leaves.slice(at * 2 ** level, (at + 1) * 2 ** level))),
  )
  const origin = logOrigin('galway')
  return {
    receipt: receipts[index] ?? '',
    log: {
      origin,
      index,
      inclusionProof: proof.map((hash) => hash.toBase64()),
      checkpoint: signCheckpoint({ origin, size, root: rootOf(leaves) }, key),
    },
  }
}
