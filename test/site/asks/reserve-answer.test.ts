import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { packBitset } from '../../../src/kernel/pack-bitset.ts'
import { peekJws } from '../../../src/kernel/crypto/jws.ts'
import { findAnswer } from '../../../src/site/asks/answer-store.ts'
import { reserveAnswer } from '../../../src/site/asks/reserve-answer.ts'
import { UseCache } from '../../../src/site/asks/use-cache.ts'
import { usesOf } from '../../../src/site/asks/use-history.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { besideAnswer, counts, openParts, reservation } from './test-reservation.ts'

test('nothing of an answer carries a time before its time class ends', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  const ended = Promise.withResolvers<void>()
  const signed: number[] = []
  const kept = reserveAnswer(
    {
      ...parts,
      log: {
        ...parts.log,
        sign: (first, drafts) => {
          signed.push(first)
          return parts.log.sign(first, drafts)
        },
      },
      untilTimeClass: () => ended.promise,
    },
    reservation('p'),
  )
  // However long the record is given: a receipt that was signed now would tell when the run ended.
  await counts(postgres.db)
  assert.deepEqual(signed, [])
  ended.resolve()
  assert.notEqual(await kept, 'changed')
  assert.deepEqual(signed, [0])
})

test('a reservation writes answer, receipts and the history of those whose data was used, together', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  const kept = await reserveAnswer(parts, reservation('a'))
  assert.ok(kept !== 'changed')
  assert.deepEqual(kept.receiptSequences, [0, 1])
  assert.deepEqual(await findAnswer(postgres.db, kept.askId), {
    ...kept,
    clearingJws: undefined,
    floorLimit: undefined,
  })
  const cache = new UseCache()
  const history = () => Array.fromAsync(usesOf(postgres.db, { people: [700], cache }))
  const [use] = await history()
  assert.ok(use)
  assert.deepEqual([...use.people], [3, 5, 700])
  assert.deepEqual(
    [use.receiptSequence, use.columns, use.priceMinor, use.subjectsMinor, use.releaseTo],
    [1, ['height', 'sex'], 250n, 100n, 'IE'],
  )
  assert.deepEqual(await Array.fromAsync(usesOf(postgres.db, { people: [4] })), [])
  // What was read before is the same, and one that was numbered before it and committed later has its place.
  await sql`
    insert into use_record overriding system value
    select 0, ask_id, data_set, acquirer, purpose, mode, '{sex}', reason, receipt_sequence, release_to, time_ms, price_minor,
      subjects_minor, currency, people from use_record`.execute(postgres.db)
  assert.deepEqual(await history(), [use, { ...use, id: 0n, columns: ['sex'] }])
})

test('rows that changed since the run are found, and nothing is kept of the answer or its cuts', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  const before = await counts(postgres.db)
  await sql`insert into data_set_change (data_set, change_count) values ('athletes', 1)`.execute(postgres.db)
  let hasCut = false
  const cutting = {
    ...reservation('a', new Map([['athletes', 0]])),
    commitCuts: () => {
      hasCut = true
      return Promise.resolve()
    },
  }
  assert.equal(await reserveAnswer(parts, cutting), 'changed')
  assert.equal(hasCut, false)
  const atOnce = { ...cutting, commitCuts: undefined, beside: besideAnswer(1) }
  assert.equal(await reserveAnswer(parts, atOnce), 'changed')
  assert.deepEqual(await counts(postgres.db), before)
  const fresh = reservation(
    'a',
    new Map([
      ['athletes', 1],
      ['wages', 0],
    ]),
  )
  assert.notEqual(await reserveAnswer(parts, fresh), 'changed')
})

