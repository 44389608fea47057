import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { instant } from '../../../src/kernel/clock.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import { checkAlike, NO_PARTS } from '../../../src/site/guard/alike.ts'
import { checkCuts } from '../../../src/site/guard/differencing.ts'
import { refusalStateOf } from '../../../src/site/guard/look-into-record.ts'
import { debitRefusals, readRefusals } from '../../../src/site/guard/refusal-budget.ts'
import { writeCuts } from '../../../src/site/guard/partition-record.ts'
import { nameOfParts } from '../../../src/site/guard/partition-names.ts'
import { openPartitionStore } from '../../../src/site/guard/partition-store.ts'
import type { PartitionLook, PartitionStore } from '../../../src/site/guard/partition-store.ts'
import { lengthened } from '../../../src/site/guard/short-numbers.ts'
import type { Partition } from '../../../src/site/guard/partition.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { range } from './released-history.ts'
import { testLook } from './test-look.ts'

const k = 10

async function openStore(db: Database, cacheBytesMax = 1 << 20): Promise<PartitionStore> {
  await migrate(db, SITE_MIGRATIONS)
  return openPartitionStore({ db, cacheBytesMax, minimumGroupOf: () => k })
}

async function read(store: PartitionStore): Promise<Partition> {
  return (await store.look(testLook('insurer'))).partition('athletes')
}

/** One ask for the people from 0 up to a border, of 400. */
async function ask(
  store: PartitionStore,
  db: Database,
  facts: { id: string; until: number; acquirer?: string; failsAfter?: boolean },
): Promise<boolean> {
  using hold = await store.hold(await store.look(testLook(facts.acquirer ?? 'insurer')))
  assert.ok(hold)
  const request = {
    eligible: range(0, 400),
    sets: [range(0, facts.until)],
    rowShapes: new Map(),
    minimumGroup: k,
  }
  const checked = checkCuts(hold.partition('athletes'), request)
  if (!checked.ok) return false
  await db.transaction().execute(async (tx) => {
    await writeCuts(tx, hold.cutsOf({ ask: facts.id, plans: [{ dataSet: 'athletes', plan: checked.value }] }))
    if (facts.failsAfter) throw new Error('the receipt could not be written')
  })
  return true
}

test('cuts that were committed are there after a restart, and equal asks add nothing', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  assert.equal(await ask(store, db, { id: 'a', until: 100 }), true)
  assert.equal(await ask(store, db, { id: 'b', until: 200 }), true)
  assert.equal(await ask(store, db, { id: 'c', until: 200 }), true)
  const again = await openStore(db)
  const partition = await read(again)
  assert.equal(partition.head, 2)
  assert.deepEqual(partition, await read(store))
  assert.equal(await ask(again, db, { id: 'd', until: 199 }), false)
  assert.equal(await ask(again, db, { id: 'e', until: 199, acquirer: 'other' }), true)
})

/** One question that tells two parts of everybody apart by a column, and sums it or not. */
async function askApart(
  store: PartitionStore,
  db: Database,
  facts: { id: string; acquirer: string; from: number; summed?: string },
): Promise<boolean> {
  using hold = await store.hold(await store.look(testLook(facts.acquirer)))
  assert.ok(hold)
  const partition = hold.partition('athletes')
  const request = { eligible: range(0, 400), sets: [range(0, 400)], rowShapes: new Map(), minimumGroup: k }
  const cuts = checkCuts(partition, request)
  const alike = checkAlike({
    ...request,
    dataSet: 'athletes',
    partition,
    apart: hold.partition(nameOfParts('athletes')),
    parts: {
      ...NO_PARTS,
      apart: facts.summed ? [] : [range(0, facts.from), range(facts.from, 400)],
      decided: facts.summed ? new Map() : new Map([['athletes', new Set(['medals'])]]),
      summed: new Map([['athletes', new Set(facts.summed ? [facts.summed] : [])]]),
    },
  })
  if (!cuts.ok || !alike.ok) return false
  const plans = [
    { dataSet: 'athletes', plan: cuts.value },
    { dataSet: nameOfParts('athletes'), plan: alike.value },
  ]
  await db.transaction().execute((tx) => writeCuts(tx, hold.cutsOf({ ask: facts.id, plans })))
  return true
}

