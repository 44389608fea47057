import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { instant } from '../../../src/kernel/clock.ts'
import { decideEligibility } from '../../../src/site/consent/eligibility.ts'
import type { EligibilityContext, Use } from '../../../src/site/consent/eligibility.ts'
import { GrantMirror } from '../../../src/site/consent/grant-mirror.ts'
import {
  adults,
  at,
  context,
  held,
  manifest,
  mirrorOf,
  NOW,
  withBases,
  principals,
  terms,
  use,
} from './consent-fixtures.ts'

function decide(
  known: EligibilityContext,
  facts: Partial<Use> = {},
  { columns = ['height'], ...offered }: { columns?: readonly string[] } & Record<string, unknown> = {},
): string | number[] {
  const decided = decideEligibility(known, use(facts), { manifest: manifest(offered), columns })
  return decided.ok ? [...decided.value.eligible] : decided.error.code
}

const nobody = 'declined.nobody_eligible'

describe('decideEligibility(): grants', () => {
  const known = context(
    mirrorOf([
      [terms(), [0, 1]],
      [terms({ grantee: { anyone: true }, columns: ['height'] }), [2]],
      [terms({ grantee: { member: 'southcare' } }), [3]],
    ]),
    adults(6),
  )

  test('the absence of a grant is a refusal', () => {
    assert.deepEqual(decide(known), [0, 1, 2])
    assert.equal(decide(context(new GrantMirror(), adults(6))), nobody)
  })

  const table: readonly (readonly [
    name: string,
    facts: Partial<Use>,
    offered: Record<string, unknown>,
    expected: string | number[],
  ])[] = [
    ['columns of the grant only', {}, { columns: ['height', 'weight'] }, [0, 1]],
    ['a count of people, no column', {}, { columns: [] }, [0, 1, 2]],
    ['another acquirer', { acquirer: 'southcare', acquirerClass: 'researcher' }, {}, [2, 3]],
    ['a purpose wider than granted', { purpose: 'dpv:Marketing' }, {}, nobody],
    ['a purpose on the deny list', { purpose: 'hedgerow:WorsenInsuranceTerms' }, {}, 'declined.purpose'],
    ['an unknown purpose', { purpose: 'dpv:Purpose' }, {}, 'declined.purpose'],
    ['a mode that nobody granted', { mode: 'rows' }, {}, nobody],
    ['a mode that is not offered', { mode: 'private' }, {}, 'declined.mode'],
    ['an unknown column', {}, { columns: ['shoe_size'] }, nobody],
    ['a direct identifier', {}, { columns: ['id'] }, nobody],
    ['free text', {}, { columns: ['notes'] }, nobody],
    ['an employer on consent', { acquirerClass: 'employer', acquirer: 'southcare' }, {}, 'declined.purpose'],
    [
      'management of staff on consent',
      { purpose: 'dpv:PersonnelPerformanceEvaluation' },
      {},
      'declined.purpose',
    ],
    ['fewer than the minimum group', { minimumGroup: 4 }, {}, nobody],
    ['exactly the minimum group', { minimumGroup: 3 }, {}, [0, 1, 2]],
  ]
  for (const [name, facts, offered, expected] of table) {
    test(`${name}: ${String(expected)}`, () => assert.deepEqual(decide(known, facts, offered), expected))
  }

  test('people without a row, and people under restriction, are left out', () => {
    assert.deepEqual(decide({ ...known, people: Bitset.of([1, 2]) }), [1, 2])
    assert.deepEqual(decide({ ...known, restricted: () => Bitset.of([1]) }), [0, 2])
  })

  test('a restriction counts at once, though the union of grants is kept', () => {
    const restricted = new Bitset()
    const live = { ...known, restricted: () => restricted }
    assert.deepEqual(decide(live), [0, 1, 2])
    restricted.add(0)
    assert.deepEqual(decide(live), [1, 2])
  })
})

