import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { later } from '../../../src/kernel/clock.ts'
import { csvOf, testGrant, testPeople } from '../../../src/testing/test-population.ts'
import type { TestAcquirer } from '../../../src/testing/test-trade.ts'
import { temporaryHome } from '../../cli/run-cli.ts'
import { typedHere } from '../../cli/typed-here.ts'
import { DOCUMENT, aFamily, bornYearsAgo } from './a-family.ts'
import type { Family, Seat } from './a-family.ts'

let family: Family
let acquirer: TestAcquirer
before(async () => {
  family = await aFamily()
  acquirer = await family.trade.addAcquirer('northcare')
})
after(() => family[Symbol.asyncDispose]())

const GONE = { status: 404, problemCode: 'fault.not_found' }
const guardianGrant = (child: string, more = {}) =>
  testGrant('athletes', child, { givenBy: 'guardian', ...more })

/** How many children an acquirer gets rows of: whoever is eligible, and nobody else. */
async function eligibleCount(): Promise<number> {
  const { sites } = await acquirer.ask('select height from athletes', { mode: 'rows' })
  return sites[0]?.release?.rows.length ?? 0
}

/** Everything that a guardian can do about a child, each as a call. */
function allActs({ records, administration, rights, requests, guardians }: Seat, child: string) {
  return {
    uses: () => records(child).uses(1),
    earnings: () => records(child).earnings(),
    accesses: () => records(child).accesses(1),
    export: () => records(child).export({ format: 'jsonl' }),
    objections: () => records(child).objections(),
    object: () => records(child).objectTo('dpv:Marketing'),
    unobject: () => records(child).withdrawObjection('dpv:Marketing'),
    grants: () => administration.grants({ person: child, limit: 1 }),
    give: () => administration.giveGrants([guardianGrant(child)]),
    refuse: () => administration.refuseGrant(guardianGrant(child)),
    revoke: () => administration.revokeGrants([{ dataSet: 'athletes', person: child }]),
    restrict: () => rights.restrict({ person: child }, 'accuracy_contested'),
    restriction: () => rights.restriction({ person: child }),
    lift: () => rights.liftRestriction({ person: child }),
    correct: () => rights.correct({ person: child }, { dataSet: 'athletes', set: { score: 3 } }),
    guardians: () => guardians.guardiansOf({ ref: child }),
    bases: () => records(child).bases(),
    notices: () => records(child).notices(),
    consents: () => records(child).consents('records'),
    request: () => requests.make({ ref: child }, { kind: 'access' }),
    ask: () => requests.ofPerson({ ref: child }),
    erase: () => rights.erase({ person: child }, { reason: 'request' }),
  }
}

/** Nothing is done and nothing is told, not even that there is such a child. */
async function assertPowerless(seat: Seat, child: string): Promise<void> {
  for (const [what, act] of Object.entries(allActs(seat, child))) {
    await assert.rejects(act(), (refused: { status?: number }) => {
      assert.ok(refused.status === 404 || refused.status === 403, `${what}: ${String(refused.status)}`)
      return true
    })
  }
}