test('who was told apart is known after a restart, and to whom it was not told, once they are declared to collude', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  assert.equal(await askApart(store, db, { id: 'a', acquirer: 'insurer', from: 395 }), true)
  assert.equal(await askApart(store, db, { id: 'b', acquirer: 'insurer', from: 0, summed: 'height' }), true)
  const changed = { dataSet: 'athletes', people: Bitset.of([398]), cause: 'batch' }
  await db.transaction().execute((tx) => store.noteChange(tx, changed))
  const again = await openStore(db)
  const apart = (await again.look(testLook('insurer'))).partition(nameOfParts('athletes'))
  // What was asked of whose rows changed was asked of other values.
  assert.deepEqual([...apart.changed], [398])
  assert.equal(await askApart(again, db, { id: 'c', acquirer: 'insurer', from: 0, summed: 'medals' }), false)
  assert.equal(await askApart(again, db, { id: 'd', acquirer: 'other', from: 0, summed: 'medals' }), true)
  await again.merge({ into: 'other', from: ['insurer'] }, () => Promise.resolve())
  assert.equal(await askApart(again, db, { id: 'e', acquirer: 'other', from: 0, summed: 'height' }), false)
})

test('a transaction that fails leaves the partition as it was', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  assert.equal(await ask(store, db, { id: 'a', until: 100 }), true)
  await assert.rejects(ask(store, db, { id: 'b', until: 205, failsAfter: true }))
  assert.equal((await read(store)).head, 1)
  assert.equal(await ask(store, db, { id: 'c', until: 200 }), true)
  assert.deepEqual(await read(store), await read(await openStore(db)))
})

test('asks at once are decided one after another', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  const answers = await Promise.all(
    [200, 201, 202, 203, 204].map((until) => ask(store, db, { id: `ask-${until}`, until })),
  )
  assert.equal(answers.filter(Boolean).length, 1)
})

test('two servers on one record cannot both cut', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const [one, other] = [await openStore(db), await openStore(db)]
  const results = await Promise.allSettled([
    ask(one, db, { id: 'a', until: 200 }),
    ask(other, db, { id: 'b', until: 201 }),
  ])
  const accepted = results.filter((result) => result.status === 'fulfilled' && result.value)
  assert.equal(accepted.length, 1)
})

test('snapshots, entries after them and a cache that holds nothing give the same partition', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db, 0)
  for (let step = 1; step <= 39; step += 1)
    assert.equal(await ask(store, db, { id: `ask-${step}`, until: step * 10 }), true)
  const partition = await read(await openStore(db))
  assert.equal(partition.head, 39)
  assert.equal(partition.cellCount - 1, 39)
  assert.deepEqual(
    [...lengthened(partition.sizes, partition.cellCount)],
    [0, ...Array.from({ length: 39 }, () => 10)],
  )
  assert.deepEqual(
    [...lengthened(partition.leasts, partition.cellCount)],
    [0, ...Array.from({ length: 39 }, () => k)],
  )
})

test('changed rows are a cut of the next answer, for every acquirer who had one', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  assert.equal(await ask(store, db, { id: 'a', until: 100 }), true)
  await db
    .transaction()
    .execute((tx) => store.noteChange(tx, { dataSet: 'athletes', people: Bitset.of([7]), cause: 'batch-2' }))
  assert.equal(await ask(store, db, { id: 'b', until: 100 }), false)
  assert.equal(await ask(await openStore(db), db, { id: 'c', until: 100 }), false)
  assert.equal(await ask(store, db, { id: 'd', until: 100, acquirer: 'newcomer' }), true)
})

test('changed rows of people who were in no answer are no cut', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  assert.equal(await ask(store, db, { id: 'a', until: 100 }), true)
  const facts = { dataSet: 'athletes', people: Bitset.of([107]), cause: 'batch-2' }
  await db.transaction().execute((tx) => store.noteChange(tx, facts))
  assert.equal(await ask(store, db, { id: 'b', until: 110 }), true)
  assert.deepEqual(await read(store), await read(await openStore(db)))
})

test('an entry that does not continue its partition is not applied: nothing is answered on such a record', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  assert.equal(await ask(store, db, { id: 'a', until: 100 }), true)
  assert.equal(await ask(store, db, { id: 'b', until: 200 }), true)
  // The record of another one, as a restore that mixes up entries would leave it: the second entry stands first.
  await sql`insert into partition (acquirer_group, data_set, head, last_ask) values ('other', 'athletes', 1, 'b')`.execute(
    db,
  )
  await sql`
    insert into partition_entry (acquirer_group, data_set, head, kind, ask_id, delta, row_shapes)
    select 'other', data_set, 1, kind, ask_id, delta, row_shapes from partition_entry where head = 2`.execute(
    db,
  )
  await assert.rejects(
    ask(await openStore(db), db, { id: 'c', until: 300, acquirer: 'other' }),
    /does not continue/,
  )
  await sql`update partition set head = 3 where acquirer_group = 'insurer'`.execute(db)
  await assert.rejects(ask(await openStore(db), db, { id: 'd', until: 300 }), /entries are missing/)
})

