import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { Mutex } from '../../../src/kernel/mutex.ts'
import { packBitset } from '../../../src/kernel/pack-bitset.ts'
import { instant, systemClock } from '../../../src/kernel/clock.ts'
import { peekJws } from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import { askIdSchema, dataSetIdSchema } from '../../../src/protocol/wire.ts'
import type { BesideAnswer } from '../../../src/site/asks/beside-answer.ts'
import { findAnswer, usesOf } from '../../../src/site/asks/answer-store.ts'
import { reserveAnswer } from '../../../src/site/asks/reserve-answer.ts'
import type { Reservation, ReservationParts } from '../../../src/site/asks/reserve-answer.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { openReceiptLog } from '../../../src/transparency/receipt-log.ts'
import type { ReceiptLog } from '../../../src/transparency/receipt-log.ts'

const dataSet = dataSetIdSchema.parse('athletes')

async function openParts(
  db: Database,
  revoked: readonly number[] = [],
): Promise<ReservationParts & { readonly log: ReceiptLog }> {
  await migrate(db, SITE_MIGRATIONS)
  const log = await openReceiptLog({
    db,
    directory: await mkdtemp(join(tmpdir(), 'hedgerow-reserve-')),
    signer: { name: 'galway', key: generateKeyPair('Ed25519') },
    clock: systemClock,
  })
  return {
    db,
    log,
    mirror: {
      sequence: 0,
      changes: new Mutex(),
      revokedSince: () => Bitset.of(revoked),
      hasBasisEndedSince: () => false,
    },
    untilTimeClass: () => Promise.resolve(),
  }
}

test('grants of others that are given without end keep no answer back', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  const changes = new Mutex()
  let sequence = 0
  const give = (): Promise<void> =>
    changes.run(async () => {
      await sql`update consent_sequence set last = last + 1`.execute(postgres.db)
      sequence += 1
    })
  // Each look at the sequence lets another change begin: whoever reserves outside of their line comes too late.
  const mirror = {
    changes,
    get sequence() {
      const seen = sequence
      void give()
      return seen
    },
    revokedSince: () => new Bitset(),
    hasBasisEndedSince: () => false,
  }
  assert.notEqual(await reserveAnswer({ ...parts, mirror }, reservation('n')), 'changed')
  await changes.run(() => Promise.resolve())
  const isTakenBack = { ...mirror, revokedSince: () => Bitset.of(sequence > 2 ? [3] : []) }
  assert.equal(await reserveAnswer({ ...parts, mirror: isTakenBack }, reservation('q')), 'changed')
})

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

function reservation(id: string, changes: ReadonlyMap<string, number> = new Map()): Reservation {
  const askId = askIdSchema.parse(`ask_${id.toUpperCase().padStart(26, '0')}`)
  const time = instant(1_700_000_000_000)
  return {
    answer: {
      askId,
      askDigest: digestOf(id),
      acquirer: 'northcare',
      decision: { decision: 'approved' },
      decisionJws: 'a.b.c',
      releaseJwe: 'sealed',
      decidedAt: time,
    },
    receipts: [
      { kind: 'ask', ask: digestOf(id), askId },
      { kind: 'release', ask: digestOf(id), askId },
    ],
    uses: [
      {
        askId,
        dataSet,
        acquirer: 'northcare',
        purpose: 'dpv:CommercialResearch',
        mode: 'aggregate',
        columns: ['height', 'sex'],
        reason: 'approved',
        releaseTo: 'IE',
        time,
        priceMinor: 250n,
        subjectsMinor: 100n,
        currency: 'EUR',
        people: Bitset.of([3, 5, 700]),
      },
    ],
    consentSequence: 0,
    changes,
  }
}

/** A cut, a row held back, a release for equal asks and the columns used, as they stand beside an answer. */
function besideAnswer(head: number): BesideAnswer {
  const now = instant(1_700_000_000_000)
  const ask = askIdSchema.parse(`ask_${'7'.repeat(26)}`)
  const key = { acquirerGroup: 'northcare', dataSets: ['athletes'], ask, state: 'state', now }
  const { acquirerGroup } = key
  const entry = { kind: 'cells' as const, delta: Buffer.from([head]), row_shapes: { 'a.b': 'shape' } }
  return {
    cuts: [{ acquirerGroup, dataSet, ask, head, entry, snapshot: undefined }],
    withheld: { key, rows: 2 },
    release: { acquirerGroup, epoch: `epoch ${head}`, ask, sealed: 'sealed', people: Bitset.of([3, 5]), now },
    columns: {
      acquirer: 'northcare',
      purpose: 'dpv:CommercialResearch',
      uses: [
        { dataSet, column: 'height', clause: 'select', outputs: [] },
        { dataSet, column: 'sex', clause: 'group', outputs: [] },
      ],
      now,
    },
  }
}

