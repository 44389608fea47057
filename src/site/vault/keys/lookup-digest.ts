import { hmacSha256 } from '../../../kernel/digest.ts'
import type { Secret } from '../../../kernel/secret.ts'

/** A site's lookup keys, oldest first: one, and one more for each time that its master key was replaced. */
export type LookupKeys = readonly [Secret<Uint8Array>, ...Secret<Uint8Array>[]]

/**
 * What the vault finds a person by: HMAC-SHA-256 under the site's lookup keys, one over the other, over the issuer and
 * the key by which the issuer knows the person. Without the newest lookup key nobody can tell whose it is, or that two
 * issuers name one key.
 */
export function lookupDigest(
  [first, ...later]: LookupKeys,
  { issuer, personKey }: { issuer: string; personKey: string },
): Uint8Array {
  return later.reduce(lookupUnder, hmacSha256(first.reveal(), `${issuer}\0${personKey}`))
}

/** The one that no former master key tells. */
export function newestLookup(keys: LookupKeys): Secret<Uint8Array> {
  return keys.at(-1) ?? keys[0]
}

/** Makes the digest that a newer lookup key gives of the one before it: nobody has to be named for that. */
export function lookupUnder(before: Uint8Array, key: Secret<Uint8Array>): Uint8Array {
  return hmacSha256(key.reveal(), before)
}

/**
 * The same of a household: the people whom a row names together, in the order of its columns. Nobody's key gives one.
 */
export function householdDigest(
  [first, ...later]: LookupKeys,
  { issuer, personKeys }: { issuer: string; personKeys: readonly (string | null)[] },
): Uint8Array {
  const key = hmacSha256(first.reveal(), 'household')
  return later.reduce(lookupUnder, hmacSha256(key, `${issuer}\0${JSON.stringify(personKeys)}`))
}
