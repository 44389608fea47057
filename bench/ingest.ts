import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBDataChunk } from '@duckdb/node-api'
import { silentLog } from '../src/kernel/log.ts'
import { openPostgres } from '../src/kernel/postgres/open-postgres.ts'
import { ok } from '../src/kernel/result.ts'
import { describeDataSet } from '../src/site/datasets/describe-data-set.ts'
import { importFile } from '../src/site/datasets/import-file.ts'
import type { ImportParts } from '../src/site/datasets/import-file.ts'
import { openParts } from '../test/site/datasets/an-import-site.ts'
import { aManifest, WATCH } from '../test/site/vault/a-manifest.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * A wearable's file: person key, time, two numbers, a boolean, a short text; a hundred rows a person. The whole path is
 * timed, from the file to the durable receipt: digest, check, numbering, keys, rows, saga. The baseline appends the
 * same rows, already in memory and typed, to a fresh DuckDB file, and commits.
 */

const rows = Math.round(3_000_000 * scale())
const people = Math.ceil(rows / 100)
const directory = await mkdtemp(join(tmpdir(), 'hedgerow-bench-'))
try {
  const file = join(directory, 'watch.csv')
  await writeFileOf(file, { rows, people })
  const noted = join(directory, 'noted.csv')
  const notedRows = Math.round(rows / 10)
  await writeFileOf(noted, { rows: notedRows, people: Math.ceil(people / 10), note: true })
  const baseline = await appendAlone(file)
  await using postgres = await openPostgres({ directory, name: 'bench', log: silentLog })
  await using parts = await openParts(postgres.db, directory)
  const first = await timeImport(parts, file)
  const again = await timeImport(parts, file, { dataSet: 'watch_again' })
  const sealed = await timeImport(parts, noted, { dataSet: 'noted', note: true })
  const { size } = await stat(file)
  const goal = 'at least 300000'
  writeReport({
    name: 'ingest',
    scale: scale(),
    figures: [
      { name: 'CSV, new people', value: first, unit: 'rows/s', baseline, goal, met: first >= 300_000 },
      { name: 'CSV, known people', value: again, unit: 'rows/s', baseline, goal, met: again >= 300_000 },
      { name: 'CSV, new people, bytes', value: (first * size) / rows / 1e6, unit: 'MB/s' },
      { name: 'CSV with one sealed text a row', value: sealed, unit: 'rows/s', baseline },
    ],
  })
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function writeFileOf(
  path: string,
  { rows: count, people: persons, note = false }: { rows: number; people: number; note?: boolean },
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`
    copy (select 'watch-' || (i * 7919 % ${persons}) as wearer,
        (timestamp '2026-01-01' + to_minutes(i % 500000))::varchar as "at",
        i % 200 as steps, round(50 + (i * 31 % 1000) / 10.0, 1) as heart_rate, i % 3 = 0 as is_worn,
        ['walk', 'run', 'rest', 'sleep'][1 + i % 4] as activity ${note ? `, 'felt like ' || i as note` : ''}
      from range(${count}) r(i)) to '${path}' (header)`)
  connection.closeSync()
  instance.closeSync()
}

async function appendAlone(path: string): Promise<number> {
  const reader = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()
  const result = await reader.stream(`
    select (hash(wearer) % ${people})::integer, "at", steps, heart_rate, is_worn, activity
    from read_csv('${path}', types = {'at': 'TIMESTAMP', 'steps': 'BIGINT', 'heart_rate': 'DOUBLE', 'is_worn': 'BOOLEAN'})`)
  const chunks: DuckDBDataChunk[] = await result.fetchAllChunks()
  const instance = await DuckDBInstance.create(join(directory, 'alone.duckdb'), { threads: '2' })
  const connection = await instance.connect()
  await connection.run(
    'create table t ("_p" integer, "at" timestamp, steps bigint, heart_rate double, is_worn boolean, activity varchar)',
  )
  const start = performance.now()
  await connection.run('begin')
  const appender = await connection.createAppender('t')
  for (const chunk of chunks) appender.appendDataChunk(chunk)
  appender.closeSync()
  await connection.run('commit')
  const seconds = (performance.now() - start) / 1_000
  connection.closeSync()
  instance.closeSync()
  reader.closeSync()
  return rows / seconds
}

async function timeImport(
  parts: ImportParts,
  path: string,
  { dataSet = 'watch', note = false }: { dataSet?: string; note?: boolean } = {},
): Promise<number> {
  const columns = note
    ? [...WATCH.columns, { name: 'note', type: 'text', sensitivity: 'free_text' }]
    : WATCH.columns
  const manifest = aManifest({ dataSet, columns })
  await describeDataSet(parts, manifest)
  const start = performance.now()
  let before = start
  const outcome = await importFile(parts, {
    dataSet: manifest.dataSet,
    format: 'csv',
    file: { path },
    mayStore: () => ok(undefined),
    onProgress: ({ step, rows: done }) => {
      if (process.env.VERBOSE === undefined) return
      console.log(dataSet, step, done, `${Math.round(performance.now() - before)} ms`)
      before = performance.now()
    },
  })
  if (!outcome.ok) throw new Error(outcome.error.code)
  return outcome.value.rows / ((performance.now() - start) / 1_000)
}
