import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { basisRequestSchema } from '../../../src/protocol/law/basis-record.ts'
import type { BasisRequest } from '../../../src/protocol/law/basis-record.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import type { WireBasis } from '../../../src/sdk/officer.ts'
import { planBases } from '../../../src/site/consent/plan-bases.ts'
import type { LiveBasis, SaidBasis } from '../../../src/site/consent/plan-bases.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { publicKeys } from '../../../src/testing/test-network.ts'
import { testContract, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))
const trade = await testTrade({ clock })
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const people = testPeople(60)
const controller = openOfficer(site.client({ issuer: 'federation', key: trade.federation.signing }))
const custodian = openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))
for (const [dataSet, basis] of [
  ['members', 'A6-1-b'],
  ['shifts', 'A6-1-f'],
] as const)
  await trade.fill(site, { dataSet, people, manifest: { legalBasis: `eu-gdpr:${basis}` }, grants: [] })

let askers = 0
/** How many people a new acquirer counts on a basis, or why not. */
async function count(dataSet: string, legalBasis: string) {
  const acquirer = await trade.addAcquirer(`asker-${(askers += 1)}`)
  const { sites } = await acquirer.ask(`select count(*) from ${dataSet}`, { offer: dataSet, legalBasis })
  return sites[0]?.release?.rows[0]?.[0] ?? sites[0]?.reason
}

const keys = (first: number, last: number) => people.slice(first, last).map(({ id }) => id)
const contract = (more: Partial<WireBasis> = {}) => testContract('members', { people: keys(0, 40), ...more })
const declare = async (...declared: WireBasis[]) => controller.declareBases({ declared })
const actionsOf = (items: readonly { action: string }[]) => items.map(({ action }) => action)
const live = async () =>
  (await controller.bases()).items.filter(({ state }) => state === 'in_force' || state === 'unassessed')
const receiptCount = async () => (await site.operator.receipts({ kind: 'policy', limit: 500 })).length

test('what is declared is in force, the same again does nothing, and a dry run never does', async () => {
  const dry = await controller.declareBases({ declared: [contract()], isDryRun: true })
  assert.deepEqual(actionsOf(dry), ['add'])
  assert.equal(dry[0]?.basis, undefined)
  assert.deepEqual(await live(), [])
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 'declined.legal_basis')

  const [added] = await declare(contract())
  assert.equal(added?.action, 'add')
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 40)
  const receipts = await receiptCount()
  // Another order of what has none, and people named twice, say the same.
  const again = contract({ people: [...keys(0, 40).toReversed(), 'p-1'], modes: undefined })
  const [none] = await declare(again)
  assert.deepEqual([none?.action, none?.basis], ['none', added?.basis])
  assert.equal(await receiptCount(), receipts, 'nothing was written')
  const register = JSON.stringify(await controller.register())
  assert.match(register, /Terms of membership 2026/)
})

test('people that come and go are added and taken away; another term makes a new record and ends the old', async () => {
  const [before] = await live()
  const [moved] = await declare(contract({ people: keys(2, 45) }))
  assert.deepEqual(
    [moved?.action, moved?.basis, moved?.added, moved?.removed],
    ['people', before?.basis, 5, 2],
  )
  assert.equal((await live())[0]?.listed, 43)
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 43)

  const longer = contract({ people: keys(2, 45), validUntil: '2061-01-01T00:00:00Z' })
  const [planned] = await controller.declareBases({ declared: [longer], isDryRun: true })
  const changes = [
    { field: 'validUntil', from: '"2060-01-01T00:00:00.000Z"', to: '"2061-01-01T00:00:00.000Z"' },
  ]
  assert.deepEqual([planned?.action, planned?.ends, planned?.changes], ['change', [before?.basis], changes])
  const [changed] = await declare(longer)
  assert.deepEqual([changed?.action, changed?.ends, changed?.changes], ['change', [before?.basis], changes])
  assert.deepEqual(
    (await live()).map(({ basis }) => basis),
    [changed?.basis],
  )
  const ended = (await controller.bases()).items.find(({ basis }) => basis === before?.basis)
  assert.equal(ended?.endReason, `Replaced by ${changed?.basis}, as declared`)
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 43)
})

test('one that was cut off before the old record was ended is brought to its end by the next', async () => {
  const [current] = await live()
  // As it lies when the process ended between the two: both in force.
  const next = contract({ people: keys(2, 45), validUntil: '2062-01-01T00:00:00Z' })
  const { basis } = await controller.recordBasis(next)
  const [done] = await declare(next)
  assert.deepEqual([done?.action, done?.basis, done?.ends], ['end', basis, [current?.basis]])
  assert.deepEqual(actionsOf(await declare(next)), ['none'])
})

