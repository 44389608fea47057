import { isUtf8 } from 'node:buffer'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CompactSign, compactVerify, importJWK } from 'jose'
import {
  isGoodJws,
  isGoodJwsInPool,
  peekJws,
  signJws,
  signManyJws,
  verifyJws,
} from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair, keyIdOf, keyPairOf } from '../../../src/kernel/crypto/keys.ts'
import type { PublicJwk } from '../../../src/kernel/crypto/keys.ts'
import { signBytes, verifyBytes } from '../../../src/kernel/crypto/signature.ts'
import { sharedDirectory } from '../../shared.ts'

const key = generateKeyPair('Ed25519')
const typ = 'hedgerow-test+jws'
const keyFor = (keyId: string) => (keyId === key.keyId ? key.publicJwk : undefined)
const encode = (text: string) => Buffer.from(text).toString('base64url')
const signedWithHeader = (header: object, payload = '{}') => {
  const input = `${encode(JSON.stringify(header))}.${encode(payload)}`
  return `${input}.${Buffer.from(signBytes(Buffer.from(input), key)).toString('base64url')}`
}

describe('verifyJws()', () => {
  test('gives back what was signed, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (payload) => {
        assert.deepEqual(verifyJws(signJws(payload, { typ, key }), { typ, keyFor }), {
          ok: true,
          value: { payload, keyId: key.keyId },
        })
      }),
      { numRuns: 50 },
    )
  })

  test('refuses every change of one character', () => {
    const jws = signJws('{"amount":1250}', { typ, key })
    for (let index = 0; index < jws.length; index += 1) {
      for (const character of 'AZaz09-_.=') {
        if (jws[index] === character) continue
        const changed = jws.slice(0, index) + character + jws.slice(index + 1)
        assert.equal(verifyJws(changed, { typ, keyFor }).ok, false, `character ${index} to ${character}`)
      }
    }
  })

  test('has one text only: stray bits at the end of the signature are refused', () => {
    const jws = signJws('{}', { typ, key })
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const accepted = Array.from(alphabet).filter(
      (last) => verifyJws(jws.slice(0, -1) + last, { typ, keyFor }).ok,
    )
    assert.deepEqual(accepted, [jws.at(-1)])
  })

  test('refuses every shortening and whatever is added', () => {
    const jws = signJws('{}', { typ, key })
    for (let end = 0; end < jws.length; end += 1)
      assert.equal(verifyJws(jws.slice(0, end), { typ, keyFor }).ok, false)
    for (const added of [' ', '\n', '=', '.', 'A', 'AAAA'])
      assert.equal(verifyJws(jws + added, { typ, keyFor }).ok, false)
  })

  const error = (jws: string) => {
    const verified = verifyJws(jws, { typ, keyFor })
    return verified.ok ? undefined : verified.error
  }
  const header = { alg: 'EdDSA', typ, kid: key.keyId }

  test('tells another kind, an unknown key and a bad signature apart', () => {
    assert.equal(error(signJws('{}', { typ: 'other+jws', key })), 'wrong-type')
    assert.equal(error(signJws('{}', { typ, key: generateKeyPair('Ed25519') })), 'unknown-key')
    assert.equal(error(signedWithHeader(header)), undefined)
    assert.equal(error(signedWithHeader(header).replace(/.{86}$/, 'A'.repeat(86))), 'bad-signature')
  })

  test('knows no other algorithm, no critical header and no header that is missing', () => {
    for (const wrong of [
      { ...header, alg: 'none' },
      { ...header, alg: 'HS256' },
      { ...header, alg: 'Ed25519' },
      { ...header, crit: ['b64'], b64: false },
      { ...header, crit: [] },
      { alg: 'EdDSA', typ },
      { alg: 'EdDSA', kid: key.keyId },
      { ...header, kid: 5 },
      [],
    ]) {
      assert.equal(error(signedWithHeader(wrong)), 'malformed', JSON.stringify(wrong))
    }
  })

  test('knows no header and no payload that readers could read differently', () => {
    const text = JSON.stringify(header)
    const signedRaw = (head: Buffer | string, payload: Buffer | string) => {
      const input = [head, payload].map((part) => Buffer.from(part).toString('base64url')).join('.')
      return `${input}.${Buffer.from(signBytes(Buffer.from(input), key)).toString('base64url')}`
    }
    assert.equal(error(signedRaw(text, '{}')), undefined)
    for (const twice of [
      `{"alg":"none",${text.slice(1)}`,
      `{"kid":"other",${text.slice(1)}`,
      `{"\\u0061lg":"none",${text.slice(1)}`,
      `\ufeff${text}`,
    ])
      assert.equal(error(signedRaw(twice, '{}')), 'malformed', twice)
    const broken = Buffer.from([0x22, 0xff, 0x22])
    assert.equal(error(signedRaw(text, broken)), 'malformed')
    assert.equal(
      error(
        signedRaw(
          Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from(',"x":'), broken, Buffer.from('}')]),
          '{}',
        ),
      ),
      'malformed',
    )
  })

  test('believes no key, address or path that the signature brings along', () => {
    const thief = generateKeyPair('Ed25519')
    const sign = (extra: object) => {
      const input = `${encode(JSON.stringify({ ...header, ...extra }))}.${encode('{}')}`
      return `${input}.${Buffer.from(signBytes(Buffer.from(input), thief)).toString('base64url')}`
    }
    for (const brought of [
      { jwk: thief.publicJwk },
      { jku: 'http://127.0.0.1/keys' },
      { x5u: 'http://127.0.0.1/' },
    ])
      assert.equal(error(sign(brought)), 'bad-signature')
    for (const kid of [thief.keyId, '../../keys/signing.jwk', '__proto__', 'constructor', ''])
      assert.equal(error(sign({ kid, jwk: thief.publicJwk })), 'unknown-key', kid)
  })

  test('has one signature only: the same with the order added to its scalar is another, and refused', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const good = signedWithHeader(header)
    const at = good.lastIndexOf('.') + 1
    const bytes = Buffer.from(good.slice(at), 'base64url')
    const scalar = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + order
    bytes.set(Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse(), 32)
    assert.equal(error(`${good.slice(0, at)}${bytes.toString('base64url')}`), 'bad-signature')
  })

  test('a key to seal with verifies nothing', () => {
    const sealing = generateKeyPair('X25519')
    assert.equal(verifyJws(signedWithHeader(header), { typ, keyFor: () => sealing.publicJwk }).ok, false)
  })
})

