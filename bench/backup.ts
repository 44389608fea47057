import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { sql } from 'kysely'
import { silentLog } from '../src/kernel/log.ts'
import { systemRandom } from '../src/kernel/random.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { backupDirectory } from '../src/site/backup/backups.ts'
import { makeBackup } from '../src/site/backup/make-backup.ts'
import { restoreBackup } from '../src/site/backup/restore-backup.ts'
import { EngineChunk } from '../src/site/vault/row-chunk.ts'
import type { RowChunk } from '../src/site/vault/vault.ts'
import { testDatabaseUrl } from '../src/testing/test-postgres.ts'
import { testPeople } from '../src/testing/test-population.ts'
import { bareSite } from '../src/testing/test-site.ts'
import type { BareSite } from '../src/testing/test-site.ts'
import { aManifest } from '../test/site/vault/a-manifest.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * A backup and a restore of a site with ten million rows of a million people, two hundred thousand uses in its record,
 * against what the machine's own tools take for the same vault file: cp, which neither reads it as of one moment nor
 * encrypts it, and tar through openssl. Asks go on meanwhile.
 */

const rows = Math.round(10_000_000 * scale())
const people = Math.round(1_000_000 * scale())
const receipts = Math.round(200_000 * scale())
const SELECT = `
  select (i % ${people})::integer as "_p", timestamp '2026-01-01' + to_minutes(i % 500000) as "at", i % 200 as steps,
    round(50 + (i * 31 % 1000) / 10.0, 1)::double as heart_rate, i % 3 = 0 as is_worn,
    ['walk', 'run', 'rest', 'sleep'][1 + i % 4] as activity
  from range(${rows}) r(i)`
const run = promisify(execFile)

await using bare = await bareSite()
const directory = await mkdtemp(join(tmpdir(), 'hedgerow-bench-'))
try {
  await fill(bare)
  const { entry, seconds, asks, worstMs, quietMs } = await backUpUnderAsks(bare)
  const { path } = await bare.site.vault.snapshot(() => Promise.resolve())
  const vaultBytes = (await stat(path)).size
  const cp = await timed(() => copyFile(path, join(directory, 'copy')))
  const tar = await timed(() =>
    run('sh', [
      '-c',
      'tar -C "$1" -c . | openssl enc -aes-256-ctr -pass pass:bench -pbkdf2 > "$2"',
      'sh',
      join(path, '..'),
      join(directory, 'copy.tar'),
    ]),
  )
  await bare.site.vault.removeSnapshot()
  const restore = await timed(async () =>
    restoreBackup({
      site: 'galway',
      from: backupDirectory(entry),
      safe: bare.site.backups.safe.directory,
      keyFile: bare.site.backupSettings.keyFile,
      into: join(directory, 'restored'),
      databaseUrl: await testDatabaseUrl(),
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    }),
  )
  const megabytes = vaultBytes / 1e6
  writeReport({
    name: 'backup',
    scale: scale(),
    figures: [
      { name: 'vault', value: megabytes, unit: 'MB' },
      {
        name: 'backup on the disk',
        value: (await sizeOf(backupDirectory(entry))) / 1e6,
        unit: 'MB',
        baseline: megabytes,
      },
      { name: 'backup, written and read back, against cp', value: seconds, unit: 's', baseline: cp },
      { name: 'the same against tar and openssl', value: seconds, unit: 's', baseline: tar },
      {
        name: 'rows backed up',
        value: rows / seconds,
        unit: 'rows/s',
        goal: 'at least 1000000',
        met: rows / seconds >= 1_000_000,
      },
      { name: 'asks answered meanwhile', value: asks, unit: 'asks' },
      { name: 'slowest of them, against one alone', value: worstMs, unit: 'ms', baseline: quietMs },
      { name: 'restore, with proof', value: restore, unit: 's', baseline: tar },
    ],
  })
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function fill(small: BareSite): Promise<void> {
  const { site } = small
  await small.fill({ dataSet: 'athletes', people: testPeople(1_000) })
  const manifest = aManifest()
  await site.vault.describe(manifest)
  await site.vault.append({ manifest, batch: 'bench' }, generated())
  const [first] = await site.log.list({ after: -1, limit: 1 })
  await sql`
    insert into receipt (sequence, kind, jws)
    select next_sequence + i, 'ask', ${first?.jws ?? ''} from receipt_counter, generate_series(0, ${receipts - 1}) i`.execute(
    site.db,
  )
  await sql`update receipt_counter set next_sequence = next_sequence + ${receipts}`.execute(site.db)
  await site.log.publish()
}

async function* generated(): AsyncGenerator<RowChunk> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()
  const result = await connection.stream(SELECT)
  for (;;) {
    const chunk = await result.fetchChunk()
    if (!chunk || chunk.rowCount === 0) return
    yield new EngineChunk(chunk)
  }
}

async function backUpUnderAsks({ site }: BareSite) {
  const ask = async (): Promise<number> => {
    const start = performance.now()
    const statement = { sql: 'select activity, avg(heart_rate) from ds_watch group by 1' }
    const answer = await site.vault.run(statement, { timeoutMs: 60_000, rowsMax: 100 })
    if (!answer.ok) throw new Error(answer.error.code)
    return performance.now() - start
  }
  await ask()
  const quietMs = await ask()
  let isDone = false
  let asks = 0
  let worstMs = 0
  const asking = (async () => {
    while (!isDone) {
      worstMs = Math.max(worstMs, await ask())
      asks += 1
      // A person thinks between asks.
      await systemClock.sleep(200)
    }
  })()
  const start = performance.now()
  const entry = await makeBackup(site)
  const seconds = (performance.now() - start) / 1_000
  isDone = true
  await asking
  return { entry, seconds, asks, worstMs, quietMs }
}

async function sizeOf(path: string): Promise<number> {
  const files = await readdir(path, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return (performance.now() - start) / 1_000
}
