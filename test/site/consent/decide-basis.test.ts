import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { BASIS_KINDS } from '../../../src/protocol/law/basis-record.ts'
import type { BasisKind } from '../../../src/protocol/law/basis-record.ts'
import type { HeldBasis } from '../../../src/site/consent/bases-in-force.ts'
import { decideEligibility } from '../../../src/site/consent/eligibility.ts'
import type { EligibilityContext, Use } from '../../../src/site/consent/eligibility.ts'
import { GrantMirror } from '../../../src/site/consent/grant-mirror.ts'
import { adults, at, context, held, manifest, mirrorOf, terms, use, withBases } from './consent-fixtures.ts'

const PEOPLE = 6

interface Asked {
  readonly bases?: readonly HeldBasis[]
  readonly facts?: Partial<Use>
  readonly known?: Partial<EligibilityContext>
  readonly columns?: readonly string[]
  readonly offered?: Record<string, unknown>
  readonly mirror?: GrantMirror
}

function decide({ bases = [], facts = {}, known = {}, columns = ['height'], offered = {}, mirror }: Asked) {
  const held_ = withBases(mirror ?? new GrantMirror(), ...bases)
  const decided = decideEligibility(context(held_, adults(PEOPLE), known), use(facts), {
    manifest: manifest(offered),
    columns,
  })
  if (!decided.ok) return decided.error.code
  // Some columns would have to be left out.
  return decided.value.isEnough ? [...decided.value.eligible] : 'narrowed'
}

const everybody = [0, 1, 2, 3, 4, 5]
const none = 'declined.legal_basis'
const on = (legalBasis: string, more: Record<string, unknown> = {}) => ({
  offered: { legalBasis: `eu-gdpr:${legalBasis}`, ...more },
})

describe('a basis other than consent', () => {
  const cases: readonly (readonly [basis: string, kind: BasisKind])[] = [
    ['A6-1-b', 'contract'],
    ['A6-1-b-contract-performance', 'contract'],
    ['A6-1-c', 'legal_obligation'],
    ['A6-1-e', 'permit'],
    ['A6-1-f', 'legitimate_interest'],
  ]
  for (const [basis, kind] of cases) {
    test(`${basis} carries nobody without a record of the kind ${kind}`, () => {
      assert.equal(decide(on(basis)), none)
      const others = BASIS_KINDS.filter((other) => other !== kind).map((other) => held(other))
      assert.equal(decide({ ...on(basis), bases: others }), none)
      assert.deepEqual(decide({ ...on(basis), bases: [held(kind)] }), everybody)
    })
  }

  test('vital interests and claims are no basis for asks over many', () => {
    const all = BASIS_KINDS.map((kind) => held(kind))
    assert.equal(decide({ ...on('A6-1-d'), bases: all }), none)
    const claims = on('A6-1-c', { specialCategoryBasis: 'eu-gdpr:A9-2-f' })
    assert.equal(decide({ ...claims, bases: all, columns: ['pulse'] }), none)
  })

  test('covers whom its records list, together, without those who objected or are restricted', () => {
    const bases = [
      held('contract', { people: [0, 1, 2] }),
      { ...held('contract', { people: [2, 3] }), id: 'b' },
    ]
    assert.deepEqual(decide({ ...on('A6-1-b'), bases }), [0, 1, 2, 3])
    const known = { restricted: () => Bitset.of([1]) }
    const mirror = new GrantMirror()
    mirror.apply({
      sequence: 1,
      newTerms: [],
      given: [],
      revoked: [],
      objected: [{ sequence: 1, person: 3, purpose: 'dpv:ResearchAndDevelopment' }],
    })
    assert.deepEqual(decide({ ...on('A6-1-b'), bases, known, mirror }), [0, 2])
  })

  const limits: readonly (readonly [what: string, facts: Record<string, unknown>, carries: boolean])[] = [
    ['another acquirer', { acquirers: ['southcare'] }, false],
    ['this acquirer among others', { acquirers: ['southcare', 'northcare'] }, true],
    ['another purpose', { purposes: ['dpv:Marketing'] }, false],
    ['a narrower purpose', { purposes: ['dpv:NonCommercialResearch'] }, false],
    ['another mode', { modes: ['rows'] }, false],
    ['this mode among others', { modes: ['rows', 'aggregate'] }, true],
    ['another column', { columns: ['weight'] }, false],
    ['this column among others', { columns: ['weight', 'height'] }, true],
    ['another data set', { dataSets: ['others'] }, false],
  ]
  for (const [what, facts, carries] of limits)
    test(`a record for ${what} ${carries ? 'carries' : 'does not carry'} the use`, () =>
      assert.deepEqual(
        decide({ ...on('A6-1-c'), bases: [held('legal_obligation', facts)] }),
        carries ? everybody : none,
      ))

  test('carries a use of several columns only where it names all of them', () => {
    const decided = (columns: readonly string[]) =>
      decide({
        ...on('A6-1-c'),
        columns: ['height', 'weight'],
        bases: [held('legal_obligation', { columns })],
      })
    assert.equal(decided(['height']), 'narrowed')
    assert.deepEqual(decided(['height', 'weight']), everybody)
  })

  test('one record about everybody covers everybody, beside one that lists some', () => {
    const bases = [{ ...held('contract', { people: [0, 1] }), id: 'a' }, held('contract')]
    assert.deepEqual(decide({ ...on('A6-1-b'), bases }), everybody)
    assert.deepEqual(decide({ ...on('A6-1-b'), bases: bases.toReversed() }), everybody)
  })

  test('holds from its first moment up to, and without, its last', () => {
    const times = { validFrom: '2026-11-24T10:00:00Z', validUntil: '2026-12-24T10:00:00Z' }
    const bases = [held('contract', times)]
    const decided = (time: string) => decide({ ...on('A6-1-b'), bases, facts: { now: at(time) } })
    assert.equal(decided('2026-11-24T09:59:59.999Z'), none)
    assert.deepEqual(decided('2026-11-24T10:00:00Z'), everybody)
    assert.deepEqual(decided('2026-12-24T09:59:59.999Z'), everybody)
    assert.equal(decided('2026-12-24T10:00:00Z'), none)
  })

  test('an interest whose assessment carries it no longer is none', () => {
    const bases = [held('legitimate_interest')]
    const known = { isAssessed: () => false }
    assert.equal(decide({ ...on('A6-1-f'), bases, known }), none)
    // Other records need no assessment.
    assert.deepEqual(decide({ ...on('A6-1-b'), bases: [held('contract')], known }), everybody)
  })
})

