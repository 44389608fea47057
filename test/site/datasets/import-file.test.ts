import assert from 'node:assert/strict'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { digestOf } from '../../../src/kernel/digest.ts'
import { ok } from '../../../src/kernel/result.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { declined } from '../../../src/protocol/reason.ts'
import { describeDataSet } from '../../../src/site/datasets/describe-data-set.ts'
import { importFile } from '../../../src/site/datasets/import-file.ts'
import type { ImportRequest } from '../../../src/site/datasets/import-file.ts'
import { listDataSets } from '../../../src/site/datasets/list-data-sets.ts'
import { lookupDigest } from '../../../src/site/vault/keys/lookup-digest.ts'
import { openCell } from '../../../src/site/vault/keys/person-keys.ts'
import { filesOf } from '../../../src/testing/files-of.ts'
import { sharedDirectory } from '../../shared.ts'
import { aManifest, WATCH } from '../vault/a-manifest.ts'
import { bytesOf, TEST_SECRET } from './an-import-site.ts'
import { site, HEADER, GOOD, freshManifest, rowsFrom, GOOD_ROWS, refuses } from './import-file-fixture.ts'

test('importFile() takes a CSV with its types, and numbers beyond the bounds as they are', async () => {
  const manifest = freshManifest()
  const steps: string[] = []
  const imported = await site.import(manifest, {
    file: { stream: bytesOf(GOOD) },
    onProgress: ({ step }) => steps.push(step),
  })
  assert.equal(imported.rows, 3)
  assert.equal(imported.newPeople, 2)
  assert.equal(imported.isNew, true)
  assert.deepEqual(await rowsFrom(manifest), GOOD_ROWS)
  assert.deepEqual([...new Set(steps)], ['checking', 'numbering', 'done'])
  assert.deepEqual(await readdir(join(site.directory, 'vault', 'spool')), [])
})

test('gzip, carriage returns, a byte order mark, another order of columns and no last newline give the same rows', async () => {
  const reordered =
    'activity,is_worn,heart_rate,steps,at,wearer\nwalk,t,61.5,12,2026-01-01 10:00:00,ann\n,,,,2026-01-01 10:01:00,bob\nrun,no,7e1,4000,2026-01-01 10:02:00.000,ann'
  for (const content of [
    gzipSync(GOOD),
    GOOD.replaceAll('\n', '\r\n'),
    `\ufeff${GOOD}`,
    reordered,
    `"wearer",${GOOD.slice(7)}`,
    `${GOOD}\n\n`,
  ]) {
    const manifest = freshManifest()
    await site.import(manifest, { file: { stream: bytesOf(content) } })
    assert.deepEqual(await rowsFrom(manifest), GOOD_ROWS)
  }
})

test('NDJSON, plain and packed, gives the same rows', async () => {
  const lines = [
    {
      wearer: 'ann',
      at: '2026-01-01T10:00:00Z',
      steps: 12,
      heart_rate: 61.5,
      is_worn: true,
      activity: 'walk',
    },
    { wearer: 'bob', at: '2026-01-01 10:01', steps: null, activity: '' },
    {
      activity: 'run',
      heart_rate: 70,
      steps: 4000,
      is_worn: false,
      at: '2026-01-01T12:02:00+02:00',
      wearer: 'ann',
    },
  ]
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  for (const content of [text, gzipSync(text)]) {
    const manifest = freshManifest()
    await site.import(manifest, { format: 'ndjson', file: { stream: bytesOf(content) } })
    assert.deepEqual(await rowsFrom(manifest), GOOD_ROWS)
  }
})

