import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CompactEncrypt, importJWK } from 'jose'
import { openSealed, sealTo } from '../../../src/kernel/crypto/jwe.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'

const key = generateKeyPair('X25519')
const typ = 'hedgerow-test+jwe'

describe('sealing', () => {
  test('only the owner of the key opens it', async () => {
    const sealed = await sealTo(key.publicJwk, { plaintext: 'für dich', typ })
    assert.equal(new TextDecoder().decode(await openSealed(sealed, { key, typ })), 'für dich')
    assert.equal(await openSealed(sealed, { key: generateKeyPair('X25519'), typ }), undefined)
    assert.doesNotMatch(Buffer.from(sealed, 'base64url').toString(), /für dich/)
  })

  test('refuses another kind and every change of one character', async () => {
    const sealed = await sealTo(key.publicJwk, { plaintext: 'x', typ })
    assert.equal(await openSealed(sealed, { key, typ: 'other+jwe' }), undefined)
    for (let index = 0; index < sealed.length; index += 7) {
      const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1)
      const opened = await openSealed(changed, { key, typ })
      assert.equal(opened, undefined, `character ${index}`)
    }
  })

  test('refuses other algorithms, whoever made them', async () => {
    const other = await new CompactEncrypt(new TextEncoder().encode('x'))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', typ })
      .encrypt(await importJWK({ ...key.publicJwk }, 'ECDH-ES+A256KW'))
    assert.equal(await openSealed(other, { key, typ }), undefined)
  })
})
