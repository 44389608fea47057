import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { instant } from '../../../src/kernel/clock.ts'
import { Fault } from '../../../src/kernel/faults.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import type { Postgres } from '../../../src/kernel/postgres/open-postgres.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { siteIdSchema } from '../../../src/protocol/wire.ts'
import {
  findKeptAnswer,
  keepPrivateAnswer,
  resealAnswers,
} from '../../../src/site/privacy/private-answers.ts'
import type { KeptAnswer } from '../../../src/site/privacy/private-answers.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

let postgres: Postgres
before(async () => {
  postgres = await testPostgres()
  await migrate(postgres.db, SITE_MIGRATIONS)
})
beforeEach(() => sql`truncate private_answer`.execute(postgres.db))
after(() => postgres[Symbol.asyncDispose]())

const keyOf = (fill: number) => new Secret<Uint8Array>(new Uint8Array(32).fill(fill))
const [key, other, third] = [keyOf(1), keyOf(2), keyOf(3)] as const
const name = { acquirer: 'northcare', question: 'q1' }

function answered(people: number): KeptAnswer {
  return {
    release: {
      ask: 'ask_1',
      site: siteIdSchema.parse('galway'),
      dataSet: 'athletes',
      mode: 'private',
      columns: [{ name: 'people', type: 'integer' }],
      rows: [[people]],
    },
    noisyPeople: people,
  }
}

function keep(people: number, { of = name, under = key } = {}): Promise<void> {
  const kept = { ...of, ask: `ask_${of.question}`, answer: answered(people), now: instant(0) }
  return postgres.db
    .transaction()
    .execute((tx) => keepPrivateAnswer(tx, kept, { key: under, random: systemRandom }))
}

const find = (of = name, under = key) => findKeptAnswer(postgres.db, of, under)
const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code

test('an answer is found by its acquirer and its question, and by nothing else', async () => {
  await keep(100)
  assert.deepEqual(await find(), answered(100))
  assert.equal(await find({ ...name, acquirer: 'southcare' }), undefined)
  assert.equal(await find({ ...name, question: 'q2' }), undefined)
})

test('two equal asks at the same time do not both let noise out', async () => {
  await keep(100)
  await assert.rejects(keep(101), isFault('fault.overloaded'))
  assert.deepEqual(await find(), answered(100))
})

test('an answer that does not open is not passed over: noise drawn anew beside it would tell more', async () => {
  await keep(100)
  await assert.rejects(find(name, other), isFault('fault.internal'))
  // Nor is one that was put in the place of another.
  await keep(200, { of: { ...name, question: 'q2' } })
  await sql`update private_answer set release = (select release from private_answer where question = 'q2')
    where question = 'q1'`.execute(postgres.db)
  await assert.rejects(find(), isFault('fault.internal'))
})

test('under a new key every answer opens by that one alone, and one that did not open does not then either', async () => {
  const names = Array.from({ length: 205 }, (_, index) => ({ ...name, question: `q${index}` }))
  for (const [index, of] of names.entries()) await keep(index, { of, under: index === 3 ? other : key })
  await postgres.db
    .transaction()
    .execute((tx) => resealAnswers(tx, { from: key, to: third, random: systemRandom }))
  for (const [index, of] of names.entries()) {
    if (index === 3) continue
    assert.deepEqual(await find(of, third), answered(index))
  }
  await assert.rejects(find(names[0], key), isFault('fault.internal'))
  for (const under of [key, third]) await assert.rejects(find(names[3], under), isFault('fault.internal'))
  assert.deepEqual(await find(names[3], other), answered(3))
})