describe('a guardian', () => {
  test('sees, gives, withdraws, objects, restricts, corrects, asks and erases for the child, and each act says so', async () => {
    const guardianship = await family.establish('p-0', 'parent-0')
    const parent = await family.as('parent-0')
    assert.deepEqual(
      (await parent.guardians.wards()).map(({ person, state, guardian }) => [person, state, guardian]),
      [['p-0', 'in_force', 'parent-0']],
    )
    const acts = allActs(parent, 'p-0')
    await acts.give()
    assert.equal(await eligibleCount(), 1)
    for (const [what, act] of Object.entries(acts)) {
      if (what !== 'erase')
        await act().catch((refused: unknown) => assert.fail(`${what}: ${String(refused)}`))
    }
    const by = `guardian:${guardianship}`
    const [grant] = await family.issuer.administration.grants({ person: 'p-0', limit: 1 })
    assert.deepEqual([grant?.enteredBy, grant?.guardianship], [by, guardianship])
    const child = await family.as('p-0')
    const looks = await child.records('me').accesses(50)
    assert.ok(looks.filter((look) => look.by === by).length >= 5)
    const restriction = await child.rights.restriction({ person: 'me' })
    assert.deepEqual([restriction.requestedBy, restriction.state], [by, 'lifted'])
    const [asked] = await child.requests.ofPerson({ ref: 'me' })
    assert.equal(asked?.events[0]?.by, by)
    const exported = await new Response(await child.records('me').export({ format: 'jsonl' })).text()
    assert.ok(exported.includes(`"enteredBy":"${by}"`))
    assert.equal((await acts.erase()).requestedBy, by)
    assert.deepEqual(
      await parent.guardians.wards(),
      [],
      'nothing of the child is left, the guardianship included',
    )
    await assertPowerless(parent, 'p-0')
  })

  test('is no guardian of another child, and a stranger is none at all', async () => {
    await family.establish('p-1', 'parent-1')
    await assertPowerless(await family.as('parent-1'), 'p-2')
    await assertPowerless(await family.as('stranger'), 'p-1')
    await assertPowerless(await family.as('p-2'), 'p-1')
    await assert.rejects((await family.as('stranger')).guardians.end('gsh_01KB0000000000000000000000'), GONE)
    assert.deepEqual(await (await family.as('stranger')).guardians.wards(), [])
  })

  test('speaks as guardian only, and for one child at a time', async () => {
    const parent = await family.as('parent-1')
    await family.establish('p-3', 'parent-1')
    const { administration } = parent
    await assert.rejects(administration.giveGrants([testGrant('athletes', 'p-1')]), { status: 403 })
    await assert.rejects(administration.giveGrants([guardianGrant('p-1'), guardianGrant('p-3')]), {
      status: 403,
    })
    const child = await family.as('p-1')
    await assert.rejects(child.administration.giveGrants([guardianGrant('p-1')]), { status: 403 })
  })

  test('is established by the issuer, and by nobody else', async () => {
    const facts = { guardian: 'me', authority: 'sole', document: DOCUMENT } as const
    for (const seat of [family.operator, await family.as('me'), await family.as('p-4')])
      await assert.rejects(seat.guardians.establish('p-4', facts), { status: 403 })
    await assert.rejects(family.issuer.guardians.establish('p-404', facts), GONE)
    await assert.rejects(family.issuer.guardians.establish('p-4', { ...facts, guardian: 'p-4' }), {
      status: 400,
    })
    const past = new Date(later(family.clock.now(), -1_000)).toISOString()
    await assert.rejects(family.issuer.guardians.establish('p-4', { ...facts, until: past }), { status: 400 })
    await family.establish('p-4', 'parent-4')
    await assert.rejects(family.establish('p-4', 'parent-4'), { status: 409 })
  })
})

