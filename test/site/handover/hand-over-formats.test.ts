import assert from 'node:assert/strict'
import { gunzipSync, gzipSync } from 'node:zlib'
import { after, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { handOverForm } from '../../../src/site/handover/hand-over-form.ts'
import { openHandOver } from '../../../src/sdk/hand-over.ts'
import type { HandOverRequest } from '../../../src/sdk/hand-over.ts'
import type { WireManifest } from '../../../src/sdk/issuer.ts'
import { testManifest } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

/* Rows go back to their issuer in the format in which they came, and what is handed over comes in again as the rows that it was. */

const trade = await testTrade({ sites: [{ name: 'galway' }] })
after(() => trade[Symbol.asyncDispose]())
const galway = trade.site('galway')
const seat = openHandOver(galway.client({ issuer: 'federation', key: trade.federation.signing }))
const reason = 'the contract has ended'

/** A column of each type, in the clear and sealed, and two that are taken out of documents. */
const COLUMNS: WireManifest['columns'] = [
  { name: 'id', source: 'the "id", of\u00a0each', type: 'text', sensitivity: 'direct_identifier' },
  { name: 'number', type: 'integer', sensitivity: 'direct_identifier' },
  { name: 'letter', type: 'text', sensitivity: 'free_text' },
  { name: 'file', type: 'json', sensitivity: 'free_text' },
  { name: 'weight', type: 'number', sensitivity: 'direct_identifier' },
  { name: 'is_in', type: 'boolean' },
  { name: 'whole', type: 'integer' },
  { name: 'real', type: 'number' },
  { name: 'words', type: 'text' },
  { name: 'day', type: 'date' },
  { name: 'at', type: 'timestamp' },
  { name: 'profile', type: 'json' },
  { name: 'flags', type: 'boolean[]' },
  { name: 'wholes', type: 'integer[]' },
  { name: 'reals', type: 'number[]' },
  { name: 'texts', type: 'text[]' },
  { name: 'deep', source: 'doc', path: ['a', 'b/~'], type: 'integer' },
  { name: 'first', source: 'doc', path: ['list', '0'], type: 'text' },
  { name: 'other', source: 'doc', path: ['o'], type: 'json' },
]

let count = 0
async function freshDataSet(): Promise<string> {
  count += 1
  const dataSet = `kinds_${count}`
  await galway.issuer.describe(testManifest(dataSet, { person: { key: 'id' }, columns: COLUMNS }))
  return dataSet
}

type Format = 'csv' | 'ndjson' | 'parquet'

async function take(dataSet: string, format: Format, body: string | Uint8Array<ArrayBuffer>): Promise<void> {
  count += 1
  const stream = new Blob([body]).stream()
  await galway.issuer.importFile({ dataSet, batch: `batch-${count}`, format, body: stream })
}

type Asked = Omit<HandOverRequest, 'part' | 'reason'>

async function handed(dataSet: string, asked: Asked = {}): Promise<{ ending: string; bytes: Buffer }> {
  const { ending, body } = await seat.file(dataSet, { part: 'rows', reason, ...asked })
  return { ending, bytes: Buffer.from(await new Response(body).arrayBuffer()) }
}

async function textOf(dataSet: string, format: 'csv' | 'ndjson'): Promise<string> {
  return (await handed(dataSet, { format })).bytes.toString('utf8')
}

const sorted = (text: string) => text.split('\n').toSorted()

/** Texts as people write them, and as they break files; a site keeps no empty ones apart from none. */
const text = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc
      .array(
        fc.constantFrom(
          '"',
          ',',
          '\n',
          '\r',
          '\r\n',
          ' ',
          '\t',
          "'",
          '=1+1',
          '\\',
          'Ó',
          '👩‍👧',
          '\u2028',
          'null',
        ),
        {
          minLength: 1,
          maxLength: 6,
        },
      )
      .map((parts) => parts.join('')),
  )
  .filter((one) => !one.includes('\0'))
const real = fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => (one === 0 ? 0 : one))
const member = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null))
const document = fc.oneof(
  text,
  fc.array(member),
  fc.record({ a: member, Ä: fc.array(text) }, { noNullPrototype: true }),
)
const small = fc.maxSafeInteger()
const whole = fc.oneof(small, fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 9_007_199_254_740_993n))
const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null })
const when = fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
const row = fc.record({
  number: maybe(whole),
  letter: maybe(text),
  file: maybe(document),
  weight: maybe(real),
  is_in: maybe(fc.boolean()),
  whole: maybe(whole),
  real: maybe(real),
  words: maybe(text),
  day: maybe(when.map((date) => date.toISOString().slice(0, 10))),
  at: maybe(when.map((date) => date.toISOString())),
  profile: maybe(document),
  flags: maybe(fc.array(fc.boolean())),
  wholes: maybe(fc.array(small)),
  reals: maybe(fc.array(fc.integer().map((one) => one / 64))),
  texts: maybe(fc.array(text)),
  doc: maybe(fc.record({ a: fc.record({ 'b/~': maybe(small) }), list: fc.array(text), o: maybe(document) })),
})
const rowsOfPeople = fc.uniqueArray(fc.tuple(text, row), {
  selector: ([id]) => id,
  minLength: 1,
  maxLength: 25,
})

function jsonLine(values: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(values).map(
    ([name, value]) =>
      `${JSON.stringify(name)}:${typeof value === 'bigint' ? value.toString() : JSON.stringify(value)}`,
  )
  return `{${members.join(',')}}\n`
}

