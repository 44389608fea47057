import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { formatInstant, monotonicMs, systemClock } from '../../src/kernel/clock.ts'
import { signJws } from '../../src/kernel/crypto/jws.ts'
import { sealTo } from '../../src/kernel/crypto/jwe.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import type { RecipientNotice } from '../../src/protocol/rights/recipient-notice.ts'
import { filesOf, postgresDirectory } from '../../src/testing/files-of.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testParty } from '../../src/testing/test-network.ts'
import { testNoticeBox } from '../../src/testing/test-notice-box.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer, TestTrade } from '../../src/testing/test-trade.ts'

const people = testPeople(60)
const ROWS = 'select id, height, score from athletes'
const DEADLINE_MS = 20_000

test('whoever was given rows of an erased person is told under their own pseudonym, and answers', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  const southcare = await trade.addAcquirer('southcare')
  const eastcare = await trade.addAcquirer('eastcare')
  const pseudonym = await pseudonymOf(northcare, 'p-7')
  const other = await pseudonymOf(southcare, 'p-7')
  assert.notEqual(pseudonym, other)
  assert.equal((await eastcare.ask('select count(*) from athletes')).sites[0]?.reason, 'approved')

  const erased = await site.rights('issuer').erase({ person: 'p-7' }, { reason: 'request' })
  assert.deepEqual(
    erased.recipients.map(({ acquirer }) => acquirer),
    ['southcare', 'northcare'],
  )
  const box = testNoticeBox(trade, northcare)
  const [received] = await until(
    () => box.list(),
    ({ length }) => length > 0,
  )
  const { notice } = received ?? {}
  assert.equal(notice?.kind, 'erasure')
  assert.equal(notice.asked, 'delete')
  assert.equal(notice.pseudonym, pseudonym)
  assert.equal(notice.releases.length, 1)
  assert.deepEqual(await testNoticeBox(trade, eastcare).list(), [], 'an aggregate is nobody’s rows')
  assert.equal((await box.list()).length, 1, 'it comes again until it is acknowledged')

  assert.ok(received)
  const first = await box.acknowledge(received, { outcome: 'done' })
  assert.deepEqual(
    await box.acknowledge(received, { outcome: 'done' }),
    first,
    'once, however often it is said',
  )
  await assert.rejects(box.acknowledge(received, { outcome: 'not_held' }), { status: 409 })
  assert.deepEqual(await box.list(), [])
  const certificate = await until(
    () => site.rights('issuer').erasure(erased.erasure),
    ({ recipients }) => recipients.some(({ state }) => state === 'acknowledged'),
  )
  const told = new Map(certificate.recipients.map((one) => [String(one.acquirer), one]))
  assert.equal(told.get('northcare')?.outcome, 'done')
  assert.equal(told.get('northcare')?.receipts.length, 2)
  assert.notEqual(told.get('southcare')?.state, 'acknowledged')
  assert.doesNotMatch(JSON.stringify(certificate), new RegExp(`${pseudonym}|${other}|p-7`))

  const receipts = [
    ...(await site.operator.receipts({ kind: 'notice', limit: 10 })),
    ...(await site.operator.receipts({ kind: 'acknowledgement', limit: 10 })),
  ]
  assert.equal(receipts.length, 3)
  assert.deepEqual(await tracesIn(trade.networkDatabaseUrl, [pseudonym, other]), [])
  const open = await site.rights('operator').sentNotices('open')
  assert.deepEqual(
    open.map(({ acquirer }) => acquirer),
    ['southcare'],
  )
})

