import { canonicalJson } from '../../kernel/canonical-json.ts'
import { sealTo } from '../../kernel/crypto/jwe.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { digestOf } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { ok } from '../../kernel/result.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { Release } from '../../protocol/release.ts'

/** The smallest size class of a sealed release, in bytes of its text before sealing. */
const SMALLEST_CLASS_BYTES = 2_048

/** A release that only its acquirer can open, and the digest by which receipts and clearing name it. */
export interface SealedRelease {
  readonly jwe: string
  readonly digest: Digest
}

/**
 * Seals a release to the acquirer's key. The canonical JSON is padded with spaces, which JSON ignores, to the next
 * size class: whoever carries it learns the class, not the number of rows or the digits of a count.
 *
 * Declines with `declined.too_large` past `LIMITS.releaseRowsMax` or `LIMITS.releaseBytesMax`.
 */
export function sealRelease(release: Release, recipient: PublicJwk): Outcome<SealedRelease> {
  if (release.rows.length > LIMITS.releaseRowsMax)
    return declined('declined.too_large', {
      detail: `The result has more than ${LIMITS.releaseRowsMax} rows`,
    })
  const text = Buffer.from(canonicalJson(release))
  if (text.length > LIMITS.releaseBytesMax)
    return declined('declined.too_large', {
      detail: `The result has more than ${LIMITS.releaseBytesMax} bytes`,
    })
  const padded = Buffer.alloc(sizeClassOf(text.length), ' ')
  padded.set(text)
  const jwe = sealTo(recipient, { plaintext: padded, typ: TYP.release })
  return ok({ jwe, digest: digestOf(jwe) })
}

/** The class of a size: 2 KiB, then each a quarter more than the one before, in whole KiB (about 40 up to 16 MiB). */
export function sizeClassOf(sizeBytes: number): number {
  let classBytes = SMALLEST_CLASS_BYTES
  while (classBytes < sizeBytes) classBytes = Math.ceil((classBytes * 1.25) / 1_024) * 1_024
  return classBytes
}
