import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatInstant, later, parseInstant } from '../../../src/kernel/clock.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import {
  columnEnd,
  endedColumns,
  keptRows,
  periodEnd,
  purposeEnd,
  retentionClocks,
  retentionEnd,
} from '../../../src/protocol/law/retention.ts'
import { testManifest } from '../../../src/testing/test-population.ts'

test('periodEnd() counts as calendars do', () => {
  const ends = [
    ['2026-01-31', 'P1M', '2026-02-28'],
    ['2028-01-31', 'P1M', '2028-02-29'],
    ['2026-01-31', 'P2M', '2026-03-31'],
    ['2028-02-29', 'P1Y', '2029-02-28'],
    ['2028-02-29', 'P4Y', '2032-02-29'],
    ['2027-02-28', 'P1Y', '2028-02-28'],
    ['2026-12-31', 'P1D', '2027-01-01'],
    ['2026-03-28', 'P1W', '2026-04-04'],
    ['2026-05-31', 'P1Y1M1W1D', '2027-07-08'],
    ['2100-02-28', 'P1D', '2100-03-01'],
  ] as const
  for (const [from, period, end] of ends)
    assert.equal(formatInstant(periodEnd({ from, period })), `${end}T00:00:00.000Z`, `${from} ${period}`)
})

const described = (retention: object): Manifest =>
  manifestSchema.parse({
    ...testManifest('athletes'),
    columns: testManifest('athletes').columns.map((column) =>
      column.name === 'height' ? { ...column, category: 'dpv-pd:Height' } : column,
    ),
    retention,
  })

test('a category and a purpose end no later than the data set, and a manifest that says so is refused', () => {
  const manifest = described({
    period: 'P1Y',
    from: '2026-01-31',
    categories: [{ category: 'dpv-pd:Height', period: 'P1M' }],
    purposes: [{ purpose: 'dpv:ResearchAndDevelopment', period: 'P2M' }],
  })
  const day = (moment: number) =>
    formatInstant(later(parseInstant('1970-01-01T00:00:00Z') ?? assert.fail(), moment)).slice(0, 10)
  assert.equal(day(columnEnd(manifest, 'height')), '2026-02-28')
  assert.equal(day(columnEnd(manifest, 'score')), '2027-01-31')
  assert.equal(day(purposeEnd(manifest, 'dpv:AcademicResearch')), '2026-03-31', 'a narrower purpose too')
  assert.equal(day(purposeEnd(manifest, 'dpv:Marketing')), '2027-01-31')
  assert.deepEqual(
    retentionClocks(manifest).map(({ scope }) => scope),
    ['category', 'purpose', 'all'],
  )
  for (const wrong of [
    { categories: [{ category: 'dpv-pd:Height', period: 'P2Y' }] },
    { categories: [{ category: 'dpv-pd:HeartRate', period: 'P1M' }] },
    { categories: [{ category: 'dpv-pd:Height', period: 'P1M', from: '2027-01-01' }] },
    { purposes: [{ purpose: 'dpv:Marketing', period: 'P13M' }] },
    { purposes: [{ purpose: 'dpv:Marketing', period: 'one month' }] },
    { categories: [{ category: 'dpv-pd:Height', period: 'P1M', from: '2026-02-30' }] },
    { from: 'yesterday', purposes: [{ purpose: 'dpv:Marketing', period: 'P1M' }] },
    { period: 'PT1H' },
    { period: 'P999999999Y' },
  ])
    assert.throws(
      () => described({ period: 'P1Y', from: '2026-01-31', ...wrong }),
      /expected/,
      JSON.stringify(wrong),
    )
})

