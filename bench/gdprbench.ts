import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../src/kernel/log.ts'
import { startEmbedded } from '../src/kernel/postgres/embedded-postgres.ts'
import { embeddedUrl, ensureDatabase } from '../src/kernel/postgres/open-postgres.ts'
import { testProcesses } from '../src/testing/test-processes.ts'
import { openBehindDoor } from './gdpr/behind-door.ts'
import { openOnPostgres } from './gdpr/on-postgres.ts'
import { openOnSite } from './gdpr/on-site.ts'
import type { GdprSystem, Operation } from './gdpr/operations.ts'
import { runSteps, stepsOf } from './gdpr/run-workload.ts'
import type { Run } from './gdpr/run-workload.ts'
import { Truth } from './gdpr/truth.ts'
import { WORKLOADS } from './gdpr/workloads.ts'
import type { Profile } from './gdpr/workloads.ts'
import { median } from './shared/median.ts'
import { scale, writeReport } from './shared/report.ts'
import type { Figure } from './shared/report.ts'

/**
 * GDPRbench (Shastri et al., PVLDB 13(7), 2020): what controllers, customers, processors and regulators do with personal data, and
 * then what a custodian does, by eight callers at once, on a site through its doors and on PostgreSQL with the same durable
 * disk. Every answer is held against a reference. The baseline is plain PostgreSQL: one statement an operation, each its own
 * commit, nothing logged. Beside it stand PostgreSQL *retrofitted* as the paper does it (indexes on metadata, expiry, a log of
 * reads and writes), that again *behind a door*, called over HTTP as a site is, and that with every line of its log *signed*: what a site
 * cannot do without, and so the least that it could take. Callers, network, site and door are processes of
 * their own, as each PostgreSQL is. *The processor's time* is that of callers, servers and databases together, and nothing else that
 * runs on the machine is in it. 400 operations of each workload go before it and are not measured: a server that has just started
 * compiles. To create a record is two calls of a site: the row, and the person's grant. Who processes gets aggregates from a site,
 * never rows, so that is what all are asked for;
 * metadata of consent are a person's own grants and objections. A custodian's operations come in rounds of 800, changes first and then reports,
 * each purpose's to an acquirer of its own: two reports between which fewer than ten have left would tell who, and are refused. A
 * site leaves fewer than ten people out of an aggregate where two answers would tell who changed; such an answer counts as right, and
 * so does a refusal where somebody has left since the same was answered; how many there are is told.
 */

const RECORDS = Math.round(100_000 * scale())
const OPERATIONS = Math.round(10_000 * scale())
const CALLERS = Number(process.env.CALLERS ?? 8)
const PROFILES = (['paper', 'code'] as const).filter(
  (profile) => process.env.PROFILE === undefined || process.env.PROFILE === profile,
)
/** The workloads that are run, one after another; absent: all of a profile. */
const WANTED = process.env.WORKLOADS?.split(',')
/** Operations of each of GDPRbench's workloads that go before, on every system, and are not measured: a server is young only once. */
const WARM_UP = 400
/** What a record tells of a person, in bytes: the key, the data, the source and the purpose. */
const PERSONAL_BYTES = 140

const home = await mkdtemp(join(tmpdir(), 'hedgerow-gdpr-'))
// Durable, unlike that of the tests.
const server = await startEmbedded({ directory: home, log: silentLog })
try {
  const figures: Figure[] = []
  for (const profile of PROFILES) figures.push(...(await runProfile(profile)))
  writeReport({ name: 'gdprbench', scale: scale(), figures })
} finally {
  await server.stop()
  await rm(home, { recursive: true, force: true })
}

async function newDatabase(name: string): Promise<string> {
  await ensureDatabase(embeddedUrl(server, 'postgres'), name)
  return embeddedUrl(server, name).reveal()
}

/** What was measured of one system, by workload. */
interface Measured {
  readonly runs: ReadonlyMap<string, Run>
  readonly bytes: number
}

/** The workloads of a profile one after another, on each system with the same operations. */
async function runProfile(profile: Profile): Promise<readonly Figure[]> {
  const plain = await measureOnPostgres(profile, 'plain')
  const retrofitted = await measureOnPostgres(profile, 'retrofitted')
  const served = await measureOnPostgres(profile, 'served')
  const signed = await measureOnPostgres(profile, 'signed')
  const site = await measureOnSite(profile)
  const [oursMs, plainMs] = [totalOf(site), totalOf(plain)]
  const processorOf = (system: Measured) => totalOf(system, (run) => run.processorMs)
  return [
    {
      name: `${profile}: all workloads of GDPRbench`,
      value: oursMs / 1_000,
      unit: 's',
      baseline: plainMs / 1_000,
      ...(profile === 'paper'
        ? { goal: 'at most 1.5 times plain PostgreSQL', met: oursMs <= 1.5 * plainMs }
        : {}),
    },
    against(`${profile}: PostgreSQL retrofitted`, totalOf(retrofitted), plainMs),
    against(`${profile}: the same behind a door`, totalOf(served), plainMs),
    against(`${profile}: the same with every line of its log signed`, totalOf(signed), plainMs),
    {
      name: `${profile}: a site, against that`,
      value: oursMs / 1_000,
      unit: 's',
      baseline: totalOf(signed) / 1_000,
    },
    ...(
      [
        ['a site', site],
        ['PostgreSQL retrofitted', retrofitted],
        ['the same behind a door', served],
        ['the same with every line of its log signed', signed],
      ] as const
    ).map(([name, system]) =>
      against(`${profile}: the processor's time, ${name}`, processorOf(system), processorOf(plain)),
    ),
    ...Object.keys(WORKLOADS[profile]).flatMap((name) => workloadFigures(profile, name, { site, plain })),
    ...kindFigures(profile, { site, plain }),
    ...(
      [
        ['plain PostgreSQL', plain],
        ['PostgreSQL retrofitted', retrofitted],
        ['the same behind a door', served],
        ['the same with every line of its log signed', signed],
      ] as const
    ).map(([name, system]) => rightFigure(`${profile}: right answers of ${name}`, [...system.runs.values()])),
    {
      name: `${profile}: bytes for each byte of personal data`,
      value: site.bytes / (RECORDS * PERSONAL_BYTES),
      unit: 'times',
      baseline: plain.bytes / (RECORDS * PERSONAL_BYTES),
    },
  ]
}