test('a correction tells what stands there now while the grant holds, and only that once it does not', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  const southcare = await trade.addAcquirer('southcare')
  const pseudonym = await pseudonymOf(northcare, 'p-7')
  // Its question touches nothing that is corrected.
  assert.equal(
    (await southcare.ask('select score from athletes', { mode: 'rows' })).sites[0]?.reason,
    'approved',
  )
  const made = await site
    .rights('issuer')
    .correct({ person: 'p-7' }, { dataSet: 'athletes', set: { height: 2.125, country: 'XX' } })
  assert.deepEqual(made.recipients, ['northcare'])
  const box = testNoticeBox(trade, northcare)
  const [told] = await until(
    () => box.list(),
    ({ length }) => length > 0,
  )
  assert.equal(told?.notice?.pseudonym, pseudonym)
  assert.deepEqual(told.notice.correction?.columns, ['height'])
  assert.deepEqual(told.notice.correction.values, { set: { height: 2.125 }, where: {} })
  assert.deepEqual(await testNoticeBox(trade, southcare).list(), [])

  await site.issuer.revokeGrants([{ dataSet: 'athletes', person: 'p-7', grantee: { anyone: true } }])
  await site.rights('issuer').correct({ person: 'p-7' }, { dataSet: 'athletes', set: { height: 2.25 } })
  const both = await until(
    () => box.list(),
    ({ length }) => length > 1,
  )
  const values = both.map(({ notice }) => notice?.correction?.values)
  assert.deepEqual(values[1], undefined, 'a later correction is told without its value')
  assert.equal(values[0], undefined, 'and what waited is told without it too')
  assert.doesNotMatch(JSON.stringify(await site.rights('operator').sentNotices()), /2\.125|2\.25/)
})

test('a restriction and its end are told to whoever was given rows', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  const pseudonym = await pseudonymOf(northcare, 'p-7')
  const desk = site.rights('issuer')
  await desk.restrict({ person: 'p-7' }, 'accuracy_contested')
  const lifting = await desk.liftRestriction({ person: 'p-7' })
  const notices = await until(
    () => testNoticeBox(trade, northcare).list(),
    ({ length }) => length > 1,
  )
  assert.deepEqual(
    notices.map(({ notice }) => [notice?.kind, notice?.asked, notice?.pseudonym, notice?.lifts]),
    [
      ['restriction', 'restrict', pseudonym, undefined],
      ['restriction_lifting', 'resume', pseudonym, lifting.liftsAt],
    ],
  )
})

test('notices survive a site that stops before it could send them, and a network that was away', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  await pseudonymOf(northcare, 'p-7')
  await using database = await databaseAt(site.databaseUrl)
  const erased = await site.rights('issuer').erase({ person: 'p-7' }, { reason: 'request' })
  const box = testNoticeBox(trade, northcare)
  await until(
    () => box.list(),
    ({ length }) => length > 0,
  )
  await site.stop()
  // As after a crash before anything had come to the network, and before the network's word had come here.
  await using network = await databaseAt(trade.networkDatabaseUrl)
  await sql`delete from notice`.execute(network.db)
  await sql`update recipient_notice set sent_ms = null`.execute(database.db)
  await sql`update release_withdrawal set confirmed_ms = null, grade = null, had_release = null`.execute(
    database.db,
  )
  await site.start()
  const [again] = await until(
    () => box.list(),
    ({ length }) => length > 0,
  )
  assert.ok(again)
  await box.acknowledge(again, { outcome: 'kept', ground: 'legal_claims' })
  const certificate = await until(
    () => site.rights('issuer').erasure(erased.erasure),
    ({ recipients }) => recipients[0]?.state === 'acknowledged',
  )
  assert.equal(certificate.recipients.length, 1)
  assert.equal(certificate.recipients[0]?.ground, 'legal_claims')
  assert.equal((await site.operator.receipts({ kind: 'acknowledgement', limit: 10 })).length, 1)
})

