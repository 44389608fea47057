import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { monotonicMs, systemClock } from '../src/kernel/clock.ts'
import { silentLog } from '../src/kernel/log.ts'
import { startEmbedded } from '../src/kernel/postgres/embedded-postgres.ts'
import { embeddedUrl, ensureDatabase } from '../src/kernel/postgres/open-postgres.ts'
import { SITE_API } from '../src/protocol/http/site-api.ts'
import { openBackupDesk } from '../src/sdk/backups.ts'
import { openHandOver } from '../src/sdk/hand-over.ts'
import { openSiteAdministration } from '../src/sdk/issuer.ts'
import { openPersonRecords } from '../src/sdk/person.ts'
import { openRightsDesk } from '../src/sdk/rights.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { testGrant, testManifest } from '../src/testing/test-population.ts'
import { offered, testTrade } from '../src/testing/test-trade.ts'
import type { TestTrade } from '../src/testing/test-trade.ts'
import type { Figure } from './shared/report.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * What people wait for while a site is busy with something large, through its doors and with everything durable: five callers, each
 * with one call at a time, give and withdraw grants, ask, see who used their data, take it along, and correct it. The baseline of each
 * figure is the same verb by the same five callers at the same site while nothing else goes on. Callers, network and site are one process.
 */

const PEOPLE = Math.round(40_000 * scale())
const ENDING = Math.round(20_000 * scale())
const ERASED = Math.round(300 * scale())
const ROWS_EACH = 10
const IDLE_MS = 4_000
const ERASED_AT_ONCE = 16
const START = Date.parse('2026-02-10T12:00:00Z')
const TWO_DAYS_MS = 2 * 86_400_000

/** Days pass when told, waits end by themselves. */
class DayClock extends ManualClock {
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs, signal)
  }
}

type Verb = 'grant' | 'withdrawal' | 'ask' | 'ask declined' | 'uses' | 'export' | 'correction'
/** How long each call of a verb took, how long all of it, and the longest that the process let nobody in. */
interface Waits {
  readonly calls: ReadonlyMap<Verb, readonly number[]>
  readonly wholeMs: number
  readonly longestTurnMs: number
}

const home = await mkdtemp(join(tmpdir(), 'hedgerow-bench-'))
const server = await startEmbedded({ directory: join(home, 'postgres'), log: silentLog })
try {
  const clock = new DayClock(START)
  let databases = 0
  await using trade = await testTrade({
    clock,
    sites: [{ name: 'galway', settings: { refusals: { most: 10_000 } } }],
    newDatabase: async () => {
      databases += 1
      const name = `bench_${databases}`
      await ensureDatabase(embeddedUrl(server, 'postgres'), name)
      return embeddedUrl(server, name).reveal()
    },
  })
  const { verbs, load } = await filled(trade)
  await during(() => systemClock.sleep(1_000), verbs)
  const idle = await during(() => systemClock.sleep(IDLE_MS), verbs)
  const figures: Figure[] = []
  for (const { name, prepare, act } of load) {
    // DURING='a backup,a sweep' measures these alone.
    if (!(process.env.DURING ?? name).split(',').includes(name)) continue
    await prepare?.()
    figures.push(...figuresOf(name, await during(act, verbs), idle))
  }
  writeReport({ name: 'waits', scale: scale(), figures })
} finally {
  await server.stop()
  await rm(home, { recursive: true, force: true })
}

/** Something large that a site does, and who waits meanwhile. */
interface Load {
  readonly name: string
  readonly prepare?: () => Promise<unknown>
  readonly act: () => Promise<unknown>
}

/** Calls one after another; each call tells what verb it was. */
type Caller = (turn: number) => Promise<Verb>

type Opened = ReturnType<typeof doorsOf>

/** The site's doors as issuer and operator use them, signed in once. */
function doorsOf(opened: TestTrade) {
  const site = opened.site()
  const client = site.client({
    issuer: 'federation',
    key: opened.federation.signing,
    keepsToken: true,
  })
  const operator = site.client({ issuer: 'operator', key: site.operatorKey, keepsToken: true })
  const issuer = openSiteAdministration(client)
  const bring = (dataSet: string, batch: string, count: { from: number; people: number; rows: number }) =>
    issuer.importFile({ dataSet, batch, format: 'csv', body: csvStream(count) })
  return { opened, site, client, operator, issuer, bring, rights: openRightsDesk(client) }
}

