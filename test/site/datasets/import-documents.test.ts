import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { Fault } from '../../../src/kernel/faults.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { testManifest } from '../query/two-engines.ts'
import { anImportSite, bytesOf } from './an-import-site.ts'
import type { ImportSite } from './an-import-site.ts'

/* JSON documents and lists on their way in: the same rows from each format, in one form, and what cannot be kept is refused. */

let site: ImportSite
before(async () => {
  site = await anImportSite()
})
after(() => site[Symbol.asyncDispose]())

let count = 0
function freshManifest(): Manifest {
  count += 1
  return testManifest(`people_${count}`, {
    rowsMax: 4,
    columns: [
      { name: 'profile', type: 'json' },
      { name: 'letter', type: 'json', sensitivity: 'free_text' },
      { name: 'tags', type: 'text[]' },
      { name: 'marks', type: 'integer[]', isRequired: true },
      { name: 'times', type: 'number[]' },
      { name: 'flags', type: 'boolean[]' },
    ],
  })
}

async function rowsOf(manifest: Manifest): Promise<unknown> {
  const sql = `select profile, tags, marks, times, flags from ds_${manifest.dataSet} order by rowid`
  const outcome = await site.parts.vault.run({ sql }, { timeoutMs: 10_000, rowsMax: 100 })
  assert.ok(outcome.ok)
  return outcome.value.rows()
}

const ROWS = [
  ['{"a":[1,2.5,null],"b":{"é":"x"}}', ['a', 'b "c"'], [1n, 2n], [1.5, 2], [true, false]],
  ['"text"', [], [-1n], [], null],
  [null, null, [0n], null, null],
]

test('CSV, NDJSON and Parquet give the same documents and lists', async () => {
  const csv = `id,profile,letter,tags,marks,times,flags
ann,"{ ""b"": {""é"": ""x""}, ""a"": [1.0, 2.50, null] }","{""s"": 1}","[""a"", ""b \\""c\\""""]","[1,2]","[1.5, 2]","[true,false]"
bob,"""text""",,[],[-1],[],
eve,,,,[0],,
`
  const ndjson = `{"id": "ann", "profile": {"b": {"\\u00e9": "x"}, "a": [1, 2.5, null]}, "letter": {"s": 1}, "tags": ["a", "b \\"c\\""], "marks": [1, 2], "times": [1.5, 2], "flags": [true, false]}
{"id": "bob", "profile": "text", "tags": [], "marks": [-1], "times": []}
{"id": "eve", "profile": null, "marks": [0]}
`
  for (const [format, text] of [
    ['csv', csv],
    ['ndjson', ndjson],
  ] as const) {
    const manifest = freshManifest()
    await site.import(manifest, { format, file: { stream: bytesOf(text) } })
    assert.deepEqual(await rowsOf(manifest), ROWS, format)
  }
  const path = join(site.directory, 'documents.parquet')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`
    copy (
      select 'ann' as id, '{"a": [1, 2.5, null], "b": {"é": "x"}}'::json as profile, {'s': 1} as letter, ['a', 'b "c"'] as tags,
        [1, 2]::smallint[] as marks, [1.5, 2]::float[] as times, [true, false] as flags
      union all select 'bob', '"text"'::json, null, []::varchar[], [-1]::smallint[], []::float[], null
      union all select 'eve', null, null, null, [0]::smallint[], null, null
    ) to '${path}' (format parquet)`)
  const manifest = freshManifest()
  await site.import(manifest, { format: 'parquet', file: { path } })
  assert.deepEqual(await rowsOf(manifest), ROWS)
})

test('structures of Parquet become documents', async () => {
  const path = join(site.directory, 'structures.parquet')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`
    copy (select 'ann' as id, {'b': [1, 2], 'a': {'c': date '2026-01-02'}} as profile, null::varchar as letter, ['a'] as tags,
      [1]::bigint[] as marks, [1]::double[] as times, [true] as flags) to '${path}' (format parquet)`)
  const manifest = freshManifest()
  await site.import(manifest, { format: 'parquet', file: { path } })
  assert.deepEqual(await rowsOf(manifest), [['{"a":{"c":"2026-01-02"},"b":[1,2]}', ['a'], [1n], [1], [true]]])
})

