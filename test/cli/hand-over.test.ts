import assert from 'node:assert/strict'
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeMemberProfile } from '../../src/cli/member-profile.ts'
import { csvOf, testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

test('a data set is handed over in files of the formats that were asked for, and nothing is written that was not', async (context) => {
  const home = await temporaryHome(context)
  await using trade = await testTrade({ sites: [{ name: 'galway' }] })
  const people = testPeople(3)
  await trade.fill(trade.site(), { dataSet: 'athletes', people })
  const keys = join(home, 'members', 'federation', 'keys')
  await mkdir(keys, { recursive: true })
  await writeFile(join(keys, 'signing.jwk'), JSON.stringify(trade.federation.signing.privateJwk.reveal()), {
    mode: 0o600,
  })
  await makeMemberProfile(home, { member: 'federation' })
  const out = join(home, 'out')
  const common = ['--as', 'federation', '--site', 'galway', '--url', trade.site().url, '--reason', 'it ended']
  const typed = (into: string, ...args: readonly string[]) =>
    typedHere(home, ['dataset', 'hand-over', 'athletes', '--out', join(out, into), ...common, ...args])
  const bodyOf = (...path: readonly string[]) => readFile(join(out, ...path), 'utf8')
  const sorted = (text: string) => text.split(/\r?\n/).toSorted()

  const whole = await typed('whole')
  assert.equal(whole.code, 0, whole.error)
  assert.match(whole.out, /athletes\.rows\.csv\n(.*\n)+At another site: dataset describe, dataset import, /)
  assert.deepEqual((await readdir(join(out, 'whole'))).toSorted(), [
    'athletes.consents.ndjson',
    'athletes.grants.ndjson',
    'athletes.manifest.json',
    'athletes.receipts.ndjson',
    'athletes.rows.csv',
  ])
  assert.deepEqual(sorted(await bodyOf('whole', 'athletes.rows.csv')), sorted(csvOf(people)))
  assert.equal((await stat(join(out, 'whole', 'athletes.rows.csv'))).mode & 0o077, 0, 'readable by others')

  const lines = await typed('lines', '--only', 'rows', '--format', 'ndjson', '--json')
  assert.deepEqual(JSON.parse(lines.out), {
    dataSet: 'athletes',
    files: ['athletes.manifest.json', 'athletes.rows.ndjson'].map((file) => join(out, 'lines', file)),
  })
  const rows = (await bodyOf('lines', 'athletes.rows.ndjson')).trimEnd().split('\n')
  assert.deepEqual(
    rows.map((row) => (JSON.parse(row) as { id: string }).id).toSorted(),
    people.map(({ id }) => id).toSorted(),
  )
  assert.equal((await typed('received', '--only', 'rows', '--format', 'received')).code, 0)
  assert.equal(
    await bodyOf('received', 'athletes.rows.csv'),
    await bodyOf('whole', 'athletes.rows.csv'),
    'what came as CSV is received as CSV',
  )

  for (const [wrong, says] of [
    [['--format', 'parquet'], /^Cannot use --format: expected one of /],
    [['--only', 'grants', '--format', 'csv'], /^Cannot use --format with --only grants: it is of the rows/],
    [['--only', 'keys'], /^Cannot use --only: expected one of /],
  ] as const) {
    const refused = await typed('refused', ...wrong)
    assert.equal(refused.code, 2, wrong.join(' '))
    assert.match(refused.error, says)
  }
  await assert.rejects(stat(join(out, 'refused')), { code: 'ENOENT' })
})