async function filled(trade: TestTrade): Promise<{ verbs: readonly Caller[]; load: readonly Load[] }> {
  const doors = doorsOf(trade)
  const { opened, site, issuer, bring } = doors
  const person = { key: 'id', birthDate: 'birth_date', residence: 'country', rowsMax: 1_000 }
  await opened.fill(site, { dataSet: 'asked', people: people(2_000) })
  const describe = async (dataSet: string, retention: { period: string; from: string }) => {
    await issuer.describe(testManifest(dataSet, { person, retention }))
    await offered(opened.network, { site: site.name, dataSet })
  }
  await describe('study', { period: 'P50Y', from: '2020-01-01' })
  await describe('ending', { period: 'P1D', from: '2026-02-10' })
  await bring('study', 'first', { from: 0, people: PEOPLE, rows: ROWS_EACH })
  await bring('ending', 'first', { from: PEOPLE, people: ENDING, rows: 1 })
  return { verbs: await callersOf(doors), load: loadOf(doors) }
}

/** Who calls again and again, one verb or two each. */
async function callersOf({ opened, client, issuer, rights }: Opened): Promise<readonly Caller[]> {
  const acquirer = await opened.addAcquirer('northcare', { depositMinor: 100_000_000 })
  const key = (turn: number) => `p-${ERASED + ((turn * 7_919) % (PEOPLE - ERASED))}`
  const grantee = { member: 'northcare' } as const
  let asked = 0
  const granting: Caller = async (turn) => {
    const [dataSet, ref] = ['study', key(turn >> 1)]
    if (turn % 2 === 0) await issuer.giveGrants([testGrant(dataSet, ref, { grantee })])
    else await issuer.revokeGrants([{ dataSet, person: ref, grantee }])
    return turn % 2 === 0 ? 'grant' : 'withdrawal'
  }
  const asking: Caller = async () => {
    asked += 1
    const { sites, reason } = await acquirer.ask(
      `select country, count(*) as people, avg(height) as tall from asked where score < ${200 + asked} group by country`,
      { offer: 'asked' },
    )
    const why = reason ?? sites[0]?.reason
    if (sites[0]?.release !== undefined) return 'ask'
    if (why !== 'declined.timeout') throw new Error(`An ask was not answered: ${why}`)
    return 'ask declined'
  }
  const recordsOf = (turn: number) => openPersonRecords(client, { ref: key(turn), reason: 'a benchmark' })
  const seeing: Caller = async (turn) => {
    await recordsOf(turn).uses(20)
    return 'uses'
  }
  const exporting: Caller = async (turn) => {
    for await (const chunk of await recordsOf(turn).export({ format: 'jsonl' })) void chunk
    return 'export'
  }
  const correcting: Caller = async (turn) => {
    await rights.correct({ person: key(turn) }, { dataSet: 'study', set: { score: turn % 100 } })
    return 'correction'
  }
  return [granting, asking, seeing, exporting, correcting]
}

function loadOf({ opened, site, client, operator, issuer, bring, rights }: Opened): readonly Load[] {
  const eraseMany = async (from: number, count: number) => {
    for (let start = from; start < from + count; start += ERASED_AT_ONCE)
      await Promise.all(
        Array.from({ length: Math.min(ERASED_AT_ONCE, from + count - start) }, (_, index) =>
          rights.erase({ person: `p-${start + index}` }, { reason: 'request' }),
        ),
      )
  }
  const handOver = openHandOver(client)
  return [
    {
      name: 'an import',
      act: () => bring('study', 'second', { from: PEOPLE + ENDING, people: PEOPLE, rows: ROWS_EACH }),
    },
    { name: 'erasures', act: () => eraseMany(0, ERASED) },
    { name: 'a compaction', act: () => site.rights('operator').completeErasures() },
    { name: 'a backup', act: () => openBackupDesk(operator).make() },
    {
      name: 'a hand-over',
      act: async () => {
        const rows = await handOver.part('study', { part: 'rows', reason: 'the end of a contract' })
        for await (const chunk of rows) void chunk
      },
    },
    {
      name: 'a sweep',
      prepare: async () => {
        if (opened.clock instanceof ManualClock) opened.clock.advance(TWO_DAYS_MS)
        await issuer.dataSets()
      },
      act: () => operator.call(SITE_API.sweepRetention, { timeoutMs: 600_000 }),
    },
  ]
}

