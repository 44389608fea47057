import assert from 'node:assert/strict'
import { test } from 'node:test'
import { giverState } from '../../../src/site/consent/giver-state.ts'
import { terms } from './consent-fixtures.ts'

type Facts = Readonly<Record<string, unknown>>

const own = terms({ givenBy: 'self' })
const guardians = terms({ givenBy: 'guardian' })

test('a grant stands by whose word counts for the age of the person', () => {
  const cases = [
    ['self', own, false, undefined],
    ['self', guardians, true, 'handed_over'],
    ['guardian', own, false, 'needs_guardian'],
    ['guardian', guardians, true, undefined],
    ['guardian', guardians, false, 'needs_guardian'],
    ['joint', guardians, false, 'needs_guardian'],
    ['joint', guardians, true, 'needs_both'],
    ['joint', own, false, 'needs_both'],
  ] as const
  for (const [decides, grant, hasGuardian, state] of cases)
    assert.equal(
      giverState(grant, { decides, hasGuardian, others: [] }),
      state,
      `${decides} ${grant.givenBy} ${hasGuardian}`,
    )
})

test('where both decide, a grant stands with one of the other’s that there may be a use of in common', () => {
  const member = (name: string) => ({ grantee: { member: name } })
  const together = (mine: Facts, ...theirs: readonly Facts[]) => {
    const others = theirs.map((one) => terms({ givenBy: 'guardian', ...one }))
    return giverState(terms({ givenBy: 'self', ...mine }), { decides: 'joint', hasGuardian: false, others })
  }
  const [north, south] = [member('northcare'), member('southcare')]
  assert.equal(together(north, north), undefined)
  assert.equal(together(north, south), 'needs_both')
  assert.equal(together(north, south, north), undefined, 'one of several is enough')
  assert.equal(together(north, { ...north, givenBy: 'self' }), 'needs_both', 'one’s own is not the other’s')
  for (const [one, other] of [
    [{ grantee: { anyone: true } }, south],
    [south, { grantee: { anyone: true } }],
  ] as const)
    assert.equal(together(one, other), undefined)
  assert.equal(together({ modes: ['rows', 'aggregate'] }, { modes: ['aggregate'] }), undefined)
  assert.equal(together({ modes: ['rows'] }, { modes: ['aggregate'] }), 'needs_both')
  const purposes = (...names: string[]) => ({ purposes: names })
  const [research, academic, marketing] = [
    'dpv:ResearchAndDevelopment',
    'dpv:AcademicResearch',
    'dpv:Marketing',
  ]
  assert.equal(together(purposes(research), purposes(academic)), undefined)
  assert.equal(together(purposes(academic), purposes(research)), undefined)
  assert.equal(together(purposes(marketing), purposes(academic)), 'needs_both')
  assert.equal(together(purposes(marketing, academic), purposes(research)), undefined)
  assert.equal(together(purposes(research), purposes(marketing, academic)), undefined)
  assert.equal(together({}, { dataSet: 'others' }), 'needs_both', 'data sets are apart')
})
