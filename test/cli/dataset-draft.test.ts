import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { Interrupted } from '../../src/cli/failures.ts'
import { lockDirectory } from '../../src/kernel/directory-lock.ts'
import { parseYaml } from '../../src/kernel/yaml.ts'
import { manifestSchema } from '../../src/protocol/data-set.ts'
import { directory, drafted, home } from './draft-fixture.ts'
import { typedHere } from './typed-here.ts'

async function withEngine(work: (connection: DuckDBConnection) => Promise<unknown>): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await work(connection)
  connection.closeSync()
  instance.closeSync()
}

/** The guesses that were printed, by column. */
function guessesOf(out: string): Readonly<Record<string, string>> {
  const rows = out.split('\n').map((line) => line.split(/ {2,}/))
  return Object.fromEntries(
    rows
      .filter((cells) => cells.length === 5)
      .map(([name, type, empty, guess]) => [name, `${type}, ${empty}, ${guess}`]),
  )
}

const ROWS = 60

/** Visits of made-up people as a German spreadsheet has them; what is different in each row must not come out. */
function visits(): string {
  const lines = Array.from({ length: ROWS }, (_, row) =>
    [
      `MARKER-${row % 40}`,
      `Jörg MARKER${row}`,
      `${13 + (row % 15)}.0${1 + (row % 9)}.19${50 + (row % 49)}`,
      'DE',
      row % 2 === 0 ? 'ja' : 'nein',
      `1${40 + row},${row % 10}`,
      row % 3 === 0 ? '' : 'F32.1-MARKER',
      `1.2${10 + row},55`,
      row === 0 ? 'k.A.' : `${20 + row}`,
      `MARKER seit mehreren Tagen und kommt nun wieder ${row}`,
      `0810${row % 9}`,
      `marker${row}@example.org`,
    ].join(';'),
  )
  const names =
    'PatientenNr;Name;Geburtsdatum;Wohnland;Geimpft;Größe (cm);Diagnose;Kosten;Alter;Bemerkung;PLZ;erreichbar'
  return `${names}\r\n${lines.join('\r\n')}\r\n`
}

test('dataset draft reads a spreadsheet’s file and tells types and guesses, and no value of a person', async () => {
  const run = await drafted(Buffer.from(visits(), 'latin1'), 'csv', '--as', 'riverside-clinic')
  assert.equal(run.code, 0, run.error)
  assert.deepEqual(guessesOf(run.out), {
    column: 'type, empty, guess',
    patientennr: 'text, never, direct identifier',
    name: 'text, never, direct identifier',
    geburtsdatum: 'date, never, ordinary',
    wohnland: 'text, never, ordinary',
    geimpft: 'boolean, never, special category',
    groesse_cm: 'number, never, ordinary',
    diagnose: 'text, often, special category',
    kosten: 'number, never, ordinary',
    alter: 'integer, seldom, ordinary',
    bemerkung: 'text, never, free text',
    plz: 'text, never, ordinary',
    erreichbar: 'text, never, direct identifier',
  })
  assert.match(
    run.out,
    /--separator semicolon --decimal comma --thousands point --dates dd\.mm\.yyyy --true ja,j --false nein,n --missing k\.A\. --encoding windows-1252/,
  )
  const text = run.text ?? ''
  for (const line of [
    'issuer: riverside-clinic',
    'key: DECIDE patientennr',
    'rowsMax: DECIDE 5',
    'birthDate: DECIDE geburtsdatum',
    'residence: DECIDE wohnland',
    'source: "Größe (cm)"',
    'bounds: DECIDE [0, 200]',
    'bounds: DECIDE [0, 2000]',
    'bounds: DECIDE [0, 120]',
    'minimumBin: DECIDE year',
  ])
    assert.ok(text.includes(line), line)
  for (const said of [run.out, run.error, text]) {
    assert.doesNotMatch(said, /marker|F32|Jörg|seit|example\.org/i)
    // The greatest and the least of what was measured.
    assert.doesNotMatch(said, /\b(140|199|1209|1269|1210|08101|1950|1998|79)\b/)
  }
})