const good = { profile: {}, letter: null, tags: [], marks: [1], times: [], flags: [] }
const REFUSED: readonly (readonly [name: string, row: object])[] = [
  ['a list that holds null', { ...good, tags: ['a', null] }],
  ['a list that holds another type', { ...good, marks: [1.5] }],
  ['a text in place of a list', { ...good, tags: '["a"]' }],
  ['a list that may not be missing', { ...good, marks: null }],
  ['whole numbers past 2^53', { ...good, marks: [9_007_199_254_740_992] }],
  ['a document with a NUL', { ...good, profile: { MARKER: '\0' } }],
  ['a document of too many levels', { ...good, profile: JSON.parse('['.repeat(40) + ']'.repeat(40)) }],
  ['a document of too many bytes', { ...good, profile: 'MARKER'.repeat(12_000) }],
  ['a number past 1e150', { ...good, profile: { MARKER: 1e200 } }],
  ['a list that is too long', { ...good, marks: Array.from({ length: 1_001 }, () => 1) }],
]
for (const [name, row] of REFUSED) {
  test(`refused, without a value in what is said: ${name}`, async () => {
    const manifest = freshManifest()
    const text = `${JSON.stringify({ id: 'ann', ...row })}\n`
    await assert.rejects(
      site.import(manifest, { format: 'ndjson', file: { stream: bytesOf(text) } }),
      (fault: unknown) => {
        assert.ok(fault instanceof Fault)
        assert.equal(fault.code, 'fault.import_malformed')
        assert.doesNotMatch(JSON.stringify([fault.message, fault.errors, String(fault.cause)]), /MARKER/)
        return true
      },
    )
  })
}

test('a correction gives a document and a list another value in the same form', async () => {
  const manifest = freshManifest()
  const text = `${JSON.stringify({ id: 'ann', ...good })}\n`
  await site.import(manifest, { format: 'ndjson', file: { stream: bytesOf(text) } })
  const [person = -1] = await site.parts.vault.people(manifest.dataSet)
  await site.parts.vault.correct({
    manifest,
    person,
    number: person,
    set: new Map([
      ['profile', '{"a":1}'],
      ['tags', '["x"]'],
      ['marks', '[3,4]'],
    ]),
    where: new Map(),
    facts: {},
  })
  assert.deepEqual(await rowsOf(manifest), [['{"a":1}', ['x'], [3n, 4n], [], []]])
})

test('a manifest gives no bounds, bins or values to documents and lists, and no person is named by one', () => {
  for (const column of [
    { name: 'profile', type: 'json', bounds: [0, 1] },
    { name: 'profile', type: 'text[]', values: ['a'] },
    { name: 'profile', type: 'integer[]', minimumBin: 5 },
  ] as const)
    assert.throws(() =>
      testManifest('people', {
        columns: [{ ...column, bounds: column.bounds && [0, 1], values: column.values && ['a'] }],
      }),
    )
  assert.throws(() =>
    testManifest('people', {
      key: 'id',
      columns: [{ name: 'id2', type: 'json' }],
      person: { key: 'id2' },
    } as never),
  )
})

function manifestOfPaths(): Manifest {
  count += 1
  return testManifest(`parts_${count}`, {
    columns: [
      { name: 'city', type: 'text', source: 'profile', path: ['home', 'city'], values: ['Cork', 'Galway'] },
      { name: 'age', type: 'integer', source: 'profile', path: ['age'], bounds: [0, 120] },
      {
        name: 'illness',
        type: 'text',
        source: 'profile',
        path: ['a/b', '1'],
        sensitivity: 'special_category',
      },
      { name: 'likes', type: 'text[]', source: 'profile', path: ['likes'] },
      { name: 'more', type: 'json', source: 'profile', path: ['more'] },
      { name: 'since', type: 'date', source: 'profile', path: ['since'] },
      { name: 'secret', type: 'text', source: 'profile', path: ['secret'], sensitivity: 'free_text' },
      { name: 'score', type: 'number' },
    ],
  })
}

const PROFILE = {
  home: { city: 'Cork', zip: 'MARKER' },
  age: 41,
  'a/b': ['x', 'flu'],
  likes: ['run', 'row'],
  more: { b: 1, a: [1.5] },
  since: '2020-02-29',
  secret: 'MARKER',
  unknown: 'MARKER',
}

