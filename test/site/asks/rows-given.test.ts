import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import type { AskId } from '../../../src/protocol/wire.ts'
import { writeBeside } from '../../../src/site/asks/beside-answer.ts'
import { asksGivenRowsOf } from '../../../src/site/asks/rows-given.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

const STEP = '0261-find-rows-by-person'

/** Numbers near the ends of slices, where being off by one would show. */
const person = fc.oneof(fc.nat(9_000), fc.constantFrom(0, 4_095, 4_096, 8_191, 8_192, 999_999, 2 ** 31 - 1))
const releases = fc.array(fc.uniqueArray(person, { maxLength: 12 }), { minLength: 1, maxLength: 6 })

async function requireFound(db: Database, given: readonly (readonly number[])[], of: string): Promise<void> {
  for (const one of new Set(given.flat())) {
    const expected = given.flatMap((people, index) => (people.includes(one) ? [`ask_${of}_${index}`] : []))
    const found = await asksGivenRowsOf(db, one)
    assert.deepEqual(
      found.filter((ask) => ask.startsWith(`ask_${of}_`)),
      expected.toSorted(),
    )
  }
  const [stranger] = await asksGivenRowsOf(db, 1_234_567)
  assert.equal(stranger, undefined)
}

test('the releases that hold rows of a person are all found, and no other', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await migrate(db, SITE_MIGRATIONS)
  let round = 0
  const property = fc.asyncProperty(releases, async (given) => {
    round += 1
    for (const [index, people] of given.entries()) {
      const ask = `ask_${round}_${index}` as AskId
      await writeBeside(db, { given: { ask, people: Bitset.of(people) } })
    }
    await requireFound(db, given, `${round}`)
  })
  await fc.assert(property, { numRuns: 12 })
})

test('releases of before the step are found too, whatever data sets they joined', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const steps = Object.entries(SITE_MIGRATIONS)
  await migrate(db, Object.fromEntries(steps.filter(([name]) => name < STEP)))
  const given = [[0, 16_383, 16_384], [16_384, 70_000], [], [5]]
  for (const [index, people] of given.entries()) await addUse(db, { ask: `ask_old_${index}`, people })
  await addUse(db, { ask: 'ask_old_3', people: [5, 6], isAgain: true })
  await addUse(db, { ask: 'ask_numbers', people: [0, 5], mode: 'aggregate' })
  await migrate(db, SITE_MIGRATIONS)
  await requireFound(db, [...given.slice(0, 3), [5, 6]], 'old')
  assert.deepEqual(await asksGivenRowsOf(db, 0), ['ask_old_0'])
})

async function addUse(
  db: Database,
  {
    ask,
    people,
    mode = 'rows',
    isAgain = false,
  }: { ask: string; people: readonly number[]; mode?: string; isAgain?: boolean },
): Promise<void> {
  if (!isAgain)
    await sql`
      insert into answer (ask_id, ask_digest, acquirer, decision, decision_jws, receipt_sequences, decided_ms)
      values (${ask}, 'd', 'northcare', '{}', 'jws', '{}', 0)`.execute(db)
  await sql`
    insert into use_record (ask_id, data_set, acquirer, purpose, mode, columns, reason, receipt_sequence, release_to, time_ms,
      price_minor, subjects_minor, currency, people)
    values (${ask}, 'athletes', 'northcare', 'dpv:AcademicResearch', ${mode}, '{}', 'approved', 1, 'IE', 0, 0, 0, 'EUR',
      ${deflateSync(Bitset.of(people).toBytes())})`.execute(db)
}
