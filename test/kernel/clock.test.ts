import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  durationText,
  formatDate,
  formatInstant,
  instant,
  later,
  monotonicMs,
  parseInstant,
  systemClock,
} from '../../src/kernel/clock.ts'

describe('instants', () => {
  test('are read back from what was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (epochMs) => {
        assert.equal(parseInstant(formatInstant(instant(epochMs))), epochMs)
      }),
    )
  })

  test('are read for every day that there is, and for no other', () => {
    fc.assert(
      fc.property(fc.nat(9999), fc.nat(13), fc.nat(32), (year, month, day) => {
        const pad = (value: number, length: number) => String(value).padStart(length, '0')
        const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
        const midnight = new Date(`${date}T00:00:00Z`)
        const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().slice(0, 10) === date
        assert.equal(parseInstant(`${date}T00:00:00Z`), isDay ? midnight.getTime() : undefined)
      }),
      { numRuns: 2000 },
    )
  })

  const readable: readonly [string, string][] = [
    ['2026-11-24T10:00:00Z', '2026-11-24T10:00:00.000Z'],
    ['2026-11-24T11:00:00+01:00', '2026-11-24T10:00:00.000Z'],
    ['2026-11-24T10:00:00.123456789Z', '2026-11-24T10:00:00.123Z'],
    ['2028-02-29T00:00:00-00:30', '2028-02-29T00:30:00.000Z'],
  ]
  for (const [text, expected] of readable) {
    test(`parseInstant() reads ${text}`, () =>
      assert.equal(formatInstant(parseInstant(text) ?? instant(0)), expected))
  }

  for (const text of [
    '',
    '2026-11-24',
    '2026-11-24 10:00:00Z',
    '2026-11-24T10:00:00',
    '2026-13-01T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-04-00T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-11-24T25:00:00Z',
    '2026-11-24T10:00:00z',
    '+02026-11-24T10:00:00Z',
  ]) {
    test(`parseInstant() refuses ${JSON.stringify(text)}`, () => assert.equal(parseInstant(text), undefined))
  }

  test('formatDate() is the day in UTC', () =>
    assert.equal(formatDate(instant(Date.UTC(2026, 10, 24, 23, 59))), '2026-11-24'))
  test('later() adds milliseconds', () => assert.equal(later(instant(1_000), 500), 1_500))
})

describe('systemClock.sleep()', () => {
  test('ends early, without rejecting, when it is told to', async () => {
    const started = monotonicMs()
    await systemClock.sleep(60_000, AbortSignal.abort())
    const controller = new AbortController()
    const sleeping = systemClock.sleep(60_000, controller.signal)
    controller.abort()
    await sleeping
    assert.ok(monotonicMs() - started < 10_000)
  })
})

test('durationText() says how long in the unit that people would take', () => {
  const cases: readonly [number, string][] = [
    [0, 'less than a second'],
    [-1_400, '1 second'],
    [90_000, '90 seconds'],
    [-3_600_000, '60 minutes'],
    [7 * 3_600_000, '7 hours'],
    [72 * 3_600_000, '3 days'],
  ]
  for (const [durationMs, text] of cases) assert.equal(durationText(durationMs), text)
})
