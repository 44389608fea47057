import { canonicalJson } from '../../kernel/canonical-json.ts'
import { digestOf, hmacSha256 } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { ColumnValues } from '../../protocol/rights/restriction.ts'
import type { LookupKeys } from '../vault/keys/lookup-digest.ts'

/**
 * What the rows of a small batch are known again by: HMAC-SHA-256 under the site's first lookup key. A bare digest of a few values
 * could be found by trying what they may be, and it outlives the people it is of.
 */
export function markOfRows([first]: LookupKeys, rows: readonly ColumnValues[]): Digest {
  const key = hmacSha256(first.reveal(), 'rows of a batch')
  return digestOf(hmacSha256(key, canonicalJson(rows)))
}

/** The name of a batch that was given none, by the same key: the name stands in the receipt, which many may read. */
export function nameOfFile([first]: LookupKeys, fileDigest: Digest): string {
  const key = hmacSha256(first.reveal(), 'name of a file')
  return `file:${Buffer.from(hmacSha256(key, fileDigest)).toString('hex').slice(0, 32)}`
}
