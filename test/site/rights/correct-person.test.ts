import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { sql } from 'kysely'
import { digestOf } from '../../../src/kernel/digest.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { describeDataSet } from '../../../src/site/datasets/describe-data-set.ts'
import { correctPerson } from '../../../src/site/rights/correct-person.ts'
import type { CorrectionParts, CorrectionRequest } from '../../../src/site/rights/note-corrections.ts'
import { erasePerson } from '../../../src/site/rights/erase-person.ts'
import { openCell } from '../../../src/site/vault/keys/person-keys.ts'
import { testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { around } from '../../../src/testing/around.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

const athletes = dataSetIdSchema.parse('athletes')
const MARKER = 'zqcorrect9mark'

let bare: BareSite
before(async () => {
  bare = await bareSite()
  await bare.fill({ dataSet: 'athletes', people: testPeople(20) })
})
after(() => bare[Symbol.asyncDispose]())

const requestFor = (person: number): CorrectionRequest => ({
  person,
  issuer: memberIdSchema.parse('federation'),
  requestedBy: 'issuer:federation',
  dataSet: athletes,
  set: { country: MARKER, birth_date: '1999-09-09' },
  where: {},
})

async function countryOf(person: number, dataSet = athletes): Promise<unknown> {
  const rows = await bare.site.vault.listRows(dataSet, person)
  return rows.column(rows.columns.findIndex(({ name }) => name === 'country'))[0]
}

const CRASHES: Readonly<Record<string, (parts: CorrectionParts) => CorrectionParts>> = {
  'before the vault': (parts) => ({
    ...parts,
    vault: { ...parts.vault, correct: () => Promise.reject(new Error('crash')) },
  }),
  'after the vault': (parts) => ({
    ...parts,
    vault: {
      ...parts.vault,
      correct: async (correction) => {
        await parts.vault.correct(correction)
        throw new Error('crash')
      },
    },
  }),
}

for (const [index, [when, broken]] of Object.entries(CRASHES).entries()) {
  test(`a correction that breaks off ${when} is made before the site serves again`, async () => {
    const person = await bare.numberOf(`p-${index}`)
    await assert.rejects(correctPerson(broken(bare.site), requestFor(person)))
    const { rows } = await sql<{ body: Buffer }>`
      select body from correction where state = 'begun'`.execute(bare.site.db)
    assert.equal(rows.length, 1)
    assert.ok(!rows[0]?.body.includes(MARKER), 'what waits is sealed')
    await bare.reopen()
    assert.equal(await countryOf(person), MARKER)
    const { birthDay } = await bare.site.vault.principals()
    assert.equal(birthDay[person], Date.UTC(1999, 8, 9) / 86_400_000, 'ages are judged by it')
    const left = await sql`select body from correction where body is not null`.execute(bare.site.db)
    assert.equal(left.rows.length, 0)
  })
}

for (const length of [0, 7, 3_000, 6_000]) {
  test(`a sealed text of ${length} characters is stored as it was sealed`, async () => {
    const { vault, personKeys, db } = bare.site
    const person = await bare.numberOf('p-19')
    const note = "it's \\x41 '".repeat(length).slice(0, length)
    await correctPerson(bare.site, { ...requestFor(person), set: { note } })
    const rows = await vault.listRows(athletes, person)
    const [stored] = rows.column(rows.columns.findIndex(({ name }) => name === 'note'))
    const key = (await personKeys.keyOf(db, person))?.reveal()
    assert.ok(key && stored instanceof Uint8Array)
    assert.equal(openCell(stored, { key, place: { dataSet: athletes, column: 'note' } }), note)
  })
}

test('a correction of somebody who is erased before it is made is never made', async () => {
  const person = await bare.numberOf('p-5')
  const broken = CRASHES['before the vault']?.(bare.site)
  assert.ok(broken)
  await assert.rejects(correctPerson(broken, requestFor(person)))
  await erasePerson(bare.site, {
    person,
    issuer: memberIdSchema.parse('federation'),
    reason: 'request',
    requestedBy: 'operator',
    nameMark: digestOf('p-5'),
  })
  await bare.reopen()
  const { rows } = await sql<{ state: string; rows: number }>`
    select state, rows from correction where person = ${person}`.execute(bare.site.db)
  assert.deepEqual(
    rows.map(({ state, rows: count }) => [state, count]),
    [['done', 0]],
  )
})

/** A data set whose column a correction empties, and the terms by which it may not be empty. */
async function emptying(name: string) {
  const dataSet = dataSetIdSchema.parse(name)
  await bare.fill({ dataSet: name, people: testPeople(12) })
  const person = await bare.numberOf('p-1')
  const { columns } = testManifest(name)
  const required = columns.map((column) =>
    column.name === 'country' ? { ...column, isRequired: true } : column,
  )
  const terms = manifestSchema.parse(testManifest(name, { columns: required }))
  return { dataSet, person, terms, request: { ...requestFor(person), dataSet, set: { country: null } } }
}

/** Begins something at one step of something else, and goes on when it is over or has had the time to be. */
function meanwhile(begin: () => Promise<unknown>) {
  let begun: Promise<unknown> | undefined
  const before = async () => {
    begun ??= begin().then(
      () => 'made',
      (error: unknown) => String(error),
    )
    await Promise.race([begun, setTimeout(50)])
  }
  return { before, outcome: () => begun }
}

test('a value is not taken out of a column that comes to be required meanwhile', async () => {
  const { dataSet, person, terms, request } = await emptying('emptied')
  const { before, outcome } = meanwhile(() => describeDataSet(bare.site, terms))
  const vault = around(bare.site.vault, 'correct', { before })
  assert.equal((await correctPerson({ ...bare.site, vault }, request)).rows, 1)
  assert.match(String(await outcome()), /there are rows without a value/)
  assert.equal(await countryOf(person, dataSet), null)
})

test('nor after rows were found to have values for it', async () => {
  const { dataSet, person, terms, request } = await emptying('kept')
  const { before, outcome } = meanwhile(() => correctPerson(bare.site, request))
  const vault = around(bare.site.vault, 'describe', { before })
  await describeDataSet({ ...bare.site, vault }, terms)
  assert.match(String(await outcome()), /not those of the data set/)
  assert.notEqual(await countryOf(person, dataSet), null)
})

test('nor when the site is started again', async () => {
  const { dataSet, person, terms, request } = await emptying('resumed')
  await assert.rejects(correctPerson(CRASHES['before the vault']?.(bare.site) ?? bare.site, request))
  await describeDataSet(bare.site, terms)
  await bare.reopen()
  assert.notEqual(await countryOf(person, dataSet), null)
  const left = await sql`select body from correction where body is not null`.execute(bare.site.db)
  assert.equal(left.rows.length, 0)
})