describe('decideEligibility(): special categories', () => {
  const known = context(
    mirrorOf([
      [terms(), [0, 1]],
      [terms({ isExplicit: true }), [2]],
    ]),
    adults(4),
  )
  test('need explicit consent', () => {
    assert.deepEqual(decide(known, {}, { columns: ['pulse'] }), [2])
    assert.deepEqual(decide(known, {}, { columns: ['height'] }), [0, 1, 2])
    assert.deepEqual(decide(known, {}, { columns: ['height', 'pulse'] }), [2])
  })
  test('another basis of Art. 9(2) takes its place', () => {
    const based = { ...known, mirror: withBases(mirrorOf([[terms(), [0, 1, 2]]]), held('permit')) }
    assert.deepEqual(
      decide(based, {}, { columns: ['pulse'], specialCategoryBasis: 'eu-gdpr:A9-2-j' }),
      [0, 1, 2],
    )
  })
  test('an offer or an ask on explicit consent needs it for every column', () => {
    assert.deepEqual(decide(known, {}, { legalBasis: 'eu-gdpr:A6-1-a-explicit-consent' }), [2])
    assert.deepEqual(decide(known, { legalBasis: 'eu-gdpr:A9-2-a' }), [2])
  })
})

describe('decideEligibility(): other bases than consent', () => {
  const mirror = withBases(
    mirrorOf([[terms({ modes: ['rows'], isExplicit: true }), [0]]]),
    held('legitimate_interest'),
    held('employment'),
  )
  const known = context(mirror, adults(3), { restricted: () => Bitset.of([2]) })
  const interest = { legalBasis: 'eu-gdpr:A6-1-f' }
  test('everybody counts but those who objected', () => assert.deepEqual(decide(known, {}, interest), [0, 1]))
  test('rows are of those who said yes to rows', () =>
    assert.deepEqual(decide(known, { mode: 'rows' }, interest), [0]))
  test('special categories on explicit consent still need it', () => {
    assert.deepEqual(decide(known, {}, { ...interest, columns: ['pulse'] }), nobody)
    assert.deepEqual(decide(known, { mode: 'rows' }, { ...interest, columns: ['pulse'] }), [0])
    assert.deepEqual(
      decide(known, {}, { ...interest, columns: ['pulse'], specialCategoryBasis: 'eu-gdpr:A9-2-b' }),
      [0, 1],
    )
  })
  test('an employer may ask', () =>
    assert.deepEqual(decide(known, { acquirerClass: 'employer' }, interest), [0, 1]))
})

describe('decideEligibility(): age', () => {
  const people = principals([
    { born: '2010-11-24', lives: 'IE' },
    { born: '2010-11-25', lives: 'IE' },
    { born: '2000-01-01', lives: 'IE' },
    { lives: 'IE' },
    { born: '2012-01-01', lives: 'FR' },
    { born: '2011-01-01', lives: 'FR' },
  ])
  const own = terms({ purposes: ['dpv:ResearchAndDevelopment', 'dpv:Marketing'] })
  const guardian = terms({ purposes: ['dpv:ResearchAndDevelopment', 'dpv:Marketing'], givenBy: 'guardian' })
  const everybody = [0, 1, 2, 3, 4, 5]

  test('a child below the age of the country counts with a guardian’s grant only', () => {
    assert.deepEqual(decide(context(mirrorOf([[own, everybody]]), people)), [0, 2])
    assert.deepEqual(decide(context(mirrorOf([[guardian, everybody]]), people)), [1, 3, 5])
  })
  test('both together: a French child too', () => {
    assert.deepEqual(
      decide(
        context(
          mirrorOf([
            [own, everybody],
            [guardian, everybody],
          ]),
          people,
        ),
      ),
      everybody,
    )
  })
  test('the birthday moves it by itself', () => {
    const known = context(mirrorOf([[own, everybody]]), people)
    assert.deepEqual(decide(known, { now: at('2026-11-23T23:59:59.999Z') }), [2])
    assert.deepEqual(decide(known, { now: at('2026-11-24T00:00:00Z') }), [0, 2])
    assert.deepEqual(decide(known, { now: at('2026-11-25T00:00:00Z') }), [0, 1, 2])
  })
  test('age is judged on the day that the manifest names', () => {
    const known = context(mirrorOf([[own, everybody]]), people)
    const person = { key: 'id', birthDate: 'born', ageOn: '2016-08-05' }
    assert.deepEqual(decide(known, {}, { person }), [2])
    assert.equal(decide(known, {}, { person: { ...person, ageOn: '2015-12-31' } }), nobody)
  })
  test('an age that the issuer vouches for stands where no birth date is known', () => {
    const known = context(mirrorOf([[own, everybody]]), people)
    assert.deepEqual(decide(known, {}, { person: { key: 'id', ageAtLeast: 18 } }), [0, 2, 3])
    assert.deepEqual(decide(known, {}, { person: { key: 'id', ageAtLeast: 15 } }), [0, 2])
  })
  test('nobody under 18 takes part in marketing, whoever agreed', () => {
    const known = context(
      mirrorOf([
        [own, everybody],
        [guardian, everybody],
      ]),
      people,
    )
    assert.deepEqual(decide(known, { purpose: 'dpv:DirectMarketing' }), [2])
    withBases(known.mirror, held('legitimate_interest'))
    const interest = { legalBasis: 'eu-gdpr:A6-1-f' }
    assert.deepEqual(decide(known, { purpose: 'dpv:DirectMarketing' }, interest), [2])
  })
  test('the country of the site counts too', () => {
    const known = context(mirrorOf([[own, everybody]]), principals([{ born: '2012-11-24', lives: 'BE' }]))
    assert.equal(decide(known), nobody)
    assert.deepEqual(decide({ ...known, siteCountry: 'BE' }), [0])
  })
})

