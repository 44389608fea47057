import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { systemClock } from '../src/kernel/clock.ts'
import { sha256 } from '../src/kernel/digest.ts'
import { openVault } from '../src/site/vault/open-vault.ts'
import type { RowChunk, Vault } from '../src/site/vault/vault.ts'
import { EngineChunk } from '../src/site/vault/row-chunk.ts'
import { bareSite } from '../src/testing/test-site.ts'
import { testPeople } from '../src/testing/test-population.ts'
import { erasePerson } from '../src/site/rights/erase-person.ts'
import { digestOf } from '../src/kernel/digest.ts'
import { memberIdSchema } from '../src/protocol/wire.ts'
import { aManifest } from '../test/site/vault/a-manifest.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * Both steps of an erasure among a million people with ten rows each. Step one: the person is unreadable by everything
 * and deleted; timed with the record (PostgreSQL forgets its fsync here) and without. Step two: the vault is copied
 * into a new file while asks go on; the baseline is DuckDB's own COPY FROM DATABASE of the same file, with nothing
 * else running.
 */

const people = Math.round(1_000_000 * scale())
const rows = people * 10
// The vault keeps a row of its own for each person.
const copied = rows + people
const SELECT = `
  select (i % ${people})::integer as "_p", timestamp '2026-01-01' + to_minutes(i % 500000) as "at", i % 200 as steps,
    round(50 + (i * 31 % 1000) / 10.0, 1)::double as heart_rate, i % 3 = 0 as is_worn,
    ['walk', 'run', 'rest', 'sleep'][1 + i % 4] as activity
  from range(${rows}) r(i)`

const directory = await mkdtemp(join(tmpdir(), 'hedgerow-bench-'))
try {
  const baseline = await copyAlone()
  await using vault = await openVault({ directory: join(directory, 'vault'), clock: systemClock })
  await fill(vault)
  const forget = await median(9, (turn) => vault.forget(turn * 1_000))
  const quiet = (await median(3, () => vault.compact())) / 1_000
  const { busy, asks, worstMs } = await compactUnderAsks(vault)
  const whole = await eraseAtASite()
  writeReport({
    name: 'erasure',
    scale: scale(),
    figures: [
      {
        name: 'step one, in the vault alone',
        value: forget,
        unit: 'ms',
        goal: 'below 1000',
        met: forget < 1_000,
      },
      {
        name: 'step one, whole, at a site',
        value: whole,
        unit: 'ms',
        goal: 'below 1000',
        met: whole < 1_000,
      },
      {
        name: 'step two, nobody asking',
        value: copied / quiet,
        unit: 'rows/s',
        baseline,
        goal: 'at least 5000000',
        met: copied / quiet >= 5_000_000,
      },
      { name: 'step two, one asking all the time', value: copied / busy, unit: 'rows/s', baseline },
      { name: 'asks answered meanwhile', value: asks, unit: 'asks' },
      { name: 'slowest of them', value: worstMs, unit: 'ms' },
    ],
  })
} finally {
  await rm(directory, { recursive: true, force: true })
}

/** Reads on while the file is replaced. */
async function compactUnderAsks(vault: Vault): Promise<{ busy: number; asks: number; worstMs: number }> {
  let isDone = false
  let asks = 0
  let worstMs = 0
  const asking = (async () => {
    while (!isDone) {
      const start = performance.now()
      const statement = { sql: 'select activity, avg(heart_rate) from ds_watch group by 1' }
      const answer = await vault.run(statement, { timeoutMs: 30_000, rowsMax: 100 })
      if (!answer.ok) throw new Error(answer.error.code)
      worstMs = Math.max(worstMs, performance.now() - start)
      asks += 1
    }
  })()
  const busy = await timed(() => vault.compact())
  isDone = true
  await asking
  return { busy, asks, worstMs }
}

async function fill(vault: Vault): Promise<void> {
  const manifest = aManifest()
  await vault.describe(manifest)
  const portion = 100_000
  for (let start = 0; start < people; start += portion) {
    const count = Math.min(portion, people - start)
    await vault.numberPeople(Array.from({ length: count }, (_, index) => sha256(`p${start + index}`)))
  }
  await vault.append({ manifest, batch: 'one' }, generated())
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

async function copyAlone(): Promise<number> {
  const path = join(directory, 'alone.duckdb')
  const instance = await DuckDBInstance.create(path, { threads: '2' })
  const connection = await instance.connect()
  await connection.run(`create table ds_watch as ${SELECT}`)
  await connection.run(
    `create table _person as select i::integer as number, unhex(sha256(i::varchar)) as lookup from range(${people}) r(i)`,
  )
  await connection.run('checkpoint')
  const took = await timed(async () => {
    await connection.run(`attach '${join(directory, 'copy.duckdb')}' as copy`)
    await connection.run('copy from database alone to copy')
    await connection.run('detach copy')
  })
  connection.closeSync()
  instance.closeSync()
  return copied / took
}

/** With grants, key and receipts; few people, because what the record does depends on one person only. */
async function eraseAtASite(): Promise<number> {
  await using bare = await bareSite()
  await bare.fill({ dataSet: 'athletes', people: testPeople(200) })
  return await median(9, async (turn) => {
    await erasePerson(bare.site, {
      person: await bare.numberOf(`p-${turn}`),
      issuer: memberIdSchema.parse('federation'),
      reason: 'request',
      requestedBy: 'operator',
      nameMark: digestOf(`${turn}`),
    })
  })
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return (performance.now() - start) / 1_000
}

async function median(times: number, act: (turn: number) => Promise<unknown>): Promise<number> {
  const taken: number[] = []
  for (let turn = 1; turn <= times; turn += 1) taken.push((await timed(() => act(turn))) * 1_000)
  return taken.toSorted((left, right) => left - right)[Math.floor(times / 2)] ?? 0
}