test('what was seen before a run serves after it, unless somebody cut it in between', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  const before = await store.look(testLook('insurer'))
  {
    using undisturbed = await store.hold(before)
    assert.ok(undisturbed)
    assert.equal(undisturbed.partition('athletes'), before.partition('athletes'))
  }
  assert.equal(await ask(store, db, { id: 'a', until: 100 }), true)
  using disturbed = await store.hold(before)
  assert.ok(disturbed)
  assert.equal(disturbed.partition('athletes').head, 1)
})

test('a look while another answer is being committed is looked at again', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  assert.equal(await ask(store, db, { id: 'a', until: 100 }), true)
  const first = await store.hold(await store.look(testLook('insurer')))
  assert.ok(first)
  const checked = checkCuts(first.partition('athletes'), {
    eligible: range(0, 400),
    sets: [range(0, 200)],
    rowShapes: new Map(),
    minimumGroup: k,
  })
  assert.ok(checked.ok)
  let during: PartitionLook | undefined
  await db.transaction().execute(async (tx) => {
    await writeCuts(tx, first.cutsOf({ ask: 'b', plans: [{ dataSet: 'athletes', plan: checked.value }] }))
    during = await store.look(testLook('insurer'))
  })
  first[Symbol.dispose]()
  assert.equal(during?.partition('athletes').head, 1)
  using second = await store.hold(during ?? assert.fail())
  assert.ok(second)
  assert.equal(second.partition('athletes').head, 2)
})

test('a look finds what was held back and what an equal ask got, and a hold tells whether that still stands', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  const first = await store.look(testLook('insurer'))
  assert.deepEqual(first.refusals, { spent: 0, noted: 0 })
  assert.equal(first.stored, undefined)
  assert.equal(first.epoch, `${testLook('insurer').question} 0`)
  const keep = async (time: number, state: string) => {
    const key = { acquirerGroup: 'insurer', dataSets: ['athletes'], ask: 'a', state, now: instant(time) }
    await debitRefusals(db, key, 3)
  }
  await keep(10, refusalStateOf(first.epoch, [0]))
  await sql`insert into stored_release (acquirer_group, epoch, ask_id, sealed, people, stored_ms)
    values ('insurer', ${first.epoch}, 'a', 'sealed', ''::bytea, 0)`.execute(db)
  const second = await store.look(testLook('insurer'))
  assert.deepEqual(second.refusals, { spent: 3, noted: 3 })
  assert.equal(second.stored?.sealed, 'sealed')
  // Of another question, of another group, before the window, and once rows have changed: nothing of it.
  await keep(11, 'another state')
  assert.deepEqual((await store.look(testLook('insurer', 'other'))).refusals, { spent: 6, noted: 0 })
  assert.deepEqual((await store.look(testLook('other'))).refusals, { spent: 0, noted: 0 })
  assert.equal((await store.look(testLook('other'))).stored, undefined)
  const later = { ...testLook('insurer'), since: instant(10) }
  assert.deepEqual((await store.look(later)).refusals, { spent: 3, noted: 0 })
  await sql`insert into data_set_change (data_set, change_count) values ('athletes', 1)`.execute(db)
  const changed = await store.look(testLook('insurer'))
  assert.deepEqual([changed.stored, changed.refusals.noted], [undefined, 0])
  {
    using hold = await store.hold(changed)
    assert.equal(hold?.isUndisturbed, true)
    using another = await store.hold(await store.look(testLook('other')))
    assert.equal(another?.isUndisturbed, true)
  }
  using late = await store.hold(changed)
  assert.equal(late?.isUndisturbed, false)
})

test('what is left is of the scarcest data set, in the window, and what was noted is noted of all', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await openStore(db)
  const key = { acquirerGroup: 'insurer', ask: 'a', state: 'same', now: instant(100) }
  await debitRefusals(db, { ...key, dataSets: ['athletes', 'visits'] }, 1)
  await debitRefusals(db, { ...key, dataSets: ['athletes'] }, 2)
  await debitRefusals(db, { ...key, dataSets: ['visits'], state: 'another' }, 4)
  await debitRefusals(db, { ...key, dataSets: ['visits'], now: instant(10) }, 50)
  const read = (dataSets: readonly string[]) =>
    readRefusals(db, { ...key, dataSets }, { most: 9, windowMs: 90 })
  assert.deepEqual(await read(['athletes', 'visits']), { left: 4, noted: 1 })
  assert.deepEqual(await read(['athletes']), { left: 6, noted: 3 })
  assert.deepEqual(await read(['bodies']), { left: 9, noted: 0 })
})

test('entries cannot be taken back', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const store = await openStore(db)
  await ask(store, db, { id: 'a', until: 100 })
  await assert.rejects(sql`delete from partition_entry`.execute(db))
  await assert.rejects(sql`update partition_entry set ask_id = 'b'`.execute(db))
})
