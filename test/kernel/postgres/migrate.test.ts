import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { Fault } from '../../../src/kernel/faults.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { inOldWords, migrate } from '../../../src/kernel/postgres/migrate.ts'
import { NETWORK_MIGRATIONS } from '../../../src/network/migrations/migrations.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

const createA = {
  up: async (db: Database) => {
    await sql`create table a (x int)`.execute(db)
  },
}
const createB = {
  up: async (db: Database) => {
    await sql`create table b (y int)`.execute(db)
  },
}
const broken = {
  up: async (db: Database) => {
    await sql`create table c (z int)`.execute(db)
    await sql`select 1 / 0`.execute(db)
  },
}

const isVersionFault = (error: unknown) => error instanceof Fault && error.code === 'fault.directory_version'

describe('migrate()', () => {
  test('runs each step once, also one that sorts before steps that have run', async () => {
    await using postgres = await testPostgres()
    await migrate(postgres.db, { '0010-create-b': createB })
    await migrate(postgres.db, { '0001-create-a': createA, '0010-create-b': createB })
    await migrate(postgres.db, { '0001-create-a': createA, '0010-create-b': createB })
    await sql`select * from a, b`.execute(postgres.db)
  })

  test('two servers that start at once on one database do not get in each other’s way', async () => {
    await using postgres = await testPostgres()
    await Promise.all(Array.from({ length: 4 }, () => migrate(postgres.db, { '0001-create-a': createA })))
  })

  test('leaves everything as it was when a step fails, and names the step', async () => {
    await using postgres = await testPostgres()
    await assert.rejects(
      migrate(postgres.db, { '0001-create-a': createA, '0002-broken': broken }),
      /0002-broken/,
    )
    const { rows } = await sql<{
      a: string | null
      c: string | null
    }>`select to_regclass('a') as a, to_regclass('c') as c`.execute(postgres.db)
    assert.deepEqual(rows, [{ a: null, c: null }])
    await migrate(postgres.db, { '0001-create-a': createA })
  })

  test('refuses a database with a step of a newer version', async () => {
    await using postgres = await testPostgres()
    await migrate(postgres.db, { '0001-create-a': createA, '0002-create-b': createB })
    await assert.rejects(
      migrate(postgres.db, { '0001-create-a': createA }),
      (error: unknown) => isVersionFault(error) && /"0002-create-b" of another version/.test(String(error)),
    )
  })

  test('refuses a step that was changed after it had run, but not one that was only laid out anew', async () => {
    await using postgres = await testPostgres()
    await migrate(postgres.db, { '0001-create-a': createA })
    await assert.rejects(migrate(postgres.db, { '0001-create-a': createB }), isVersionFault)
    const laidOut = {
      up: async (db: Database) => {
        await sql`create table a
          (x int)`.execute(db)
      },
    }
    await migrate(postgres.db, { '0001-create-a': laidOut })
  })
})

test('inOldWords() leaves out how a column is stored, which PostgreSQL 15 cannot be told in "create table"', async () => {
  await using postgres = await testPostgres()
  const stored = async (storage: string) => {
    const { rows } = await sql<{ column: string }>`
      select c.relname || '.' || attname as column from pg_attribute join pg_class c on c.oid = attrelid
      where relkind in ('r', 'p') and attstorage = ${storage} and attnum > 0
        and relnamespace = current_schema()::regnamespace and relname !~ '_piece_'
      order by 1`.execute(postgres.db)
    return rows.map(({ column }) => column)
  }
  const { '0460-keep-texts-as-they-are': last, ...before } = NETWORK_MIGRATIONS
  await migrate(postgres.db, inOldWords(before))
  assert.deepEqual(await stored('e'), [])
  assert.ok(last)
  await last.up(postgres.db)
  assert.deepEqual(await stored('e'), ['ask.jws', 'ask_batch.jws', 'decision.release', 'notice.sealed'])
})