describe('a guardian’s grant', () => {
  test('needs a guardian who is established, though the issuer passes it on', async () => {
    const { administration } = family.issuer
    await assert.rejects(administration.giveGrants([guardianGrant('p-5')]), { status: 400 })
    await family.establish('p-5', 'parent-5')
    await assert.rejects(administration.giveGrants([guardianGrant('p-5', { guardian: 'parent-1' })]), {
      status: 400,
    })
    const before = await eligibleCount()
    await administration.giveGrants([guardianGrant('p-5')])
    assert.equal(await eligibleCount(), before + 1)
  })

  test('ends with the guardianship, whose token then gives nothing', async () => {
    const guardianship = await family.establish('p-6', 'parent-6')
    const parent = await family.as('parent-6')
    const before = await eligibleCount()
    await parent.administration.giveGrants([guardianGrant('p-6')])
    assert.equal(await eligibleCount(), before + 1)
    const ended = await family.operator.guardians.end(guardianship)
    assert.deepEqual([ended.state, ended.endedBy, ended.receipts.length], ['ended', 'operator', 2])
    assert.equal(await eligibleCount(), before)
    await assertPowerless(parent, 'p-6')
    const [grant] = await family.issuer.administration.grants({ person: 'p-6', limit: 1 })
    assert.equal(grant?.state, 'guardianship_ended')
  })

  test('holds no longer than the guardianship was established for', async () => {
    const until = later(family.clock.now(), 3_600_000)
    const guardianship = await family.establish('p-7', 'parent-7', { until: new Date(until).toISOString() })
    const parent = await family.as('parent-7')
    await parent.administration.giveGrants([guardianGrant('p-7')])
    const [grant] = await parent.administration.grants({ person: 'p-7', limit: 1 })
    assert.equal(grant?.validUntil, until)
    family.clock.move(1)
    const own = async () => (await (await family.as('parent-7')).guardians.wards())[0]
    const over = await own()
    assert.equal(over?.state, 'over')
    await family.issuer.guardians.end(guardianship)
    // What comes after their time is not told to who was the guardian.
    assert.deepEqual(
      [(await own())?.state, (await own())?.endedAt, (await own())?.endedBy],
      ['over', undefined, undefined],
    )
    family.clock.move(-1)
  })

  test('of one who decides jointly waits for the other, and either takes it back', async () => {
    await family.establish('p-8', 'mother-8', { authority: 'joint' })
    const [mother, father] = [await family.as('mother-8'), await family.as('father-8')]
    await assert.rejects(mother.administration.giveGrants([guardianGrant('p-8')]), { status: 400 })
    await family.establish('p-8', 'father-8', { authority: 'joint' })
    const before = await eligibleCount()
    const first = await mother.administration.giveGrants([guardianGrant('p-8')])
    assert.deepEqual([first.changed, first.awaiting], [0, 1])
    assert.deepEqual([(await mother.administration.giveGrants([guardianGrant('p-8')])).awaiting], [1])
    const narrower = guardianGrant('p-8', { columns: ['height'] })
    assert.equal((await father.administration.giveGrants([narrower])).awaiting, 1, 'other terms are no yes')
    assert.equal(await eligibleCount(), before)
    const second = await father.administration.giveGrants([guardianGrant('p-8')])
    assert.deepEqual([second.changed, second.awaiting], [1, undefined])
    assert.equal(await eligibleCount(), before + 1)
    await mother.administration.revokeGrants([{ dataSet: 'athletes', person: 'p-8' }])
    assert.equal(await eligibleCount(), before)
    assert.equal((await father.administration.giveGrants([guardianGrant('p-8')])).awaiting, 1)
    await mother.administration.giveGrants([guardianGrant('p-8')])
    assert.equal(await eligibleCount(), before + 1)
    await family.establish('p-8', 'aunt-8', { authority: 'joint' })
    assert.equal(await eligibleCount(), before, 'a third who has to agree has not')
  })

  test('is nobody who, by what is known here, does not decide alone either', async () => {
    await assert.rejects(family.establish('p-13', 'p-14'), {
      status: 400,
      message: /guardian: expected somebody who decides for themselves/,
    })
    const held = await family.issuer.guardians.guardiansOf({
      ref: 'p-13',
      reason: 'to see that there is none',
    })
    assert.deepEqual(held, [])
    await family.establish('p-13', 'p-31')
  })

  test('has no power while it is known here that they do not decide alone, whenever that became known', async () => {
    await family.establish('p-15', 'p-33')
    const guardian = await family.as('p-33')
    const before = await eligibleCount()
    await guardian.administration.giveGrants([guardianGrant('p-15')])
    assert.equal(await eligibleCount(), before + 1)
    const said = await guardian.principal('me').giveEvidence({ below: 16 })
    await assertPowerless(guardian, 'p-15')
    assert.equal(await eligibleCount(), before, 'nor does what they gave before authorise anything')
    const { administration } = family.issuer
    await assert.rejects(administration.giveGrants([guardianGrant('p-15')]), { status: 400 })
    await family.issuer.principal('p-33').endEvidence(said[0]?.evidence[0]?.evidence ?? '')
    await guardian.records('p-15').uses(1)
    assert.equal(await eligibleCount(), before, 'what has ended is given again or not at all')
    await administration.giveGrants([guardianGrant('p-15')])
    assert.equal(await eligibleCount(), before + 1)
    // By a row that is brought it ends as well: of two birth dates the later counts.
    const child = testPeople(1, () => ({ id: 'p-33', country: 'IE', birthDate: bornYearsAgo(12) }))
    const body = new Blob([csvOf(child)]).stream()
    await administration.importFile({ dataSet: 'athletes', batch: 'p-33', format: 'csv', body })
    assert.equal(await eligibleCount(), before)
  })

  test('ends when the guardian is erased; the next with that key has no power', async () => {
    await family.establish('p-9', 'p-30')
    const parent = await family.as('p-30')
    const before = await eligibleCount()
    await parent.administration.giveGrants([guardianGrant('p-9')])
    assert.equal(await eligibleCount(), before + 1)
    await parent.rights.erase({ person: 'me' }, { reason: 'request' })
    assert.equal(await eligibleCount(), before)
    await assertPowerless(await family.as('p-30'), 'p-9')
    const [gone] = await family.issuer.guardians.guardiansOf({ ref: 'p-9', reason: 'to see what is left' })
    assert.deepEqual([gone?.state, gone?.guardian], ['ended', undefined])
  })

  test('is no answer once the child has come of age, whatever token', async () => {
    const parent = await family.as('parent-10')
    await family.establish('p-10', 'parent-10')
    await parent.administration.giveGrants([guardianGrant('p-10')])
    const birthday = Temporal.Now.plainDateISO('UTC').add({ years: 4 }).subtract({ days: 10 })
    const days = Temporal.Now.plainDateISO('UTC').until(birthday, { largestUnit: 'days' }).days
    family.clock.move(days - 1)
    assert.equal((await parent.records('p-10').uses(1)).length >= 0, true)
    family.clock.move(1)
    await assertPowerless(parent, 'p-10')
    assert.equal((await parent.guardians.wards())[0]?.state, 'of_age')
    family.clock.move(-days)
  })
})

