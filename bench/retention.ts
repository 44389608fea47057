import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { sql } from 'kysely'
import { Bitset } from '../src/kernel/bitset.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { grantRequestSchema } from '../src/protocol/consent/grant.ts'
import { manifestSchema } from '../src/protocol/data-set.ts'
import { dataSetIdSchema } from '../src/protocol/wire.ts'
import type { WireManifest } from '../src/sdk/issuer.ts'
import { slicesOf } from '../src/site/asks/rows-given.ts'
import { giveGrants } from '../src/site/consent/give-grants.ts'
import { revokeGrants } from '../src/site/consent/revoke-grants.ts'
import { describeDataSet } from '../src/site/datasets/describe-data-set.ts'
import { sweepRetention } from '../src/site/retention/sweep-retention.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { testGrant, testManifest } from '../src/testing/test-population.ts'
import { bareSite } from '../src/testing/test-site.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * The retention of a million people's only rows ends on one day: rows, keys, grants and what people are found by go, in one sweep. A tenth
 * have granted, a twentieth have rows that go on, and of 1,000 others rows were given out, so that each is erased alone. Meanwhile
 * somebody grants and withdraws, and small files are imported. The record's PostgreSQL forgets its fsync here.
 */

const PEOPLE = Math.round(1_000_000 * scale())
const STAYING = Math.round(PEOPLE / 20)
const TOLD = Math.round(1_000 * scale())
const GRANTS_AT_ONCE = 10_000
const DAY_MS = 86_400_000
const START = Date.parse('2026-02-10T12:00:00Z')

/** Days pass when told, waits end by themselves. */
class DayClock extends ManualClock {
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs, signal)
  }
}

const study = dataSetIdSchema.parse('study')
const clock = new DayClock(START)
const directory = await mkdtemp(join(tmpdir(), 'hedgerow-bench-'))
try {
  await using bare = await bareSite(clock)
  const { site } = bare
  await fill('ending', { period: 'P30D', from: '2026-02-10' }, PEOPLE)
  await fill('study', { period: 'P10Y', from: '2026-02-10' }, STAYING)
  await grant(PEOPLE / 10)
  // Of people who do not stay.
  const told = await numbersOf(Array.from({ length: TOLD }, (_, index) => STAYING + 7 * index))
  await sql`
    insert into rows_given (slice, ask_id, places)
    select key::integer, 'ask_1', value::smallint[]
    from jsonb_each_text(${JSON.stringify(slicesOf(Bitset.of(told)))}::jsonb)`.execute(site.db)
  clock.advance(31 * DAY_MS)

  const before = process.memoryUsage().rss
  const cpuBefore = process.cpuUsage()
  let isOver = false
  let peak = before
  const memory = (async () => {
    while (!isOver) {
      peak = Math.max(peak, process.memoryUsage().rss)
      await systemClock.sleep(50)
    }
  })()
  const granting = slowest(async (turn) => {
    const facts = { by: 'person' }
    if (turn % 2 === 0) await giveGrants(site.consent, [requestOf('study', 0)], facts)
    else await revokeGrants(site.consent, [{ dataSet: study, person: 'p-0' }], facts)
  })
  const importing = slowest((turn) => bring('study', `small ${turn}`, rowsOf(1, turn % STAYING)))
  const sweeping = timed(async () => {
    const swept = await sweepRetention(site)
    if (swept.people !== PEOPLE - STAYING) throw new Error(`Erased ${swept.people} people`)
  }).finally(() => {
    isOver = true
  })
  // Nothing is under way when the site is closed, whichever of them failed.
  await Promise.allSettled([granting, importing, memory, sweeping])
  const [grantMs, importMs, wholeMs] = await Promise.all([granting, importing, sweeping])
  const cpu = process.cpuUsage(cpuBefore)
  const afterwards = await timed(() => bring('study', 'afterwards', rowsOf(100, 0)))
  writeReport({
    name: 'retention',
    scale: scale(),
    figures: [
      { name: `the sweep of ${PEOPLE - STAYING} people`, value: wholeMs / 1_000, unit: 's' },
      { name: 'people erased', value: ((PEOPLE - STAYING) / wholeMs) * 1_000, unit: 'a second' },
      {
        name: 'processor time for 1,000 of them',
        value: (cpu.user + cpu.system) / (PEOPLE - STAYING),
        unit: 'ms',
      },
      {
        name: 'memory more than before',
        value: (peak - before) / 2 ** 20,
        unit: 'MiB',
        goal: 'at most 512',
        met: peak - before <= 512 * 2 ** 20,
      },
      { name: 'slowest grant or withdrawal meanwhile', value: grantMs, unit: 'ms' },
      { name: 'slowest import of a row meanwhile', value: importMs, unit: 'ms' },
      { name: 'import of 100 rows afterwards', value: afterwards, unit: 'ms' },
    ],
  })

  /** Does it again and again while the sweep is under way. */
  async function slowest(act: (turn: number) => Promise<unknown>): Promise<number> {
    let slowestMs = 0
    for (let turn = 0; !isOver; turn += 1) {
      slowestMs = Math.max(slowestMs, await timed(() => act(turn)))
      await systemClock.sleep(20)
    }
    return slowestMs
  }

  async function fill(dataSet: string, retention: WireManifest['retention'], count: number): Promise<void> {
    const manifest = testManifest(dataSet, {
      retention,
      person: { key: 'id', rowsMax: 100 },
      columns: [
        { name: 'id', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
        { name: 'score', type: 'integer', bounds: [0, 100] },
      ],
    })
    await describeDataSet(site, manifestSchema.parse(manifest))
    await site.offersChanged()
    await bring(dataSet, 'first', rowsOf(count, 0))
  }

  async function bring(dataSet: string, batch: string, select: string): Promise<void> {
    const path = join(directory, `${dataSet} ${batch}.csv`)
    await writeCsv(path, select)
    await bare.bring({ dataSet, batch, file: { path } })
  }

  /** To those who do not stay, and so ends with them. */
  async function grant(count: number): Promise<void> {
    for (let start = 0; start < count; start += GRANTS_AT_ONCE) {
      const length = Math.min(GRANTS_AT_ONCE, count - start)
      const grants = Array.from({ length }, (_, index) => requestOf('ending', STAYING + start + index))
      await giveGrants(site.consent, grants, { by: 'issuer:federation' })
    }
  }

  async function numbersOf(indexes: readonly number[]): Promise<readonly number[]> {
    return Promise.all(indexes.map((index) => bare.numberOf(`p-${index}`)))
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}

function requestOf(dataSet: string, index: number) {
  return grantRequestSchema.parse(testGrant(dataSet, `p-${index}`))
}

function rowsOf(count: number, first: number): string {
  return `select 'p-' || (i + ${first}) as id, i % 100 as score from range(${count}) r(i)`
}

async function writeCsv(path: string, select: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`copy (${select}) to '${path}' (header)`)
  connection.closeSync()
  instance.closeSync()
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return performance.now() - start
}
