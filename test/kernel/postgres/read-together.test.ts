import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { readTogether } from '../../../src/kernel/postgres/read-together.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

/** Doubles numbers in the database, and notes how many were asked about at once. */
function doubling() {
  const sizes: number[] = []
  const read = readTogether(async (db, wanted: readonly number[]) => {
    sizes.push(wanted.length)
    const { rows } = await sql<{ twice: number }>`
      select (number * 2)::integer as twice from unnest(${wanted}::integer[]) with ordinality as asked (number, place)
      order by place`.execute(db)
    return rows.map(({ twice }) => twice)
  })
  return { sizes, read }
}

test('readTogether() answers those who come at the same time by one statement, each with their own', async () => {
  await using postgres = await testPostgres()
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 9_999 }), { minLength: 1, maxLength: 20 }),
      async (numbers) => {
        const { sizes, read } = doubling()
        const found = await Promise.all(numbers.map((number) => read(postgres.db, number)))
        assert.deepEqual(
          found,
          numbers.map((number) => number * 2),
        )
        assert.deepEqual(sizes, [numbers.length])
      },
    ),
    { numRuns: 30 },
  )
})

test('readTogether() reads alone within a transaction, which sees what it has changed', async () => {
  await using postgres = await testPostgres()
  const { sizes, read } = doubling()
  await postgres.db.transaction().execute(async (tx) => {
    assert.deepEqual(await Promise.all([1, 2].map((number) => read(tx, number))), [2, 4])
  })
  assert.deepEqual(sizes, [1, 1])
})

test('readTogether() sees what was committed before it was asked', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await sql`create table numbers (number integer)`.execute(db)
  const count = readTogether(async (on, wanted: readonly string[]) => {
    const { rows } = await sql<{ count: number }>`select count(*)::integer as count from numbers`.execute(on)
    return wanted.map(() => rows[0]?.count ?? -1)
  })
  for (let number = 1; number <= 20; number += 1) {
    // Others ask all the time, so that there is always a statement under way.
    const before = count(db, 'before')
    await sql`insert into numbers values (${number})`.execute(db)
    assert.equal(await count(db, 'after'), number)
    assert.ok((await before) <= number)
  }
})
