import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { timeClassMs, untilTimeClass } from '../../../src/site/asks/time-class.ts'

const elapsed = fc.double({ min: 0, max: 60_000, noNaN: true })

test('an ask never seems shorter than it was, nor longer by more than a fifth', () => {
  fc.assert(
    fc.property(elapsed, (ms) => {
      const seeming = timeClassMs(ms)
      assert.ok(seeming >= ms * 0.999_999)
      assert.ok(seeming <= Math.max(8, ms * 1.2))
    }),
  )
})

test('a minute of possible times is told in 53 classes', () => {
  const classes = new Set<number>()
  for (let ms = 0; ms <= 60_000; ms += 0.5) classes.add(timeClassMs(ms))
  assert.equal(classes.size, 53)
  assert.deepEqual([...classes].slice(0, 6).map(Math.round), [8, 10, 11, 13, 16, 19])
})

test('two runs of one class end at the same time, whatever they took', async () => {
  await fc.assert(
    fc.asyncProperty(elapsed, elapsed, async (one, other) => {
      const [first, second] = [await endOf(one), await endOf(other)]
      assert.equal(Math.abs(first - second) <= TURN_MS * 1.001, timeClassMs(one) === timeClassMs(other))
    }),
  )
})

test('a timer that comes early does not end a class', async () => {
  assert.ok((await endOf(20, (ms) => Math.max(ms / 2, 0.001))) >= timeClassMs(20))
})

/** What everything else that there is to do takes at a time. */
const TURN_MS = 1e-3

/** When an ask that took so long is answered, on a machine whose timers wait as told. */
async function endOf(tookMs: number, slept = (ms: number) => ms): Promise<number> {
  let now = tookMs
  await untilTimeClass(
    0,
    {
      sleep(ms) {
        now += slept(ms)
        return Promise.resolve()
      },
      turn() {
        now += TURN_MS
        return Promise.resolve()
      },
    },
    () => now,
  )
  return now
}