test('a draft is no manifest before everything is decided, and one after', async () => {
  const { text = '', outFile } = await drafted(visits(), 'csv', '--as', 'riverside-clinic')
  const described = await typedHere(home, ['dataset', 'describe', outFile, '--as', 'riverside-clinic'])
  assert.equal(described.code, 2)
  assert.match(
    described.error,
    /3\d things are still to be decided in it\n {2}person\.key: guessed patientennr\n/,
  )
  assert.match(described.error, /\n {2}columns\[diagnose\]\.sensitivity: guessed special_category\n/)
  const problemsOf = (yaml: string) => {
    const document = parseYaml(yaml)
    const parsed = manifestSchema.safeParse(document.ok ? document.value : undefined)
    return parsed.success ? [] : parsed.error.issues.map(({ path }) => String(path[0]))
  }
  // Nor is it one for whoever reads it without that word, whatever of the guesses is accepted.
  const accepted = text.replaceAll(/DECIDE (?=\S)/g, '')
  assert.deepEqual([...new Set(problemsOf(accepted))].toSorted(), [
    'legalBasis',
    'perimeter',
    'purposes',
    'retention',
    'specialCategoryBasis',
    'splits',
    'tariff',
    'title',
  ])
  for (const field of ['sensitivity', 'bounds', 'minimumBin'])
    assert.ok(problemsOf(accepted.replace(`${field}: `, `${field}: DECIDE `)).includes('columns'), field)
  for (const field of ['key', 'rowsMax', 'birthDate', 'residence'])
    assert.ok(problemsOf(accepted.replace(`${field}: `, `${field}: DECIDE `)).includes('person'), field)
  const decided = accepted
    .replace("title: ''", 'title: Visits')
    .replace('legalBasis: DECIDE', 'legalBasis: eu-gdpr:A6-1-a')
    .replace('specialCategoryBasis: DECIDE', 'specialCategoryBasis: eu-gdpr:A9-2-a')
    .replace('purposes: [DECIDE]', "purposes: ['dpv:AcademicResearch']")
    .replaceAll('within: [DECIDE]', 'within: [DE]')
    .replace('period: DECIDE', 'period: P5Y')
    .replace('from: DECIDE', "from: '2026-01-01'")
    .replace('currency: DECIDE', 'currency: EUR')
    .replaceAll('Minor: DECIDE', 'Minor: 100')
    .replaceAll(/(issuer|custodian|network|subjects): DECIDE/g, '$1: 2500')
  assert.deepEqual(problemsOf(decided), [])
})

test('dataset draft reads packed CSV, NDJSON and Parquet by the types that they say', async () => {
  const plain = Array.from({ length: 30 }, (_, row) => `p${row},2026-05-0${1 + (row % 9)},${row}.5,true`)
  const packed = await drafted(gzipSync(`id,day,minutes,ok\n${plain.join('\n')}\n`), 'csv.gz')
  const expected = {
    column: 'type, empty, guess',
    id: 'text, never, direct identifier',
    day: 'date, never, ordinary',
    minutes: 'number, never, ordinary',
    ok: 'boolean, never, ordinary',
  }
  assert.deepEqual(guessesOf(packed.out), expected)
  assert.doesNotMatch(packed.out, /not plain CSV/)
  assert.match(packed.text ?? '', /issuer: DECIDE/)
  const lines = Array.from({ length: 30 }, (_, row) =>
    JSON.stringify({
      id: `p${row}`,
      at: '2026-05-01T10:00:00Z',
      n: row,
      code: '0815',
      list: [1],
      deep: { a: 1 },
    }),
  )
  const ndjson = await drafted(`${lines.join('\n')}\n`, 'ndjson')
  assert.equal(ndjson.code, 0, ndjson.error)
  const types = { at: 'timestamp', code: 'text', deep: 'json', list: 'json', n: 'integer' }
  for (const [name, type] of Object.entries(types))
    assert.match(guessesOf(ndjson.out)[name] ?? '', new RegExp(`^${type},`))
  const parquet = join(directory, 'made.parquet')
  await withEngine((connection) =>
    connection.run(
      `copy (select 'p' || i as id, date '2026-05-01' + i::int as "day", i + 0.5 as minutes, i % 2 = 0 as ok, [i] as list, '12' as code, timestamp '1980-05-01' + to_days(i::int) as born from range(30) t(i)) to '${parquet}'`,
    ),
  )
  const made = await drafted(await readFile(parquet), 'parquet')
  assert.deepEqual(guessesOf(made.out), {
    ...expected,
    list: 'integer[], never, ordinary',
    code: 'text, never, ordinary',
    born: 'date, never, ordinary',
  })
})

