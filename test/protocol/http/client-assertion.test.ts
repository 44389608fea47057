import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { importJWK, jwtVerify } from 'jose'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { instant, later } from '../../../src/kernel/clock.ts'
import { signJws } from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import {
  peekIssuer,
  signClientAssertion,
  verifyClientAssertion,
} from '../../../src/protocol/http/client-assertion.ts'
import { TYP } from '../../../src/protocol/proof/message-types.ts'

const key = generateKeyPair('Ed25519')
const now = instant(Date.UTC(2026, 10, 24, 10))
const audience = 'galway'
const keyFor = (keyId: string) => (keyId === key.keyId ? key.publicJwk : undefined)
const nowS = now / 1000
const claims = {
  iss: 'northcare',
  sub: 'northcare',
  aud: audience,
  iat: nowS,
  exp: nowS + 120,
  jti: '0123456789abcdef',
}
const signed = (changes: object) =>
  signJws(canonicalJson({ ...claims, ...changes }), { typ: TYP.clientAssertion, key })
const verdict = (token: string, at = now) => {
  const verified = verifyClientAssertion(token, { audience, now: at, keyFor })
  return verified.ok ? 'good' : verified.error
}

describe('verifyClientAssertion()', () => {
  test('accepts what signClientAssertion() makes, and so does jose', async () => {
    const token = signClientAssertion({ issuer: 'northcare', audience, now, jti: claims.jti, key })
    assert.deepEqual(verifyClientAssertion(token, { audience, now, keyFor }), {
      ok: true,
      value: { issuer: 'northcare', jti: claims.jti, expires: later(now, 120_000) },
    })
    assert.equal(peekIssuer(token), 'northcare')
    await jwtVerify(token, await importJWK({ ...key.publicJwk }, 'EdDSA'), {
      audience,
      issuer: 'northcare',
      currentDate: new Date(now),
    })
  })

  const skew = LIMITS.clockSkewMsMax
  const cases: readonly [string, string, string, number?][] = [
    ['a token for another server', signed({ aud: 'zurich' }), 'wrong-audience'],
    ['a token in the name of another', signed({ sub: 'southcare' }), 'malformed'],
    ['a claim too many', signed({ admin: true }), 'malformed'],
    ['a list of audiences', signed({ aud: [audience, 'zurich'] }), 'malformed'],
    ['a short jti', signed({ jti: 'short' }), 'malformed'],
    ['fractions of seconds', signed({ iat: nowS + 0.5 }), 'malformed'],
    ['another kind of signature', signJws(canonicalJson(claims), { typ: TYP.ask, key }), 'malformed'],
    ['something that is no token', 'abc', 'malformed'],
    [
      'an unknown key',
      signJws(canonicalJson(claims), { typ: TYP.clientAssertion, key: generateKeyPair('Ed25519') }),
      'unknown-key',
    ],
    [
      'an unknown key and another server',
      signJws(canonicalJson({ ...claims, aud: 'zurich' }), {
        typ: TYP.clientAssertion,
        key: generateKeyPair('Ed25519'),
      }),
      'wrong-audience',
    ],
    [
      'an unknown key on something that is no token',
      signJws('{}', { typ: TYP.clientAssertion, key: generateKeyPair('Ed25519') }),
      'unknown-key',
    ],
    ['a forged signature', signed({}).replace(/[^.]{86}$/, 'A'.repeat(86)), 'bad-signature'],
    ['a life of five minutes', signed({ exp: nowS + 300 }), 'good'],
    ['a life of five minutes and a second', signed({ exp: nowS + 301 }), 'lives-too-long'],
    ['a token just before the end of its grace', signed({}), 'good', 120_000 + skew - 1],
    ['a token at the end of its grace', signed({}), 'expired', 120_000 + skew],
    ['a token from as far ahead as clocks may differ', signed({}), 'good', -skew],
    ['a token from further ahead', signed({}), 'not-yet-valid', -skew - 1],
    ['a clock an hour off', signed({}), 'expired', 3_600_000],
  ]
  for (const [what, token, expected, afterMs = 0] of cases) {
    test(`says "${expected}" to ${what}`, () => assert.equal(verdict(token, later(now, afterMs)), expected))
  }
})
