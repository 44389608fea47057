import { sql } from 'kysely'
import { silentLog } from '../src/kernel/log.ts'
import type { Database } from '../src/kernel/postgres/database.ts'
import { connect } from '../src/kernel/postgres/open-postgres.ts'
import type { Postgres } from '../src/kernel/postgres/open-postgres.ts'
import { purgeTables } from '../src/kernel/postgres/purge-tables.ts'
import { bareSite } from '../src/testing/test-site.ts'
import { testDatabaseUrl } from '../src/testing/test-postgres.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * The second step of an erasure writes tables of the record anew. How long does an ask wait for it, which keeps its answer in
 * the largest of them? One answer after another is kept while the table is rewritten, in pieces as it is, and as one
 * table of the same rows, which is the baseline. Keys of people are no part of an ask: for how long a grant or a look at
 * somebody's data waits. A network writes its decisions anew when a site withdraws a release.
 */

const ANSWERS = Math.round(100_000 * scale())
const KEYS = Math.round(1_000_000 * scale())
const RELEASE_BYTES = 4_000

await using bare = await bareSite()
const { db } = bare.site
await fill('answer')
await sql`create table answer_whole (like answer including all)`.execute(db)
await sql`insert into answer_whole select * from answer`.execute(db)
await sql`
  insert into person_key (person, wrapped)
  select i, decode(repeat(md5(i::text), 4), 'hex') from generate_series(1, ${KEYS}::integer) i on conflict do nothing`.execute(
  db,
)
await sql`create table person_key_whole (like person_key including all)`.execute(db)
await sql`insert into person_key_whole select * from person_key`.execute(db)
await sql`analyze`.execute(db)

const whole = await slowestBeside('answer_whole', keep)
const pieces = await slowestBeside('answer', keep)
const wholeKeys = await slowestBeside('person_key_whole', look)
const keys = await slowestBeside('person_key', look)
const network = await filledNetwork()
const wholeDecisions = await slowestBeside('decision_whole', decide, network.db)
const decisions = await slowestBeside('decision', decide, network.db)
await network[Symbol.asyncDispose]()
const each = [await keepingMs('answer_whole', 'w'), await keepingMs('answer', 'p')]
writeReport({
  name: 'purge',
  scale: scale(),
  figures: [
    {
      name: `slowest answer kept while ${ANSWERS} are rewritten`,
      value: pieces.slowestMs,
      unit: 'ms',
      baseline: whole.slowestMs,
      goal: 'at most a quarter of one table',
      met: pieces.slowestMs <= whole.slowestMs / 4,
    },
    { name: 'answers kept meanwhile', value: pieces.kept, unit: 'answers', baseline: whole.kept },
    { name: 'the whole rewriting', value: pieces.wholeMs, unit: 'ms', baseline: whole.wholeMs },
    {
      name: `slowest look at a key while ${KEYS} are rewritten`,
      value: keys.slowestMs,
      unit: 'ms',
      baseline: wholeKeys.slowestMs,
      goal: 'at most a quarter of one table',
      met: keys.slowestMs <= wholeKeys.slowestMs / 4,
    },
    {
      name: `rewriting ${KEYS} keys of people`,
      value: keys.wholeMs,
      unit: 'ms',
      baseline: wholeKeys.wholeMs,
    },
    {
      name: `slowest decision kept by a network while ${ANSWERS} are rewritten`,
      value: decisions.slowestMs,
      unit: 'ms',
      baseline: wholeDecisions.slowestMs,
      goal: 'at most a quarter of one table',
      met: decisions.slowestMs <= wholeDecisions.slowestMs / 4,
    },
    { name: 'keeping one answer, nobody rewriting', value: each[1] ?? 0, unit: 'ms', baseline: each[0] ?? 0 },
  ],
})

async function fill(table: string): Promise<void> {
  await sql`
    insert into ${sql.table(table)} (ask_id, ask_digest, acquirer, decision, decision_jws, release_jwe, receipt_sequences, decided_ms, pushed_ms)
    select 'ask-' || i, 'd', 'northcare', '{}', repeat(md5(i::text), 20),
      (select string_agg(md5(i::text || j), '') from generate_series(1, ${RELEASE_BYTES / 32}::integer) j), '{}', i, i
    from generate_series(1, ${ANSWERS}::integer) i`.execute(db)
}

/** A network's decisions, in pieces and as one table. */
async function filledNetwork(): Promise<Postgres> {
  const url = await testDatabaseUrl('network')
  const opened = await connect(url, { name: 'bench', log: silentLog, stop: () => Promise.resolve() })
  // It takes a lock for each release, more than one transaction may hold.
  await sql`alter table decision disable trigger decision_is_not_withdrawn`.execute(opened.db)
  await sql`
    insert into decision (ask, site, jws, release, receipts, received_at)
    select 'ask-' || i, 'galway', repeat(md5(i::text), 20),
      (select string_agg(md5(i::text || j), '') from generate_series(1, ${RELEASE_BYTES / 32}::integer) j), '[]', now()
    from generate_series(1, ${ANSWERS}::integer) i`.execute(opened.db)
  await sql`alter table decision enable trigger decision_is_not_withdrawn`.execute(opened.db)
  await sql`create table decision_whole (like decision including all)`.execute(opened.db)
  await sql`insert into decision_whole select * from decision`.execute(opened.db)
  return opened
}

type Act = (into: Database, table: string, name: string) => Promise<unknown>

async function slowestBeside(
  table: string,
  act: Act,
  into: Database = db,
): Promise<{ slowestMs: number; wholeMs: number; kept: number }> {
  let isDone = false
  let slowestMs = 0
  let kept = 0
  const keeping = (async () => {
    while (!isDone) {
      slowestMs = Math.max(slowestMs, await timed(() => act(into, table, `${table} ${kept}`)))
      kept += 1
    }
  })()
  const wholeMs = await timed(() => purge(into, table))
  isDone = true
  await keeping
  return { slowestMs, wholeMs, kept }
}

async function purge(from: Database, table: string): Promise<void> {
  const { isRewritten } = await purgeTables(from, [table])
  if (!isRewritten) throw new Error(`Cannot rewrite "${table}"`)
}

async function keepingMs(table: string, name: string): Promise<number> {
  const taken: number[] = []
  for (let turn = 0; turn < 400; turn += 1) taken.push(await timed(() => keep(db, table, `${name} ${turn}`)))
  return taken.toSorted((left, right) => left - right)[200] ?? 0
}

async function keep(into: Database, table: string, ask: string): Promise<void> {
  await sql`
    insert into ${sql.table(table)} (ask_id, ask_digest, acquirer, decision, decision_jws, receipt_sequences, decided_ms)
    values (${ask}, 'd', 'northcare', '{}', 'jws', '{}', 0)`.execute(into)
  await sql`update ${sql.table(table)} set pushed_ms = 0 where ask_id = ${ask} and pushed_ms is null`.execute(
    into,
  )
}

async function look(into: Database, table: string, name: string): Promise<void> {
  const person = 1 + (Number(name.split(' ').at(-1)) % KEYS)
  await sql`select wrapped from ${sql.table(table)} where person = ${person}`.execute(into)
}

async function decide(into: Database, table: string, ask: string): Promise<void> {
  await sql`
    insert into ${sql.table(table)} (ask, site, jws, release, receipts, received_at)
    values (${ask}, 'galway', 'jws', 'jwe', '[]', now())`.execute(into)
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return performance.now() - start
}
