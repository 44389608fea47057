import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { acquirerOf, memberClient } from '../src/cli/connect.ts'
import { readMemberProfile } from '../src/cli/member-profile.ts'
import type { Session } from '../src/cli/session.ts'
import { demoSession, siteUrl } from '../src/demo/demo-addresses.ts'
import { setTheStage } from '../src/demo/set-the-stage.ts'
import type { ServerProcess } from '../src/demo/server-process.ts'
import { later, monotonicMs, systemClock } from '../src/kernel/clock.ts'
import { idSource } from '../src/kernel/id.ts'
import { silentLog } from '../src/kernel/log.ts'
import { money } from '../src/kernel/money.ts'
import { openPostgres } from '../src/kernel/postgres/open-postgres.ts'
import { systemRandom } from '../src/kernel/random.ts'
import type { Acquirer } from '../src/sdk/acquirer.ts'
import { median } from './shared/median.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * One small aggregate from signed ask to opened, verified release and captured hold: network and sites in processes of
 * their own, everything durable. Beside it what cannot be avoided: the commits and file syncs on the way one after
 * another, and the bare query. A server is young only once: the goals are held against trades after the first 170, and how long
 * those took is told beside them.
 */

const TRADES = Math.round(150 * scale())
const WARM_UP = 20
const PORT = 7_480
const SITE = 'galway'
/** On the way of an answer: the hold, the reservation and the capture; and of the log's files a tile, the checkpoint, their names. */
const COMMITS = 3
const SYNCS = 3
const SQL = `select sex, count(*) as athletes, avg(height) as height from athletes where height is not null group by sex`
let asked = 0

const home = await mkdtemp(join(tmpdir(), 'hedgerow-trade-'))
const servers: ServerProcess[] = []
try {
  const session = benchSession(home)
  const { operator } = await setTheStage(session, { servers, data: undefined })
  await operator.deposit({
    member: 'northcare',
    amount: money(100_000_000, 'EUR'),
    idempotencyKey: 'trade-bench',
  })
  const profile = await readMemberProfile(home, 'northcare')
  const acquirer = acquirerOf(session, { profile, client: await memberClient(session, { profile }) })
  await tradeMany(acquirer, WARM_UP)
  const young = await tradeMany(acquirer, TRADES)
  const before = await decidingOf(session)
  const durations = await tradeMany(acquirer, TRADES)
  const decidingMs = meanBetween(before, await decidingOf(session))
  const again = await tradeMany(acquirer, TRADES, () => SQL)
  report(durations, { baseline: await unavoidableMs(home), decidingMs, young, again })
} finally {
  await Promise.all(servers.map((server) => server.stop()))
  await rm(home, { recursive: true, force: true })
}

function benchSession(directory: string): Session {
  const quiet = {
    out: new PassThrough().resume(),
    error: new PassThrough().resume(),
    isInteractive: false,
    isErrorInteractive: false,
    columns: 120,
  }
  return demoSession(
    {
      environment: process.env,
      terminal: quiet,
      clock: systemClock,
      random: systemRandom,
      ids: idSource(systemClock, systemRandom),
      home: directory,
      signal: new AbortController().signal,
    },
    PORT,
  )
}

/** Another question each time, over the same people: an equal one would be given the stored answer. */
function anotherQuestion(): string {
  asked += 1
  return SQL.replace('avg(height)', `avg(height) + ${asked}`)
}

async function tradeMany(
  acquirer: Acquirer,
  count: number,
  question = anotherQuestion,
): Promise<readonly number[]> {
  const durations: number[] = []
  for (let trade = 0; trade < count; trade += 1) {
    const startMs = monotonicMs()
    const result = await acquirer.ask({
      purpose: 'dpv:CommercialResearch',
      legalBasis: 'eu-gdpr:A6-1-a',
      mode: 'aggregate',
      offer: 'athletes',
      sites: [SITE],
      releaseTo: { jurisdiction: 'IE' },
      question: { sql: question(), parameters: [] },
      maxPrice: money(1_000, 'EUR'),
      expires: later(systemClock.now(), 30_000),
    })
    const [site] = result.sites
    if (site?.release === undefined || site.captured === undefined || site.problems.length > 0) {
      throw new Error(
        `The trade fell short: ${result.reason ?? site?.reason ?? 'no answer'} ${site?.problems.join() ?? ''}`,
      )
    }
    durations.push(monotonicMs() - startMs)
  }
  return durations
}

