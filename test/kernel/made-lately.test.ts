import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MadeLately } from '../../src/kernel/made-lately.ts'

describe('MadeLately', () => {
  it('makes once what comes again, and forgets the first beyond its bound', () => {
    const made: string[] = []
    const lately = new MadeLately((text) => {
      made.push(text)
      return { text }
    }, 2)
    const first = lately.of('a')
    assert.equal(lately.of('a'), first)
    lately.of('b')
    lately.of('c')
    assert.equal(lately.of('b').text, 'b')
    assert.deepEqual(made, ['a', 'b', 'c'])
    assert.notEqual(lately.of('a'), first)
    assert.deepEqual(made, ['a', 'b', 'c', 'a'])
  })
})
