import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { digestOf } from '../../src/kernel/digest.ts'
import type { Database } from '../../src/kernel/postgres/database.ts'
import { migrate } from '../../src/kernel/postgres/migrate.ts'
import { NETWORK_MIGRATIONS } from '../../src/network/migrations/migrations.ts'
import { testPostgres } from '../../src/testing/test-postgres.ts'

const STEP = '0260-keep-decisions-in-pieces'

async function bringUpTo(db: Database, isAfter: boolean, step = STEP): Promise<void> {
  const steps = Object.entries(NETWORK_MIGRATIONS).filter(([name]) => isAfter || name < step)
  await migrate(db, Object.fromEntries(steps))
}

async function fill(db: Database): Promise<void> {
  await sql`
    insert into decision (ask, site, jws, release, receipts, received_at)
    select 'ask-' || i, 'galway', 'jws ' || i, 'jwe ' || i, '[]', now() from generate_series(1, 300) i`.execute(
    db,
  )
  await sql`update decision set release = null, withdrawn_at = now() where ask = 'ask-7'`.execute(db)
  await sql`
    insert into release_withdrawal (site, ask, had_release, ordered_at) values ('galway', 'ask-301', false, now())`.execute(
    db,
  )
  await sql`
    insert into notice (notice, site, acquirer, sealed, sent_at)
    select 'notice-' || i, 'galway', 'northcare', 'sealed ' || i, now() from generate_series(1, 100) i`.execute(
    db,
  )
}

async function all(db: Database): Promise<unknown> {
  const decisions = await sql`select * from decision order by ask`.execute(db)
  const notices = await sql`select * from notice order by sequence`.execute(db)
  return [decisions.rows, notices.rows]
}

test('decisions and notices of before are in pieces, unchanged, and numbers of notices go on', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await bringUpTo(db, false)
  await fill(db)
  const before = await all(db)
  await bringUpTo(db, true)
  assert.deepEqual(await all(db), before)
  const { rows } = await sql<{ pieces: bigint; filled: bigint }>`
    select count(*) as pieces, count(*) filter (where pg_relation_size(relid) > 0) as filled
    from pg_partition_tree('decision'::regclass) where isleaf`.execute(db)
  assert.equal(Number(rows[0]?.pieces), 16)
  assert.equal(Number(rows[0]?.filled), 16)
  const { rows: next } = await sql<{ sequence: bigint }>`
    insert into notice (notice, site, acquirer, sent_at) values ('next', 'galway', 'northcare', now())
    returning sequence`.execute(db)
  assert.equal(Number(next[0]?.sequence), 101)
})

test('what was refused of decisions is refused of each piece', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await bringUpTo(db, true)
  await fill(db)
  const pieces = Array.from({ length: 16 }, (_, piece) => sql.table(`decision_piece_${piece}`))
  for (const table of [sql.table('decision'), ...pieces]) {
    for (const change of [
      sql`delete from ${table}`,
      sql`truncate ${table}`,
      sql`update ${table} set jws = 'another'`,
    ])
      await assert.rejects(change.execute(db), /append-only/)
  }
  await sql`update decision set release = null, withdrawn_at = now() where ask = 'ask-8'`.execute(db)
  await assert.rejects(
    sql`update decision set release = 'again' where ask = 'ask-8'`.execute(db),
    /append-only/,
  )
  const withdrawn = sql`
    insert into decision (ask, site, jws, release, receipts, received_at)
    values ('ask-301', 'galway', 'jws', 'jwe', '[]', now())`
  await assert.rejects(withdrawn.execute(db), /the release was withdrawn/)
  const twice = sql`
    insert into decision (ask, site, jws, receipts, received_at) values ('ask-1', 'galway', 'jws', '[]', now())`
  await assert.rejects(twice.execute(db), /duplicate key/)
})

test('a decision stands whole in its row, and a large one beside it', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await bringUpTo(db, true)
  const write = async (ask: string, bytes: number) => {
    // Texts that nothing can be saved of, as signed and sealed ones are.
    await sql`
      insert into decision (ask, site, jws, release, receipts, received_at)
      select ${ask}, 'galway', 'jws', string_agg(md5(random()::text), ''), '[]', now()
      from generate_series(1, ${bytes / 32}::integer)`.execute(db)
  }
  await write('usual', 7_168)
  assert.equal(await beside(db), 0)
  await write('large', 65_536)
  assert.ok((await beside(db)) > 0)
})

/** Bytes of decisions that stand in the tables beside them. */
async function beside(db: Database): Promise<number> {
  const { rows } = await sql<{ bytes: bigint }>`
    select sum(pg_relation_size(c.reltoastrelid))::bigint as bytes
    from pg_partition_tree('decision'::regclass) as t join pg_class as c on c.oid = t.relid where t.isleaf`.execute(
    db,
  )
  return Number(rows[0]?.bytes)
}

test('texts of disputes of before stand apart, by a digest that goes with them', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await bringUpTo(db, false, '0400-keep-dispute-texts-apart')
  await sql`
    insert into dispute (id, ask, site, side, acquirer, issuer, custodian, raised_by, reason, statement, currency, raised_at,
      answer_by)
    values ('d', 'a', 's', 'provider', 'n', 'f', 'e', 'e', 'passed_on', 'Said before', 'EUR', now(), now())`.execute(
    db,
  )
  await sql`
    insert into dispute_step (dispute, kind, state, by_party, said, made_at) values
      ('d', 'answer', 'contested', 'n', 'Answered before', now()), ('d', 'end', 'withdrawn', 'e', null, now())`.execute(
    db,
  )
  await bringUpTo(db, true)
  const { rows: texts } = await sql<{ kind: string; by_party: string; salt: string; body: string }>`
    select kind, by_party, salt, body from dispute_text order by kind desc`.execute(db)
  assert.deepEqual(
    texts.map(({ kind, by_party, body }) => [kind, by_party, body]),
    [
      ['statement', 'e', 'Said before'],
      ['answer', 'n', 'Answered before'],
    ],
  )
  const { rows: digests } = await sql<{ digest: string | null }>`
    select text_digest as digest from dispute
    union all (select text_digest from dispute_step order by kind)`.execute(db)
  assert.deepEqual(
    digests.map(({ digest }) => digest),
    [...texts.map(({ salt, body }) => digestOf(`${salt} ${body}`)), null],
  )
  const again = sql`
    insert into dispute_step (dispute, kind, state, by_party, made_at) values ('d', 'end', 'upheld', 'x', now())`
  await assert.rejects(again.execute(db), /dispute_step_once/, 'it ends once')
  await assert.rejects(sql`update dispute_step set state = 'upheld'`.execute(db), /append-only/)
})
