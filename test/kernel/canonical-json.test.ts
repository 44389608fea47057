import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { sharedDirectory } from '../shared.ts'

describe('canonicalJson()', () => {
  const shared = sharedDirectory()
  const vectors = shared && join(shared, 'standards', 'rfc8785-jcs')
  test(
    'gives the bytes of every RFC 8785 vector',
    { skip: vectors === undefined && 'the vectors are not beside the checkout' },
    () => {
      assert.ok(vectors)
      const names = readdirSync(join(vectors, 'input'))
      assert.ok(names.length >= 6)
      for (const name of names) {
        const value: unknown = JSON.parse(readFileSync(join(vectors, 'input', name), 'utf8'))
        const expected: string = readFileSync(
          join(vectors, 'outhex', name.replace('.json', '.txt')),
          'utf8',
        ).replaceAll(/\s/g, '')
        assert.equal(Buffer.from(canonicalJson(value)).toString('hex'), expected, name)
      }
    },
  )

  test('the order of members and of writing does not matter, and reading it back gives the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value)
        assert.equal(canonicalJson(JSON.parse(text)), text)
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
      }),
    )
    assert.equal(canonicalJson({ b: 1, a: { d: 2, c: [3] } }), '{"a":{"c":[3],"d":2},"b":1}')
  })

  test('numbers are written as ECMAScript does (RFC 8785 §3.2.2.3)', () => {
    for (const [value, text] of [
      [1e21, '1e+21'],
      [-0, '0'],
      [1e-7, '1e-7'],
      [4.5, '4.5'],
      [0.1 + 0.2, '0.30000000000000004'],
    ] as const) {
      assert.equal(canonicalJson(value), text)
    }
  })

  test('leaves out members that are undefined', () =>
    assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}'))

  for (const [what, value] of [
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a bigint', 1n],
    ['half a character', '\ud800'],
    ['half a character as a name', { '\ud800': 1 }],
  ] as const) {
    test(`refuses what has no JSON form: ${what}`, () => assert.throws(() => canonicalJson(value)))
  }
})