/** What the record holds beside migrations: nothing of an answer that was not reserved may be in it. */
async function counts(db: Database): Promise<Record<string, number>> {
  const { rows } = await sql<Record<string, number>>`
    select (select count(*)::int from receipt) as receipts, (select count(*)::int from answer) as answers,
      (select count(*)::int from use_record) as uses, (select next_sequence::int from receipt_counter) as next,
      (select count(*)::int from partition_entry) as cuts, (select count(*)::int from guard_refusal) as refusals,
      (select count(*)::int from stored_release) as stored, (select coalesce(sum(releases), 0)::int from column_use) as columns`.execute(
    db,
  )
  return rows[0] ?? {}
}

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
  const [use] = await Array.fromAsync(usesOf(postgres.db, { people: [700] }))
  assert.ok(use)
  assert.deepEqual([...use.people], [3, 5, 700])
  assert.deepEqual(
    [use.receiptSequence, use.columns, use.priceMinor, use.subjectsMinor, use.releaseTo],
    [1, ['height', 'sex'], 250n, 100n, 'IE'],
  )
  assert.deepEqual(await Array.fromAsync(usesOf(postgres.db, { people: [4] })), [])
})

test('consent that changed since the run is found, also before the mirror knows of it, and nothing is kept', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  const before = await counts(postgres.db)
  await sql`update consent_sequence set last = 1`.execute(postgres.db)
  assert.equal(await reserveAnswer(parts, reservation('a')), 'changed')
  const cutting = { ...reservation('a'), commitCuts: () => Promise.resolve() }
  assert.equal(await reserveAnswer(parts, cutting), 'changed')
  assert.deepEqual(await counts(postgres.db), before)
})

test('somebody in the result who took a grant back since the run is found; somebody outside of it is nobody’s hindrance', async () => {
  await using postgres = await testPostgres()
  const inside = await openParts(postgres.db, [5])
  const before = await counts(postgres.db)
  assert.equal(await reserveAnswer(inside, reservation('a')), 'changed')
  assert.deepEqual(await counts(postgres.db), before)
  const outside = { ...inside, mirror: { ...inside.mirror, revokedSince: () => Bitset.of([6]) } }
  assert.notEqual(await reserveAnswer(outside, reservation('a')), 'changed')
})

test('consent is looked at once the time class has ended, of a dry run too, whose people stand in nobody’s history', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  const before = await counts(postgres.db)
  let revoked = Bitset.of([])
  const waiting = {
    ...parts,
    mirror: { ...parts.mirror, revokedSince: () => revoked },
    untilTimeClass: () => {
      revoked = Bitset.of([5])
      return Promise.resolve()
    },
  }
  const { uses: told } = reservation('a')
  const dry = { ...reservation('a'), uses: [], told }
  assert.equal(await reserveAnswer(waiting, dry), 'changed')
  // Committed and not yet in the mirror.
  await sql`update consent_sequence set last = 1`.execute(postgres.db)
  assert.equal(await reserveAnswer(parts, dry), 'changed')
  assert.deepEqual(await counts(postgres.db), before)
  await sql`update consent_sequence set last = 0`.execute(postgres.db)
  assert.notEqual(await reserveAnswer(parts, dry), 'changed')
})

test('a legal basis that ended since the run is found, and nothing is kept', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  const before = await counts(postgres.db)
  const ended = { ...parts, mirror: { ...parts.mirror, hasBasisEndedSince: () => true } }
  assert.equal(await reserveAnswer(ended, reservation('a')), 'changed')
  assert.deepEqual(await counts(postgres.db), before)
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

test('a revocation waits for a reservation that is under way', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  const order: string[] = []
  let revoking: Promise<unknown> | undefined
  const slow = {
    ...reservation('a'),
    commitCuts: async () => {
      revoking = sql`update consent_sequence set last = last + 1`
        .execute(postgres.db)
        .then(() => order.push('revoked'))
      await new Promise((resolve) => setTimeout(resolve, 100))
      order.push('still reserving')
    },
  }
  assert.notEqual(await reserveAnswer(parts, slow), 'changed')
  await revoking
  assert.deepEqual(order, ['still reserving', 'revoked'])
})

test('an answer that fails half-way gives its receipt numbers back', async () => {
  await using postgres = await testPostgres()
  const parts = await openParts(postgres.db)
  await reserveAnswer(parts, reservation('a'))
  const before = await counts(postgres.db)
  await assert.rejects(reserveAnswer(parts, reservation('a')))
  assert.deepEqual(await counts(postgres.db), before)
})
