import { strict as assert } from 'node:assert'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { BitGatherer, Bitset } from '../src/kernel/bitset.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { silentLog } from '../src/kernel/log.ts'
import type { Database } from '../src/kernel/postgres/database.ts'
import { openPostgres } from '../src/kernel/postgres/open-postgres.ts'
import { dataSetIdSchema } from '../src/protocol/wire.ts'
import type { CollectedGroup } from '../src/site/guard/collected-group.ts'
import { guardAnswer } from '../src/site/guard/guard-answer.ts'
import { guardGroups } from '../src/site/guard/guard-groups.ts'
import { measureValue } from '../src/site/guard/measure-value.ts'
import { encodeDelta } from '../src/site/guard/partition-delta.ts'
import { EMPTY_PARTITION } from '../src/site/guard/partition.ts'
import type { PartitionDraft } from '../src/site/guard/partition-draft.ts'
import type { Partition } from '../src/site/guard/partition.ts'
import { openVault } from '../src/site/vault/open-vault.ts'
import { Blocks, partitionAfterAnswers } from './shared/earlier-answers.ts'
import { collectEnforced, collectTelling, TELLING_SQL } from './shared/enforced-question.ts'
import { benchRows, GROUPS, makeRows } from './shared/enforced-rows.ts'
import { median } from './shared/median.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * An enforced aggregate beside the same question with nothing enforced, and beside row-level security in PostgreSQL.
 * 10M rows of 1M people in 27 groups, 70 % of the people eligible; every answer row needs a minimum group. All three
 * work on the same rows, made by the same arithmetic in SQL, and must agree.
 */
const size = scale()
const rowCount = Math.round(10_000_000 * size)
const personCount = Math.round(1_000_000 * size)
const EARLIER_ROWS = 100_000
const RUNS = 7
const RUN_LIMITS = { timeoutMs: 120_000, rowsMax: 10_000_000 }
const settings = { minimumGroup: 20, dominanceBp: 1_000, groupsMax: 10_000 }

const { person, columns, isEligible } = benchRows(personCount)

const directory = await mkdtemp(join(tmpdir(), 'hedgerow-bench-'))
try {
  await makeRows(directory, { rowCount, personCount })
  const enforced = await measureEnforced(directory)
  const policedMs = await measurePostgres(directory, enforced.answer)
  const guardMs = measureGuard()
  writeReport({
    name: 'enforced-aggregate',
    scale: size,
    figures: [
      {
        name: 'enforced, beside raw DuckDB',
        value: enforced.enforcedMs,
        unit: 'ms',
        baseline: enforced.rawMs,
        goal: 'at most 8 times raw',
        met: enforced.enforcedMs <= 8 * enforced.rawMs,
      },
      {
        name: 'enforced, beside row-level security in PostgreSQL',
        value: enforced.enforcedMs,
        unit: 'ms',
        baseline: policedMs,
        goal: 'at most 0.1 times PostgreSQL',
        met: enforced.enforcedMs <= policedMs / 10,
      },
      {
        name: `enforced, held against ${EARLIER_ROWS.toLocaleString('en')} earlier rows`,
        value: enforced.laterMs,
        unit: 'ms',
        baseline: enforced.rawMs,
        goal: 'at most 8 times raw',
        met: enforced.laterMs <= 8 * enforced.rawMs,
      },
      ...enforced.telling.map(({ things, rawMs, collectedMs }) => ({
        name: `enforced, by ${things === 'one' ? 'one condition' : 'two conditions'}, with whom they tell apart`,
        value: collectedMs,
        unit: 'ms',
        baseline: rawMs,
        goal: 'at most 8 times raw',
        met: collectedMs <= 8 * rawMs,
      })),
      { name: 'of which guard and partition, first answer', value: enforced.guardMs, unit: 'ms' },
      {
        name: 'of which guard, partition and its record, after them',
        value: enforced.laterGuardMs,
        unit: 'ms',
      },
      {
        name: 'guard, 1,000 rows, 1M people',
        value: guardMs,
        unit: 'ms',
        goal: 'at most 20',
        met: guardMs <= 20,
      },
    ],
  })
} finally {
  await rm(directory, { recursive: true, force: true })
}