test('dataset draft says what no value tells, and that lines are torn', async () => {
  const days = await drafted(`id,day\n${'p,01/02/2026\n'.repeat(3)}`, 'csv')
  assert.match(days.out, /Beware: no value tells whether dates are dd\/mm\/yyyy or mm\/dd\/yyyy/)
  const told = await drafted(`id,day\n${'p,01/02/2026\n'.repeat(3)}`, 'csv', '--dates', 'mm/dd/yyyy')
  assert.doesNotMatch(told.out, /Beware/)
  assert.match(told.out, /--dates mm\/dd\/yyyy/)
  const torn = await drafted('id,day\np,2026-01-01\nq\nr,2026-01-01,x\n', 'csv')
  assert.match(torn.out, /Beware: 2 lines have another shape than the first: an import would refuse them/)
  const one = await drafted('id,day\np,2026-01-01\nq\n', 'csv')
  assert.match(one.out, /Beware: 1 line has another .* refuse it\n[^]*is a draft from 1 row\./)
  const some = await drafted(`id,n\n${'p,1\n'.repeat(50)}q,MARKER\n`, 'csv', '--sample', '50')
  assert.match(guessesOf(some.out)['n'] ?? '', /^boolean/)
  assert.match(some.text ?? '', /Drafted from the first rows/)
})

test('dataset draft refuses what it cannot draft from in one sentence, quotes none of it and leaves nothing', async () => {
  const refused: readonly (readonly [string | Uint8Array, string, RegExp, ...string[]])[] = [
    ['', 'csv', /Cannot draft from the file: it is empty/],
    ['id,day\n', 'csv', /it has no rows/],
    ['MARKER,1990-01-31\nMARKER2,1991-01-31\n', 'csv', /line 1, field 2 seems to be a value and no name/],
    ['MARKER,MARKERTOWN\nMARKER2,MARKERTOWN\n', 'csv', /line 1, field 2 seems to be a value/],
    ['marker@example.org,x\na,b\n', 'csv', /line 1, field 1 seems to be a value/],
    ['id,,x\n1,2,3\n', 'csv', /line 1, field 2 is empty: give the column a name/],
    ['id,x,x\n1,2,3\n', 'csv', /line 1, field 3 has the name of another column/],
    ['id,MARKER\0x\n1,2\n', 'csv', /line 1, field 2 has a sign in it that no name has/],
    ['{"id":1,"MARKER\\u0000x":1}\n', 'ndjson', /member 1 .* has a sign in it that no name has/],
    ['MARKER,0171/2345678\nMARKER2,x\n', 'csv', /line 1, field 2 seems to be a value and no name/],
    [
      'MARKER,550e8400-e29b-41d4-a716-446655440000\nMARKER2,x\n',
      'csv',
      /line 1, field 2 seems to be a value and no name/,
    ],
    ['MARKER,DE89370400440532013000\nMARKER2,x\n', 'csv', /line 1, field 2 seems to be a value/],
    ['{"id":1,"marker@example.org":1}\n', 'ndjson', /member 2 .* seems to be a value and no name/],
    [gzipSync('id,x\n1,2\n').subarray(0, 20), 'csv.gz', /its gzip packing is broken/],
    ['MARKER', 'parquet', /it is not a whole Parquet file/],
    ['1\n"MARKER"\n', 'ndjson', /no line of it is a JSON object/],
    ['[{"id": "MARKER"}]', 'ndjson', /one JSON document, expected one object a line.*jq -c/],
    ['id,MARKER\rp,1\r', 'csv', /not end with a line feed but with a carriage return/],
    ['id\n1\n', 'csv', /expected a form with a year of four digits/, '--dates', 'dd.mm.yy'],
    ['id\n1\n', 'csv', /--thousands: expected another sign/, '--thousands', '.'],
    ['{}\n', 'ndjson', /Cannot use --separator with ndjson/, '--separator', ';'],
    ['id\n1\n', 'csv', /Cannot use --name "No": expected/, '--name', 'No'],
    ['id\n1\n', 'txt', /Say the format/],
    ['PK', 'xlsx', /it is a spreadsheet; save it as CSV/],
    ['[]', 'json', /--format: ndjson where it has one object a line/],
  ]
  for (const [content, ending, says, ...options] of refused) {
    const run = await drafted(content, ending, ...options)
    assert.match(run.error, says)
    assert.ok(run.code > 0, `${run.code}: ${run.error}`)
    assert.doesNotMatch(run.error + run.out, /marker/i)
    assert.equal(run.text, undefined)
  }
})