test('the command line: the issuer adds, the guardian gives and lists with a token, the operator ends', async (context) => {
  const home = await temporaryHome(context)
  const guardianship = await family.establish('p-11', 'parent-11')
  const door = ['--site', family.site.name, '--url', family.site.url]
  const environment = { HEDGEROW_PERSON_TOKEN: await family.provider.token({ sub: 'parent-11' }) }
  const terms = [
    '--dataset',
    'athletes',
    '--to',
    'anyone',
    '--purpose',
    'dpv:AcademicResearch',
    '--mode',
    'rows',
  ]
  const given = await typedHere(
    home,
    ['grant', 'give', ...door, '--as-guardian', '--person', 'p-11', ...terms],
    { environment },
  )
  assert.equal(given.code, 0, given.error)
  const listed = await typedHere(home, ['guardian', 'list', ...door, '--json'], { environment })
  const wards: unknown = JSON.parse(listed.out)
  assert.ok(Array.isArray(wards) && wards[0]?.guardianship === guardianship)
  const restricted = await typedHere(
    home,
    ['person', 'restrict', ...door, '--person', 'p-11', '--reason', 'unlawful'],
    { environment },
  )
  assert.match(restricted.out, /^restriction_.*unlawful/)
  const codes = [
    await typedHere(home, ['person', 'uses', ...door, '--person', 'p-12'], { environment }),
    await typedHere(home, ['guardian', 'end', 'nonsense', ...door], { environment }),
    await typedHere(home, ['guardian', 'list', '--site', 'galway', '--url', 'http://127.0.0.1:9'], {
      environment,
    }),
    await typedHere(home, ['guardian', 'end', guardianship, ...door], { environment }),
  ]
  assert.deepEqual(
    codes.map(({ code }) => code),
    [1, 2, 3, 0],
  )
  const former = await typedHere(home, ['guardian', 'list', ...door], { environment })
  assert.match(former.out, /alone +20\d\d-\d\d-\d\d +20\d\d-\d\d-\d\d +former guardian,/)
})
