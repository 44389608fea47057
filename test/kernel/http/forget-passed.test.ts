import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { later } from '../../../src/kernel/clock.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { forgetPassedRequests } from '../../../src/kernel/http/forget-passed.ts'
import { recordIdempotencyStore } from '../../../src/kernel/http/idempotency.ts'
import { recordUsedTokens } from '../../../src/kernel/http/used-tokens.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { deleteInSteps } from '../../../src/kernel/postgres/delete-in-steps.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { testDatabaseUrl } from '../../../src/testing/test-postgres.ts'

const WINDOW_MS = LIMITS.idempotencyWindowMs
let postgres: Awaited<ReturnType<typeof connect>>
let db: Database
before(async () => {
  const url = await testDatabaseUrl('network')
  postgres = await connect(url, { name: 'test', log: silentLog, stop: () => Promise.resolve() })
  db = postgres.db
})
after(() => postgres[Symbol.asyncDispose]())
beforeEach(async () => {
  await sql`delete from idempotent_answer`.execute(db)
  await sql`delete from used_token`.execute(db)
})

async function rowsIn(table: string): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`select count(*) as count from ${sql.table(table)}`.execute(db)
  return Number(rows[0]?.count)
}

const answer = (words: string) => ({ bodyDigest: digestOf(words), status: 200, body: words })

test('an answer is given again until its window ends, swept or not, and then its key is new', async () => {
  const clock = new ManualClock(Date.UTC(2026, 4, 4))
  const store = recordIdempotencyStore({ db, clock })
  await store.keep('northcare', 'key-1', answer('first'))
  clock.advance(WINDOW_MS)
  assert.equal((await store.find('northcare', 'key-1'))?.body, 'first')
  await store.keep('northcare', 'key-1', answer('second'))
  assert.equal((await store.find('northcare', 'key-1'))?.body, 'first', 'the first stays')
  assert.equal(await forgetPassedRequests({ db, clock }), 0)
  clock.advance(1)
  assert.equal(await store.find('northcare', 'key-1'), undefined)
  await store.keep('northcare', 'key-1', answer('third'))
  assert.equal((await store.find('northcare', 'key-1'))?.body, 'third')
  assert.equal(await forgetPassedRequests({ db, clock }), 0, 'it counts anew')
  clock.advance(WINDOW_MS + 1)
  assert.equal(await forgetPassedRequests({ db, clock }), 1)
  assert.equal(await rowsIn('idempotent_answer'), 0)
})

test('a used token is refused for as long as any clock could take it, and then leaves', async () => {
  const clock = new ManualClock(Date.UTC(2026, 4, 4))
  const tokens = recordUsedTokens({ db })
  const token = { issuer: 'northcare', jti: 'jti-1', expires: later(clock.now(), LIMITS.tokenLifetimeMsMax) }
  assert.equal(await tokens.use(token), true)
  clock.advance(LIMITS.tokenLifetimeMsMax + 2 * LIMITS.clockSkewMsMax)
  assert.equal(await forgetPassedRequests({ db, clock }), 0)
  assert.equal(await tokens.use(token), false)
  clock.advance(1)
  assert.equal(await forgetPassedRequests({ db, clock }), 1)
  assert.equal(await rowsIn('used_token'), 0)
})

test('many rows leave in steps, and one call leaves what is too much to the next', async () => {
  await sql`
    insert into used_token (digest, expires_at)
    select int4send(number), to_timestamp(0) from generate_series(1, 250) number`.execute(db)
  await sql`
    insert into used_token (digest, expires_at)
    select int4send(number), to_timestamp(100) from generate_series(251, 260) number`.execute(db)
  const passed = { table: 'used_token', where: sql`expires_at < to_timestamp(1)` }
  assert.equal(await deleteInSteps(db, { ...passed, stepRows: 2 }), 200)
  assert.equal(await rowsIn('used_token'), 60)
  assert.equal(await deleteInSteps(db, { ...passed, stepRows: 2 }), 50)
  assert.equal(await rowsIn('used_token'), 10)
})

test('what has passed is found by an index', async () => {
  const plan = async (condition: ReturnType<typeof sql>) => {
    const { rows } = await db.transaction().execute(async (tx) => {
      await sql`set local enable_seqscan = off`.execute(tx)
      return sql<{ 'QUERY PLAN': string }>`explain ${condition}`.execute(tx)
    })
    return rows.map((row) => row['QUERY PLAN']).join(' ')
  }
  assert.match(
    await plan(sql`select ctid from used_token where expires_at < now() limit 9`),
    /used_token_expiry/,
  )
  assert.match(
    await plan(sql`select ctid from idempotent_answer where kept_at < now() limit 9`),
    /idempotent_answer_age/,
  )
})
