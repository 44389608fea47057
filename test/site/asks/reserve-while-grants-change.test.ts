import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { Mutex } from '../../../src/kernel/mutex.ts'
import { reserveAnswer } from '../../../src/site/asks/reserve-answer.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { counts, openParts, reservation } from './test-reservation.ts'

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

/** Whoever took a grant back before the second try, and whether the answer is about them. */
const TAKEN_BACK = [
  [5, true],
  [6, false],
] as const

for (const [person, isInside] of TAKEN_BACK)
  test(`who takes a grant back while an answer waits in the line of changes is found there, ${isInside ? 'inside' : 'outside'}`, async () => {
    await using postgres = await testPostgres()
    const parts = await openParts(postgres.db)
    const before = await counts(postgres.db)
    // Committed and not yet in the mirror, until the first try has looked twice who took something back.
    await sql`update consent_sequence set last = 1`.execute(postgres.db)
    const hasTried = Promise.withResolvers<void>()
    const changes = new Mutex()
    let [sequence, looks, revoked] = [0, 0, new Bitset()]
    const applied = changes.run(async () => {
      await hasTried.promise
      ;[sequence, revoked] = [1, Bitset.of([person])]
    })
    const mirror = {
      changes,
      get sequence() {
        return sequence
      },
      revokedSince: () => {
        looks += 1
        if (looks === 2) hasTried.resolve()
        return revoked
      },
      hasBasisEndedSince: () => false,
    }
    const outcome = await reserveAnswer({ ...parts, mirror }, reservation('a'))
    await applied
    assert.equal(outcome === 'changed', isInside)
    if (isInside) assert.deepEqual(await counts(postgres.db), before)
  })
