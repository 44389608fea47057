import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CompactEncrypt, compactDecrypt, importJWK } from 'jose'
import { openSealed, sealTo } from '../../../src/kernel/crypto/jwe.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'

const key = generateKeyPair('X25519')
const typ = 'hedgerow-test+jwe'
const bytes = (text: string) => new TextEncoder().encode(text)
const opened = (sealed: string) => {
  const found = openSealed(sealed, { key, typ })
  return found && new TextDecoder().decode(found)
}

describe('sealing', () => {
  test('only the owner of the key opens it', () => {
    const sealed = sealTo(key.publicJwk, { plaintext: 'für dich', typ })
    assert.equal(opened(sealed), 'für dich')
    assert.equal(openSealed(sealed, { key: generateKeyPair('X25519'), typ }), undefined)
    assert.doesNotMatch(Buffer.from(sealed, 'base64url').toString(), /für dich/)
  })

  test('refuses another kind and every change of one character', () => {
    const sealed = sealTo(key.publicJwk, { plaintext: 'x', typ })
    assert.equal(openSealed(sealed, { key, typ: 'other+jwe' }), undefined)
    for (let index = 0; index < sealed.length; index += 1) {
      for (const character of 'Ab9_.=') {
        if (sealed[index] === character) continue
        const changed = sealed.slice(0, index) + character + sealed.slice(index + 1)
        assert.equal(openSealed(changed, { key, typ }), undefined, `character ${index} to ${character}`)
      }
    }
  })

  test('refuses a text with more or fewer parts, or with a key in it', () => {
    const sealed = sealTo(key.publicJwk, { plaintext: 'x', typ })
    const [header = '', , ...rest] = sealed.split('.')
    const wrong = [
      `${sealed}.`,
      `${sealed}.AAAA`,
      [header, ...rest].join('.'),
      [header, 'AAAA', ...rest].join('.'),
    ]
    for (const text of [...wrong, '', '....', 'x'])
      assert.equal(openSealed(text, { key, typ }), undefined, text)
  })

  test('is never the same twice', () => {
    const parts = [1, 2].map(() => sealTo(key.publicJwk, { plaintext: 'x'.repeat(64), typ }).split('.'))
    for (const place of [0, 2, 3, 4]) assert.notEqual(parts[0]?.[place], parts[1]?.[place])
  })
})

describe('with jose', () => {
  test('each opens what the other sealed, whatever it is', async () => {
    const [theirPublic, theirPrivate] = [
      await importJWK({ ...key.publicJwk }, 'ECDH-ES'),
      await importJWK({ ...key.privateJwk.reveal() }, 'ECDH-ES'),
    ]
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (plaintext) => {
        const { plaintext: read, protectedHeader } = await compactDecrypt(
          sealTo(key.publicJwk, { plaintext, typ }),
          theirPrivate,
        )
        assert.deepEqual([new TextDecoder().decode(read), protectedHeader.kid], [plaintext, key.keyId])
        const theirs = await new CompactEncrypt(bytes(plaintext))
          .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', typ })
          .encrypt(theirPublic)
        assert.equal(opened(theirs), plaintext)
      }),
      { numRuns: 40 },
    )
  })

  test('names of the parties count for the key', async () => {
    const sealed = await new CompactEncrypt(bytes('x'))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', typ })
      .setKeyManagementParameters({ apu: bytes('Alice'), apv: bytes('Bob') })
      .encrypt(await importJWK({ ...key.publicJwk }, 'ECDH-ES'))
    assert.equal(opened(sealed), 'x')
  })

  test('refuses other algorithms, whoever made them', async () => {
    for (const [alg, enc] of [
      ['ECDH-ES+A256KW', 'A256GCM'],
      ['ECDH-ES', 'A128GCM'],
      ['ECDH-ES', 'A256CBC-HS512'],
    ] as const) {
      const other = await new CompactEncrypt(bytes('x'))
        .setProtectedHeader({ alg, enc, typ })
        .encrypt(await importJWK({ ...key.publicJwk }, alg))
      assert.equal(openSealed(other, { key, typ }), undefined, `${alg} ${enc}`)
    }
  })
})

/** Seals under what two parties agree upon who use a public key of small order: zeros, whoever they are (RFC 8037 §3.2). */
function sealedUnderZeros(more: object): string {
  const header = Buffer.from(JSON.stringify({ alg: 'ECDH-ES', enc: 'A256GCM', typ, ...more })).toString(
    'base64url',
  )
  const info = Buffer.concat([
    Buffer.from('00000007', 'hex'),
    Buffer.from('A256GCM'),
    Buffer.from('000000000000000000000100', 'hex'),
  ])
  const agreed = createHash('sha256')
    .update(Buffer.from('00000001', 'hex'))
    .update(Buffer.alloc(32))
    .update(info)
    .digest()
  const cipher = createCipheriv('aes-256-gcm', agreed, Buffer.alloc(12)).setAAD(Buffer.from(header))
  const text = Buffer.concat([cipher.update('x'), cipher.final()]).toString('base64url')
  return `${header}..${Buffer.alloc(12).toString('base64url')}.${text}.${cipher.getAuthTag().toString('base64url')}`
}

/** Curve25519: the points of order 1, 4, 8 and 8 (RFC 7748 §6.1). */
const SMALL_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
]

describe('keys and headers that are not what they should be', () => {
  const jwkOf = (hex: string) =>
    ({ kty: 'OKP', crv: 'X25519', x: Buffer.from(hex, 'hex').toString('base64url') }) as const

  test('a key of small order, under which anybody could have sealed, opens nothing and is not sealed to', () => {
    for (const hex of SMALL_ORDER) {
      assert.equal(openSealed(sealedUnderZeros({ epk: jwkOf(hex) }), { key, typ }), undefined, hex)
      assert.throws(() => sealTo(jwkOf(hex), { plaintext: 'x', typ }), hex)
    }
  })

  test('a header that says more than is understood, or names another kind of key', () => {
    const good = jwkOf('09' + '00'.repeat(31))
    for (const more of [
      { epk: good, crit: ['exp'] },
      { epk: good, zip: 'DEF' },
      { epk: good, apu: 7 },
      { epk: { ...good, crv: 'Ed25519' } },
      { epk: { ...good, x: 'AAAA' } },
      { epk: null },
      {},
    ]) {
      assert.equal(openSealed(sealedUnderZeros(more), { key, typ }), undefined, JSON.stringify(more))
    }
  })
})
