import { createLocalJWKSet, decodeJwt, importJWK, jwtVerify } from 'jose'
import type { JWK, JWTPayload } from 'jose'
import { z } from 'zod'
import { dateOf } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { instant } from '../../kernel/clock.ts'
import { sha256 } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'

/** Whose statements about ages a site believes: issuers of credentials, with their public keys. */
export interface TrustedAttester {
  readonly issuer: string
  readonly keys: readonly JWK[]
}

/** What a presentation has to fit: for whom it was made, the site it is for, the present. */
export interface ProofContext {
  readonly attesters: readonly TrustedAttester[]
  readonly audience: string
  /** The challenges that were given for this person. */
  readonly nonces: readonly string[]
  readonly now: Instant
}

/** What a wallet has proven. */
export interface ProvenAge {
  readonly atLeast?: number | undefined
  readonly below?: number | undefined
  readonly expires: Instant
}

const ALGORITHMS = ['ES256', 'EdDSA']
const PARTS_MAX = 40

const disclosureSchema = z.tuple([z.string(), z.string(), z.unknown()])
const holderSchema = z.object({
  cnf: z.object({ jwk: z.object({ kty: z.string() }).loose() }),
  exp: z.number(),
})
const bindingSchema = z.object({ nonce: z.string(), sd_hash: z.string(), iat: z.number() })
const agesSchema = z.record(z.string().regex(/^\d{1,3}$/), z.boolean())

/**
 * Verifies a wallet's presentation of an age: an SD-JWT with key binding (RFC 9901) whose claim `age_equal_or_over` says for
 * some ages whether they are reached, as the European identity wallet's person data does. The credential is signed by an
 * attester that the site trusts, the presentation by the key that the credential names, for this site and for this
 * challenge. A presentation that discloses a birth date is refused: nobody asked for it.
 *
 * @returns an error in one word, for the person's wallet to act on
 */
export async function verifyAgeProof(
  presentation: string,
  context: ProofContext,
): Promise<Result<ProvenAge, string>> {
  try {
    return await verified(presentation, context)
  } catch {
    return err('malformed')
  }
}

async function verified(presentation: string, context: ProofContext): Promise<Result<ProvenAge, string>> {
  const parts = presentation.split('~')
  const [credential = '', binding = ''] = [parts[0], parts.at(-1)]
  if (parts.length < 3 || parts.length > PARTS_MAX || binding === '') return err('malformed')
  const attester = context.attesters.find(({ issuer }) => issuer === decodeJwt(credential).iss)
  if (!attester) return err('untrusted')
  const payload = await believed(credential, { attester, now: context.now })
  const holder = holderSchema.safeParse(payload)
  if (!payload || !holder.success) return err('untrusted')
  if (!(await isBound(presentation, { binding, key: holder.data.cnf.jwk, context }))) return err('unbound')
  const claims = disclosed(payload, parts.slice(1, -1))
  if (!claims) return err('malformed')
  if ('birthdate' in claims || 'birth_date' in claims) return err('too-much')
  const ages = agesSchema.safeParse(claims['age_equal_or_over'])
  if (!ages.success || Object.keys(ages.data).length === 0) return err('no-age')
  return ok({ ...bandOf(ages.data), expires: instant(holder.data.exp * 1_000) })
}

async function believed(
  credential: string,
  { attester: { issuer, keys }, now }: { attester: TrustedAttester; now: Instant },
): Promise<JWTPayload | undefined> {
  const keySet = createLocalJWKSet({ keys: [...keys] })
  const options = { issuer, algorithms: ALGORITHMS, requiredClaims: ['exp'], currentDate: dateOf(now) }
  const found = await jwtVerify(credential, keySet, options).catch(() => undefined)
  const algorithm = found?.payload['_sd_alg'] ?? 'sha-256'
  return algorithm === 'sha-256' ? found?.payload : undefined
}

/** The holder's own signature over exactly this presentation, for this site and challenge, made just now. */
async function isBound(
  presentation: string,
  { binding, key, context }: { binding: string; key: JWK; context: ProofContext },
): Promise<boolean> {
  const options = {
    audience: context.audience,
    algorithms: ALGORITHMS,
    typ: 'kb+jwt',
    currentDate: dateOf(context.now),
    clockTolerance: LIMITS.clockSkewMsMax / 1_000,
    maxTokenAge: LIMITS.tokenLifetimeMsMax / 1_000,
  }
  const found = await jwtVerify(
    binding,
    await importJWK(key, key.kty === 'OKP' ? 'EdDSA' : 'ES256'),
    options,
  ).catch(() => undefined)
  const stated = bindingSchema.safeParse(found?.payload)
  if (!stated.success) return false
  const covered = presentation.slice(0, presentation.length - binding.length)
  return context.nonces.includes(stated.data.nonce) && stated.data.sd_hash === digestOf(covered)
}

/** The claims with what was disclosed put in; `undefined` where a disclosure belongs nowhere. */
function disclosed(
  payload: JWTPayload,
  disclosures: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  const known = new Map(
    disclosures.map((text) => {
      const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
      return [digestOf(text), disclosureSchema.parse(parsed)] as const
    }),
  )
  const claims = withDisclosures(payload, known)
  return known.size === 0 ? claims : undefined
}

function withDisclosures(
  claims: Readonly<Record<string, unknown>>,
  known: Map<string, z.infer<typeof disclosureSchema>>,
): Record<string, unknown> {
  const hidden = z.array(z.string()).catch([]).parse(claims['_sd'])
  const shown: Record<string, unknown> = {}
  const put = (name: string, value: unknown) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    shown[name] = isObject ? withDisclosures({ ...value }, known) : value
  }
  for (const [name, value] of Object.entries(claims)) if (!name.startsWith('_sd')) put(name, value)
  for (const digest of hidden) {
    const found = known.get(digest)
    if (!found) continue
    known.delete(digest)
    put(found[1], found[2])
  }
  return shown
}

function bandOf(ages: Readonly<Record<string, boolean>>): Omit<ProvenAge, 'expires'> {
  const of = (isReached: boolean) =>
    Object.entries(ages)
      .filter(([, reached]) => reached === isReached)
      .map(([age]) => Number(age))
      .filter((age) => age >= 1 && age <= 120)
  const [reached, unreached] = [of(true), of(false)]
  return {
    ...(reached.length === 0 ? {} : { atLeast: Math.max(...reached) }),
    ...(unreached.length === 0 ? {} : { below: Math.min(...unreached) }),
  }
}

function digestOf(text: string): string {
  return Buffer.from(sha256(Buffer.from(text, 'ascii'))).toString('base64url')
}