test('forged notices and forged or foreign acknowledgements count for nothing', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  const mallory = await trade.addAcquirer('mallory')
  await pseudonymOf(northcare, 'p-7')
  const erased = await site.rights('issuer').erase({ person: 'p-7' }, { reason: 'request' })
  const box = testNoticeBox(trade, northcare)
  const [received] = await until(
    () => box.list(),
    ({ length }) => length > 0,
  )
  assert.ok(received?.notice && received.digest)
  const genuine = received.notice
  const id = genuine.notice

  // Not the caller's: not there. Signed by another, or about something else: refused.
  assert.deepEqual(await testNoticeBox(trade, mallory).list(), [])
  const said = {
    notice: id,
    site: 'galway',
    acquirer: 'northcare',
    digest: received.digest,
    outcome: 'done',
    time: formatInstant(systemClock.now()),
  }
  const signed = (body: object, key = northcare.party.signing, typ: string = TYP.acknowledgement) =>
    signJws(canonicalJson(body), { typ, key })
  const answer = (party: TestAcquirer, acknowledgement: string) =>
    trade.network.refusal(party.party, NETWORK_API.acknowledgeNotice, {
      params: { notice: id },
      body: { acknowledgement },
    })
  assert.equal((await answer(mallory, signed(said, mallory.party.signing))).status, 404)
  assert.equal((await answer(northcare, signed(said, mallory.party.signing))).status, 409)
  assert.equal((await answer(northcare, signed(said, northcare.party.signing, TYP.ask))).status, 409)
  assert.equal((await answer(northcare, signed({ ...said, acquirer: 'mallory' }))).status, 409)
  assert.equal((await answer(northcare, signed({ ...said, outcome: 'kept' }))).status, 409)

  // A network that makes acknowledgements of its own, or moves one from another text, convinces nobody.
  await using network = await databaseAt(trade.networkDatabaseUrl)
  const forgeries = [
    signed(said, testParty('network').signing),
    signed({ ...said, acquirer: 'mallory' }, mallory.party.signing),
    signed({ ...said, digest: digestOf('another text') }),
  ]
  for (const forged of forgeries) {
    await site.stop()
    await sql`
      update notice set acknowledgement = ${forged}, acknowledged_at = now(), is_acknowledgement_told = false`.execute(
      network.db,
    )
    await site.start()
    await until(
      async () =>
        (await sql<{ told: boolean }>`select is_acknowledgement_told as told from notice`.execute(network.db))
          .rows,
      ([row]) => row?.told === true,
    )
    const { recipients } = await site.rights('issuer').erasure(erased.erasure)
    assert.notEqual(recipients[0]?.state, 'acknowledged')
  }

  // A notice that no site signed, sealed by whoever holds the public key, is told from a real one.
  const impostors: readonly (readonly [string, string])[] = [
    [signed(genuine, mallory.party.signing, TYP.recipientNotice), 'galway'],
    [signed(genuine, site.signing, TYP.decision), 'galway'],
    [signed({ ...wire(genuine), acquirer: 'mallory' }, site.signing, TYP.recipientNotice), 'galway'],
  ]
  for (const [jws] of impostors) {
    const sealed = sealTo(northcare.party.sealing.publicJwk, { plaintext: jws, typ: TYP.sealedNotice })
    await sql`update notice set sealed = ${sealed}, acknowledged_at = null, acknowledgement = null`.execute(
      network.db,
    )
    const [fake] = await box.list()
    assert.equal(fake?.notice, undefined)
    assert.match(fake?.problem ?? '', /not signed by the site/)
    assert.ok(fake)
    await assert.rejects(box.acknowledge(fake, { outcome: 'done' }), /Cannot acknowledge/)
  }
})

test('the network deletes sealed releases with rows of an erased person, to the last byte', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  const asked = await northcare.ask(ROWS, { mode: 'rows' })
  const kept = await northcare.ask('select count(*) from athletes')
  const { releases } = await trade.network.call(northcare.party, NETWORK_API.releases, {
    params: { id: asked.id },
  })
  const sealed = releases[0]?.release ?? ''
  const marker = Buffer.from(sealed.slice(400, 480))
  assert.equal(marker.length, 80)
  assert.equal(await isInFiles(trade, marker), true, 'the search finds what is there')

  const erased = await site.rights('issuer').erase({ person: 'p-7' }, { reason: 'request', isAtOnce: true })
  assert.equal(erased.state, 'permanent')
  assert.deepEqual(
    erased.stores.filter(({ store }) => store === 'network').map(({ grade }) => grade),
    ['permanent'],
  )
  assert.equal(erased.grade, 'permanent')
  const refusal = await trade.network.refusal(northcare.party, NETWORK_API.releases, {
    params: { id: asked.id },
  })
  assert.equal(refusal.status, 410)
  assert.equal(refusal.code, 'fault.withdrawn')
  const state = await northcare.acquirer.find(asked.id)
  assert.equal(state.sites[0]?.hasRelease, false)
  assert.ok((state.sites[0]?.withdrawnAt ?? 0) > 0)
  assert.equal((await northcare.acquirer.open(state)).sites[0]?.problems.length, 0)
  assert.equal(
    (await northcare.acquirer.open(await northcare.acquirer.find(kept.id))).sites[0]?.reason,
    'approved',
  )
  assert.equal(await isInFiles(trade, marker), false)
  // Money and proof stay.
  assert.equal(state.sites[0]?.receipts.length, 2)
})

