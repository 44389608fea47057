import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { later, systemClock } from '../../src/kernel/clock.ts'
import { digestOf, digestOfJson } from '../../src/kernel/digest.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { forgetPassed } from '../../src/site/record/forget-passed.ts'
import { testGrant, testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

/*
 * Somebody with a copy of a site's record and none of its keys (the administrator of a database elsewhere, say) who can list how
 * issuers name people, and tries each name. Measure of success: what the site remembers of a request tells whose it was.
 */

const ERASED = 'p-7'

test('nobody finds by trying names whom a remembered request was about, before and after an erasure', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people: testPeople(30) })
  const issuer = site.client({ issuer: 'federation', key: trade.federation.signing })
  await using postgres = await connect(new Secret(site.databaseUrl), {
    name: 'look',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  const remembered = async () => {
    const { rows } = await sql<{ row: object }>`
      select to_jsonb(a) as row from idempotent_answer a union all select to_jsonb(c) from consent_call c
      union all select to_jsonb(e) from erasure e`.execute(postgres.db)
    return rows.map(({ row }) => JSON.stringify(row)).join('\n')
  }
  const grants = { grants: [testGrant('athletes', ERASED)] }
  const body = { reason: 'request' as const, isAtOnce: false }
  const said = { kind: 'access' as const, said: 'I am pregnant' }
  const request = { params: { ref: ERASED }, query: { reason: 'a letter' }, body: said }
  const before = (await remembered()).split('\n').length
  const made = await issuer.call(SITE_API.makeRequest, { ...request, idempotencyKey: 'request-1' })
  assert.deepEqual(await issuer.call(SITE_API.makeRequest, { ...request, idempotencyKey: 'request-1' }), made)
  await issuer.call(SITE_API.giveGrants, { body: grants, idempotencyKey: 'grants-of-today' })
  await issuer.call(SITE_API.erasePerson, { params: { ref: ERASED }, body, idempotencyKey: 'erasure-1' })
  const guesses = [
    digestOf(`federation\0${ERASED}`),
    digestOfJson(grants),
    digestOf(`post /v1/grants\n${JSON.stringify(grants)}`),
    digestOf(`post /v1/people/${ERASED}/erasure\n${JSON.stringify(body)}`),
  ]
  const kept = await remembered()
  assert.match(kept, /grants-of-today/)
  // An answer for each of the three, the call of the grant, and the erasure.
  assert.equal(kept.split('\n').length - before, 5)
  for (const guess of guesses) assert.equal(kept.includes(guess), false, guess)
  assert.doesNotMatch(kept, new RegExp(`\\b${ERASED}\\b|pregnant`))
  const again = { params: { ref: ERASED }, body, idempotencyKey: 'erasure-1' }
  assert.match((await issuer.call(SITE_API.erasePerson, again)).erasure, /^erasure_/)
  // What the erasure was asked for by counts as long as any key of a request, and then leads nowhere.
  const after = { ...systemClock, now: () => later(systemClock.now(), LIMITS.idempotencyWindowMs + 1_000) }
  await forgetPassed({ db: postgres.db, clock: after })
  const { rows } = await sql<{
    keys: number
  }>`select count(request_key)::integer as keys from erasure`.execute(postgres.db)
  assert.deepEqual(rows, [{ keys: 0 }])
})

test('a key of a request that came for one query is not answered for another', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people: testPeople(30) })
  const issuer = site.client({ issuer: 'federation', key: trade.federation.signing })
  const ask = (reason: string) =>
    issuer.call(SITE_API.makeRequest, {
      params: { ref: 'p-1' },
      query: { reason },
      body: { kind: 'access', said: 'Send me all of it' },
      idempotencyKey: 'request-1',
    })
  await ask('wrote a letter')
  await assert.rejects(ask('called us'), { status: 409 })
})