/** How long the site has taken so far from pulled asks to durable answers, by its own metrics. */
interface Deciding {
  readonly sumMs: number
  readonly count: number
}

async function decidingOf(session: Session): Promise<Deciding> {
  const text = await (await fetch(`${siteUrl(session, SITE)}/metrics`)).text()
  const figure = (name: string) =>
    Number(new RegExp(`^hedgerow_site_decision_seconds_${name} (.+)$`, 'm').exec(text)?.[1])
  return { sumMs: figure('sum') * 1000, count: figure('count') }
}

function meanBetween(before: Deciding, after: Deciding): number {
  return (after.sumMs - before.sumMs) / (after.count - before.count)
}

/** The least a trade can take: its commits and syncs, each at its median, and the query alone. */
async function unavoidableMs(directory: string): Promise<number> {
  const parts = [COMMITS * (await commitMs(directory)), SYNCS * (await syncMs(directory)), await queryMs()]
  return parts.reduce((sum, part) => sum + part, 0)
}

async function commitMs(directory: string): Promise<number> {
  await using postgres = await openPostgres({
    directory: join(directory, 'bare'),
    name: 'bare',
    log: silentLog,
  })
  const client = new pg.Client({ connectionString: postgres.url.reveal() })
  await client.connect()
  await client.query('create table bare (id bigint generated always as identity, note text)')
  const durations = await timed(300, () => client.query("insert into bare (note) values ('x')"))
  await client.end()
  return median(durations)
}

async function syncMs(directory: string): Promise<number> {
  const file = await open(join(directory, 'bare-sync'), 'w')
  const block = Buffer.alloc(512, 'x')
  const durations = await timed(200, async () => {
    await file.write(block)
    await file.sync()
  })
  await file.close()
  return median(durations)
}

async function queryMs(): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `create table athletes as select case when i % 2 = 0 then 'female' else 'male' end as sex, 1.5 + (i % 60) / 100.0 as height from range(3178) as t(i)`,
  )
  const durations = await timed(200, () => connection.runAndReadAll(SQL))
  instance.closeSync()
  return median(durations)
}

async function timed(count: number, act: () => Promise<unknown>): Promise<readonly number[]> {
  const durations: number[] = []
  for (let index = 0; index < count; index += 1) {
    const startMs = monotonicMs()
    await act()
    durations.push(monotonicMs() - startMs)
  }
  return durations
}

function report(
  durations: readonly number[],
  {
    baseline,
    decidingMs,
    young,
    again,
  }: { baseline: number; decidingMs: number; young: readonly number[]; again: readonly number[] },
): void {
  const sorted = durations.toSorted((left, right) => left - right)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  const meanMs = durations.reduce((sum, each) => sum + each, 0) / durations.length
  writeReport({
    name: 'trade',
    scale: scale(),
    figures: [
      { name: 'p50', value: at(0.5), unit: 'ms', baseline, goal: 'under 30 ms', met: at(0.5) < 30 },
      { name: 'p99', value: at(0.99), unit: 'ms', baseline, goal: 'under 100 ms', met: at(0.99) < 100 },
      { name: 'of servers that have just started: p50', value: median(young), unit: 'ms', baseline },
      { name: 'of the mean: the site decides, durably', value: decidingMs, unit: 'ms' },
      { name: 'of the mean: acquirer, network and proofs', value: meanMs - decidingMs, unit: 'ms' },
      { name: 'an equal ask, from the stored answer: p50', value: median(again), unit: 'ms', baseline },
    ],
  })
}
