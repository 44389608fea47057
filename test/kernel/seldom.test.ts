import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Seldom } from '../../src/kernel/seldom.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

test('what comes again and again is told at once, and then once in a while with how often it came', () => {
  const clock = new ManualClock(1_000_000)
  const seldom = new Seldom(clock, 60_000)
  const told: string[] = []
  const come = (key: string) => seldom.tell(key, (untold) => told.push(`${key} ${untold}`))
  for (let second = 0; second <= 60; second += 1) {
    come('one')
    if (second === 30) come('other')
    clock.advance(1_000)
  }
  assert.deepEqual(told, ['one 0', 'other 0', 'one 59'])
  clock.advance(-3_600_000)
  come('one')
  assert.deepEqual(told.slice(3), ['one 0'], 'a clock that was set back silences nothing')
})
