import { hmacSha256 } from '../../kernel/digest.ts'
import type { Secret } from '../../kernel/secret.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import { ORDER_MODULUS } from '../query/plan/plan-context.ts'
import type { PeopleOrder } from '../query/plan/plan-context.ts'

/** Characters of a pseudonym: 5 bits each, so that two people of any site coincide with a chance below 2^-80. */
const LENGTH = 26
const BASE_32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** Who sees a pseudonym, and for what. */
export interface PseudonymScope {
  /** The site's pseudonym key, 32 bytes. */
  readonly key: Secret<Uint8Array>
  readonly acquirer: MemberId
  readonly purpose: string
  readonly dataSet: DataSetId
}

/**
 * The name under which one acquirer sees a person for one purpose: always the same, and without the site's key not to
 * be linked with the name that another acquirer, or the same for another purpose, sees (GDPR Art. 4(5)). 26 characters
 * of base 32 (RFC 4648, lower case) of HMAC-SHA-256.
 */
export function pseudonymOf(person: number, { key, acquirer, purpose, dataSet }: PseudonymScope): string {
  const bytes = hmacSha256(key.reveal(), [acquirer, purpose, dataSet, `${person}`].join('\0'))
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5 && text.length < LENGTH) {
      bits -= 5
      text += BASE_32[(buffer >>> bits) & 31]
    }
  }
  return text
}

/**
 * In which order people come whose rows are alike: another for each acquirer and purpose, as their pseudonyms are. Otherwise
 * the order would tell who is who in two lists.
 */
export function orderOf({ key, acquirer, purpose, dataSet }: PseudonymScope): PeopleOrder {
  const bytes = Buffer.from(hmacSha256(key.reveal(), ['order', acquirer, purpose, dataSet].join('\0')))
  const below = (at: number, least: number) =>
    least + Number(bytes.readBigUInt64LE(at) % BigInt(ORDER_MODULUS - least))
  return { factor: below(0, 1), addend: below(8, 0) }
}