describe('special categories', () => {
  test('an interest never carries them; an agreement on employment or a permit does, besides', () => {
    const offered = on('A6-1-f', { specialCategoryBasis: 'eu-gdpr:A9-2-b' })
    const asked = { ...offered, columns: ['pulse'] }
    assert.equal(decide({ ...asked, bases: [held('legitimate_interest')] }), none)
    assert.deepEqual(decide({ ...asked, bases: [held('employment')] }), everybody)
    const both = { ...offered, columns: ['height', 'pulse'] }
    assert.equal(decide({ ...both, bases: [held('employment', { columns: ['pulse'] })] }), 'narrowed')
    const bases = [held('employment', { people: [0, 1] }), held('legitimate_interest', { people: [1, 2] })]
    assert.deepEqual(decide({ ...both, bases }), [1])
  })

  test('a permit carries the general basis and the condition', () => {
    const offered = on('A6-1-e', { specialCategoryBasis: 'eu-gdpr:A9-2-j' })
    const asked = { ...offered, columns: ['height', 'pulse'] }
    assert.equal(decide(asked), none)
    assert.deepEqual(decide({ ...asked, bases: [held('permit')] }), everybody)
    assert.equal(decide({ ...asked, bases: [held('permit', { columns: ['height'] })] }), 'narrowed')
  })

  test('without a condition of Art. 9(2) of their own they need explicit consent, whatever is recorded', () => {
    const offered = on('A6-1-b', { specialCategoryBasis: 'eu-gdpr:A9-2-a' })
    const asked = { ...offered, columns: ['pulse'], bases: BASIS_KINDS.map((kind) => held(kind)) }
    assert.equal(decide(asked), 'declined.nobody_eligible')
    const mirror = mirrorOf([[terms({ isExplicit: true }), [4]]])
    assert.deepEqual(decide({ ...asked, mirror }), [4])
  })
})

