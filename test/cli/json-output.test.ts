import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { jsonText } from '../../src/cli/json-output.ts'
import { instant } from '../../src/kernel/clock.ts'
import { money } from '../../src/kernel/money.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

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

test('with --json a failure is one document as well, with its code, its fields and the exit code', async (context) => {
  const home = join(tmpdir(), 'hedgerow-none-of-json')
  const undecided = join(await temporaryHome(context), 'undecided.yaml')
  await writeFile(undecided, 'issuer: DECIDE\ncolumns: [{ name: DECIDE n }]\n')
  const away = 'http://127.0.0.1:9'
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [
      ['offers', '--network', away],
      3,
      /"code": "fault\.peer_unreachable",\s+"detail": "Cannot reach 127\.0\.0\.1:9;/,
    ],
    [['dataset', 'list', '--site', 'galway', '--as', 'nobody'], 2, /"detail": "/],
    [
      ['dataset', 'describe', 'no-such-file.yaml', '--as', 'x'],
      2,
      /"detail": "Cannot use \\"no-such-file\.yaml\\"/,
    ],
    [['dataset', 'describe', undecided, '--as', 'x'], 2, /"field": "issuer",\s+"expected": "a decision"/],
    [['offers', '--nonsense'], 2, /"detail": "unknown option '--nonsense'/],
  ]
  for (const [args, code, says] of cases) {
    const { out, error, code: ended } = await typedHere(home, [...args, '--json'])
    assert.equal(ended, code, error)
    assert.match(out, says)
    const { exitCode } = JSON.parse(out) as { exitCode: number }
    assert.equal(exitCode, code)
    assert.notEqual(error, '', 'and a sentence for whoever looks')
    assert.equal((await typedHere(home, args)).out, '', 'nobody who did not ask gets it')
  }
})