test('a first line of names that look like values is taken where somebody says so', async () => {
  const content = `id,2024,2025\n${'p,1,2\nq,2024,3\n'.repeat(3)}`
  const refused = await drafted(content, 'csv')
  assert.match(
    refused.error,
    /line 1, field 2 seems to be a value .* names that look so, .* say --has-names/s,
  )
  const { code, error, text = '' } = await drafted(content, 'csv', '--has-names')
  assert.equal(code, 0, error)
  assert.match(text, /- name: column_2_2024\n {4}source: "2024"\n/)
  const twice = await drafted('id,1,1\na,2,3\n', 'csv', '--has-names')
  assert.match(twice.error, /line 1, field 3 has the name of another column/)
  const ndjson = '{"550e8400-e29b-41d4-a716-446655440000":1}\n'
  assert.match((await drafted(ndjson, 'ndjson')).error, /seems to be a value .* say --has-names/)
  assert.match((await drafted(ndjson, 'ndjson', '--has-names')).text ?? '', /source: "550e8400-/)
  assert.equal((await drafted('{"2024":1}\n', 'ndjson')).code, 0, 'which no line of values is')
})

test('dataset draft tells whoever looks what it is at, and nobody else', async () => {
  const file = join(directory, 'watched.csv')
  await writeFile(file, `id,n\n${'p,5\n'.repeat(50)}`)
  const typed = async (isErrorInteractive: boolean, out: string) =>
    typedHere(home, ['dataset', 'draft', file, '--out', join(directory, out)], { isErrorInteractive })
  const steps = ['reading it', 'looking at its columns', 'measuring its numbers', 'counting rows of a person']
  const { error, code } = await typed(true, 'watched.yaml')
  assert.equal(code, 0, error)
  const told = error.split('\r').flatMap((line) => /watched\.csv: ([^,]*)/.exec(line)?.[1] ?? [])
  assert.deepEqual([...new Set(told)], steps)
  assert.ok(error.endsWith('\r\u001B[2K'), 'the line is taken away')
  assert.equal((await typed(false, 'unwatched.yaml')).error, '')
})

test('what stands in the name of a file or column is obeyed by no terminal, shell or editor', async () => {
  const file = join(directory, "it's; \u001b[31m$(touch x).csv")
  const out = join(directory, '`touch y`.yaml')
  const name = 'a: !!js x \u202e # \u200b \u{e0041}'
  await writeFile(file, `id,"${name}"\n1,2\n`)
  const args = ['dataset', 'draft', file, '--name', 'evil', '--out', out]
  const run = await typedHere(home, args, { isErrorInteractive: true })
  assert.equal(run.code, 0, run.error)
  assert.ok(!run.error.includes('\u001b[31m'))
  assert.ok(run.error.includes('\\u001b[31m'), 'it is shown')
  const [, describe = '', imported = ''] = run.out.slice(run.out.indexOf('is a draft from')).split('\n')
  assert.equal(describe, `  hedgerow dataset describe '${out}'`)
  assert.ok(imported.endsWith(`it'\\''s; \\u001b[31m$(touch x).csv'`), imported)
  const text = await readFile(out, 'utf8')
  assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cf}]/u)
  const document = parseYaml(text.replaceAll(/DECIDE (?=\S)/g, ''))
  const { columns } = document.ok ? (document.value as { columns: { source?: string }[] }) : { columns: [] }
  assert.equal(columns[1]?.source, name)
})