test('Parquet gives the same rows, from narrower types as well', async () => {
  const path = join(site.directory, 'good.parquet')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`
    copy (select * from (values
      ('ann', timestamp '2026-01-01 10:00:00', 12::smallint, 61.5::float, true, 'walk'),
      ('bob', timestamp '2026-01-01 10:01:00', null, null, null, null),
      ('ann', timestamp '2026-01-01 10:02:00', 4000::smallint, 70::float, false, 'run')
    ) v(wearer, "at", steps, heart_rate, is_worn, activity)) to '${path}' (format parquet)`)
  const manifest = freshManifest()
  await site.import(manifest, { format: 'parquet', file: { path } })
  assert.deepEqual(await rowsFrom(manifest), GOOD_ROWS)
  const whole = await readFile(path)
  await refuses(whole.subarray(0, whole.length - 20), { format: 'parquet', says: /not a whole Parquet file/ })
  // A data frame has no type for a day: it writes midnight.
  const frame = join(site.directory, 'frame.parquet')
  const days = { columns: [...WATCH.columns, { name: 'worn_on', type: 'date' }] }
  const framed = async (day: string) => {
    await connection.run(`copy (select 'ann' as wearer, timestamp '2026-01-01' as "at", 1 as steps, 1.5 as heart_rate,
      true as is_worn, 'walk' as activity, ${day} as worn_on) to '${frame}' (format parquet)`)
    return readFile(frame)
  }
  await framed(`'2026-01-31'::timestamp_ns`)
  const dated = freshManifest(days)
  await site.import(dated, { format: 'parquet', file: { path: frame } })
  assert.match(JSON.stringify(await rowsFrom(dated, 'worn_on')), /2026-01-31/)
  const refused = { format: 'parquet', changes: days } as const
  await refuses(await framed(`timestamp '2026-01-31 01:00:00'`), {
    ...refused,
    says: /row 1, column "worn_on": expected a date/,
  })
  await refuses(await framed(`timestamptz '2026-01-31 00:00:00Z'`), { ...refused, says: /holds date/ })
  // Two million rows in a few kilobytes.
  const bomb = join(site.directory, 'bomb.parquet')
  await connection.run(`copy (select 'ann' as wearer, timestamp '2026-01-01' as "at", 1 as steps, 1.5 as heart_rate,
    true as is_worn, 'walk' as activity from range(2000000)) to '${bomb}' (format parquet)`)
  await refuses(await readFile(bomb), {
    format: 'parquet',
    says: /more than 1,000 times as much in its rows/,
  })
})

test('rows are moved in the order of the file, which going on after a crash relies upon', async () => {
  const path = join(site.directory, 'ordered.parquet')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`
    copy (select 'w' || (i * 7919 % 1000) as wearer, timestamp '2026-01-01' as "at", i as steps, 1.5 as heart_rate,
      true as is_worn, repeat('x', (i % 50)::integer) as activity from range(400000) r(i))
    to '${path}' (format parquet, row_group_size 4096)`)
  const manifest = freshManifest({
    columns: WATCH.columns.map((column) =>
      column.name === 'activity' ? { name: 'activity', type: 'text' } : column,
    ),
  })
  await site.import(manifest, { format: 'parquet', file: { path } })
  assert.deepEqual(await rowsFrom(manifest, 'count(*), count(*) filter (steps <> rowid)'), [[400_000n, 0n]])
})

test('the same batch again changes nothing; with another file it is a conflict', async () => {
  const manifest = freshManifest()
  const first = await site.import(manifest, { batch: 'monday', file: { stream: bytesOf(GOOD) } })
  const second = await site.import(manifest, { batch: 'monday', file: { stream: bytesOf(GOOD) } })
  assert.deepEqual(second, { ...first, isNew: false })
  await assert.rejects(
    site.import(manifest, { batch: 'monday', file: { stream: bytesOf(`${GOOD}ann,2026-01-02,,,,\n`) } }),
    {
      code: 'fault.idempotency_conflict',
    },
  )
  assert.deepEqual(await rowsFrom(manifest), GOOD_ROWS)
  const receipts = await site.parts.receipts.list({ after: -1, limit: 1_000, kind: 'ingest' })
  const own = receipts.filter(({ jws }) =>
    Buffer.from(jws.split('.')[1] ?? '', 'base64url').includes(`"${manifest.dataSet}"`),
  )
  assert.equal(own.length, 1)
})

test('a batch without a name is known again by its file', async () => {
  const manifest = freshManifest()
  const path = join(site.directory, 'good.csv')
  await writeFile(path, GOOD)
  assert.equal((await site.import(manifest, { file: { path } })).isNew, true)
  const again = await site.import(manifest, { file: { stream: bytesOf(GOOD) } })
  assert.equal(again.isNew, false)
  // Its name stands in a receipt: whoever can guess the file must not be able to tell that it was this one.
  const plain = digestOf(GOOD).slice('sha-256:'.length)
  assert.ok(!again.batch.includes(plain.slice(0, 16)), again.batch)
})

test('people keep their numbers from file to file and from data set to data set of one issuer', async () => {
  const numberOf = async (manifest: Manifest, personKey: string) => {
    const lookup = lookupDigest([TEST_SECRET], { issuer: manifest.issuer, personKey })
    return (await site.parts.vault.findPeople([lookup]))[0]
  }
  const one = freshManifest()
  await site.import(one, { file: { stream: bytesOf(GOOD) } })
  const ann = await numberOf(one, 'ann')
  const other = freshManifest({ issuer: 'rival' })
  const imported = await site.import(other, { file: { stream: bytesOf(GOOD) } })
  assert.equal(imported.newPeople, 2)
  assert.equal(await numberOf(one, 'ann'), ann)
  assert.notEqual(await numberOf(other, 'ann'), ann)
})

