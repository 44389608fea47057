import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TokenBuckets } from '../../../src/kernel/http/token-buckets.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

function buckets(perSecond: number, burst: number) {
  const clock = new ManualClock(Date.UTC(2026, 4, 4))
  return { clock, buckets: new TokenBuckets({ rate: { perSecond, burst }, clock, random: systemRandom }) }
}

/** How many of `count` are let in. */
function taken(of: TokenBuckets, name: string, count: number): number {
  return Array.from({ length: count }, () => of.take(name)).filter((waitMs) => waitMs === 0).length
}

describe('a token bucket', () => {
  test('gives what is in it, says how long the next takes, and gives that then', () => {
    const { clock, buckets: made } = buckets(2, 3)
    assert.equal(taken(made, 'a', 5), 3)
    assert.equal(made.take('a'), 500)
    assert.equal(made.waitMs('a'), 500)
    clock.advance(499)
    assert.equal(made.take('a'), 1)
    clock.advance(1)
    assert.equal(made.waitMs('a'), 0)
    assert.equal(made.take('a'), 0)
    assert.equal(made.take('a'), 500)
    clock.advance(3_600_000)
    assert.equal(taken(made, 'a', 9), 3, 'no more than its burst, however long it waited')
  })

  test('is one for each name, and to look takes nothing', () => {
    const { buckets: made } = buckets(1, 2)
    for (let look = 0; look < 9; look += 1) assert.equal(made.waitMs('a'), 0)
    assert.equal(taken(made, 'a', 3), 2)
    assert.equal(taken(made, 'b', 3), 2)
  })

  test('is never emptier than empty when the clock is set back', () => {
    const { clock, buckets: made } = buckets(1, 2)
    assert.equal(taken(made, 'a', 3), 2)
    clock.advance(-3_600_000)
    assert.ok(made.take('a') <= 1_000)
    clock.advance(1_000)
    assert.equal(made.take('a'), 0)
  })

  test('is forgotten when it is full, so that names do not pile up', () => {
    const { clock, buckets: made } = buckets(1, 1)
    for (let name = 0; name < 50_000; name += 1) made.take(`n${name}`)
    assert.equal(made.size, 50_000)
    made.take('one-more')
    assert.equal(made.size, 50_000)
    clock.advance(1_000)
    made.take('another')
    assert.equal(made.size, 1)
  })

  test('holds no name in memory', () => {
    const { buckets: made } = buckets(1, 1)
    made.take('203.0.113.77')
    const held = JSON.stringify(made, (_, value: unknown) => (value instanceof Map ? [...value] : value))
    assert.doesNotMatch(held, /203\.0\.113/)
  })

  test('lets nobody have more than burst and rate together, and everybody that much', () => {
    const steps = fc.array(fc.record({ afterMs: fc.nat(2_000), count: fc.nat(20) }), { maxLength: 30 })
    const rate = { perSecond: fc.integer({ min: 1, max: 20 }), burst: fc.integer({ min: 1, max: 30 }) }
    fc.assert(
      fc.property(steps, rate.perSecond, rate.burst, (moves, perSecond, burst) => {
        const { clock, buckets: made } = buckets(perSecond, burst)
        let tokens = burst
        for (const { afterMs, count } of moves) {
          clock.advance(afterMs)
          tokens = Math.min(burst, tokens + (afterMs * perSecond) / 1_000)
          const got = taken(made, 'a', count)
          // Both reckon in fractions: on the edge of a whole token either may say yes.
          assert.ok(Math.abs(got - Math.min(count, Math.floor(tokens + 1e-6))) <= (isOnEdge(tokens) ? 1 : 0))
          tokens -= got
        }
      }),
    )
  })
})

function isOnEdge(tokens: number): boolean {
  return Math.abs(tokens - Math.round(tokens)) < 1e-3
}
