import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../src/demo/seeded-random.ts'
import { monotonicMs } from '../src/kernel/clock.ts'
import { silentLog } from '../src/kernel/log.ts'
import { startEmbedded } from '../src/kernel/postgres/embedded-postgres.ts'
import { embeddedUrl, ensureDatabase } from '../src/kernel/postgres/open-postgres.ts'
import { testTrade } from '../src/testing/test-trade.ts'
import { openOnPostgres } from './gdpr/on-postgres.ts'
import { openOnSite } from './gdpr/on-site.ts'
import type { GdprSystem } from './gdpr/operations.ts'
import { Truth } from './gdpr/truth.ts'
import { WORKLOADS } from './gdpr/workloads.ts'
import type { Workload } from './gdpr/workloads.ts'
import { zipfian } from './gdpr/zipf.ts'
import { median } from './shared/median.ts'
import { scale, writeReport } from './shared/report.ts'
import type { Figure } from './shared/report.ts'

/**
 * GDPRbench (Shastri et al., PVLDB 13(7), 2020): what controllers, customers, processors and regulators do with personal data, one
 * after another, on a site through its doors and on plain PostgreSQL with the same durable disk. Every answer of both is
 * held against a reference. Who processes gets aggregates from a site, never rows, so that is what both are asked for;
 * metadata of consent are a person's own grants and objections.
 */

const RECORDS = Math.round(100_000 * scale())
const OPERATIONS = Math.round(10_000 * scale())
/** What a record tells of a person, in bytes: the key, the data, the source and the purpose. */
const PERSONAL_BYTES = 140

const home = await mkdtemp(join(tmpdir(), 'hedgerow-gdpr-'))
// Durable, unlike that of the tests.
const server = await startEmbedded({ directory: home, log: silentLog })
try {
  const figures: Figure[] = []
  for (const profile of ['paper', 'code'] as const) figures.push(...(await runProfile(profile)))
  writeReport({ name: 'gdprbench', scale: scale(), figures })
} finally {
  await server.stop()
  await rm(home, { recursive: true, force: true })
}

async function newDatabase(name: string): Promise<string> {
  await ensureDatabase(embeddedUrl(server, 'postgres'), name)
  return embeddedUrl(server, name).reveal()
}

/** The workloads of a profile one after another, on both systems with the same operations. */
async function runProfile(profile: keyof typeof WORKLOADS): Promise<readonly Figure[]> {
  let databases = 0
  await using trade = await testTrade({
    newDatabase: () => newDatabase(`${profile}_${(databases += 1)}`),
  })
  const site = await openOnSite(trade, RECORDS)
  await using postgres = await openOnPostgres(await newDatabase(`${profile}_plain`), RECORDS)
  const systems = [site, postgres]
  const truths = systems.map(() => new Truth(RECORDS))
  let [oursMs, plainMs] = [0, 0]
  const figures: Figure[] = []
  const kinds: KindTimes = { ours: new Map(), plain: new Map() }
  for (const [name, workload] of Object.entries(WORKLOADS[profile])) {
    const [ours, plain] = [
      await run(site, { truth: truths[0], workload, seed: `${profile} ${name}` }),
      await run(postgres, { truth: truths[1], workload, seed: `${profile} ${name}` }),
    ]
    for (const [side, { byKind }] of [
      ['ours', ours],
      ['plain', plain],
    ] as const)
      for (const [kind, times] of byKind) kinds[side].set(kind, [...(kinds[side].get(kind) ?? []), ...times])
    oursMs += ours.totalMs
    plainMs += plain.totalMs
    figures.push(
      {
        name: `${profile}, ${name}: ${OPERATIONS} operations`,
        value: ours.totalMs / 1_000,
        unit: 's',
        baseline: plain.totalMs / 1_000,
      },
      { name: `${profile}, ${name}: p50 of one`, value: ours.p50, unit: 'ms', baseline: plain.p50 },
      { name: `${profile}, ${name}: p99 of one`, value: ours.p99, unit: 'ms', baseline: plain.p99 },
      correct(`${profile}, ${name}: right answers`, ours.right),
      correct(`${profile}, ${name}: right answers of PostgreSQL`, plain.right),
    )
  }
  return [
    {
      name: `${profile}: all workloads`,
      value: oursMs / 1_000,
      unit: 's',
      baseline: plainMs / 1_000,
      ...(profile === 'paper'
        ? { goal: 'at most 1.5 times plain PostgreSQL', met: oursMs <= 1.5 * plainMs }
        : {}),
    },
    ...figures,
    ...kindFigures(profile, kinds),
    {
      name: `${profile}: bytes for each byte of personal data`,
      value: (await site.bytes()) / (RECORDS * PERSONAL_BYTES),
      unit: 'times',
      baseline: (await postgres.bytes()) / (RECORDS * PERSONAL_BYTES),
    },
  ]
}

interface KindTimes {
  readonly ours: Map<string, readonly number[]>
  readonly plain: Map<string, readonly number[]>
}

/** What one operation of each kind takes, over all workloads of a profile. */
function kindFigures(profile: string, { ours, plain }: KindTimes): readonly Figure[] {
  return [...ours].map(([kind, times]) => ({
    name: `${profile}: ${kind}, p50 of ${times.length}`,
    value: median(times),
    unit: 'ms',
    baseline: median(plain.get(kind) ?? []),
  }))
}

function correct(name: string, right: number): Figure {
  return { name, value: (right / OPERATIONS) * 100, unit: '%', goal: '100', met: right === OPERATIONS }
}

interface Run {
  readonly totalMs: number
  readonly p50: number
  readonly p99: number
  readonly right: number
  readonly byKind: ReadonlyMap<string, readonly number[]>
}

async function run(
  system: GdprSystem,
  { truth, workload, seed }: { truth: Truth | undefined; workload: Workload; seed: string },
): Promise<Run> {
  if (!truth) throw new Error('There is no reference')
  const random = seededRandom('gdprbench', seed)
  const zipf = zipfian(truth.created)
  const times: number[] = []
  const byKind = new Map<string, number[]>()
  let right = 0
  for (let index = 0; index < OPERATIONS; index += 1) {
    const step = drawn(workload, random.next())
    const part = random.next()
    const chosen = workload.isZipfian ? zipf(part) : Math.floor(part * truth.created)
    const { operation, expected } = truth.next(step, { chosen, fresh: Math.floor(random.next() * 1_000_000) })
    const started = monotonicMs()
    const answer = await system.perform(operation)
    const tookMs = monotonicMs() - started
    times.push(tookMs)
    const ofKind = byKind.get(operation.kind) ?? []
    byKind.set(operation.kind, ofKind)
    ofKind.push(tookMs)
    if (answer === expected) right += 1
    else if (index - right < 3)
      console.error(`${system.name}: ${operation.kind} said ${answer}, not ${expected}`)
  }
  const sorted = times.toSorted((one, other) => one - other)
  return {
    totalMs: times.reduce((sum, time) => sum + time, 0),
    p50: sorted[Math.floor(sorted.length / 2)] ?? 0,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    right,
    byKind,
  }
}

function drawn({ mix }: Workload, part: number): Workload['mix'][number][0] {
  let left = part * 100
  for (const [kind, share] of mix) {
    left -= share
    if (left < 0) return kind
  }
  const [[first]] = mix as readonly [Workload['mix'][number]]
  return first
}