test('what the place does not allow is declined before a byte is read', async () => {
  const manifest = freshManifest()
  await site.import(manifest, { file: { stream: bytesOf(GOOD) } })
  let isRead = false
  async function* spied(): AsyncGenerator<Uint8Array> {
    isRead = true
    yield* bytesOf(GOOD)
  }
  const outcome = await importFile(site.parts, {
    dataSet: manifest.dataSet,
    format: 'csv',
    batch: 'elsewhere',
    file: { stream: spied() },
    mayStore: () => declined('declined.perimeter_store'),
  })
  assert.ok(!outcome.ok)
  assert.equal(outcome.error.code, 'declined.perimeter_store')
  assert.equal(isRead, false)
})

test('an import that is called off leaves nothing of its batch', async () => {
  const manifest = freshManifest()
  const controller = new AbortController()
  const request = {
    batch: 'called-off',
    file: { stream: bytesOf(GOOD) },
    signal: controller.signal,
    onProgress: ({ step }: { step: string }) => {
      if (step === 'numbering') controller.abort()
    },
  }
  await assert.rejects(site.import(manifest, request), { name: 'AbortError' })
  assert.deepEqual(await rowsFrom(manifest), [])
  assert.equal(
    (await site.import(manifest, { batch: 'called-off', file: { stream: bytesOf(GOOD) } })).isNew,
    true,
  )
})

test('names, keys and free texts are in no file of the vault in clear, and open with the key of their person', async () => {
  const manifest = freshManifest({
    columns: [
      ...WATCH.columns,
      { name: 'name', type: 'text', sensitivity: 'direct_identifier' },
      { name: 'born', type: 'date', sensitivity: 'direct_identifier' },
      { name: 'note', type: 'text', sensitivity: 'free_text' },
    ],
    person: { key: 'wearer', birthDate: 'born' },
  })
  const header = `${HEADER.trimEnd()},name,born,note\n`
  const line = (index: number) =>
    `MARKERKEY${index},2026-01-01,${index},1,true,walk,MARKERNAME${index},2010-05-0${index},"MARKERNOTE ${index}, twice ""quoted"""\n`
  await site.import(manifest, {
    file: { stream: bytesOf(header + [1, 2, 3].map(line).join('') + line(1).replace('MARKERNOTE', 'x')) },
  })
  const lookup = lookupDigest([TEST_SECRET], { issuer: manifest.issuer, personKey: 'MARKERKEY2' })
  const [person = -1] = await site.parts.vault.findPeople([lookup])
  const rows = await site.parts.vault.listRows(manifest.dataSet, person)
  const key = (await site.parts.keys.keyOf(site.parts.db, person))?.reveal()
  assert.ok(key)
  const cell = (column: string) => {
    const [sealed] = rows.bytes(rows.columns.findIndex(({ name }) => name === column))
    return openCell(sealed ?? new Uint8Array(), { key, place: { dataSet: manifest.dataSet, column } })
  }
  assert.equal(cell('name'), 'MARKERNAME2')
  assert.equal(cell('born'), '2010-05-02')
  assert.equal(cell('note'), 'MARKERNOTE 2, twice "quoted"')
  const [own] = (await site.parts.vault.listSealedKeys(person)).filter(
    ({ dataSet }) => dataSet === manifest.dataSet,
  )
  assert.equal(
    openCell(own?.sealed ?? new Uint8Array(), {
      key,
      place: { dataSet: manifest.dataSet, column: 'wearer' },
    }),
    'MARKERKEY2',
  )
  const { birthDay } = await site.parts.vault.principals()
  assert.equal(birthDay[person], Date.parse('2010-05-02') / 86_400_000)

  const { path } = await site.parts.vault.snapshot(() => Promise.resolve())
  assert.ok((await readFile(path)).length > 0)
  for (const bytes of await filesOf(join(site.directory, 'vault'))) assert.ok(!bytes.includes('MARKER'))
  await site.parts.keys.destroyKeys(site.parts.db, [person])
  assert.equal(await site.parts.keys.keyOf(site.parts.db, person), undefined)
})

test('a person with two residences in a file has none that is known', async () => {
  const manifest = freshManifest({
    columns: [...WATCH.columns, { name: 'country', type: 'text' }],
    person: { key: 'wearer', residence: 'country' },
    issuer: 'settler',
  })
  const header = `${HEADER.trimEnd()},country\n`
  const line = (who: string, country: string) => `${who},2026-01-01,1,1,true,walk,${country}\n`
  await site.import(manifest, {
    file: {
      stream: bytesOf(
        header + line('ann', 'IE') + line('ann', 'CH') + line('bob', 'CH') + line('cem', 'Utopia'),
      ),
    },
  })
  const numbers = await site.parts.vault.findPeople(
    ['ann', 'bob', 'cem'].map((personKey) => lookupDigest([TEST_SECRET], { issuer: 'settler', personKey })),
  )
  const { residence, countries } = await site.parts.vault.principals()
  assert.deepEqual(
    [...numbers].map((person) => countries[residence[person] ?? 0]),
    ['', 'CH', ''],
  )
})

