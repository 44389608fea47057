import assert from 'node:assert/strict'
import { diffieHellman } from 'node:crypto'
import { test } from 'node:test'
import { generateKeyPair, publicKeyObject } from '../../../src/kernel/crypto/keys.ts'
import { WEAK_POINTS } from '../../../src/protocol/proof/weak-points.ts'
import { publicKeySchema } from '../../../src/protocol/wire.ts'

test('a key of small order is none, and of no key there are two texts', () => {
  assert.equal(WEAK_POINTS.size, 18)
  for (const x of WEAK_POINTS)
    for (const crv of ['Ed25519', 'X25519'])
      assert.equal(publicKeySchema.safeParse({ kty: 'OKP', crv, x }).success, false, `${crv} ${x}`)
  const { publicJwk } = generateKeyPair('Ed25519')
  assert.ok(publicKeySchema.safeParse(publicJwk).success)
  const last = publicJwk.x.slice(-1)
  const stray = String.fromCharCode(last.charCodeAt(0) + 1)
  const other = { ...publicJwk, x: `${publicJwk.x.slice(0, -1)}${stray}` }
  assert.deepEqual(Buffer.from(other.x, 'base64url'), Buffer.from(publicJwk.x, 'base64url'))
  assert.equal(publicKeySchema.safeParse(other).success, false)
})

test('with none of those of X25519 two sides come to a key', () => {
  const { privateKey } = generateKeyPair('X25519')
  const agreed = [...WEAK_POINTS].filter((x) => {
    try {
      const publicKey = publicKeyObject({ kty: 'OKP', crv: 'X25519', x })
      return diffieHellman({ privateKey: privateKey.reveal(), publicKey }).some((byte) => byte !== 0)
    } catch {
      return false
    }
  })
  // The four that are of small order on the other curve alone.
  assert.deepEqual(agreed.map((x) => x.slice(0, 4)).toSorted(), ['JuiV', 'JuiV', 'xxdq', 'xxdq'])
})
