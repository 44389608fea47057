import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { digestOf } from '../../../../src/kernel/digest.ts'
import type { Postgres } from '../../../../src/kernel/postgres/open-postgres.ts'
import { systemRandom } from '../../../../src/kernel/random.ts'
import { Secret } from '../../../../src/kernel/secret.ts'
import { cellContext, openCell, personKeys } from '../../../../src/site/vault/keys/person-keys.ts'
import { nonceSource, open, seal } from '../../../../src/site/vault/keys/seal-cell.ts'
import { testPostgres } from '../../../../src/testing/test-postgres.ts'

let postgres: Postgres
before(async () => {
  postgres = await testPostgres('site')
})
after(() => postgres[Symbol.asyncDispose]())

const wrappingKey = new Secret(systemRandom.bytes(32))
const keys = personKeys({ wrappingKey, random: systemRandom })
const nextNonce = nonceSource(systemRandom)

test('a sealed value opens with its key at its place, and nowhere else', () => {
  const place = { dataSet: 'athletes', column: 'name' }
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(), (text, flip) => {
      const key = createSecretKey(systemRandom.bytes(32))
      const sealed = seal(text, { key, nonce: nextNonce(), context: cellContext(place) })
      assert.equal(openCell(sealed, { key, place }), text)
      assert.equal(openCell(sealed, { key, place: { ...place, column: 'info' } }), undefined)
      assert.equal(openCell(sealed, { key: createSecretKey(systemRandom.bytes(32)), place }), undefined)
      const changed = Uint8Array.from(sealed)
      changed[flip % changed.length] = (changed[flip % changed.length] ?? 0) ^ 1
      assert.equal(openCell(changed, { key, place }), undefined)
      assert.equal(
        open(sealed.subarray(0, flip % sealed.length), { key, context: cellContext(place) }),
        undefined,
      )
    }),
    { numRuns: 100 },
  )
})

test('a nonce never comes twice, across portions of the source', () => {
  const seen = new Set<string>()
  for (let turn = 0; turn < 10_000; turn += 1) seen.add(Buffer.from(nextNonce()).toString('hex'))
  assert.equal(seen.size, 10_000)
})

test('ensureKeys() makes each key once, and gives them in the order asked for', async () => {
  const first = await keys.ensureKeys(postgres.db, [5, 3, 5, 9])
  const again = await keys.ensureKeys(postgres.db, [9, 3, 4, 5])
  const hex = (source: typeof first, index: number) => Buffer.from(source.keyAt(index)).toString('hex')
  assert.deepEqual(
    [hex(again, 0), hex(again, 1), hex(again, 3)],
    [hex(first, 3), hex(first, 1), hex(first, 0)],
  )
  assert.equal(hex(first, 2), hex(first, 0))
  assert.equal(new Set([3, 0, 1].map((index) => hex(first, index))).size, 3)
  const own = await keys.keyOf(postgres.db, 4)
  assert.equal(own?.reveal().export().toString('hex'), hex(again, 2))
})

test('a destroyed key is gone, and what a receipt says of that person can be told no more', async () => {
  await keys.ensureKeys(postgres.db, [20, 21])
  const subject = await keys.subjectOf(postgres.db, { person: 20, text: 'ingest 7' })
  assert.match(subject ?? '', /^sha-256:[0-9a-f]{64}$/)
  assert.equal(await keys.subjectOf(postgres.db, { person: 20, text: 'ingest 7' }), subject)
  assert.notEqual(await keys.subjectOf(postgres.db, { person: 21, text: 'ingest 7' }), subject)
  assert.match((await keys.destroyKeys(postgres.db, [20])).get(20) ?? '', /^sha-256:/)
  assert.equal((await keys.destroyKeys(postgres.db, [20])).size, 0)
  assert.equal(await keys.keyOf(postgres.db, 20), undefined)
  assert.equal(await keys.subjectOf(postgres.db, { person: 20, text: 'ingest 7' }), undefined)
})

test('a key wrapped by another site, or moved to another person, does not open', async () => {
  await keys.ensureKeys(postgres.db, [30, 31])
  const stranger = personKeys({ wrappingKey: new Secret(systemRandom.bytes(32)), random: systemRandom })
  await assert.rejects(stranger.keyOf(postgres.db, 30), { code: 'fault.key_malformed' })
  await sql`update person_key set wrapped = (select wrapped from person_key where person = 30) where person = 31`.execute(
    postgres.db,
  )
  await assert.rejects(keys.keyOf(postgres.db, 31), { code: 'fault.key_malformed' })
  await sql`delete from person_key where person = 31`.execute(postgres.db)
})

test('a key has one mark however it is wrapped, and is found by it or, as before there were marks, by its wrapped form', async () => {
  await keys.ensureKeys(postgres.db, [50, 51])
  const marks = await keys.marksOf(postgres.db, [50, 51, 52])
  assert.deepEqual([...marks.keys()], [50, 51])
  const mark = marks.get(50) ?? digestOf('')
  assert.notEqual(marks.get(51), mark)
  const { rows } = await sql<{ wrapped: Uint8Array }>`
    select wrapped from person_key where person = 51`.execute(postgres.db)
  const wrapped = digestOf(rows[0]?.wrapped ?? '')
  const stranger = digestOf('nobody')
  assert.deepEqual(
    await keys.findByMarks(postgres.db, new Set([mark, wrapped, stranger])),
    new Map([
      [mark, 50],
      [wrapped, 51],
    ]),
  )
  assert.deepEqual(await keys.findByMarks(postgres.db, new Set()), new Map())
  assert.equal((await keys.destroyKeys(postgres.db, [50])).get(50), mark)
})

test('the record holds no key in clear', async () => {
  const source = await keys.ensureKeys(postgres.db, [40])
  const { rows } = await sql<{
    wrapped: Uint8Array
  }>`select wrapped from person_key where person = 40`.execute(postgres.db)
  assert.equal(rows[0]?.wrapped.length, 60)
  assert.ok(!Buffer.from(rows[0]?.wrapped ?? []).includes(Buffer.from(source.keyAt(0)).subarray(0, 8)))
})