/** Goes on calling while something is under way. */
async function during(act: () => Promise<unknown>, callers: readonly Caller[]): Promise<Waits> {
  const calls = new Map<Verb, number[]>()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let isOver = false
  delay.enable()
  const begun = monotonicMs()
  const calling = callers.map(async (call) => {
    // One turn at least: something may be over before anybody called.
    for (let turn = 0; turn === 0 || !isOver || turn % 2 === 1; turn += 1) {
      const started = monotonicMs()
      const verb = await call(turn)
      calls.set(verb, [...(calls.get(verb) ?? []), monotonicMs() - started])
      await systemClock.sleep(5)
    }
  })
  const acting = act().finally(() => {
    isOver = true
  })
  // Nothing is under way when the site is closed, whichever of them failed.
  await Promise.allSettled([acting, ...calling])
  await Promise.all([acting, ...calling])
  delay.disable()
  return { calls, wholeMs: monotonicMs() - begun, longestTurnMs: delay.max / 1e6 }
}

function figuresOf(name: string, waits: Waits, idle: Waits): readonly Figure[] {
  return [
    { name: `${name}: all of it`, value: waits.wholeMs / 1_000, unit: 's' },
    {
      name: `${name}: longest that the process let nobody in`,
      value: waits.longestTurnMs,
      unit: 'ms',
      baseline: idle.longestTurnMs,
    },
    ...[...waits.calls].flatMap(([verb, times]) => waitFigures(`${name}: ${verb}`, { verb, times, idle })),
  ]
}

function waitFigures(
  name: string,
  { verb, times, idle }: { verb: Verb; times: readonly number[]; idle: Waits },
): readonly Figure[] {
  const before = idle.calls.get(verb === 'ask declined' ? 'ask' : verb)
  const isOfGrants = verb === 'grant' || verb === 'withdrawal'
  const figure = (called: string, part: number): Figure => ({
    name: `${name}, ${called}`,
    value: quantile(times, part),
    unit: 'ms',
    ...(before ? { baseline: quantile(before, part) } : {}),
  })
  const worst = figure('p99', 0.99)
  return [
    figure(`p50 of ${times.length}`, 0.5),
    { ...worst, ...(isOfGrants ? { goal: 'at most 20', met: worst.value <= 20 } : {}) },
  ]
}

function quantile(times: readonly number[], part: number): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * part)] ?? Number.NaN
}

function people(count: number) {
  return Array.from({ length: count }, (_, index) => ({ ...personOf(index), id: `asked-${index}` }))
}

function personOf(index: number) {
  return {
    id: `p-${index}`,
    name: `Name ${index}`,
    country: ['IE', 'FR', 'DE'][index % 3] ?? 'IE',
    birthDate: `1980-05-1${index % 10}`,
    height: 1.6 + (index % 30) / 100,
    score: index % 100,
    note: `Remark ${index}`,
  }
}

function csvStream({ from, people: count, rows }: { from: number; people: number; rows: number }) {
  const encoder = new TextEncoder()
  const linesAtOnce = 2_000
  let line = 0
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      let text = line === 0 ? 'id,name,country,birth_date,height,score,note\n' : ''
      for (const end = Math.min(count * rows, line + linesAtOnce); line < end; line += 1) {
        const { id, name, country, birthDate, height, score, note } = personOf(from + (line % count))
        text += `${id},${name},${country},${birthDate},${height},${(score + line) % 100},${note}\n`
      }
      controller.enqueue(encoder.encode(text))
      if (line >= count * rows) controller.close()
    },
  })
}
