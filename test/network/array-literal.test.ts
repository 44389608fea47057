import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { arrayLiteral, bytesArrayLiteral } from '../../src/network/authorisation/array-literal.ts'
import { testPostgres } from '../../src/testing/test-postgres.ts'

test('arrayLiteral() and bytesArrayLiteral() come back from PostgreSQL as they went in', async () => {
  await using postgres = await testPostgres()
  const text = fc
    .oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('null', '{}', '"', '\\', ',', ' a ', "'", '\n'),
    )
    .filter((value) => !value.includes('\0') && value.isWellFormed())
  const texts = fc.array(fc.option(text))
  const bytes = fc.array(fc.uint8Array().map((array) => Buffer.from(array)))
  await fc.assert(
    fc.asyncProperty(texts, bytes, async (strings, buffers) => {
      const { rows } = await sql<{ strings: (string | null)[]; buffers: Buffer[] }>`
        select ${arrayLiteral(strings)}::text[] as strings, ${bytesArrayLiteral(buffers.map((each) => each.toString('hex')))}::bytea[] as buffers`.execute(
        postgres.db,
      )
      assert.deepEqual(rows[0], { strings, buffers })
    }),
    { numRuns: 200 },
  )
  const { rows } =
    await sql`select ${arrayLiteral([1, 2 ** 40])}::bigint[]::text as n, ${arrayLiteral([true, undefined])}::boolean[] as b`.execute(
      postgres.db,
    )
  assert.deepEqual(rows, [{ n: '{1,1099511627776}', b: [true, null] }])
})
