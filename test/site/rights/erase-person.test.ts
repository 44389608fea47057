import assert from 'node:assert/strict'
import { appendFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { askIdSchema, dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { findAnswer, markPushed } from '../../../src/site/asks/answer-store.ts'
import { decisionMessageOf } from '../../../src/site/asks/decision-message.ts'
import { reserveAnswer } from '../../../src/site/asks/reserve-answer.ts'
import type { Reservation } from '../../../src/site/asks/reserve-answer.ts'
import { completeErasures } from '../../../src/site/rights/complete-erasures.ts'
import { erasePerson } from '../../../src/site/rights/erase-person.ts'
import type { ErasureParts, ErasureRequest } from '../../../src/site/rights/erasure-request.ts'
import { findErasure, erasuresIn, findErasureOf } from '../../../src/site/rights/erasure-store.ts'
import { readForgotten } from '../../../src/site/rights/forgotten-list.ts'
import { makeRequests } from '../../../src/site/rights/request-desk.ts'
import { serveRights } from '../../../src/site/rights/serve-rights.ts'
import { subjectUnder } from '../../../src/site/vault/keys/person-keys.ts'
import { UNKNOWN_BIRTH_DAY } from '../../../src/site/vault/vault.ts'
import { heldTransaction } from '../../../src/testing/held-transaction.ts'
import { csvOf, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'
import { testLook } from '../guard/test-look.ts'

const people = testPeople(30)
const athletes = dataSetIdSchema.parse('athletes')

const requestFor = (person: number): ErasureRequest => ({
  person,
  issuer: memberIdSchema.parse('federation'),
  reason: 'request',
  requestedBy: 'issuer:federation',
  nameMark: digestOf('federation\0p-3'),
})

/** Every step of an erasure, each made to fail once as a crash would. */
const CRASHES: Readonly<Record<string, (parts: ErasureParts) => ErasureParts>> = {
  'before it is noted': (parts) => ({
    ...parts,
    personKeys: { ...parts.personKeys, destroyKeys: () => Promise.reject(new Error('crash')) },
  }),
  'before the list of forgotten people': (parts) => ({ ...parts, forgottenList: '/nowhere/list' }),
  'before the vault': (parts) => ({
    ...parts,
    vault: { ...parts.vault, forget: () => Promise.reject(new Error('crash')) },
  }),
  'after the vault': (parts) => ({
    ...parts,
    vault: {
      ...parts.vault,
      forget: async (person) => {
        await parts.vault.forget(person)
        throw new Error('crash')
      },
    },
  }),
  'before it is written down as done': (parts) => ({
    ...parts,
    log: { ...parts.log, publishOver: () => Promise.reject(new Error('crash')) },
  }),
}

// One site for all tests of this file, each with people of its own.
let bare: BareSite
before(async () => {
  bare = await bareSite()
  await bare.fill({ dataSet: 'athletes', people })
})
after(() => bare[Symbol.asyncDispose]())

for (const [index, [when, broken]] of Object.entries(CRASHES).entries()) {
  test(`an erasure that breaks off ${when} is finished before the site serves again`, async () => {
    const key = `p-${index}`
    const person = await bare.numberOf(key)
    const isNotable = when !== 'before it is noted'
    const before = await receiptCount()
    await assert.rejects(erasePerson(broken(bare.site), requestFor(person)))
    const noted = await findErasureOf(bare.site.db, { person, requestKey: undefined })
    assert.equal(noted !== undefined, isNotable)
    assert.equal(
      bare.site.hidden.at(bare.site.clock.now()).has(person),
      isNotable,
      'hidden as soon as it is noted',
    )
    const again = await bare.reopen()
    if (!isNotable) {
      assert.equal((await again.vault.people(athletes)).has(person), true, 'nothing happened at all')
      assert.ok(await again.personKeys.keyOf(again.db, person))
      return
    }
    await requireErased(person, key)
    assert.deepEqual(await erasuresIn(again.db, 'begun'), [])
    assert.equal((await receiptCount()) - before, 1, 'one receipt, however often it was tried')
  })
}

/** The reservation alone: no ask was taken up that has a time class. */
const unpaced = (site: BareSite['site']) => ({ ...site, untilTimeClass: () => Promise.resolve() })

test('an answer that was computed over the rows of somebody who is erased meanwhile is not given', async () => {
  const { site } = bare
  const person = await bare.numberOf('p-10')
  const look = await site.partitions.look(testLook('northcare'))
  const { sequence } = site.mirror
  const reservation = aReservation({ person, changes: look.changes, sequence })
  await erasePerson(site, requestFor(person))
  assert.equal(await reserveAnswer(unpaced(site), reservation), 'changed')
  // Without the grants having a say: the count of changes alone must refuse it.
  assert.equal(await reserveAnswer(unpaced(site), { ...reservation, uses: [] }), 'changed')
  const fresh = await site.partitions.look(testLook('northcare'))
  assert.notEqual(
    await reserveAnswer(unpaced(site), { ...reservation, uses: [], changes: fresh.changes }),
    'changed',
  )
})

test('rows that wait to go out become a decline, and the sealed copy of those that went is deleted', async () => {
  const { site } = bare
  const person = await bare.numberOf('p-20')
  const asks = [
    'ask_01J0000000000000000000000A',
    'ask_01J0000000000000000000000B',
    'ask_01J0000000000000000000000C',
  ]
  const [waiting = '', gone = '', others = ''] = asks
  for (const ask of asks) {
    const of = ask === others ? await bare.numberOf('p-21') : person
    const made = aReservation({ person: of, changes: new Map(), sequence: site.mirror.sequence, ask })
    await reserveAnswer(unpaced(site), {
      ...made,
      answer: { ...made.answer, releaseJwe: 'sealed', clearingJws: 'signed' },
    })
  }
  await markPushed(site.db, { askId: askIdSchema.parse(gone), now: site.clock.now() })
  await erasePerson(site, requestFor(person))
  const left = await Promise.all(asks.map((ask) => findAnswer(site.db, askIdSchema.parse(ask))))
  assert.deepEqual(
    left.map((answer) => answer?.releaseJwe),
    [undefined, undefined, 'sealed'],
  )
  assert.equal(left[0]?.clearingJws, undefined, 'nothing is charged for it')
  assert.match(JSON.stringify(left[0]?.decision), /declined\.nobody_eligible/)
  assert.doesNotMatch(JSON.stringify(left[1]?.decision), /declined/, 'what was decided and told stays')
  const message = decisionMessageOf(left[0] ?? assert.fail(waiting), site.log)
  assert.equal((await message).receipts.length, 1)
})

test('that an answer has gone out is forced to the disk, unless it is known to hold no rows', async () => {
  const { site } = bare
  const person = await bare.numberOf('p-22')
  const asks = ['ask_01J0000000000000000000000D', 'ask_01J0000000000000000000000E']
  for (const [index, ask] of asks.entries()) {
    await reserveAnswer(
      unpaced(site),
      aReservation({ person, changes: new Map(), sequence: site.mirror.sequence, ask }),
    )
    const isWithoutRows = index === 0
    const commit = await site.db.transaction().execute(async (tx) => {
      await sql`set local synchronous_commit = on`.execute(tx)
      await markPushed(tx, { askId: askIdSchema.parse(ask), isWithoutRows, now: site.clock.now() })
      const { rows } = await sql<{ commit: string }>`
        select current_setting('synchronous_commit') as commit from answer where ask_id = ${ask} and pushed_ms is not null`.execute(
        tx,
      )
      return rows[0]?.commit
    })
    assert.equal(commit, isWithoutRows ? 'off' : 'on')
  }
})

test('two who erase one person at once make one erasure, and a repeated request gives it again', async () => {
  const person = await bare.numberOf('p-11')
  const request = { ...requestFor(person), requestKey: 'key-1' }
  const key = (await bare.site.personKeys.keyOf(bare.site.db, person))?.reveal()
  assert.ok(key)
  const [first, second] = await Promise.all([
    erasePerson(bare.site, request),
    erasePerson(bare.site, { ...request, requestKey: undefined }),
  ])
  assert.equal(first.erasure, second.erasure)
  assert.equal(
    first.subjectOf,
    subjectUnder(key, `erasure ${first.erasure}`),
    'their record finds the receipt',
  )
  const known = await findErasureOf(bare.site.db, { person: -1, requestKey: 'key-1' })
  assert.ok(known === undefined || known.erasure === first.erasure)
  await requireErased(person, 'p-11')
})

test('many who are erased at once are each erased with a receipt, and one that cannot be noted spoils none', async () => {
  const keys = ['p-23', 'p-24', 'p-25', 'p-26', 'p-27']
  const numbers = await Promise.all(keys.map((key) => bare.numberOf(key)))
  const before = await receiptCount()
  const broken = CRASHES['before it is noted']?.(bare.site) ?? bare.site
  const outcomes = await Promise.allSettled(
    numbers.map((person, index) => erasePerson(index === 3 ? broken : bare.site, requestFor(person))),
  )
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  )
  const done = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  assert.equal((await receiptCount()) - before, 4)
  for (const one of done) {
    assert.equal(one.state, 'deleted')
    const { isAnybodyTold, ...erased } = one
    assert.equal(isAnybodyTold, false)
    assert.deepEqual(await findErasure(bare.site.db, one.erasure), erased, 'what is told is what stands')
  }
  assert.equal(new Set(done.flatMap(({ receipts }) => receipts)).size, 4)
  for (const [index, key] of keys.entries()) if (index !== 3) await requireErased(numbers[index] ?? -1, key)
  const left = numbers[3] ?? -1
  assert.equal((await bare.site.vault.people(athletes)).has(left), true, 'nothing happened to them')
  assert.equal(bare.site.hidden.at(bare.site.clock.now()).has(left), false)
})

test('a request and an erasure of one person at the same time do not hold each other up', async () => {
  const { site } = bare
  const number = await bare.numberOf('p-28')
  const waiting = async (count: number, isOver: () => boolean) => {
    for (;;) {
      const { rows } = await sql`
        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
        site.db,
      )
      if (rows.length >= count || isOver()) return
      await site.clock.sleep(1)
    }
  }
  let isOver = false
  const over = () => {
    isOver = true
  }
  const [requesting, erasing] = await site.db.transaction().execute(async (tx) => {
    // The request has come as far as its table, and the erasure as far as it can.
    await sql`lock table person_request in exclusive mode`.execute(tx)
    const issuer = memberIdSchema.parse('federation')
    const people = [{ key: 'p-28', number, issuer }]
    const request = makeRequests(site, { people, kind: 'access', by: 'person' }).finally(over)
    await waiting(1, () => isOver)
    const erasure = erasePerson(site, requestFor(number)).finally(over)
    await waiting(2, () => isOver)
    return [request, erasure] as const
  })
  assert.equal((await requesting).length, 1)
  assert.equal((await erasing).state, 'deleted')
  await requireErased(number, 'p-28')
})

test('of whoever is erased while an import numbers them nothing is kept, whatever becomes of it', async (t) => {
  const { site } = bare
  const gone = [await bare.numberOf('p-29')]
  assert.ok(gone.every((person) => person >= 0))
  const numberPeople = site.vault.numberPeople.bind(site.vault)
  t.mock.method(site.vault, 'numberPeople', async (lookups: readonly Uint8Array[]) => {
    const numbers = await numberPeople(lookups)
    gone.push(Math.max(...numbers))
    for (const person of gone) await erasePerson(site, requestFor(person))
    return numbers
  })
  // As a crash would, before the rows are there: nothing that comes later tidies up.
  const crash = () => Promise.reject(new Error('crash'))
  for (const what of ['setAside', 'append'] as const) t.mock.method(site.vault, what, crash)
  const file = { stream: new Blob([csvOf([...testPeople(1, () => ({ id: 'p-29' })), ...late])]).stream() }
  await assert.rejects(bare.bring({ dataSet: 'athletes', batch: 'late', file }))
  assert.equal(gone.length, 2)
  const principals = await site.vault.principals()
  for (const person of gone) {
    assert.equal(await site.personKeys.keyOf(site.db, person), undefined)
    assert.deepEqual(await site.vault.listSealedKeys(person), [])
    // Past the end of the list nothing is known of anybody.
    const { [person]: birthDay = UNKNOWN_BIRTH_DAY } = principals.birthDay
    assert.deepEqual([birthDay, principals.residence[person] ?? 0], [UNKNOWN_BIRTH_DAY, 0])
  }
  const stays = await bare.numberOf('p-91')
  assert.ok(await site.personKeys.keyOf(site.db, stays))
  assert.equal((await site.vault.listSealedKeys(stays)).length, 1)
})

const late = testPeople(2, (_, index) => ({ id: `p-9${1 + index}` }))

test('the list of forgotten people names each by a destroyed key, and reads past a line that a crash tore', async () => {
  for (const key of ['p-12', 'p-13']) {
    const person = await bare.numberOf(key)
    await erasePerson(bare.site, { ...requestFor(person), nameMark: digestOf(key) })
  }
  const list = await readForgotten(bare.site.forgottenList)
  const size = new Set(list?.map(({ key }) => key)).size
  assert.ok(size >= 2)
  await appendFile(bare.site.forgottenList, '{"key":"sha-256:12')
  assert.equal((await readForgotten(bare.site.forgottenList))?.length, list?.length)
  await erasePerson(bare.site, requestFor(await bare.numberOf('p-14')))
  const later = await readForgotten(bare.site.forgottenList)
  assert.equal(new Set(later?.map(({ key }) => key)).size, size + 1, 'the torn line swallowed nobody')
  assert.equal(await readForgotten(`${bare.site.forgottenList}.none`), undefined)
})

test('people of three issuers are three people to a site: each issuer’s is erased alone', async () => {
  await bare.fill({ dataSet: 'players', people, manifest: { issuer: 'playlab' } })
  await bare.fill({ dataSet: 'absences', people, manifest: { issuer: 'employer' } })
  const person = await bare.numberOf('p-15')
  const { vault } = bare.site
  const count = (await vault.people(athletes)).count()
  await erasePerson(bare.site, requestFor(person))
  assert.equal((await vault.people(athletes)).count(), count - 1)
  assert.equal((await vault.people(dataSetIdSchema.parse('players'))).count(), 30)
  assert.equal((await vault.people(dataSetIdSchema.parse('absences'))).count(), 30)
})

test('completing is once for all that wait, and gives none what it could not do', async () => {
  await completeErasures(bare.site)
  const done = (await erasuresIn(bare.site.db, 'permanent')).length
  for (const key of ['p-16', 'p-17', 'p-18'])
    await erasePerson(bare.site, requestFor(await bare.numberOf(key)))
  await assert.rejects(
    completeErasures({
      ...bare.site,
      vault: { ...bare.site.vault, compact: () => Promise.reject(new Error('crash')) },
    }),
  )
  assert.equal((await erasuresIn(bare.site.db, 'deleted')).length, 3)
  assert.equal(await completeErasures(bare.site), 3)
  assert.equal(await completeErasures(bare.site), 0)
  assert.equal((await erasuresIn(bare.site.db, 'permanent')).length, done + 3)
})

test(
  'a site that stops waits for nobody else’s transaction to complete an erasure, and does so the next time',
  { timeout: 30_000 },
  async () => {
    const { site } = bare
    await erasePerson(site, requestFor(await bare.numberOf('p-8')))
    const stopping = new AbortController()
    const vault = { ...site.vault, compact: () => site.vault.compact().then(() => stopping.abort()) }
    // As when half of its window has passed.
    const parts = { ...site, vault, erasureWindowMs: site.erasureWindowMs * 4 }
    const elsewhere = await heldTransaction(site.db, sql`select from erasure`)
    try {
      await serveRights({ parts, clock: site.clock, events: site.events, signal: stopping.signal })
    } finally {
      await elsewhere[Symbol.asyncDispose]()
    }
    assert.equal((await erasuresIn(site.db, 'deleted')).length, 1)
    assert.equal(await completeErasures(site), 1)
  },
)

async function receiptCount(): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`
    select count(*) as count from receipt where kind = 'erasure'`.execute(bare.site.db)
  return Number(rows[0]?.count)
}

async function requireErased(person: number, key: string): Promise<void> {
  const { site } = bare
  assert.equal((await site.vault.people(athletes)).has(person), false)
  assert.equal((await site.vault.listRows(athletes, person)).rowCount, 0)
  assert.deepEqual(await site.vault.listSealedKeys(person), [])
  assert.equal(await site.personKeys.keyOf(site.db, person), undefined)
  assert.equal(await bare.numberOf(key), -1)
  const { rows } = await sql<{ count: bigint }>`
    select count(*) as count from consent_grant g where person = ${person}
      and not exists (select from consent_revocation r where r.grant_sequence = g.sequence)`.execute(site.db)
  assert.equal(Number(rows[0]?.count), 0)
  assert.equal((await readForgotten(site.forgottenList))?.length !== 0, true)
  const granted = new Bitset()
  for (const { id } of site.mirror.termsOf(athletes))
    site.mirror.collect(id, { into: granted, now: site.clock.now() })
  assert.equal(granted.has(person), false)
}

function aReservation({
  person,
  changes,
  sequence,
  ask = 'ask_01J00000000000000000000000',
}: {
  person: number
  changes: ReadonlyMap<string, number>
  sequence: number
  ask?: string
}): Reservation {
  const askId = askIdSchema.parse(ask)
  return {
    answer: {
      askId,
      askDigest: digestOf('ask'),
      acquirer: 'northcare',
      decision: {},
      decisionJws: 'e30.e30.e30',
      decidedAt: 0 as Reservation['answer']['decidedAt'],
    },
    receipts: [{ kind: 'ask', askId, reason: 'approved' }],
    uses: [
      {
        askId,
        dataSet: athletes,
        acquirer: 'northcare',
        purpose: 'dpv:AcademicResearch',
        mode: 'rows',
        columns: ['height'],
        reason: 'approved',
        releaseTo: 'IE',
        time: 0 as Reservation['answer']['decidedAt'],
        priceMinor: 0n,
        subjectsMinor: 0n,
        currency: 'EUR',
        people: Bitset.of([person]),
      },
    ],
    consentSequence: sequence,
    changes,
  }
}
