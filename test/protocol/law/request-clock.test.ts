import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isWorkingDay } from '../../../src/protocol/law/public-holidays.ts'
import { daysBetween, lastDayOf } from '../../../src/protocol/law/request-clock.ts'

const CLOCKS: readonly (readonly [
  what: string,
  facts: { from: string; months: number; pausedDays?: number; country: string },
  lastDay: string,
])[] = [
  ['the same day of the next month', { from: '2026-03-05', months: 1, country: 'IE' }, '2026-04-07'],
  ['an ordinary one', { from: '2026-09-08', months: 1, country: 'IE' }, '2026-10-08'],
  ['31 January: no such day in February', { from: '2025-01-31', months: 1, country: 'IE' }, '2025-02-28'],
  ['31 January of a leap year', { from: '2024-01-31', months: 1, country: 'IE' }, '2024-02-29'],
  [
    '31 January, and the last of February is a Saturday',
    { from: '2026-01-31', months: 1, country: 'IE' },
    '2026-03-02',
  ],
  ['29 February a month on', { from: '2024-02-29', months: 1, country: 'DE' }, '2024-04-02'],
  ['31 August with two months more', { from: '2026-08-31', months: 3, country: 'FR' }, '2026-11-30'],
  [
    'Christmas in Germany, which falls to Friday and Saturday',
    { from: '2026-11-25', months: 1, country: 'DE' },
    '2026-12-28',
  ],
  ['6 January in Austria', { from: '2025-12-06', months: 1, country: 'AT' }, '2026-01-07'],
  ['6 January in Ireland is a working day', { from: '2025-12-06', months: 1, country: 'IE' }, '2026-01-06'],
  ['Good Friday to Easter Monday', { from: '2026-03-03', months: 1, country: 'DE' }, '2026-04-07'],
  ['Orthodox Easter Monday in Greece', { from: '2026-03-13', months: 1, country: 'GR' }, '2026-04-14'],
  ['the first Monday of May in Ireland', { from: '2026-04-04', months: 1, country: 'IE' }, '2026-05-05'],
  ['the last Monday of May in Britain', { from: '2026-04-25', months: 1, country: 'GB' }, '2026-05-26'],
  [
    'days for which it stood still',
    { from: '2026-09-08', months: 1, pausedDays: 9, country: 'IE' },
    '2026-10-19',
  ],
  [
    'a country that is not known has weekends',
    { from: '2026-11-25', months: 1, country: 'XX' },
    '2026-12-25',
  ],
]

for (const [what, facts, lastDay] of CLOCKS) {
  test(`lastDayOf() ends a period where Regulation 1182/71 does: ${what}`, () => {
    assert.equal(lastDayOf(facts), lastDay)
  })
}

const days = fc
  .integer({ min: 0, max: 40 * 365 })
  .map((offset) => Temporal.PlainDate.from('2010-01-01').add({ days: offset }).toString())
const countries = fc.constantFrom('AT', 'BG', 'DE', 'ES', 'FR', 'GB', 'GR', 'IE', 'IT', 'NO', 'RO', 'XX')

test('a period never ends early, never on a day that is free, and never more than ten days late', () => {
  fc.assert(
    fc.property(days, fc.integer({ min: 1, max: 3 }), countries, (from, months, country) => {
      const last = lastDayOf({ from, months, country })
      const plain = Temporal.PlainDate.from(from).add({ months }).toString()
      assert.ok(last >= plain)
      assert.ok(isWorkingDay(last, country))
      assert.ok(daysBetween(plain, last) <= 10)
      for (let day = plain; day < last; day = Temporal.PlainDate.from(day).add({ days: 1 }).toString())
        assert.ok(!isWorkingDay(day, country))
    }),
  )
})

test('who asks later has an answer no earlier', () => {
  fc.assert(
    fc.property(days, countries, (from, country) => {
      const next = Temporal.PlainDate.from(from).add({ days: 1 }).toString()
      assert.ok(lastDayOf({ from, months: 1, country }) <= lastDayOf({ from: next, months: 1, country }))
    }),
  )
})

test('a holiday on a weekend is another day where the law says so, and some have a rule of their own', () => {
  const free: readonly (readonly [country: string, ...days: string[]])[] = [
    // 25 December 2027 is a Saturday: in Britain and Bulgaria two days follow, in Germany none.
    ['GB', '2027-12-27', '2027-12-28', '2028-01-03', '2026-12-28'],
    ['BG', '2027-12-27', '2027-12-28', '2026-05-25', '2026-09-07'],
    ['LV', '2030-05-06', '2028-11-20'],
    ['IE', '2027-02-01', '2030-02-01'],
    ['IS', '2026-04-23', '2027-04-22'],
    ['NL', '2026-04-03', '2026-05-05'],
    ['RO', '2026-01-06', '2026-01-07'],
    ['SK', '2028-05-08', '2028-09-15'],
  ]
  for (const [country, ...days] of free)
    for (const day of days) assert.ok(!isWorkingDay(day, country), `${country} ${day}`)
  const working: readonly (readonly [country: string, ...days: string[]])[] = [
    ['GB', '2027-12-29', '2026-12-29', '2028-01-04'],
    ['BG', '2027-12-29', '2026-05-26'],
    ['DE', '2027-12-27', '2028-01-03'],
    ['IE', '2030-02-04'],
    ['IS', '2026-04-16', '2026-04-30'],
    ['RO', '2023-01-06'],
    ['SK', '2026-05-08', '2026-09-15', '2026-11-17'],
  ]
  for (const [country, ...days] of working)
    for (const day of days) assert.ok(isWorkingDay(day, country), `${country} ${day}`)
})
