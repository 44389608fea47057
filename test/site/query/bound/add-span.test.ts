import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addSpan } from '../../../../src/site/query/bound/add-span.ts'

const CASES: readonly (readonly [
  time: string,
  months: number,
  days: number,
  microseconds: number,
  to: string | undefined,
])[] = [
  ['2026-01-31 12:00:00', 1, 0, 0, '2026-02-28 12:00:00'],
  ['2024-01-31 00:00:00', 1, 0, 0, '2024-02-29 00:00:00'],
  ['2024-02-29 00:00:00', 12, 0, 0, '2025-02-28 00:00:00'],
  ['2026-03-31 00:00:00', -1, 1, 0, '2026-03-01 00:00:00'],
  ['2025-12-31 23:59:59.5', 0, 0, 600_000, '2026-01-01 00:00:00.1'],
  ['2000-03-01 00:00:00', 0, -1, -1, '2000-02-28 23:59:59.999999'],
  ['0001-01-01 00:00:00', 0, 0, -1, undefined],
  ['9999-12-31 00:00:00', 0, 1, 0, undefined],
]

for (const [time, months, days, microseconds, to] of CASES)
  test(`${time} and ${months} months, ${days} days, ${microseconds} microseconds`, () => {
    assert.equal(addSpan(time, { months, days, microseconds }, 1), to)
  })

test('days and the rest are added as a calendar of this process adds them, and taken off again', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1000-01-01'), max: new Date('3000-01-01'), noInvalidDate: true }),
      fc.integer({ min: -400_000, max: 400_000 }).filter((days) => days > -300_000 && days < 300_000),
      fc.integer({ min: -200_000_000, max: 200_000_000 }),
      (start, days, ms) => {
        const written = (date: Date): string =>
          date
            .toISOString()
            .replace('T', ' ')
            .replace('Z', '')
            .replace(/\.?0*$/, (zeros) => (zeros.startsWith('.') ? '' : zeros))
        const text = written(start).replace(/(\.\d*?)0+$/, '$1')
        const span = { months: 0, days, microseconds: ms * 1_000 }
        const moved = addSpan(text, span, 1)
        const expected = written(new Date(start.getTime() + days * 86_400_000 + ms)).replace(
          /(\.\d*?)0+$/,
          '$1',
        )
        assert.equal(moved, expected)
        assert.equal(addSpan(expected, span, -1), text)
      },
    ),
    { numRuns: 2_000, seed: 20_261_127 },
  )
})
