import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { systemClock } from '../../../src/kernel/clock.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import type { GrantRequest } from '../../../src/protocol/consent/grant.ts'
import { loadGrantMirror } from '../../../src/site/consent/change-grants.ts'
import type { ConsentContext } from '../../../src/site/consent/change-grants.ts'
import { objectTo, withdrawObjection } from '../../../src/site/consent/change-objections.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import { revokeGrants } from '../../../src/site/consent/revoke-grants.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'

const PEOPLE = 4
const PURPOSES = ['dpv:AcademicResearch', 'dpv:Marketing'] as const
const dataSet = dataSetIdSchema.parse('athletes')
const by = { by: 'issuer:federation' }

const sites: BareSite[] = []
before(async () => {
  for (let count = 0; count < 2; count += 1) {
    const bare = await bareSite()
    sites.push(bare)
    await bare.fill({ dataSet, people: testPeople(PEOPLE), hasGrants: false })
  }
})
after(async () => {
  for (const bare of sites) await bare[Symbol.asyncDispose]()
})

const grantOf = (person: number, purpose: number): GrantRequest =>
  grantRequestSchema.parse(testGrant(dataSet, `p-${person}`, { purposes: [PURPOSES[purpose] ?? ''] }))

interface Step {
  readonly what: 'give' | 'revoke' | 'object' | 'withdraw'
  readonly people: readonly number[]
  readonly purpose: number
}

const step = fc.record<Step>({
  what: fc.constantFrom('give', 'revoke', 'object', 'withdraw'),
  people: fc.uniqueArray(fc.nat(PEOPLE - 1), { minLength: 1, maxLength: 3 }),
  purpose: fc.nat(1),
})

/** As a site makes changes of which nothing could be signed before its transaction: in steps, and never at once. */
const inSteps = ({ consent }: BareSite['site']): ConsentContext => ({
  ...consent,
  receipts: { ...consent.receipts, sign: () => Promise.reject(new Error('not before')) },
})

/** Makes one change, under a key where one is given. */
async function change(
  bare: BareSite,
  { what, people, purpose }: Step,
  { consent = bare.site.consent, key }: { consent?: ConsentContext; key?: string | undefined } = {},
) {
  const facts = key === undefined ? by : { ...by, idempotencyKey: key }
  const numbers = await Promise.all(people.map((person) => bare.numberOf(`p-${person}`)))
  const objection = { people: numbers, purpose: PURPOSES[purpose] ?? '', dataSet }
  switch (what) {
    case 'give':
      return giveGrants(
        consent,
        people.map((person) => grantOf(person, purpose)),
        facts,
      )
    case 'revoke':
      return revokeGrants(
        consent,
        people.map((person) => ({ dataSet, person: `p-${person}` })),
        facts,
      )
    case 'object':
      return objectTo(consent, objection, facts)
    case 'withdraw':
      return withdrawObjection(consent, objection, facts)
  }
}

async function standing({ site }: BareSite) {
  const { rows: grants } = await sql<{ terms: number }>`
    select g.sequence::int, g.person, g.terms, r.sequence::int as revoked from consent_grant g
    left join consent_revocation r on r.grant_sequence = g.sequence order by 1`.execute(site.db)
  const { rows: objections } = await sql`
    select o.sequence::int, o.person, o.purpose, w.sequence::int as withdrawn from objection o
    left join objection_withdrawal w on w.objection = o.sequence order by 1`.execute(site.db)
  const { rows: kinds } = await sql`select kind from receipt order by sequence`.execute(site.db)
  // By what they say: their numbers have gaps where the same terms were written twice.
  const terms = new Map(site.mirror.termsOf(dataSet).map(({ id, terms: { purposes } }) => [id, purposes]))
  return {
    grants: grants.map((grant) => ({ ...grant, terms: terms.get(grant.terms) })),
    objections,
    kinds,
    known: [...terms.values()],
    objectors: objectors(site.mirror),
    sequence: site.mirror.sequence,
  }
}

const objectors = (mirror: BareSite['site']['mirror']) =>
  PURPOSES.map((purpose) => [...mirror.objectors(dataSet, purpose).toBytes()])

test('a change at once leaves what the same change in steps leaves, in record, log and mirror', async () => {
  let run = 0
  const [quick, slow] = sites as [BareSite, BareSite]
  const consent = inSteps(slow.site)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      for (const one of steps) {
        run += 1
        // Every other one under a key.
        const key = run % 2 === 0 ? `key-${String(run).padStart(8, '0')}` : undefined
        assert.deepEqual(await change(quick, one, { key }), await change(slow, one, { consent, key }))
      }
      assert.deepEqual(await standing(quick), await standing(slow))
      assert.deepEqual(objectors(await loadGrantMirror(quick.site.db)), objectors(quick.site.mirror))
    }),
    { numRuns: 25 },
  )
})

test('a change that was committed unheard is learnt before the next, and numbers taken by others are passed over', async () => {
  const [quick] = sites as [BareSite, BareSite]
  const { site } = quick
  await change(quick, { what: 'give', people: [0], purpose: 0 })
  // Receipts of others meanwhile: the guess is wrong, and the change is made in steps.
  await site.db.transaction().execute((tx) => site.log.issue(tx, [{ kind: 'access' }, { kind: 'access' }]))
  const guess = site.log.expectedNext()
  await site.log.sign(guess + 5, [{ kind: 'access' }])
  const before = site.mirror.sequence
  const person = await quick.numberOf('p-1')
  const live = await sql`select from consent_grant where person = ${person}`.execute(site.db)
  await change(quick, { what: 'revoke', people: [1], purpose: 0 })
  assert.equal((await change(quick, { what: 'give', people: [1], purpose: 1 })).changed, 1)
  // One that the mirror never heard of.
  const [known] = site.mirror.termsOf(dataSet)
  await sql`insert into consent_grant (sequence, person, terms, valid_from_ms, given_ms, given_by, receipt)
    select last + 1, ${await quick.numberOf('p-2')}, ${known?.id}, 0, ${systemClock.now()}, 'x', 0 from consent_sequence`.execute(
    site.db,
  )
  await sql`update consent_sequence set last = last + 1`.execute(site.db)
  const next = await change(quick, { what: 'object', people: [3], purpose: 1 })
  const { rows } = await sql<{ last: bigint }>`select last from consent_sequence`.execute(site.db)
  assert.equal(next.sequence, Number(rows[0]?.last))
  assert.equal(site.mirror.sequence, next.sequence)
  assert.ok(next.sequence > before && live.rows.length >= 0)
  const { rows: gaps } = await sql`
    select sequence from receipt r where sequence > 0 and not exists (select from receipt where sequence = r.sequence - 1)`.execute(
    site.db,
  )
  assert.deepEqual(gaps, [])
})