test('rows of every type come in again as they were, from CSV and from NDJSON', async () => {
  await fc.assert(
    fc.asyncProperty(rowsOfPeople, async (people) => {
      const lines = people.map(([id, values]) => jsonLine({ 'the "id", of\u00a0each': id, ...values }))
      const [first, second, third] = [await freshDataSet(), await freshDataSet(), await freshDataSet()]
      await take(first, 'ndjson', lines.join(''))
      const asNdjson = await textOf(first, 'ndjson')
      const asCsv = await textOf(first, 'csv')
      // What is compared is not only told by the writer: these are the values that were given.
      const given = new Map(people)
      for (const line of asNdjson.split('\n').slice(0, -1)) {
        const values = JSON.parse(line) as Record<string, unknown>
        const own = given.get(String(values['the "id", of\u00a0each']))
        assert.ok(own)
        for (const name of [
          'letter',
          'file',
          'is_in',
          'real',
          'weight',
          'words',
          'day',
          'profile',
          'flags',
          'texts',
        ] as const)
          assert.deepEqual(values[name], own[name] ?? null, name)
        assert.equal(line.includes(`"whole":${String(own.whole)},`), true, line)
      }
      await take(second, 'csv', asCsv)
      await take(third, 'ndjson', asNdjson)
      assert.deepEqual(sorted(await textOf(second, 'ndjson')), sorted(asNdjson))
      assert.deepEqual(sorted(await textOf(third, 'ndjson')), sorted(asNdjson))
      assert.equal((await textOf(second, 'csv')).length, asCsv.length)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 2), endOnFailure: true },
  )
})

const ID = '"the ""id"", of\u00a0each"'
const HEAD = `${[ID, ...COLUMNS.slice(1, 16).map(({ name }) => name), 'doc'].join(',')}\r\n`
const oneRow = (id: string) => `${id},007,=1+1${','.repeat(14)}\r\n`

test('rows go back as the newest came: CSV byte by byte, packed as it was, and Parquet as NDJSON', async () => {
  const dataSet = await freshDataSet()
  await take(dataSet, 'csv', `${HEAD}${oneRow('ann')}`)
  const plain = await handed(dataSet)
  // With its leading noughts, and without a spreadsheet's quote.
  assert.deepEqual([plain.ending, plain.bytes.toString('utf8')], ['csv', `${HEAD}${oneRow('ann')}`])
  assert.deepEqual(await handed(dataSet, { format: 'received' }), plain)

  await take(dataSet, 'csv', new Uint8Array(gzipSync(`${HEAD}${oneRow('bob')}`)))
  const packed = await handed(dataSet)
  assert.equal(packed.ending, 'csv.gz')
  assert.equal(gunzipSync(packed.bytes).toString('utf8'), `${HEAD}${oneRow('ann')}${oneRow('bob')}`)
  await take(await freshDataSet(), 'csv', new Uint8Array(packed.bytes))

  // A sealed document keeps the digits that no double holds.
  const documents = await freshDataSet()
  await take(documents, 'csv', `${HEAD}cat,,,"{""id"":9007199254740993}"${','.repeat(13)}\r\n`)
  const asLines = await handed(documents, { format: 'ndjson' })
  assert.match(asLines.bytes.toString('utf8'), /"file":\{"id":9007199254740993\}/)

  await take(dataSet, 'ndjson', `${jsonLine({ 'the "id", of\u00a0each': 'eve' })}`)
  assert.equal((await handed(dataSet)).ending, 'ndjson')
  assert.equal((await handed(dataSet, { format: 'csv' })).ending, 'csv')
  await assert.rejects(handed(dataSet, { format: 'received' }), { status: 409 })
  await assert.rejects(seat.part(dataSet, { part: 'grants', format: 'csv', reason }), { status: 400 })
})

test('rows of a Parquet file are NDJSON, unless their issuer wants no conversion', async () => {
  const dataSet = 'measured'
  const columns: WireManifest['columns'] = [
    { name: 'id', type: 'text', sensitivity: 'direct_identifier' },
    { name: 'whole', type: 'integer' },
  ]
  await galway.issuer.describe(testManifest(dataSet, { person: { key: 'id' }, columns }))
  await take(dataSet, 'parquet', await parquetOf("select 'ann' as id, 9007199254740993::bigint as whole"))
  const { ending, bytes } = await handed(dataSet)
  assert.deepEqual([ending, bytes.toString('utf8')], ['ndjson', '{"id":"ann","whole":9007199254740993}\n'])
  await assert.rejects(handed(dataSet, { format: 'received' }), { status: 409 })
})

async function parquetOf(select: string): Promise<Uint8Array<ArrayBuffer>> {
  const directory = await mkdtemp(join(tmpdir(), 'parquet-'))
  try {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const path = join(directory, 'rows.parquet')
    await connection.run(`copy (${select}) to '${path}' (format parquet)`)
    connection.closeSync()
    return new Uint8Array(await readFile(path))
  } finally {
    await rm(directory, { recursive: true })
  }
}

test('the form is as the newest came, another where it is asked for, and none against what was opted out of', () => {
  const [csv, packed, parquet] = [
    { format: 'csv', isPacked: false },
    { format: 'csv', isPacked: true },
    { format: 'parquet', isPacked: false },
  ] as const
  const ndjson = { format: 'ndjson', isPacked: false }
  assert.deepEqual(handOverForm([packed, csv], undefined), packed)
  assert.deepEqual(handOverForm([packed], 'csv'), csv)
  assert.deepEqual(handOverForm([packed], 'received'), packed)
  assert.deepEqual(handOverForm([], 'received'), ndjson)
  for (const unknown of [[parquet, csv], [undefined, csv], []])
    assert.deepEqual(handOverForm(unknown, undefined), ndjson)
  for (const mixed of [[parquet], [undefined], [csv, packed], [csv, undefined]])
    assert.throws(() => handOverForm(mixed, 'received'), { code: 'fault.conflict' })
})