test('whatever the periods, nothing is kept a moment past its end nor ended a moment before', () => {
  const period = fc
    .record({ months: fc.integer({ min: 0, max: 30 }), days: fc.integer({ min: 1, max: 60 }) })
    .map(({ months, days }) => `P${months}M${days}D`)
  const from = fc
    .date({ min: new Date('2020-01-01'), max: new Date('2030-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10))
  fc.assert(
    fc.property(from, period, period, fc.integer({ min: -3, max: 3 }), (start, whole, part, offset) => {
      const retention = { from: start, period: whole }
      const isShorter = periodEnd({ from: start, period: part }) <= periodEnd(retention)
      const terms = {
        retention: {
          ...retention,
          ...(isShorter ? { categories: [{ category: 'dpv-pd:Height', period: part }] } : {}),
        },
        columns: [{ name: 'height', category: 'dpv-pd:Height' }, { name: 'score' }],
      }
      // By another way: day by day on the calendar of the machine's own dates.
      const calendar = (text: string) => {
        const [, months = '0', days = '0'] = /^P(\d+)M(\d+)D$/.exec(text) ?? []
        const [year = 0, month = 0, dayOfMonth = 0] = start.split('-').map(Number)
        const last = new Date(Date.UTC(year, month + Number(months), 0)).getUTCDate()
        return Date.UTC(year, month - 1 + Number(months), Math.min(dayOfMonth, last) + Number(days))
      }
      const wholeEnd = calendar(whole)
      const heightEnd = isShorter ? calendar(part) : wholeEnd
      assert.equal(retentionEnd(terms.retention), wholeEnd)
      for (const end of [wholeEnd, heightEnd]) {
        const now = later(parseInstant('1970-01-01T00:00:00Z') ?? assert.fail(), end + offset)
        const expected = [...(heightEnd <= now ? ['height'] : []), ...(wholeEnd <= now ? ['score'] : [])]
        assert.deepEqual(endedColumns(terms, now), expected)
      }
    }),
  )
})

test('a row is kept exactly as long as its own period has not ended, whatever day it is of', () => {
  const dayFrom = (min: string, max: string) =>
    fc
      .date({ min: new Date(min), max: new Date(max), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10))
  const periods = fc
    .record({
      years: fc.integer({ min: 0, max: 40 }),
      months: fc.integer({ min: 0, max: 30 }),
      days: fc.integer({ min: 0, max: 60 }),
    })
    .map(({ years, months, days }) => `P${years}Y${months}M${days}D`)
  fc.assert(
    fc.property(
      dayFrom('1990-01-01', '2030-12-31'),
      periods,
      fc.integer({ min: -3, max: 3 }),
      (day, period, offset) => {
        const end = periodEnd({ from: day, period })
        const retention = { period: 'P900Y', from: '2020-01-01', rows: { column: 'day', period } }
        const now = later(end, offset)
        const kept = keptRows({ retention }, now)
        assert.equal(kept?.column, 'day')
        assert.equal(day >= (kept?.from ?? ''), end > now, `${day} ${period} at ${formatInstant(now)}`)
        const before = Temporal.PlainDate.from(kept?.from ?? '').subtract({ days: 1 })
        assert.ok(periodEnd({ from: before.toString(), period }) <= now, 'the day before has ended')
        assert.ok(periodEnd({ from: kept?.from ?? '', period }) > now, 'the first day has not')
      },
    ),
  )
})

test('a manifest whose rows end by a date names a column that has one in every row, to be read', () => {
  const column = (more: object) => (one: { readonly name: string }) =>
    one.name === 'birth_date' ? { ...one, isRequired: true, ...more } : one
  const problem = (more: object, rows: object = { column: 'birth_date', period: 'P1Y' }) => {
    const manifest = testManifest('athletes')
    const categories = [{ category: 'dpv-pd:Age', period: 'P1D' }]
    const retention = {
      period: 'P5Y',
      from: '2026-01-01',
      rows,
      ...('category' in more ? { categories } : {}),
    }
    const parsed = manifestSchema.safeParse({
      ...manifest,
      person: { key: 'id' },
      columns: manifest.columns.map(column(more)),
      retention,
    })
    return parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join()
  }
  assert.equal(problem({}), undefined)
  assert.equal(problem({ type: 'timestamp' }), undefined)
  const path = 'retention.rows.column: expected'
  assert.match(problem({ isRequired: false }) ?? '', new RegExp(`${path} a column with isRequired`))
  assert.match(problem({ type: 'text' }) ?? '', new RegExp(`${path} a column of dates`))
  assert.match(problem({ sensitivity: 'free_text' }) ?? '', new RegExp(`${path} a column that is no direct`))
  assert.match(problem({ category: 'dpv-pd:Age' }) ?? '', new RegExp(`${path} no column of a category`))
  assert.match(problem({}, { column: 'day', period: 'P1Y' }) ?? '', new RegExp(`${path} a column of dates`))
  assert.match(problem({}, { column: 'birth_date', period: '1Y' }) ?? '', /retention\.rows\.period/)
})