test('only a site withdraws its own releases, by its own word, and what it withdrew it cannot send again', async () => {
  await using trade = await testTrade({ sites: [{ name: 'galway' }, { name: 'zurich', territory: 'CH' }] })
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  const { id } = await northcare.ask(ROWS, { mode: 'rows' })
  const zurich = trade.site('zurich')
  const partyOf = ({ name, signing }: { name: string; signing: typeof site.signing }) => ({
    name,
    signing,
    sealing: signing,
  })
  const orderBy = (name: string, key: typeof site.signing, typ: string = TYP.withdrawal) =>
    signJws(canonicalJson({ site: name, asks: [id], time: formatInstant(systemClock.now()) }), { typ, key })
  const order = (caller: typeof zurich, as: string, jws: string) =>
    trade.network.refusal(partyOf(caller), NETWORK_API.withdrawReleases, {
      params: { id: as },
      body: { order: jws },
    })
  assert.equal((await order(zurich, 'galway', orderBy('galway', zurich.signing))).status, 403)
  assert.equal((await order(site, 'galway', orderBy('galway', zurich.signing))).status, 409)
  assert.equal((await order(site, 'galway', orderBy('zurich', site.signing))).status, 409)
  assert.equal((await order(site, 'galway', orderBy('galway', site.signing, TYP.decision))).status, 409)
  // Another site's order about the ask touches nothing.
  const foreign = await trade.network.call(partyOf(zurich), NETWORK_API.withdrawReleases, {
    params: { id: 'zurich' },
    body: { order: orderBy('zurich', zurich.signing) },
  })
  assert.deepEqual(foreign.items, [{ ask: id, hadRelease: false, grade: 'permanent' }])
  assert.equal((await northcare.acquirer.find(id)).sites[0]?.hasRelease, true)

  await using network = await databaseAt(trade.networkDatabaseUrl)
  await assert.rejects(
    sql`update decision set jws = 'x', release = null, withdrawn_at = now()`.execute(network.db),
    /append-only/,
  )
  await assert.rejects(sql`update decision set release = null`.execute(network.db), /append-only/)
  await sql`insert into release_withdrawal (site, ask, had_release, ordered_at) values ('galway', 'ask_x', false, now())`.execute(
    network.db,
  )
  await assert.rejects(
    sql`insert into decision (ask, site, jws, release, receipts, received_at) values ('ask_x', 'galway', 'x', 'sealed', '[]', now())`.execute(
      network.db,
    ),
    /the release was withdrawn/,
  )
})

/** The name under which an acquirer knows somebody, found by their height. */
async function pseudonymOf(acquirer: TestAcquirer, id: string): Promise<string> {
  const height = people.find((person) => person.id === id)?.height
  const answer = await acquirer.ask(ROWS, { mode: 'rows' })
  const row = answer.sites[0]?.release?.rows.find((values) => values[1] === height)
  assert.ok(typeof row?.[0] === 'string')
  return row[0]
}

function wire({ time, ...notice }: RecipientNotice): object {
  return { ...notice, time: formatInstant(time) }
}

async function until<T>(look: () => Promise<T>, isEnough: (found: T) => boolean): Promise<T> {
  const deadline = monotonicMs() + DEADLINE_MS
  for (;;) {
    const found = await look()
    if (isEnough(found)) return found
    if (monotonicMs() > deadline) assert.fail(`Not in time: ${JSON.stringify(found)}`)
    await systemClock.sleep(20)
  }
}

function databaseAt(url: string) {
  return connect(new Secret(url), { name: 'look', log: silentLog, stop: () => Promise.resolve() })
}

/** Which texts stand anywhere in the tables of a database. */
async function tracesIn(url: string, texts: readonly string[]): Promise<readonly string[]> {
  await using database = await databaseAt(url)
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(
    database.db,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const { rows } = await sql<{ line: string }>`select t::text as line from ${sql.table(name)} t`.execute(
      database.db,
    )
    for (const text of texts)
      if (rows.some(({ line }) => line.includes(text))) found.push(`${text} in ${name}`)
  }
  return found
}

async function isInFiles(trade: TestTrade, marker: Buffer): Promise<boolean> {
  const files = [
    ...(await filesOf(await postgresDirectory())),
    ...(await filesOf(trade.network.root)),
    ...(await filesOf(trade.site().root)),
  ]
  return files.some((file) => file.includes(marker))
}
