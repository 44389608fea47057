import { z } from '@hono/zod-openapi'
import { isWeakPoint } from '../kernel/crypto/weak-points.ts'
import { CURRENCIES } from '../kernel/currency.ts'
import type { Currency } from '../kernel/currency.ts'
import { parseInstant } from '../kernel/clock.ts'
import type { Money } from '../kernel/money.ts'
import type { Digest } from '../kernel/digest.ts'
import { TURNING_SIGNS } from '../kernel/turning-signs.ts'

/** Forms that stand in many messages. Each parses from its wire form to its inner type, once, at the edge. */

/** The name of a member, site, data set or offer: lower case letters, digits and hyphens, as in host names. */
export const nameSchema = z
  .string('expected a name')
  .regex(
    /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
    'expected 2 to 63 lower-case letters, digits and hyphens, beginning with a letter',
  )

/** The name of a column or table: a plain SQL identifier in lower case. */
export const columnNameSchema = identifierSchema('expected a column name')

function identifierSchema(expected: string) {
  return z
    .string(expected)
    .regex(
      /^[a-z][a-z0-9_]{0,62}$/,
      'expected 1 to 63 lower-case letters, digits and underscores, beginning with a letter',
    )
}

export const memberIdSchema = nameSchema.brand<'MemberId'>()
export type MemberId = z.infer<typeof memberIdSchema>
export const siteIdSchema = nameSchema.brand<'SiteId'>()
export type SiteId = z.infer<typeof siteIdSchema>
export const dataSetIdSchema = identifierSchema('expected the name of a data set').brand<'DataSetId'>()
export type DataSetId = z.infer<typeof dataSetIdSchema>

export const askIdSchema = z
  .string('expected an ask id')
  .regex(/^ask_[0-9A-HJKMNP-TV-Z]{26}$/, 'expected "ask_" and 26 characters of Crockford base 32')
  .brand<'AskId'>()
export type AskId = z.infer<typeof askIdSchema>

export const digestSchema = z
  .custom<Digest>(
    (value) => typeof value === 'string' && /^sha-256:[0-9a-f]{64}$/.test(value),
    'expected "sha-256:" and 64 hexadecimal digits',
  )
  .openapi({ type: 'string', pattern: '^sha-256:[0-9a-f]{64}$' })

/** Whether a text shows as it is, on one line: no control characters, no line breaks, nothing that turns the direction of what follows. */
export function isOneLine(text: string): boolean {
  return !NOT_ON_ONE_LINE.test(text)
}
const NOT_ON_ONE_LINE = new RegExp(String.raw`[\p{Cc}\u2028\u2029${TURNING_SIGNS}]`, 'u')
export const ONE_LINE =
  'expected one line that shows as it is: no line breaks, control characters or turned writing'

/** RFC 3339 text on the wire, `Instant` inside. */
export const instantSchema = z
  .string('expected a time')
  .transform((text, context) => {
    const moment = parseInstant(text)
    if (moment !== undefined) return moment
    context.addIssue({ code: 'custom', message: 'expected an RFC 3339 time such as 2026-12-01T00:00:00Z' })
    return z.NEVER
  })
  .openapi({ type: 'string', format: 'date-time' })

export const currencySchema = z.enum(
  Object.keys(CURRENCIES) as [Currency, ...Currency[]],
  `expected one of ${Object.keys(CURRENCIES).join(', ')}`,
)

/** `{"amount": 1250, "currency": "EUR"}`: whole minor units on the wire. */
export const moneySchema = z
  .strictObject({
    amount: z
      .int('expected a whole number of minor units')
      .min(0, 'expected 0 or more')
      .max(Number.MAX_SAFE_INTEGER),
    currency: currencySchema,
  })
  .transform(({ amount, currency }): Money => ({ amountMinor: BigInt(amount), currency }))

export interface WireMoney {
  readonly amount: number
  readonly currency: Currency
}

/** The wire form of an amount. Throws past 2^53 minor units: no price comes near, so that is a bug. */
export function wireMoney({ amountMinor, currency }: Money): WireMoney {
  const amount = Number(amountMinor)
  if (!Number.isSafeInteger(amount)) throw new RangeError('Cannot write an amount past 2^53 minor units')
  return { amount, currency }
}

/** A purpose: a term of the W3C Data Privacy Vocabulary, or one of ours; `purpose.ts` knows which there are. */
export const purposeSchema = z
  .string('expected a purpose')
  .regex(/^(dpv|hedgerow):[A-Za-z]+$/, 'expected a DPV purpose such as dpv:AcademicResearch')

/** ISO 3166-1 alpha-2. */
export const countrySchema = z
  .string('expected a country')
  .regex(/^[A-Z]{2}$/, { error: 'expected an ISO 3166-1 alpha-2 country code', abort: true })

/** A public key as it may be kept. */
export const publicKeySchema = z.strictObject({
  kty: z.literal('OKP', 'expected "OKP"'),
  crv: z.enum(['Ed25519', 'X25519'], 'expected "Ed25519" or "X25519"'),
  x: z
    .string('expected 32 bytes in base64url')
    .regex(/^[A-Za-z0-9_-]{43}$/, 'expected 32 bytes in base64url'),
})

/**
 * A public key that is new: in the one form of 32 bytes, of which the last character holds four bits, else one key would have
 * several ids; and no weak one. What is kept from before it was asked for is read all the same, so that one such member does
 * not make what it stands in unreadable for all.
 */
export const newPublicKeySchema = publicKeySchema.extend({
  x: publicKeySchema.shape.x
    .regex(/[AEIMQUYcgkosw048]$/, 'expected 32 bytes in base64url')
    .refine((x) => !isWeakPoint({ x }), 'expected a key that was made at random'),
})

/** A compact JWS or JWE as text; what is in it is parsed by whoever verifies or opens it. */
export const compactJwsSchema = z
  .string('expected a compact JWS')
  .regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/, 'expected a compact JWS')
export const compactJweSchema = z
  .string('expected a compact JWE')
  .regex(
    /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/,
    'expected a compact JWE',
  )
