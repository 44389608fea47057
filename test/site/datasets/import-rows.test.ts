import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { digestOfJson } from '../../../src/kernel/digest.ts'
import { PeerRefusal } from '../../../src/kernel/http/call-json.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { openSiteAdministration } from '../../../src/sdk/issuer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { publicKeys } from '../../../src/testing/test-network.ts'
import { testGrant, testManifest } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const client = site.client({ issuer: 'federation', key: trade.federation.signing, keepsToken: true })
const issuer = openSiteAdministration(client)
for (const dataSet of ['one_by_one', 'as_a_file'])
  await issuer.describe(
    testManifest(dataSet, {
      columns: [
        { name: 'id', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
        { name: 'note', type: 'text', sensitivity: 'free_text' },
        { name: 'score', type: 'integer' },
        { name: 'height', type: 'number' },
        { name: 'born', type: 'date' },
        { name: 'seen', type: 'timestamp' },
        { name: 'is_left', type: 'boolean' },
        { name: 'laps', type: 'integer[]' },
        { name: 'device', type: 'json' },
      ],
      person: { key: 'id', birthDate: 'born', rowsMax: 100 },
    }),
  )

async function exported(ref: string): Promise<readonly Record<string, unknown>[]> {
  const body = await openPersonRecords(client, { ref, reason: 'a test' }).export({ format: 'jsonl' })
  const lines = (await new Response(body).text()).trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

const isRefused = (status: number, what: RegExp) => (thrown: unknown) =>
  thrown instanceof PeerRefusal && thrown.status === status && what.test(thrown.message)

let run = 0
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
const row = fc.record({
  // Letters that no form of a file gives a meaning to.
  note: maybe(fc.stringMatching(/^[a-zé ]{1,12}$/)),
  score: maybe(fc.integer({ min: -1_000_000, max: 1_000_000 })),
  height: maybe(fc.integer({ min: 0, max: 300 }).map((number) => number / 4)),
  born: maybe(fc.constantFrom('1970-01-31', '2000-02-29', '2015-12-01')),
  seen: maybe(fc.constantFrom('2026-01-31T12:00:00Z', '2026-02-01T00:00:00.250Z')),
  is_left: maybe(fc.boolean()),
  laps: maybe(fc.constantFrom('[1, 2]', '[]')),
  device: maybe(fc.constantFrom('{"b": 1, "a": [true]}', '[]')),
})

test('rows that are imported one by one are what the same rows are in a file', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 4 }), async (values) => {
      run += 1
      const ref = `p-${run}`
      const rows = values.map((one) => ({ id: ref, ...one }))
      const taken = await issuer.importRows({ dataSet: 'one_by_one', batch: `batch-${run}`, rows })
      assert.deepEqual([taken.rows, taken.newPeople, taken.isNew], [rows.length, 1, true])
      // A file has documents and lists as they are, a row as texts.
      const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text))
      const asInFile = rows.map((one) => ({ ...one, laps: parsed(one.laps), device: parsed(one.device) }))
      const text = asInFile.map((one) => `${JSON.stringify(one)}\n`).join('')
      const body = new Blob([text]).stream()
      await issuer.importFile({ dataSet: 'as_a_file', batch: `batch-${run}`, format: 'ndjson', body })
      const records = await exported(ref)
      const rowsOf = (dataSet: string) =>
        records
          .filter((one) => one['kind'] === 'row' && one['dataSet'] === dataSet)
          .map((one) => one['values'])
      assert.equal(rowsOf('one_by_one').length, rows.length)
      assert.deepEqual(rowsOf('one_by_one'), rowsOf('as_a_file'))
    }),
    { numRuns: 12 },
  )
})

test('the same batch again changes nothing, and another under its name is refused', async () => {
  const batch = { dataSet: 'one_by_one', batch: 'again', rows: [{ id: 'twice', score: 1 }] }
  assert.equal((await issuer.importRows(batch)).isNew, true)
  const again = await issuer.importRows(batch)
  assert.deepEqual([again.isNew, again.rows], [false, 1])
  const other = { ...batch, rows: [{ id: 'twice', score: 2 }] }
  await assert.rejects(issuer.importRows(other), isRefused(409, /another file/))
  const rows = (await exported('twice')).filter(({ kind }) => kind === 'row')
  assert.equal(rows.length, 1)
})

