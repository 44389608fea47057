import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccessTokens } from '../../../src/kernel/http/access-tokens.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const openTokens = () => {
  const clock = new ManualClock(Date.UTC(2026, 4, 4))
  return { clock, tokens: new AccessTokens({ clock, random: systemRandom }) }
}

test('whoever takes tokens without end loses their own oldest, and nobody else’s', () => {
  const { tokens } = openTokens()
  const others = tokens.give('other').token
  const own = Array.from({ length: 60_000 }, () => tokens.give('flooder').token)
  assert.equal(tokens.nameOf(others), 'other')
  assert.equal(tokens.nameOf(own.at(-1) ?? ''), 'flooder')
  assert.equal(tokens.nameOf(own.at(-100) ?? ''), 'flooder')
  assert.equal(tokens.nameOf(own.at(-101) ?? ''), undefined)
})

test('a token counts until its time is over, or the name’s are all taken away', () => {
  const { clock, tokens } = openTokens()
  const [first, second] = [tokens.give('a').token, tokens.give('b').token]
  tokens.revoke('a')
  assert.deepEqual([tokens.nameOf(first), tokens.nameOf(second)], [undefined, 'b'])
  const third = tokens.give('a').token
  clock.advance(5 * 60_000)
  tokens.forgetExpired()
  assert.deepEqual([tokens.nameOf(second), tokens.nameOf(third)], [undefined, undefined])
})