async function measureOnSite(profile: Profile): Promise<Measured> {
  const databaseUrl = await newDatabase(`${profile}_site`)
  await using processes = await testProcesses(process.env, { siteSettings: { databaseUrl } })
  return await measure(await openOnSite({ processes, databaseUrl }, RECORDS), profile)
}

async function measureOnPostgres(
  profile: Profile,
  kind: 'plain' | 'retrofitted' | 'served' | 'signed',
): Promise<Measured> {
  const url = await newDatabase(`${profile}_${kind}`)
  const size = { records: RECORDS, callers: CALLERS }
  await using postgres =
    kind === 'served' || kind === 'signed'
      ? await openBehindDoor(url, { ...size, retrofit: kind === 'signed' ? 'signed' : 'retrofitted' })
      : await openOnPostgres(url, { ...size, retrofit: kind })
  return await measure(postgres, profile)
}

async function measure(system: GdprSystem, profile: Profile): Promise<Measured> {
  const truth = new Truth(RECORDS)
  const runs = new Map<string, Run>()
  for (const [name, workload] of Object.entries(WORKLOADS[profile])) {
    if (WANTED?.includes(name) === false) continue
    if (name !== 'custodian') {
      // Just before its own workload: what changes something would otherwise stand before workloads that only look.
      const before = stepsOf(workload, { truth, count: WARM_UP, seed: `${profile} ${name}, warming up` })
      await runSteps(system, before, CALLERS)
    }
    const steps = stepsOf(workload, { truth, count: OPERATIONS, seed: `${profile} ${name}` })
    // What an aggregate is to say depends on everything before it, where others change what it is over.
    const run = await runSteps(system, steps, name === 'custodian' ? 1 : CALLERS)
    runs.set(name, run)
    // A full run takes minutes: how far it is.
    console.error(
      `${profile}, ${name}, ${system.name}: ${Math.round(run.totalMs)} ms, of the processor ${Math.round(run.processorMs)}, ${run.right} of ${OPERATIONS} right`,
    )
  }
  return { runs, bytes: await system.bytes() }
}

/** Of the workloads that GDPRbench has. */
function totalOf({ runs }: Measured, msOf = ({ totalMs }: Run): number => totalMs): number {
  return [...runs].reduce((sum, [name, run]) => (name === 'custodian' ? sum : sum + msOf(run)), 0)
}

function against(name: string, ms: number, plainMs: number): Figure {
  return { name, value: ms / 1_000, unit: 's', baseline: plainMs / 1_000 }
}

interface Compared {
  readonly site: Measured
  readonly plain: Measured
}

function workloadFigures(profile: Profile, name: string, { site, plain }: Compared): readonly Figure[] {
  const [ours, theirs] = [site.runs.get(name), plain.runs.get(name)]
  if (!ours || !theirs) return []
  const callers = name === 'custodian' ? ' by one caller' : ''
  return [
    {
      name: `${profile}, ${name}: ${OPERATIONS} operations${callers}`,
      value: ours.totalMs / 1_000,
      unit: 's',
      baseline: theirs.totalMs / 1_000,
    },
    rightFigure(`${profile}, ${name}: right answers`, [ours]),
    ...protectedFigures(`${profile}, ${name}`, ours),
  ]
}

function protectedFigures(name: string, { guarded, refused }: Run): readonly Figure[] {
  if (guarded + refused === 0) return []
  return [
    { name: `${name}: of these, aggregates that leave somebody out`, value: guarded, unit: 'answers' },
    { name: `${name}: of these, refused because somebody has left`, value: refused, unit: 'answers' },
  ]
}

/** What one operation of each kind takes, over all workloads of a profile. */
function kindFigures(profile: Profile, { site, plain }: Compared): readonly Figure[] {
  const theirs = timesByKind(plain)
  return [...timesByKind(site)].flatMap(([kind, times]) => {
    const baseline = theirs.get(kind) ?? []
    return [
      {
        name: `${profile}: ${kind}, p50 of ${times.length}`,
        value: median(times),
        unit: 'ms',
        baseline: median(baseline),
      },
      { name: `${profile}: ${kind}, p99`, value: p99(times), unit: 'ms', baseline: p99(baseline) },
    ]
  })
}

function timesByKind({ runs }: Measured): ReadonlyMap<Operation['kind'], readonly number[]> {
  const all = new Map<Operation['kind'], readonly number[]>()
  for (const { byKind } of runs.values())
    for (const [kind, times] of byKind) all.set(kind, [...(all.get(kind) ?? []), ...times])
  return all
}

function p99(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? Number.NaN
}

function rightFigure(name: string, runs: readonly Run[]): Figure {
  const [right, all] = [runs.reduce((sum, run) => sum + run.right, 0), runs.length * OPERATIONS]
  return { name, value: (right / all) * 100, unit: '%', goal: '100', met: right === all }
}