describe('peekJws()', () => {
  test('takes base64url in its one form and nothing else, and a payload that is text', () => {
    const part = fc.string({
      unit: fc.constantFrom(...Array.from('ABab01-_+/=. \näĀ\0')),
      maxLength: 6,
    })
    const known = `${encode(JSON.stringify({ alg: 'EdDSA', typ, kid: key.keyId }))}`
    fc.assert(
      fc.property(part, part, (payload, signature) => {
        const isOneForm = (text: string) =>
          /^[A-Za-z0-9_-]+$/.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text
        const isSeen = peekJws(`${known}.${payload}.${signature}`) !== undefined
        const isText = isUtf8(Buffer.from(payload, 'base64url'))
        assert.equal(isSeen, isOneForm(payload) && isText && isOneForm(signature))
      }),
      { numRuns: 2000 },
    )
  })
})

test('isGoodJws() and isGoodJwsInPool() say what verifyJws() says', async () => {
  const other = generateKeyPair('Ed25519')
  const sealing = generateKeyPair('X25519')
  const good = signJws('{"amount":1}', { typ, key })
  const texts = [
    good,
    good.slice(0, good.lastIndexOf('.')) + signJws('{}', { typ, key }).slice(-87),
    signJws('{}', { typ, key: other }),
    signJws('{}', { typ: 'other+jws', key }),
  ]
  for (const jws of texts) {
    const seen = peekJws(jws)
    assert.ok(seen)
    for (const known of [keyFor, () => other.publicJwk, () => sealing.publicJwk, () => undefined]) {
      const { ok } = verifyJws(jws, { typ, keyFor: known })
      assert.equal(isGoodJws(jws, { seen, typ, keyFor: known }), ok)
      assert.equal(await isGoodJwsInPool(jws, { seen, typ, keyFor: known }), ok)
    }
  }
})

test('signManyJws() gives the same as signJws() for each', async () => {
  for (const count of [0, 1, 15, 16, 300]) {
    const payloads = Array.from({ length: count }, (_, index) => `{"index":${index}}`)
    assert.deepEqual(
      await signManyJws(payloads, { typ, key }),
      payloads.map((payload) => signJws(payload, { typ, key })),
    )
  }
})

describe('with jose', () => {
  test('what we sign verifies there', async () => {
    const { payload, protectedHeader } = await compactVerify(
      signJws('{"a":"ä"}', { typ, key }),
      await importJWK({ ...key.publicJwk }, 'EdDSA'),
    )
    assert.equal(new TextDecoder().decode(payload), '{"a":"ä"}')
    assert.deepEqual(protectedHeader, { alg: 'EdDSA', typ, kid: key.keyId })
  })

  test('what it signs verifies here', async () => {
    const jws = await new CompactSign(new TextEncoder().encode('{"a":1}'))
      .setProtectedHeader({ alg: 'EdDSA', typ, kid: key.keyId })
      .sign(await importJWK({ ...key.privateJwk.reveal() }, 'EdDSA'))
    assert.equal(verifyJws(jws, { typ, keyFor }).ok, true)
    assert.equal(peekJws(jws)?.payload, '{"a":1}')
  })
})

test('the example of RFC 8037 gives its thumbprint and signature', () => {
  const pair = keyPairOf({
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  })
  assert.equal(keyIdOf(pair.publicJwk), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  const input = 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc'
  const expected = 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'
  assert.equal(Buffer.from(signBytes(Buffer.from(input), pair)).toString('base64url'), expected)
})

interface SignatureVectors {
  readonly testGroups: readonly {
    readonly publicKeyJwk: PublicJwk
    readonly tests: readonly {
      readonly tcId: number
      readonly msg: string
      readonly sig: string
      readonly result: string
    }[]
  }[]
}

const shared = sharedDirectory()
test(
  'Ed25519 accepts and refuses what Wycheproof says',
  { skip: shared === undefined && 'the vectors are not beside the checkout' },
  () => {
    assert.ok(shared)
    const vectors = JSON.parse(
      readFileSync(join(shared, 'standards', 'wycheproof', 'ed25519_test.json'), 'utf8'),
    ) as SignatureVectors
    let count = 0
    for (const { publicKeyJwk, tests } of vectors.testGroups) {
      for (const { tcId, msg, sig, result } of tests) {
        const isGood = verifyBytes(Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex'), publicKeyJwk)
        assert.equal(isGood, result === 'valid', `vector ${tcId}`)
        count += 1
      }
    }
    assert.equal(count, 151)
  },
)