describe('employees', () => {
  const granted = () => mirrorOf([[terms(), [0, 1, 2]]])
  const employed = { offered: { person: { key: 'id', birthDate: 'born', subjects: 'dpv:Employee' } } }

  test('their consent towards whom their employer offers their data authorises nothing by itself', () => {
    assert.deepEqual(decide({ mirror: granted() }), [0, 1, 2])
    assert.equal(decide({ ...employed, mirror: granted() }), 'declined.purpose')
  })

  test('with the agreement of the works council, or the law, each one’s own grant counts', () => {
    const council = { with: 'works_council', council: 'Works council', concludedOn: '2026-01-15' }
    for (const basis of [held('employment'), held('employment', { agreement: council })])
      assert.deepEqual(decide({ ...employed, mirror: granted(), bases: [basis] }), [0, 1, 2])
    const some = held('employment', { people: [1, 5] })
    assert.deepEqual(decide({ ...employed, mirror: granted(), bases: [some] }), [1])
  })

  test('the agreement is for its purpose, and no contract takes its place', () => {
    const bases = [held('employment', { purposes: ['dpv:Marketing'] }), held('contract')]
    assert.equal(decide({ ...employed, mirror: granted(), bases }), 'declined.purpose')
  })

  test('an employer who asks, and management of staff, need it too', () => {
    const employer = {
      facts: { acquirerClass: 'employer' } as const,
      mirror: mirrorOf([[terms({ grantee: { anyone: true } }), [0]]]),
    }
    assert.equal(decide(employer), 'declined.purpose')
    assert.deepEqual(decide({ ...employer, bases: [held('employment')] }), [0])
  })
})

test('nobody is ever eligible whom no record in force lists for every need', () => {
  const record = fc.record({
    kind: fc.constantFrom(...BASIS_KINDS),
    people: fc.option(fc.uniqueArray(fc.nat(PEOPLE - 1)), { nil: undefined }),
    until: fc.constantFrom('2026-11-24T10:00:00Z', '2026-11-24T10:00:01Z', '2030-01-01T00:00:00Z'),
    purposes: fc.constantFrom(['dpv:Marketing'], ['dpv:ResearchAndDevelopment']),
  })
  const basis = fc.constantFrom('A6-1-b', 'A6-1-c', 'A6-1-d', 'A6-1-e', 'A6-1-f')
  const condition = fc.constantFrom('A9-2-b', 'A9-2-c', 'A9-2-g', 'A9-2-j')
  const needs: Readonly<Record<string, string>> = {
    'A6-1-b': 'contract',
    'A6-1-c': 'legal_obligation',
    'A6-1-e': 'permit',
    'A6-1-f': 'legitimate_interest',
    'A9-2-b': 'employment',
    'A9-2-g': 'permit',
    'A9-2-j': 'permit',
  }
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 6 }),
      basis,
      condition,
      fc.boolean(),
      (records, general, special, isSpecial) => {
        const bases = records.map(({ kind, people, until, purposes }, index) => ({
          ...held(kind, { ...(people && { people }), validUntil: until, purposes }),
          id: `basis_${index}`,
        }))
        const decided = decide({
          ...on(general, { specialCategoryBasis: `eu-gdpr:${special}` }),
          bases,
          columns: isSpecial ? ['height', 'pulse'] : ['height'],
        })
        // The oracle: person by person, need by need.
        const isCovered = (person: number, kind: string | undefined) =>
          records.some(
            (one) =>
              one.kind === kind &&
              Date.parse(one.until) > Date.parse('2026-11-24T10:00:00Z') &&
              one.purposes[0] === 'dpv:ResearchAndDevelopment' &&
              (one.people === undefined || one.people.includes(person)),
          )
        const wanted = isSpecial ? [needs[general], needs[special]] : [needs[general]]
        const expected = everybody.filter((person) => wanted.every((kind) => isCovered(person, kind)))
        assert.deepEqual(typeof decided === 'string' ? [] : decided, expected)
      },
    ),
    { numRuns: 300 },
  )
})

test('a record that ends, or covers fewer, is seen by whoever asks what has ended since', () => {
  const mirror = withBases(new GrantMirror(), held('contract', { people: [0, 1] }))
  const dataSet = manifest().dataSet
  const change = { newTerms: [], given: [], revoked: [] }
  const seen = mirror.sequence
  const people = (added: readonly number[], removed: readonly number[], sequence: number) =>
    mirror.apply({
      ...change,
      sequence,
      bases: [{ what: 'people', basis: 'basis_contract', added, removed }],
    })
  people([2], [], 5)
  assert.equal(mirror.hasBasisEndedSince(seen, dataSet), false)
  people([], [0], 6)
  assert.equal(mirror.hasBasisEndedSince(seen, dataSet), true)
  assert.equal(mirror.hasBasisEndedSince(6, dataSet), false)
  assert.deepEqual([...(mirror.basesOf(dataSet)[0]?.people ?? [])], [1, 2])
  mirror.apply({ ...change, sequence: 7, bases: [{ what: 'ended', basis: 'basis_contract' }] })
  assert.equal(mirror.hasBasisEndedSince(6, dataSet), true)
  assert.deepEqual(mirror.basesOf(dataSet), [])
})