interface EnforcedFigures {
  readonly rawMs: number
  readonly enforcedMs: number
  readonly guardMs: number
  /** The same with a partition of many earlier answers, and with what the record keeps of it. */
  readonly laterMs: number
  readonly laterGuardMs: number
  /** Questions by conditions with nothing enforced; and collected, with whom they tell apart, without the guard. */
  readonly telling: readonly {
    readonly things: keyof typeof TELLING_SQL
    readonly rawMs: number
    readonly collectedMs: number
  }[]
  /** By region: average and people. */
  readonly answer: ReadonlyMap<string, { average: number; people: number }>
}

async function measureEnforced(home: string): Promise<EnforcedFigures> {
  await using vault = await openVault({ directory: home, clock: systemClock })
  const found = await vault.run(
    { sql: `select i from range(${personCount}) t(i) where ${isEligible}` },
    RUN_LIMITS,
  )
  assert.ok(found.ok)
  const people = Bitset.of(found.value.doubles(0))
  // Known before the first ask, as it is at a site.
  const rowsPerPerson = await vault.rowsPerPerson(dataSetIdSchema.parse('bench'))
  return await vault.withEligible({ people, cacheKey: 'bench' }, async (eligible) => {
    const [raw, whole, guard, laterGuard]: [number[], number[], number[], number[]] = [[], [], [], []]
    const telling = (['one', 'two'] as const).map((things) => ({
      things,
      sql: TELLING_SQL[things],
      raw: [] as number[],
      collected: [] as number[],
    }))
    let groups: readonly CollectedGroup[] = []
    let earlier: Partition | undefined
    for (let run = 0; run <= RUNS; run += 1) {
      const rawMs = await timed(() =>
        vault.run({ sql: 'select region, avg(v) from ds_bench group by region' }, RUN_LIMITS),
      )
      const start = performance.now()
      groups = await collectEnforced(vault, { table: 'ds_bench', eligible, personCount, rowsPerPerson })
      const guardStart = performance.now()
      guardAgainst(EMPTY_PARTITION, { groups, people })
      const end = performance.now()
      earlier ??= partitionAfterAnswers(new Blocks(groups.map((group) => group.people)), EARLIER_ROWS)
      const laterStart = performance.now()
      encodeDelta(guardAgainst(earlier, { groups, people }))
      const laterEnd = performance.now()
      const relation = { table: 'ds_bench', eligible, personCount, rowsPerPerson }
      for (const { sql, raw: ofRaw, collected } of telling) {
        const bare = sql.replace('from bench', 'from ds_bench')
        ofRaw.push(await timed(() => vault.run({ sql: bare }, RUN_LIMITS)))
        collected.push(await timed(() => collectTelling(vault, { relation, sql })))
      }
      // The first run warms up.
      if (run === 0) continue
      raw.push(rawMs)
      whole.push(end - start)
      guard.push(end - guardStart)
      laterGuard.push(laterEnd - laterStart)
    }
    const answer = new Map(
      groups.map(({ keys, measures, ...group }) => [
        String(keys[0]),
        { average: averageOf(measures), people: group.people.count() },
      ]),
    )
    const [enforcedMs, guardMs, laterGuardMs] = [median(whole), median(guard), median(laterGuard)]
    const ofTelling = telling.map(({ things, raw: ofRaw, collected }) => ({
      things,
      rawMs: median(ofRaw.slice(1)),
      collectedMs: median(collected.slice(1)),
    }))
    const laterMs = enforcedMs - guardMs + laterGuardMs
    return { rawMs: median(raw), enforcedMs, guardMs, laterMs, laterGuardMs, telling: ofTelling, answer }
  })
}

function guardAgainst(
  partition: Partition,
  { groups, people }: { groups: readonly CollectedGroup[]; people: Bitset },
): PartitionDraft {
  const partitions = [{ dataSet: 'bench', partition, eligible: people }]
  const answer = guardAnswer(groups, { settings, partitions, rowShapes: new Map([['v', 'all']]) })
  assert.ok(answer.ok && answer.value.released.length === GROUPS)
  const [plan] = answer.value.plans
  assert.ok(plan)
  return plan.plan.draft
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return performance.now() - start
}

