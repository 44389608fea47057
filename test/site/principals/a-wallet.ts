import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { sha256 } from '../../../src/kernel/digest.ts'
import { systemClock } from '../../../src/kernel/clock.ts'

const digest = (text: string) => Buffer.from(sha256(text)).toString('base64url')
const disclosure = (salt: string, name: string, value: unknown) =>
  Buffer.from(JSON.stringify([salt, name, value])).toString('base64url')

/** What a presentation is made of; each can be made wrong. */
export interface PresentationFacts {
  readonly audience: string
  readonly nonce: string
  readonly ages?: Readonly<Record<string, boolean>>
  /** Disclosed beside the ages. */
  readonly birthDate?: string
  readonly iss?: string
  readonly expires?: string
  /** Signs the key binding; absent: the holder. */
  readonly holder?: CryptoKey
  readonly signer?: CryptoKey
  /** Seconds ago at which the binding was made. */
  readonly ageSeconds?: number
  readonly typ?: string
  /** Ages that are written over the disclosed ones after signing. */
  readonly forgedAges?: Readonly<Record<string, boolean>>
}

/** An attester of ages and one wallet with a credential of it. */
export interface TestWallet {
  readonly attester: { readonly issuer: string; readonly keys: JWK[] }
  readonly otherKey: CryptoKey
  present(facts: PresentationFacts): Promise<string>
}

export async function testWallet(issuer = 'https://ages.example'): Promise<TestWallet> {
  const attester = await generateKeyPair('ES256', { extractable: true })
  const holder = await generateKeyPair('ES256', { extractable: true })
  const other = await generateKeyPair('ES256')
  const kid = 'attester-1'
  const now = () => Math.floor(systemClock.now() / 1_000)
  return {
    attester: { issuer, keys: [{ ...(await exportJWK(attester.publicKey)), kid, alg: 'ES256' }] },
    otherKey: other.privateKey,
    async present(facts) {
      const inner = Object.entries(facts.ages ?? { 16: true }).map(([age, reached], index) =>
        disclosure(`salt-${index}`, age, reached),
      )
      const outer = disclosure('salt-outer', 'age_equal_or_over', { _sd: inner.map(digest) })
      const birth = disclosure('salt-birth', 'birthdate', facts.birthDate ?? '2001-01-01')
      const credential = await new SignJWT({
        _sd: [digest(outer), digest(birth)],
        _sd_alg: 'sha-256',
        cnf: { jwk: await exportJWK(holder.publicKey) },
      })
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'dc+sd-jwt' })
        .setIssuer(facts.iss ?? issuer)
        .setIssuedAt(now() - 7_200)
        .setExpirationTime(facts.expires ?? '30d')
        .sign(facts.signer ?? attester.privateKey)
      const forged = Object.entries(facts.forgedAges ?? {}).map(([age, reached], index) =>
        disclosure(`salt-${index}`, age, reached),
      )
      const shown = [outer, ...(facts.forgedAges ? forged : inner), ...(facts.birthDate ? [birth] : [])]
      const covered = `${[credential, ...shown].join('~')}~`
      const binding = await new SignJWT({ nonce: facts.nonce, sd_hash: digest(covered) })
        .setProtectedHeader({ alg: 'ES256', typ: facts.typ ?? 'kb+jwt' })
        .setAudience(facts.audience)
        .setIssuedAt(now() - (facts.ageSeconds ?? 0))
        .sign(facts.holder ?? holder.privateKey)
      return `${covered}${binding}`
    },
  }
}
