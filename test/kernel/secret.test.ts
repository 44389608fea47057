import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Secret } from '../../src/kernel/secret.ts'

test('a Secret shows itself in no way of printing', () => {
  const secret = new Secret('marker-value')
  const holder = { secret, list: [secret] }
  for (const text of [
    String(secret),
    'text: ' + secret.toString(),
    JSON.stringify(holder),
    inspect(holder, { depth: 9, showHidden: true }),
    inspect(new Error('x', { cause: secret })),
  ]) {
    assert.doesNotMatch(text, /marker-value/)
    assert.match(text, /\[secret\]/)
  }
  assert.deepEqual(Object.keys(secret), [])
  assert.equal(secret.reveal(), 'marker-value')
})
