import assert from 'node:assert/strict'
import { createPublicKey, diffieHellman } from 'node:crypto'
import { test } from 'node:test'
import { sealTo } from '../../../src/kernel/crypto/jwe.ts'
import { signJws, verifyJws } from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair, keyIdOf } from '../../../src/kernel/crypto/keys.ts'
import type { PublicJwk } from '../../../src/kernel/crypto/keys.ts'
import { verifyBytes } from '../../../src/kernel/crypto/signature.ts'
import { WEAK_POINTS, isWeakPoint } from '../../../src/kernel/crypto/weak-points.ts'
import { newPublicKeySchema, publicKeySchema } from '../../../src/protocol/wire.ts'

test('a key of small order is none, and of no key there are two texts', () => {
  assert.equal(WEAK_POINTS.size, 18)
  for (const x of WEAK_POINTS)
    for (const crv of ['Ed25519', 'X25519'])
      assert.equal(newPublicKeySchema.safeParse({ kty: 'OKP', crv, x }).success, false, `${crv} ${x}`)
  const { publicJwk } = generateKeyPair('Ed25519')
  assert.ok(newPublicKeySchema.safeParse(publicJwk).success)
  const last = publicJwk.x.slice(-1)
  const stray = String.fromCharCode(last.charCodeAt(0) + 1)
  const other = { ...publicJwk, x: `${publicJwk.x.slice(0, -1)}${stray}` }
  assert.deepEqual(Buffer.from(other.x, 'base64url'), Buffer.from(publicJwk.x, 'base64url'))
  assert.equal(newPublicKeySchema.safeParse(other).success, false)
  assert.ok(publicKeySchema.safeParse(other).success, 'what is kept is read')
})

test('with none of those of X25519 two sides come to a key', () => {
  const { privateKey } = generateKeyPair('X25519')
  const agreed = [...WEAK_POINTS].filter((x) => {
    try {
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
      return diffieHellman({ privateKey: privateKey.reveal(), publicKey }).some((byte) => byte !== 0)
    } catch {
      return false
    }
  })
  // The four that are of small order on the other curve alone.
  assert.deepEqual(agreed.map((x) => x.slice(0, 4)).toSorted(), ['JuiV', 'JuiV', 'xxdq', 'xxdq'])
})

test('with one that is kept from before, nothing is signed and nothing sealed, in whatever text it stands', () => {
  const signing = generateKeyPair('Ed25519')
  // The neutral point: this signature is good for it over any text (A = R = identity, S = 0).
  const forged = Buffer.concat([
    Buffer.from('AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'base64url'),
    Buffer.alloc(32),
  ])
  for (const x of [
    'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB',
  ]) {
    const weak: PublicJwk = { kty: 'OKP', crv: 'Ed25519', x }
    assert.ok(isWeakPoint(weak))
    assert.equal(verifyBytes(Buffer.from('anything'), forged, weak), false)
    const [header, payload] = signJws('{}', { typ: 'x', key: { ...signing, keyId: keyIdOf(weak) } }).split(
      '.',
    )
    const jws = `${header}.${payload}.${forged.toString('base64url')}`
    assert.deepEqual(verifyJws(jws, { typ: 'x', keyFor: () => weak }), { ok: false, error: 'unknown-key' })
    assert.throws(() => sealTo({ ...weak, crv: 'X25519' }, { plaintext: 'x', typ: 'x' }), /small order/)
  }
})
