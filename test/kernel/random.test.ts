import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '../../src/kernel/random.ts'

test('systemRandom gives as many bytes as were asked for, and never the same again', () => {
  const seen = new Set<string>()
  for (let round = 0; round < 2000; round += 1) {
    for (const length of [16, 32, 512, 513]) {
      const bytes = systemRandom.bytes(length)
      assert.equal(bytes.length, length)
      for (let start = 0; start + 16 <= length; start += 16) {
        const text = Buffer.from(bytes.slice(start, start + 16)).toString('hex')
        assert.ok(!seen.has(text), 'no sixteen bytes come twice')
        seen.add(text)
      }
      // A caller that writes into what it was given must not change what others get.
      bytes.fill(0)
    }
  }
  assert.equal(systemRandom.bytes(0).length, 0)
})
