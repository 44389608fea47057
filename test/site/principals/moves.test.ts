import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { later } from '../../../src/kernel/clock.ts'
import { testGrant } from '../../../src/testing/test-population.ts'
import { aFamily, bornYearsAgo } from './a-family.ts'
import type { Family } from './a-family.ts'

// The site stands in Ireland, where the age is 16: a move can only be seen between a stricter law and the same. France asks
// for the child and a guardian together below 15, which is a change in both directions.
let family: Family
before(async () => {
  family = await aFamily((_, index) => ({
    ...(index < 10 ? { birthDate: bornYearsAgo(13) } : {}),
    ...(index === 2 ? { country: 'FR' } : {}),
  }))
})
after(() => family[Symbol.asyncDispose]())

const day = (days: number) =>
  new Date(later(family.clock.now(), days * 86_400_000)).toISOString().slice(0, 10)

async function standOf(person: string): Promise<readonly (string | undefined)[]> {
  const [view] = await family.issuer.principal(person, 'to look').view()
  const grants = await family.issuer.administration.grants({ person, limit: 5 })
  return [view?.decides, ...grants.map(({ givenBy, state }) => `${givenBy} ${state}`)]
}

test('a move counts from its day on, there and back: the grants that lapse are told, and count again', async () => {
  await family.establish('p-0', 'parent-0')
  const parent = await family.as('parent-0')
  await parent.administration.giveGrants([testGrant('athletes', 'p-0', { givenBy: 'guardian' })])
  assert.deepEqual(await standOf('p-0'), ['guardian', 'guardian in_force'])
  await family.issuer.principal('p-0').tellMove('FR', day(2))
  await family.issuer.principal('p-0').tellMove('IE', day(4))
  assert.deepEqual(await standOf('p-0'), ['guardian', 'guardian in_force'], 'not before its day')
  family.clock.move(2)
  assert.deepEqual(await standOf('p-0'), ['joint', 'guardian needs_both'])
  const [told] = await parent.principal('p-0').view()
  assert.deepEqual(
    told?.lapsed.map(({ state }) => state),
    ['needs_both'],
  )
  const child = await family.as('p-0')
  await child.administration.giveGrants([testGrant('athletes', 'p-0')])
  assert.deepEqual(await standOf('p-0'), ['joint', 'guardian in_force', 'self in_force'])
  family.clock.move(2)
  assert.deepEqual(await standOf('p-0'), ['guardian', 'guardian in_force', 'self needs_guardian'])
  family.clock.move(-4)
})

test('what a person says of a move makes the law stricter only; what the issuer says is what counts', async () => {
  const child = await family.as('p-1')
  await child.principal('me').tellMove('FR')
  const [view] = await child.principal('me').view()
  assert.deepEqual(
    [view?.decides, view?.laws.map(({ country }) => country), view?.moves[0]?.isConfirmed],
    ['joint', ['FR', 'IE'], false],
  )
  await family.issuer.principal('p-1').tellMove('BE')
  assert.equal((await child.principal('me').view())[0]?.decides, 'guardian')
  const french = await family.as('p-2')
  await french.principal('me').tellMove('BE')
  assert.equal((await french.principal('me').view())[0]?.decides, 'joint', 'out of France by word alone')
  await family.issuer.principal('p-2').tellMove('BE')
  assert.equal((await french.principal('me').view())[0]?.decides, 'guardian')
  await assert.rejects((await family.as('stranger')).principal('p-1').tellMove('FR'), { status: 404 })
  await assert.rejects(family.issuer.principal('p-1').tellMove('fr'), { status: 400 })
  await assert.rejects(family.issuer.principal('p-1').tellMove('FR', '2026-02-30'), { status: 400 })
})