test('the athletes of Rio come in whole', async () => {
  const path = fileURLToPath(import.meta.resolve('@observablehq/sample-datasets/olympians.csv'))
  const manifest = freshManifest({
    issuer: 'federation',
    person: { key: 'id', birthDate: 'date_of_birth' },
    columns: [
      { name: 'id', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
      { name: 'name', type: 'text', sensitivity: 'direct_identifier' },
      { name: 'nationality', type: 'text' },
      { name: 'sex', type: 'text', values: ['female', 'male'] },
      { name: 'date_of_birth', type: 'date' },
      { name: 'height', type: 'number' },
      { name: 'weight', type: 'number' },
      { name: 'sport', type: 'text' },
      { name: 'gold', type: 'integer' },
      { name: 'silver', type: 'integer' },
      { name: 'bronze', type: 'integer' },
      { name: 'info', type: 'text', sensitivity: 'free_text' },
    ],
  })
  const imported = await site.import(manifest, { file: { path } })
  assert.equal(imported.rows, 11_538)
  assert.equal(imported.newPeople, 11_538)
  assert.deepEqual(
    await rowsFrom(manifest, 'count(*), count(distinct "_p"), sum(gold), round(avg(height), 4)'),
    [[11_538n, 11_538n, 666n, 1.7663]],
  )
  const summaries = await listDataSets(site.parts)
  const summary = summaries.find(({ dataSet }) => dataSet === manifest.dataSet)
  assert.deepEqual([summary?.rows, summary?.people, summary?.batches], [11_538, 11_538, 1])
})

test(
  'a wearables file of many minutes comes in as it is',
  { skip: sharedDirectory() ? false : 'no shared data beside the checkout' },
  async () => {
    const path = join(sharedDirectory() ?? '', 'data/wearables/minute_steps.csv.gz')
    const manifest = freshManifest({
      issuer: 'fitter',
      person: { key: 'person_id' },
      columns: [
        { name: 'person_id', type: 'integer', sensitivity: 'direct_identifier' },
        { name: 'activity_minute', type: 'timestamp' },
        { name: 'steps', type: 'integer' },
      ],
    })
    const imported = await site.import(manifest, { file: { path } })
    const lines = gunzipSync(await readFile(path))
      .toString()
      .trimEnd()
      .split('\n')
      .slice(1)
    const steps = lines.reduce((sum, line) => sum + Number(line.split(',')[2]), 0)
    assert.equal(imported.rows, lines.length)
    assert.deepEqual(await rowsFrom(manifest, 'count(*), sum(steps)'), [
      [BigInt(lines.length), BigInt(steps)],
    ])
  },
)

test('importFile() knows only data sets that are described', async () => {
  const outcome = importFile(site.parts, {
    dataSet: aManifest({ dataSet: 'unheard_of' }).dataSet,
    format: 'csv',
    file: { stream: bytesOf(GOOD) },
    mayStore: () => ok(undefined),
  })
  await assert.rejects(outcome, { code: 'fault.not_found' })
})

test('rows that came while the manifest changed are not taken by the one of before, nor does it change under an import', async () => {
  const manifest = freshManifest()
  const stricter = aManifest({
    dataSet: manifest.dataSet,
    columns: manifest.columns.map((column) =>
      column.name === 'steps' ? { ...column, isRequired: true } : column,
    ),
  })
  const request = { batch: 'monday', file: { stream: bytesOf(GOOD) } }
  const changing = async () => {
    await describeDataSet(site.parts, stricter)
    return ok(undefined)
  }
  await assert.rejects(site.import(manifest, { ...request, mayStore: changing }), {
    code: 'fault.conflict',
    message: /its manifest changed/,
  })
  assert.deepEqual(await rowsFrom(manifest), [])
  let meanwhile: Promise<unknown> | undefined
  const onProgress: ImportRequest['onProgress'] = () => {
    meanwhile ??= describeDataSet(site.parts, stricter).catch((error: unknown) => error)
  }
  await site.import(manifest, { batch: 'tuesday', file: { stream: bytesOf(GOOD) }, onProgress })
  assert.match(String(await meanwhile), /there are rows without a value/)
})
