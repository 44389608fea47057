import assert from 'node:assert/strict'
import { test } from 'node:test'
import { monotonicMs } from '../../src/kernel/clock.ts'
import { ComputingTurn, inTurns } from '../../src/kernel/in-turns.ts'

/** Computes for so long. */
function compute(durationMs: number): void {
  for (const end = monotonicMs() + durationMs; monotonicMs() < end;);
}

/** How often others are let in until it is done. */
async function timesLetIn(act: () => Promise<unknown>): Promise<number> {
  let times = 0
  let isOver = false
  const others = () => {
    if (isOver) return
    times += 1
    setImmediate(others)
  }
  setImmediate(others)
  await act()
  isOver = true
  return times
}

void test('inTurns() gives what was made in order, with others let in once a turn is over', async () => {
  const made: number[] = []
  const times = await timesLetIn(async () => {
    made.push(
      ...(await inTurns(
        [1, 2, 3, 4, 5, 6],
        (one, index) => {
          compute(2)
          return one * 10 + index
        },
        new ComputingTurn(3),
      )),
    )
  })
  assert.deepEqual(made, [10, 21, 32, 43, 54, 65])
  // Two a turn: after the second, the fourth; a slow machine ends more turns.
  assert.ok(times >= 2, `others were let in ${times} times`)
})

void test('inTurns() lets nobody in while its turn lasts', async () => {
  const times = await timesLetIn(() => inTurns([1, 2, 3], (one) => one, new ComputingTurn(60_000)))
  assert.equal(times, 0)
})
