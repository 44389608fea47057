import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { purgeTables } from '../../../src/kernel/postgres/purge-tables.ts'
import { heldTransaction } from '../../../src/testing/held-transaction.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

const DELETED = 'marker-4711'

test('nobody waits behind a purge that waits for its lock', { timeout: 60_000 }, async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await sql`create table kept (x text)`.execute(db)
  await sql`insert into kept select ${DELETED} || n from generate_series(1, 1000) n`.execute(db)
  await sql`delete from kept`.execute(db)
  const holding = await heldTransaction(db, sql`lock table kept in access share mode`)
  const purging = purgeTables(db, ['kept'])
  try {
    for (;;) {
      const { rows } = await sql`
        select 1 from pg_locks where relation = 'kept'::regclass and mode = 'AccessExclusiveLock' and not granted`.execute(
        db,
      )
      if (rows.length > 0) break
      await sleep(5)
    }
    // While the lock is held as before: whoever reads comes in between two attempts.
    const { rows } = await sql<{ count: bigint }>`select count(*) as count from kept`.execute(db)
    assert.equal(Number(rows[0]?.count), 0)
  } finally {
    await holding[Symbol.asyncDispose]()
  }
  assert.equal((await purging).isRewritten, true)
  const { rows } = await sql<{ size: bigint }>`select pg_relation_size('kept') as size`.execute(db)
  assert.equal(Number(rows[0]?.size), 0)
})

test('whoever closes does not wait for a transaction of somebody else that a purge waits for', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await sql`create table seen (x text)`.execute(db)
  const reading = await heldTransaction(db, sql`select from seen`)
  try {
    const closing = new AbortController()
    const purging = purgeTables(db, ['seen'], { signal: closing.signal })
    closing.abort()
    assert.deepEqual(await purging, { isRewritten: false, isLogRecycled: false })
  } finally {
    await reading[Symbol.asyncDispose]()
  }
  assert.equal((await purgeTables(db, ['seen'])).isRewritten, true)
})

test('a log whose segments are kept for later use is not told to be without what was deleted', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await sql`create table forgotten (x text)`.execute(db)
  const { rows } = await sql<{ pid: number }>`
    select (regexp_match(pg_read_file('postmaster.pid'), '^[0-9]+'))[1]::integer as pid`.execute(db)
  const postmaster = rows[0]?.pid ?? 0
  const purge = () => purgeTables(db, ['forgotten'])
  // Whoever writes the checkpoints hears of settings from it, and segments that are past are renamed until then.
  process.kill(postmaster, 'SIGSTOP')
  try {
    assert.equal((await purge()).isLogRecycled, false)
  } finally {
    process.kill(postmaster, 'SIGCONT')
  }
  assert.equal((await purge()).isLogRecycled, true)
})
