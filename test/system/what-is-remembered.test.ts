import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { later, systemClock } from '../../src/kernel/clock.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { forgetPassed } from '../../src/site/record/forget-passed.ts'
import { testNetwork } from '../../src/testing/test-network.ts'
import { bareSite } from '../../src/testing/test-site.ts'
import { testPeople } from '../../src/testing/test-population.ts'

const DAY_MS = 86_400_000
let aheadMs = 0
const clock: Clock = {
  now: () => later(systemClock.now(), aheadMs),
  sleep: (durationMs, signal) => systemClock.sleep(durationMs, signal),
}

test('a network forgets answers and tokens when their time is over, and books no deposit twice for it', async () => {
  await using network = await testNetwork({ clock })
  await network.addMember('northcare', ['acquirer'])
  await using postgres = await connect(new Secret(network.databaseUrl), {
    name: 'look',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  const remembered = async () => {
    const { rows } = await sql<{ answers: number; tokens: number }>`
      select (select count(*)::integer from idempotent_answer) as answers,
        (select count(*)::integer from used_token) as tokens`.execute(postgres.db)
    return rows[0]
  }
  const deposit = () =>
    network.call(network.operator, NETWORK_API.transfer, {
      body: { kind: 'deposit', member: 'northcare', amount: { amount: 500, currency: 'EUR' } },
      headers: { 'idempotency-key': 'deposit-1' },
    })
  const first = await deposit()
  assert.deepEqual(await deposit(), first)
  const before = await remembered()
  assert.ok(before && before.answers >= 1 && before.tokens >= 3)
  aheadMs += 6 * DAY_MS
  await network.serving.sweep()
  assert.deepEqual(await remembered(), { answers: before.answers, tokens: 0 })
  aheadMs += 2 * DAY_MS
  await network.serving.sweep()
  assert.deepEqual(await remembered(), { answers: 0, tokens: 0 })
  assert.deepEqual(await deposit(), first, 'the ledger itself knows the key')
})

test('a site forgets calls that changed grants when their time is over', async () => {
  await using bare = await bareSite()
  await bare.fill({ dataSet: 'athletes', people: testPeople(3) })
  const { db } = bare.site
  await sql`
    insert into consent_call (idempotency_key, digest, changed, unchanged, sequence) values ('long-ago-1', 'd', 1, 0, 1)`.execute(
    db,
  )
  const keys = async () => {
    const { rows } = await sql<{ key: string }>`
      select idempotency_key as key from consent_call where idempotency_key = 'long-ago-1'`.execute(db)
    return rows.length
  }
  await forgetPassed({ db, clock: bare.site.clock })
  assert.equal(await keys(), 1)
  const after = (ms: number): Clock => ({ ...clock, now: () => later(systemClock.now(), ms) })
  await forgetPassed({ db, clock: after(LIMITS.idempotencyWindowMs - DAY_MS) })
  assert.equal(await keys(), 1)
  await forgetPassed({ db, clock: after(LIMITS.idempotencyWindowMs + DAY_MS) })
  assert.equal(await keys(), 0)
})

test('a site lets sealed releases and answers for equal asks go when their time is over, and none that is still to go out', async () => {
  await using bare = await bareSite()
  const { db } = bare.site
  const decided = systemClock.now()
  for (const [ask, isPushed] of [
    ['ask_pushed', true],
    ['ask_waiting', false],
  ] as const)
    await sql`
      insert into answer (ask_id, ask_digest, acquirer, decision, decision_jws, release_jwe, receipt_sequences, decided_ms, pushed_ms)
      values (${ask}, 'd', 'northcare', '{}', 'jws', 'jwe', '{}', ${decided}, ${isPushed ? decided : null}::bigint)`.execute(
      db,
    )
  await sql`
    insert into stored_release (acquirer_group, epoch, ask_id, sealed, people, stored_ms)
    select 'northcare', 'epoch ' || i, 'ask_pushed', 'sealed', '', ${decided}::bigint from generate_series(1, 7000) i`.execute(
    db,
  )
  const left = async () => {
    const { rows } = await sql<{ releases: string[]; decisions: number; stored: number }>`
      select array(select ask_id from answer where release_jwe is not null order by 1) as releases,
        (select count(*)::integer from answer where decision_jws = 'jws') as decisions,
        (select count(*)::integer from stored_release) as stored`.execute(db)
    return rows[0]
  }
  const forgetAfter = (ms: number) => forgetPassed({ db, clock: { ...clock, now: () => later(decided, ms) } })
  await forgetAfter(LIMITS.sealedReleaseMs)
  assert.deepEqual(await left(), { releases: ['ask_pushed', 'ask_waiting'], decisions: 2, stored: 7_000 })
  await forgetAfter(LIMITS.sealedReleaseMs + 1)
  assert.deepEqual(await left(), { releases: ['ask_waiting'], decisions: 2, stored: 7_000 })
  await forgetAfter(LIMITS.storedReleaseMs)
  assert.deepEqual(await left(), { releases: ['ask_waiting'], decisions: 2, stored: 7_000 })
  await forgetAfter(LIMITS.storedReleaseMs + 1)
  assert.deepEqual(await left(), { releases: ['ask_waiting'], decisions: 2, stored: 0 })
})