test('an interest may name its assessment by reference; what is in no file ends only when that is asked for', async () => {
  const { assessment } = await controller.attachAssessment({
    dataSet: 'shifts',
    purpose: 'dpv:ResearchAndDevelopment',
    kind: 'lia',
    reference: 'LIA-2026-007',
    approvedBy: 'Orla Byrne',
    approvedOn: '2026-02-01',
    reviewBy: '2027-02-01',
    balancing: { result: 'interest_prevails', because: 'Groups only' },
  })
  const interest = {
    kind: 'legitimate_interest',
    dataSets: ['shifts'],
    purposes: ['dpv:ResearchAndDevelopment'],
    reference: 'Interest 3',
    interest: 'Safer shifts',
    assessment: 'LIA-2026-007',
    objectTo: 'privacy@federation.example',
    validUntil: '2060-01-01T00:00:00Z',
    people: 'everybody',
  } as WireBasis
  const [added] = await declare(interest)
  assert.equal(added?.action, 'add')
  const kept = (await live()).find(({ basis }) => basis === added.basis)
  assert.equal(kept?.kind === 'legitimate_interest' && kept.assessment, assessment)
  assert.equal(await count('shifts', 'eu-gdpr:A6-1-f'), 60)
  assert.equal((await live()).length, 2, 'the contract stays')

  // The custodian says nothing of this issuer's, so nothing of it ends.
  assert.deepEqual(await custodian.declareBases({ declared: [], endsOthers: true }), [])
  const items = await controller.declareBases({ declared: [interest], endsOthers: true })
  assert.deepEqual(actionsOf(items), ['none', 'end'])
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 'declined.legal_basis')
})

test('nothing is changed where anything is wrong, and nobody declares for others', async () => {
  const before = await controller.bases()
  const wrong = contract({ reference: 'B', people: ['p-1', 'nobody'] })
  const rejected = controller.declareBases({ declared: [contract(), wrong, contract()] })
  await assert.rejects(rejected, (error: { status?: number; errors?: { field: string }[] }) => {
    assert.equal(error.status, 400)
    assert.deepEqual(
      error.errors?.map(({ field }) => field),
      ['declared[1].people[1]', 'declared[2].reference'],
    )
    return true
  })
  await assert.rejects(custodian.declareBases({ declared: [contract()] }), { status: 403 })
  const party = await trade.network.addMember('others', ['issuer'])
  await site.operator.registerIssuer({ member: party.name, keys: publicKeys(party) })
  const others = openOfficer(site.client({ issuer: party.name, key: party.signing }))
  await assert.rejects(others.declareBases({ declared: [contract({ people: 'everybody' })] }), {
    status: 404,
  })
  assert.deepEqual(await others.declareBases({ declared: [], endsOthers: true }), [])
  assert.deepEqual(await controller.bases(), before)
})

test('whatever is in force and whatever is said, what is planned leads there, and planned again there is nothing to do', () => {
  const request = fc
    .record({
      reference: fc.constantFrom('A', 'B', 'C'),
      year: fc.constantFrom(2030, 2031),
      modes: fc.option(fc.subarray(['aggregate', 'rows'] as const, { minLength: 1 }), { nil: undefined }),
      people: fc.oneof(fc.constant('everybody' as const), fc.uniqueArray(fc.integer({ min: 0, max: 5 }))),
    })
    .map(({ reference, year, modes, people: covered }): SaidBasis => {
      const said = testContract('members', {
        reference,
        validUntil: `${year}-01-01T00:00:00Z`,
        people: covered === 'everybody' ? covered : covered.map((one) => `p-${one}`),
        ...(modes === undefined ? {} : { modes }),
      })
      const parsed: BasisRequest = basisRequestSchema.parse(said)
      return {
        request: parsed,
        issuer: 'federation',
        ...(covered === 'everybody' ? {} : { people: new Set(covered) }),
      }
    })
  const saidOnce = fc.uniqueArray(request, { selector: ({ request: { reference } }) => reference })
  const liveOf = (
    { request: { people: covered, ...facts }, issuer, people: listed }: SaidBasis,
    id: string,
  ): LiveBasis => ({
    id,
    issuer,
    facts: { ...facts, people: covered === 'everybody' ? covered : 'listed' },
    ...(listed ? { people: listed } : {}),
  })
  fc.assert(
    fc.property(saidOnce, fc.array(request, { maxLength: 6 }), fc.boolean(), (said, before, endsOthers) => {
      const options = { endsOthersOf: new Set(endsOthers ? ['federation'] : []) }
      const start = before.map((one, index) => liveOf(one, `old-${index}`))
      const inForce = new Map(start.map((one) => [one.id, one]))
      for (const [index, step] of planBases(said, start, options).entries()) {
        if (step.said && (step.action === 'add' || step.action === 'change'))
          inForce.set(`new-${index}`, liveOf(step.said, `new-${index}`))
        if (step.said && step.live && step.action === 'people') {
          const kept = (step.live.people ?? new Set<number>()).difference(new Set(step.removed))
          inForce.set(step.live.id, { ...step.live, people: kept.union(new Set(step.added)) })
        }
        for (const { id } of step.ends) inForce.delete(id)
      }
      const reached = [...inForce.values()]
      for (const { request: wanted, people: listed } of said) {
        const own = reached.filter(({ facts }) => facts.reference === wanted.reference)
        assert.equal(own.length, 1)
        assert.equal(own[0]?.facts.validUntil, wanted.validUntil)
        assert.deepEqual(own[0].people, listed)
      }
      const names = new Set(said.map(({ request: { reference } }) => reference))
      const others = (of: readonly LiveBasis[]) =>
        of.filter(({ facts }) => !names.has(facts.reference)).length
      assert.equal(others(reached), endsOthers ? 0 : others(start))
      assert.ok(planBases(said, reached, options).every(({ action }) => action === 'none'))
    }),
  )
})
