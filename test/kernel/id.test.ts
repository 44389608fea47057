import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../src/kernel/clock.ts'
import { idSource } from '../../src/kernel/id.ts'

const at = (epochMs: number, byte = 0) =>
  idSource(
    { now: () => instant(epochMs), sleep: () => Promise.resolve() },
    { bytes: (length) => new Uint8Array(length).fill(byte) },
  )

describe('idSource()', () => {
  test('gives a prefix and 26 characters of Crockford base 32', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 47 - 1), fc.nat(255), (epochMs, byte) => {
        assert.match(at(epochMs, byte).next('ask'), /^ask_[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
      }),
    )
  })

  test('sorts by time, whatever the randomness', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 47 - 2), fc.nat(255), fc.nat(255), (epochMs, early, late) => {
        assert.ok(at(epochMs, early).next('a') < at(epochMs + 1, late).next('a'))
      }),
    )
  })

  test('writes the 128 bits as one number in base 32', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 47 - 1),
        fc.uint8Array({ minLength: 10, maxLength: 10 }),
        (epochMs, entropy) => {
          const ids = idSource(
            { now: () => instant(epochMs), sleep: () => Promise.resolve() },
            { bytes: () => entropy },
          )
          let value = 0n
          for (const digit of ids.next('a').slice(2))
            value = (value << 5n) | BigInt('0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(digit))
          const last = entropy.slice(3).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
          assert.equal(value >> 80n, BigInt(epochMs))
          assert.equal(value & (2n ** 56n - 1n), last)
        },
      ),
    )
  })

  test('holds version 7 and the variant of RFC 9562', () => {
    for (const byte of [0, 255]) {
      const text = at(1_795_487_505_616, byte).next('a').slice(2)
      let value = 0n
      for (const digit of text)
        value = (value << 5n) | BigInt('0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(digit))
      assert.equal(value >> 80n, 1_795_487_505_616n, 'the first 48 bits are the time')
      assert.equal((value >> 76n) & 15n, 7n)
      assert.equal((value >> 62n) & 3n, 2n)
    }
  })
})
