import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import type { Database } from '../../../../src/kernel/postgres/database.ts'
import { migrate } from '../../../../src/kernel/postgres/migrate.ts'
import { SITE_MIGRATIONS } from '../../../../src/site/record/migrations.ts'
import { testPostgres } from '../../../../src/testing/test-postgres.ts'

const STEP = '0260-keep-keys-in-pieces'

const keys = async (db: Database): Promise<unknown> =>
  (await sql`select person, wrapped from person_key order by person`.execute(db)).rows

test('the keys of people of before are in pieces, each where it was, and no person has two', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const steps = Object.entries(SITE_MIGRATIONS)
  await migrate(db, Object.fromEntries(steps.filter(([name]) => name < STEP)))
  await sql`
    insert into person_key (person, wrapped) select i, decode(md5(i::text), 'hex') from generate_series(0, 999) i`.execute(
    db,
  )
  const before = await keys(db)
  await migrate(db, SITE_MIGRATIONS)
  assert.deepEqual(await keys(db), before)
  const { rows } = await sql<{ filled: bigint }>`
    select count(*) as filled from pg_partition_tree('person_key'::regclass)
    where isleaf and pg_relation_size(relid) > 0`.execute(db)
  assert.equal(Number(rows[0]?.filled), 16)
  await assert.rejects(
    sql`insert into person_key (person, wrapped) values (7, '\\x00')`.execute(db),
    /duplicate key/,
  )
})