test('what a draft that was killed left is removed by the next, and nothing of one that goes on', async () => {
  const [killed, going] = [join(home, 'draft-killed'), join(home, 'draft-going')]
  for (const one of [killed, going]) {
    await using held = new AsyncDisposableStack()
    held.use(await lockDirectory(one))
    await writeFile(join(one, 'file'), 'MARKER')
  }
  const gone = spawnSync('true').pid
  await writeFile(join(killed, 'lock'), JSON.stringify({ host: hostname(), pid: gone }))
  {
    await using held = new AsyncDisposableStack()
    held.use(await lockDirectory(going))
    const file = join(directory, 'after.csv')
    await writeFile(file, 'id,x\n1,2\n')
    const run = await typedHere(home, ['dataset', 'draft', file, '--out', join(directory, 'after.yaml')])
    assert.equal(run.code, 0, run.error)
    assert.deepEqual(await readdir(home), ['draft-going'])
    assert.equal(await readFile(join(going, 'file'), 'utf8'), 'MARKER')
  }
  await rm(going, { recursive: true })
})

test('an error of the engine, which quotes values, is kept back', async () => {
  const whole = join(directory, 'whole.parquet')
  await withEngine((connection) =>
    connection.run(
      `copy (select 'MARKER' || i as id from range(3000) t(i)) to '${whole}' (compression 'uncompressed')`,
    ),
  )
  const torn = Buffer.from(
    (await readFile(whole)).toString('latin1').replaceAll('KER1', '\u00ff'.repeat(4)),
    'latin1',
  )
  const run = await drafted(torn, 'parquet')
  assert.equal(run.error, 'Cannot draft from the file: it is not a whole Parquet file\n')
})

test('a draft that is stopped stops at once, and leaves nothing', async () => {
  const file = join(directory, 'stopped.csv')
  const out = join(directory, 'stopped.yaml')
  await writeFile(file, `id,n\n${'person,1\n'.repeat(500_000)}`)
  const interrupt = new AbortController()
  const started = performance.now()
  setTimeout(() => interrupt.abort(new Interrupted('SIGINT')), 400)
  const run = await typedHere(home, ['dataset', 'draft', file, '--out', out], { signal: interrupt.signal })
  assert.equal(run.code, 130, run.error)
  assert.equal(run.error, 'Stopped; no draft was written\n')
  // Counting alone takes twice as long.
  assert.ok(performance.now() - started < 2_000, `after ${performance.now() - started} ms`)
  assert.deepEqual(await readdir(home), [])
})

test('dataset draft writes over nothing', async () => {
  const { outFile, text } = await drafted('id,x\n1,2\n', 'csv')
  await writeFile(join(directory, 'again.csv'), 'id,y\n1,2\n')
  const again = await typedHere(home, ['dataset', 'draft', join(directory, 'again.csv'), '--out', outFile])
  assert.equal(again.code, 2)
  assert.match(again.error, /is there already/)
  assert.equal(await readFile(outFile, 'utf8'), text)
})
