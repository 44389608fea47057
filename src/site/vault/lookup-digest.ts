import { hmacSha256 } from '../../kernel/digest.ts'
import type { Secret } from '../../kernel/secret.ts'

/**
 * What the vault finds a person by: HMAC-SHA-256 under the site's lookup key over the issuer and the key by which the
 * issuer knows the person. Without the lookup key nobody can tell whose it is, or that two issuers name one key.
 */
export function lookupDigest(
  lookupKey: Secret<Uint8Array>,
  { issuer, personKey }: { issuer: string; personKey: string },
): Uint8Array {
  return hmacSha256(lookupKey.reveal(), `${issuer}\0${personKey}`)
}