test('columns that are parts of a document are taken out of it in each format, and the document is not kept', async () => {
  const rows = [PROFILE, { home: null, age: null }, null]
  const ids = ['ann', 'bob', 'eve']
  const ndjson = rows
    .map((profile, row) => `${JSON.stringify({ id: ids[row], profile, score: row })}\n`)
    .join('')
  const cell = (value: unknown) => (value === null ? '' : `"${JSON.stringify(value).replaceAll('"', '""')}"`)
  const csv = `id,profile,score\n${rows.map((profile, row) => `${ids[row]},${cell(profile)},${row}\n`).join('')}`
  const path = join(site.directory, 'parts.parquet')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const values = rows.map(
    (profile, row) =>
      `('${ids[row]}', ${profile ? `'${JSON.stringify(profile)}'` : 'null'}::json, ${row}::double)`,
  )
  await connection.run(
    `copy (select * from (values ${values.join(', ')}) t(id, profile, score)) to '${path}' (format parquet)`,
  )
  for (const [format, file] of [
    ['csv', { stream: bytesOf(csv) }],
    ['ndjson', { stream: bytesOf(ndjson) }],
    ['parquet', { path }],
  ] as const) {
    const manifest = manifestOfPaths()
    await site.import(manifest, { format, file })
    const outcome = await site.parts.vault.run(
      {
        sql: `select city, age, illness, likes, more, since::varchar, score from ds_${manifest.dataSet} order by rowid`,
      },
      { timeoutMs: 10_000, rowsMax: 10 },
    )
    assert.ok(outcome.ok)
    const [first, ...others] = outcome.value.rows()
    assert.deepEqual(
      first,
      ['Cork', 41n, 'flu', ['run', 'row'], '{"a":[1.5],"b":1}', '2020-02-29', 0],
      format,
    )
    assert.deepEqual(others, [
      [null, null, null, null, null, null, 1],
      [null, null, null, null, null, null, 2],
    ])
  }
})

for (const [name, profile] of [
  ['another value than those of the manifest', { home: { city: 'MARKER' } }],
  ['a text where a number is expected', { age: 'MARKER' }],
  ['a part of a number', { age: 1.5 }],
  ['whole numbers that a document cannot hold', { age: 9_007_199_254_740_992 }],
  ['a number where a text is expected', { home: { city: 5 } }],
  ['no date', { since: 'MARKER' }],
  ['a list of other values', { likes: [1] }],
  ['a document of too many levels', { likes: [], x: JSON.parse('['.repeat(40) + ']'.repeat(40)) }],
] as const) {
  test(`refused in a part of a document: ${name}`, async () => {
    const text = `${JSON.stringify({ id: 'ann', profile, score: 1 })}\n`
    await assert.rejects(
      site.import(manifestOfPaths(), { format: 'ndjson', file: { stream: bytesOf(text) } }),
      (fault: unknown) => {
        assert.ok(fault instanceof Fault)
        assert.equal(fault.code, 'fault.import_malformed')
        assert.doesNotMatch(JSON.stringify([fault.message, fault.errors, String(fault.cause)]), /MARKER/)
        return true
      },
    )
  })
}

test('what is no document is refused where parts of one are expected', async () => {
  await assert.rejects(
    site.import(manifestOfPaths(), {
      format: 'csv',
      file: { stream: bytesOf('id,profile,score\nann,"{""age"": 1",2\n') },
    }),
    (fault: unknown) => fault instanceof Fault && fault.code === 'fault.import_malformed',
  )
})

test('a part of a document is asked for, granted and refused as a column of its own', () => {
  const manifest = manifestOfPaths()
  const dataSets = new Map([[String(manifest.dataSet), manifest]])
  const ask = (sql: string) => checkQuestion(sql, { mode: 'aggregate', dataSets })
  const asked = ask(`select city, avg(age) from ${manifest.dataSet} group by city`)
  assert.ok(asked.ok)
  assert.deepEqual(
    asked.value.uses.map(({ column, clause }) => `${column} ${clause}`),
    ['age select', 'city select', 'city group'],
  )
  for (const around of [
    "profile ->> 'age'",
    "more -> 'age' ->> 'profile'",
    'secret',
    "city ->> 'zip'",
    'unknown',
  ]) {
    const refused = ask(`select count(*) from ${manifest.dataSet} where ${around} = 'MARKER'`)
    assert.ok(!refused.ok || refused.value.uses.every(({ column }) => column === 'more'), around)
  }
})

test('a manifest has the whole of a document or parts of it, and says where they are', () => {
  const city = { name: 'city', type: 'text', source: 'profile', path: ['city'] } as const
  for (const columns of [
    [{ ...city, path: ['city'], source: undefined }],
    [{ name: 'profile', type: 'json' } as const, { ...city, path: ['city'] }],
    [{ name: 'all', type: 'json', source: 'profile' } as const, { ...city, path: ['city'] }],
    [{ ...city, path: [] }],
    [{ ...city, path: ['a', '\0'] }],
  ])
    assert.throws(() => testManifest('people', { columns }))
  assert.ok(testManifest('people', { columns: [{ ...city, path: ['city'] }] }))
})