test('rows past the most of a person are told of, in steps', async () => {
  await issuer.describe(
    testManifest('few_each', {
      columns: [{ name: 'id', type: 'text', sensitivity: 'direct_identifier', isRequired: true }],
      person: { key: 'id', ageAtLeast: 18 },
    }),
  )
  const take = async (batch: string, people: number, of: number) => {
    const rows = Array.from({ length: people * of }, (_, index) => ({ id: `${batch}-${index % people}` }))
    return (await issuer.importRows({ dataSet: 'few_each', batch, rows })).uncounted
  }
  assert.deepEqual(await take('two', 3, 2), { rows: 0, people: 0 })
  assert.deepEqual(await take('many', 25, 3), { rows: 0, people: 0 }, 'not counted for every few rows')
  const body = new Blob(['id\nlast\n']).stream()
  const file = await issuer.importFile({ dataSet: 'few_each', batch: 'file', format: 'csv', body })
  assert.deepEqual(file.uncounted, { rows: 50, people: 20 })
  assert.deepEqual(await take('again', 1, 1), { rows: 50, people: 20 })
})

test('what rows are known again by tells nobody what is in them', async () => {
  const rows = [{ id: 'guessed', score: 7 }]
  await issuer.importRows({ dataSet: 'one_by_one', batch: 'guessed', rows })
  await using database = await connect(new Secret(site.databaseUrl), {
    name: 'look',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  const { rows: kept } = await sql<{ file_digest: string }>`
    select file_digest from import_batch where batch = 'guessed'`.execute(database.db)
  const guesses = [rows, { rows }, rows[0]].map(digestOfJson)
  assert.equal(kept.length, 1)
  assert.ok(!guesses.some((guess) => guess === kept[0]?.file_digest))
})

test('rows that are not what the manifest says are named without their values, and nothing is taken', async () => {
  const wrong: readonly (readonly [Record<string, string | number | boolean | null>, RegExp])[] = [
    [{ score: 1 }, /rows\[1\]\.id/],
    [{ id: '' }, /rows\[1\]\.id/],
    [{ id: 'x'.repeat(201) }, /rows\[1\]\.id/],
    [{ id: 'n', score: 'SECRET' }, /rows\[1\]\.score/],
    [{ id: 'n', score: 1.5 }, /rows\[1\]\.score/],
    [{ id: 'n', born: '2026-02-30' }, /rows\[1\]\.born/],
    [{ id: 'n', is_left: 'yes' }, /rows\[1\]\.is_left/],
    [{ id: 'n', SECRET: 1 }, /rows\[1\]\.\*/],
  ]
  for (const [index, [bad, field]] of wrong.entries()) {
    const rows = [{ id: 'nobody', score: 1 }, bad]
    const request = { dataSet: 'one_by_one', batch: `wrong-${index}`, rows }
    await assert.rejects(issuer.importRows(request), (thrown: unknown) => {
      assert.ok(isRefused(422, field)(thrown) || isRefused(400, field)(thrown), String(thrown))
      assert.doesNotMatch(JSON.stringify(thrown), /SECRET/)
      return true
    })
  }
  await assert.rejects(exported('nobody'), isRefused(404, /./))
})

test('only the issuer of a data set imports rows into it, and somebody who was erased is a new person', async () => {
  const other = await trade.network.addMember('other-issuer', ['issuer'])
  await site.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
  const stranger = openSiteAdministration(site.client({ issuer: other.name, key: other.signing }))
  const request = { dataSet: 'one_by_one', batch: 'stranger', rows: [{ id: 'p-1', score: 1 }] }
  await assert.rejects(stranger.importRows(request), isRefused(404, /./))
  const first = { dataSet: 'one_by_one', batch: 'life-1', rows: [{ id: 'back', score: 1 }] }
  await issuer.importRows(first)
  await issuer.giveGrants([testGrant('one_by_one', 'back')])
  await site.rights('issuer').erase({ person: 'back' }, { reason: 'request' })
  await assert.rejects(exported('back'), isRefused(404, /./))
  const second = { dataSet: 'one_by_one', batch: 'life-2', rows: [{ id: 'back', score: 2 }] }
  assert.equal((await issuer.importRows(second)).newPeople, 1)
  const kinds = (await exported('back')).map(({ kind }) => kind)
  assert.ok(kinds.includes('row') && !kinds.includes('grant'))
})