test('what stands beside an answer is written with it, at once or in steps, and with no other', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  assert.notEqual(await reserveAnswer(parts, { ...reservation('a'), beside: besideAnswer(1) }), 'changed')
  // Numbers that others took: the same in steps.
  await parts.log.sign(40, [{ kind: 'grant' }])
  assert.notEqual(await reserveAnswer(parts, { ...reservation('b'), beside: besideAnswer(2) }), 'changed')
  const after = await counts(postgres.db)
  assert.deepEqual(after, {
    ...after,
    answers: 2,
    receipts: 4,
    cuts: 2,
    refusals: 2,
    stored: 2,
    columns: 4,
  })
  // Another answer has cut since: the head is no longer the one that the cut goes on from.
  for (const expectedNext of [4, 40]) {
    const late = { ...parts, log: { ...parts.log, expectedNext: () => expectedNext } }
    const outdated = { ...reservation('c'), beside: besideAnswer(2) }
    await assert.rejects(reserveAnswer(late, outdated), { code: 'fault.overloaded' })
  }
  // An ask that has its answer already.
  await assert.rejects(reserveAnswer(parts, { ...reservation('a'), beside: besideAnswer(3) }))
  assert.deepEqual(await counts(postgres.db), after)
  const { rows } = await sql<object>`
    select head, last_ask, (select delta from partition_entry where head = 2) as delta,
      (select people from stored_release where epoch = 'epoch 2') as people from partition`.execute(
    postgres.db,
  )
  assert.deepEqual(rows, [
    {
      head: 2,
      last_ask: `ask_${'7'.repeat(26)}`,
      delta: Buffer.from([2]),
      people: packBitset(Bitset.of([3, 5])),
    },
  ])
})

test('a change of rows waits for an answer that is under way, and finds the release that it kept', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const parts = await openParts(db)
  await sql`insert into data_set_change (data_set, change_count) values ('athletes', 1)`.execute(db)
  const on = new Map([['athletes', 1]])
  let erasing: Promise<unknown> | undefined
  const slow = {
    ...reservation('a', on),
    beside: besideAnswer(1),
    commitCuts: async () => {
      // As an erasure does: the change is counted first, then whatever was kept is looked for.
      erasing = db.transaction().execute(async (tx) => {
        await sql`update data_set_change set change_count = change_count + 1`.execute(tx)
        return (await sql`delete from stored_release returning epoch`.execute(tx)).rows
      })
      await new Promise((resolve) => setTimeout(resolve, 100))
    },
  }
  assert.notEqual(await reserveAnswer(parts, slow), 'changed')
  assert.deepEqual(await erasing, [{ epoch: 'epoch 1' }])
  // One that began before the change and comes after it keeps nothing.
  assert.equal(await reserveAnswer(parts, { ...reservation('b', on), beside: besideAnswer(2) }), 'changed')
  assert.equal((await counts(db))['stored'], 0)
})

test('receipts that others issued meanwhile are no hindrance, whichever way the numbers were guessed', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  const { db } = postgres
  // Issued behind the back of the log's memory, as by a transaction that was rolled back and another that was not.
  await db.transaction().execute((tx) => parts.log.issue(tx, [{ kind: 'grant' }, { kind: 'grant' }]))
  await parts.log.sign(40, [{ kind: 'grant' }])
  const first = await reserveAnswer(parts, reservation('a'))
  assert.ok(first !== 'changed')
  assert.deepEqual(first.receiptSequences, [2, 3])
  const many = Array.from({ length: 12 }, (_, index) => reserveAnswer(parts, reservation(`b${index}`)))
  const sequences = (await Promise.all(many)).flatMap((kept) =>
    kept === 'changed' ? [] : kept.receiptSequences,
  )
  assert.deepEqual(
    sequences.toSorted((left, right) => left - right),
    Array.from({ length: 24 }, (_, index) => index + 4),
  )
  await parts.log.publish()
  for (const sequence of sequences) {
    const { receipt } = await parts.log.bundle(sequence)
    const { sequence: signed } = JSON.parse(peekJws(receipt)?.payload ?? '{}') as { sequence?: number }
    assert.equal(signed, sequence)
  }
})

test('an answer that fails half-way gives its receipt numbers back', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  await reserveAnswer(parts, reservation('a'))
  const before = await counts(postgres.db)
  await assert.rejects(reserveAnswer(parts, reservation('a')))
  assert.deepEqual(await counts(postgres.db), before)
})
