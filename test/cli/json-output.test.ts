import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { jsonText } from '../../src/cli/json-output.ts'
import { instant } from '../../src/kernel/clock.ts'
import { money } from '../../src/kernel/money.ts'

test('jsonText() writes money in minor units and moments as RFC 3339', () => {
  const value = {
    price: money(1250, 'EUR'),
    time: instant(0),
    count: 3,
    nested: [{ validUntil: instant(1000) }],
  }
  assert.deepEqual(JSON.parse(jsonText(value)), {
    price: { amount: 1250, currency: 'EUR' },
    time: '1970-01-01T00:00:00.000Z',
    count: 3,
    nested: [{ validUntil: '1970-01-01T00:00:01.000Z' }],
  })
})

test('jsonText() writes every moment of the protocol as RFC 3339, by whatever name', () => {
  const source = execFileSync(
    'git',
    ['grep', '-hoE', String.raw`\b\w+\??: (Instant\b|instantSchema)`, 'src/protocol'],
    { encoding: 'utf8' },
  )
  const names = new Set(source.split('\n').flatMap((line) => /^\w+/.exec(line) ?? []))
  const moment = '2026-11-28T10:00:00.000Z'
  const written = JSON.parse(
    jsonText(Object.fromEntries([...names].map((name) => [name, instant(Date.parse(moment))]))),
  ) as Record<string, unknown>
  assert.ok(names.size > 40)
  assert.deepEqual(
    [...names].filter((name) => written[name] !== moment),
    [],
  )
})

test('jsonText() leaves counts and places as they are, whatever they are called', () => {
  const value = { from: null, to: 7, first: 1, last: 20, at: 3, by: 2, size: 1_700_000_000_000, share: 0.5 }
  assert.deepEqual(JSON.parse(jsonText(value)), value)
})

test('jsonText() leaves alone what stands in columns, whatever they are called', () => {
  const values = {
    set: { time: 3600, received: 1, note: null },
    where: { since: 2021, at: 1_700_000_000_000 },
  }
  const value = { values, rows: [[1_700_000_000_000]] }
  assert.deepEqual(JSON.parse(jsonText(value)), value)
})