describe('decideEligibility(): narrowing', () => {
  const known = context(
    mirrorOf([
      [terms({ columns: ['height'] }), [0, 1, 2]],
      [terms({ columns: ['weight'], minimumPriceMinor: 6 }), [3]],
      [terms({ minimumPriceMinor: 6 }), [4]],
      [terms(), [5]],
    ]),
    adults(6),
  )
  test('names the columns that enough people granted', () => {
    const decided = decideEligibility(known, use({ minimumGroup: 3 }), {
      manifest: manifest(),
      columns: ['weight', 'height'],
    })
    assert.ok(decided.ok)
    assert.equal(decided.value.isEnough, false)
    assert.deepEqual(decided.value.coveredColumns, ['height'])
    assert.deepEqual([...decided.value.eligible], [5])
    assert.deepEqual(
      decide(known, { minimumGroup: 3 }, { columns: decided.value.coveredColumns }),
      [0, 1, 2, 5],
    )
  })
  test('declines when no narrower question would help', () => {
    assert.equal(decide(known, { minimumGroup: 5 }, { columns: ['height', 'weight'] }), nobody)
  })
  test('tells who is left out for their price alone', () => {
    const decided = decideEligibility(known, use(), { manifest: manifest(), columns: ['height'] })
    assert.ok(decided.ok)
    assert.deepEqual([...decided.value.excludedByPrice], [4])
    assert.deepEqual(decide(known, { subjectsPriceMinor: 6 }), [0, 1, 2, 4, 5])
  })
})

describe('decideEligibility(): time and change', () => {
  const timed = (from: number, until: number) => {
    const mirror = new GrantMirror()
    const grant = { person: 0, terms: 0, from, until, isStanding: false }
    mirror.apply({ sequence: 1, newTerms: [{ id: 0, terms: terms() }], given: [grant], revoked: [] })
    return { mirror, grant }
  }

  test('a grant holds from its first moment up to its last, on both sides, without anything that sweeps', () => {
    const known = context(timed(NOW, NOW + 1_000).mirror, adults(1))
    assert.equal(decide(known, { now: instant(NOW - 1) }), nobody)
    assert.deepEqual(decide(known, { now: NOW }), [0])
    assert.deepEqual(decide(known, { now: instant(NOW + 999) }), [0])
    assert.equal(decide(known, { now: instant(NOW + 1_000) }), nobody)
    assert.deepEqual(decide(known, { now: instant(NOW + 500) }), [0])
  })

  test('a revocation counts at once, and is seen by a run in flight', () => {
    const { mirror, grant } = timed(0, Infinity)
    const known = context(mirror, adults(1))
    const before = decideEligibility(known, use(), { manifest: manifest(), columns: ['height'] })
    assert.ok(before.ok)
    assert.ok(mirror.revokedSince(before.value.sequence, manifest().dataSet).isEmpty)
    mirror.apply({ sequence: 2, newTerms: [], given: [], revoked: [{ ...grant, sequence: 2 }] })
    assert.equal(decide(known), nobody)
    assert.deepEqual([...mirror.revokedSince(before.value.sequence, manifest().dataSet)], [0])
    assert.ok(mirror.revokedSince(mirror.sequence, manifest().dataSet).isEmpty)
  })
})
