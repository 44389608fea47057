import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { digestOf, digestOfJson, equalBytes, hmacSha256, sha256 } from '../../src/kernel/digest.ts'
import { sharedDirectory } from '../shared.ts'

interface MacVectors {
  readonly testGroups: readonly {
    readonly tagSize: number
    readonly tests: readonly {
      readonly tcId: number
      readonly key: string
      readonly msg: string
      readonly tag: string
      readonly result: string
    }[]
  }[]
}

describe('digests', () => {
  test('are those of SHA-256, of bytes and of texts', () => {
    assert.equal(digestOf('abc'), 'sha-256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    assert.equal(digestOf(''), 'sha-256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(
          Buffer.from(sha256(bytes)).toString('hex'),
          createHash('sha256').update(bytes).digest('hex'),
        )
        assert.equal(digestOf(bytes), `sha-256:${createHash('sha256').update(bytes).digest('hex')}`)
      }),
    )
    assert.equal(digestOf('ä'), digestOf(new TextEncoder().encode('ä')))
  })

  test('of JSON do not depend on the order of members', () => {
    assert.equal(digestOfJson({ a: 1, b: 2 }), digestOfJson({ b: 2, a: 1 }))
    assert.notEqual(digestOfJson({ a: 1 }), digestOfJson({ a: '1' }))
  })

  const shared = sharedDirectory()
  test(
    'HMAC-SHA-256 gives the tags of Wycheproof',
    { skip: shared === undefined && 'the vectors are not beside the checkout' },
    () => {
      assert.ok(shared)
      const vectors = JSON.parse(
        readFileSync(join(shared, 'standards', 'wycheproof', 'hmac_sha256_test.json'), 'utf8'),
      ) as MacVectors
      for (const { tagSize, tests } of vectors.testGroups) {
        for (const { tcId, key, msg, tag, result } of tests) {
          const given = Buffer.from(hmacSha256(Buffer.from(key, 'hex'), Buffer.from(msg, 'hex'))).subarray(
            0,
            tagSize / 8,
          )
          assert.equal(equalBytes(given, Buffer.from(tag, 'hex')), result === 'valid', `vector ${tcId}`)
        }
      }
    },
  )

  test('equalBytes() compares content, and length first', () => {
    assert.ok(equalBytes(new Uint8Array([1, 2]), Buffer.from([1, 2])))
    assert.ok(!equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 3])))
    assert.ok(!equalBytes(new Uint8Array([1, 2]), new Uint8Array([1])))
    assert.ok(equalBytes(new Uint8Array(), new Uint8Array()))
  })
})