function averageOf(measures: CollectedGroup['measures']): number {
  const measure = measures.find(({ kind }) => kind === 'avg')
  return (measure && measureValue(measure)) ?? Number.NaN
}

/** The same rows under a row-level policy, asked by a role that it binds. */
async function measurePostgres(home: string, expected: EnforcedFigures['answer']): Promise<number> {
  await using postgres = await openPostgres({ directory: home, name: 'bench', log: silentLog })
  const { db } = postgres
  const inPostgres = (text: string) =>
    text
      .replaceAll('//', '/')
      .replaceAll('1000.0', '1000.0::double precision')
      .replaceAll('(_p +', '(_p::bigint +')
  await sql`create unlogged table ds_bench as select ${sql.raw(inPostgres(columns))} from (select i, ${sql.raw(inPostgres(person))} as _p from generate_series(0::bigint, ${sql.lit(rowCount - 1)}) i) t`.execute(
    db,
  )
  await sql`create unlogged table eligible_bench as select i::integer as _p from generate_series(0::bigint, ${sql.lit(personCount - 1)}) i where ${sql.raw(inPostgres(isEligible))}`.execute(
    db,
  )
  await sql`create unique index on eligible_bench (_p)`.execute(db)
  await sql`create role asker`.execute(db)
  await sql`alter table ds_bench enable row level security`.execute(db)
  await sql`create policy eligible on ds_bench for select using (_p in (select _p from eligible_bench))`.execute(
    db,
  )
  await sql`grant select on ds_bench, eligible_bench to asker`.execute(db)
  await sql`vacuum analyze ds_bench, eligible_bench`.execute(db)
  const times: number[] = []
  for (let run = 0; run < 2; run += 1) {
    const start = performance.now()
    const rows = await askAsRole(db)
    times.push(performance.now() - start)
    assert.equal(rows.length, expected.size)
    for (const { region, average, people } of rows) {
      const ours = expected.get(region)
      assert.equal(Number(people), ours?.people)
      assert.ok(Math.abs(average - (ours?.average ?? 0)) < 1e-9)
    }
  }
  return Math.min(...times)
}

async function askAsRole(
  db: Database,
): Promise<readonly { region: string; average: number; people: unknown }[]> {
  return db.transaction().execute(async (tx) => {
    // Our connections end statements that a policy would change.
    await sql`set local row_security = on`.execute(tx)
    await sql`set local role asker`.execute(tx)
    // Room for the people in memory: with the default of 4 MB the policy looks each row up in a list.
    await sql`set local work_mem = '512MB'`.execute(tx)
    const { rows } = await sql<{ region: string; average: number; people: unknown }>`
      select region, avg(v) as average, count(distinct _p) as people from ds_bench group by region having count(distinct _p) >= 20`.execute(
      tx,
    )
    return rows
  })
}

/** The guard alone, over sets that it has not seen before. */
function measureGuard(): number {
  const people = 1_000_000
  const rows = 1_000
  const times: number[] = []
  for (let run = 0; run < 5; run += 1) {
    const members: number[][] = Array.from({ length: rows }, () => [])
    for (let one = 0; one < people; one += 1)
      members[(Math.imul(one, 2_654_435_761) >>> 12) % rows]?.push(one)
    const gatherer = new BitGatherer()
    const groups = members.map((list, key): CollectedGroup => {
      // As the vault reads them from the engine.
      for (const member of list) gatherer.add(member)
      const set = gatherer.take()
      const measure = {
        count: 1_000,
        sum: 1_000,
        sumOfSquares: 0,
        people: set,
        largestShare: 1,
        absoluteSum: 1_000,
      }
      return {
        keys: [key],
        people: set,
        measures: [
          { kind: 'people', ...measure },
          { kind: 'avg', ...measure },
        ],
      }
    })
    const start = performance.now()
    const guarded = guardGroups(groups, settings)
    times.push(performance.now() - start)
    assert.ok(guarded.ok && guarded.value.released.length === rows)
  }
  return median(times)
}
