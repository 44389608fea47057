import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../src/kernel/clock.ts'
import type { GrantTerms } from '../../../src/protocol/consent/grant.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { isPurposeWithin } from '../../../src/protocol/law/purpose.ts'
import { decideEligibility } from '../../../src/site/consent/eligibility.ts'
import type { Use } from '../../../src/site/consent/eligibility.ts'
import { GrantMirror } from '../../../src/site/consent/grant-mirror.ts'
import { context, manifest, NOW, principals, terms, use } from './consent-fixtures.ts'

interface RandomGrant {
  readonly person: number
  readonly terms: number
  readonly from: number
  readonly until: number
  readonly revokedAfter: boolean
}

const columnSets = [undefined, ['height'], ['height', 'weight'], ['pulse']] as const
const purposes = [
  'dpv:AcademicResearch',
  'dpv:ResearchAndDevelopment',
  'dpv:Marketing',
  'dpv:DirectMarketing',
  'dpv:PublicBenefit',
] as const
const randomTerms: fc.Arbitrary<GrantTerms> = fc
  .record({
    grantee: fc.constantFrom(
      { anyone: true },
      { class: 'insurer' },
      { class: 'researcher' },
      { member: 'northcare' },
      { member: 'southcare' },
    ),
    purposes: fc.uniqueArray(fc.constantFrom(...purposes), { minLength: 1, maxLength: 2 }),
    modes: fc.constantFrom(['aggregate'], ['rows'], ['aggregate', 'rows']),
    columns: fc.constantFrom(...columnSets),
    isExplicit: fc.boolean(),
    givenBy: fc.constantFrom('self', 'guardian'),
    minimumPriceMinor: fc.constantFrom(0, 5, 6),
  })
  .map((facts) => terms(facts))

/** The same question, answered person by person and grant by grant, as the law reads. */
function oracle(
  {
    wordings,
    grants,
    births,
  }: {
    wordings: readonly GrantTerms[]
    grants: readonly RandomGrant[]
    births: readonly (string | undefined)[]
  },
  asked: Use,
  { columns, offered }: { columns: readonly string[]; offered: Manifest },
): number[] {
  const needsExplicit = columns.includes('pulse')
  return births.flatMap((born, person) => {
    const covering = grants.filter(({ person: whose, terms: id, from, until, revokedAfter }) => {
      const wording = wordings[id]
      if (whose !== person || revokedAfter || !(from <= asked.now && asked.now < until) || !wording)
        return false
      const { grantee } = wording
      const isNamed =
        'anyone' in grantee ||
        ('member' in grantee ? grantee.member === asked.acquirer : grantee.class === asked.acquirerClass)
      return (
        isNamed &&
        wording.purposes.some((allowed) => isPurposeWithin(asked.purpose, allowed)) &&
        wording.modes.includes(asked.mode) &&
        columns.every((column) => wording.columns === undefined || wording.columns.includes(column)) &&
        (!needsExplicit || wording.isExplicit) &&
        wording.minimumPriceMinor <= asked.subjectsPriceMinor
      )
    })
    const years =
      born === undefined ? -1 : Number('2026') - Number(born.slice(0, 4)) - (born.slice(5) > '11-24' ? 1 : 0)
    if (isPurposeWithin(asked.purpose, 'dpv:Marketing') && years < 18) return []
    const needed = years >= 16 ? 'self' : 'guardian'
    return offered.modes.includes(asked.mode) &&
      covering.some(({ terms: id }) => wordings[id]?.givenBy === needed)
      ? [person]
      : []
  })
}

test('decideEligibility() agrees with a naive oracle over random grants, revocations, times and uses', () => {
  const scenario = fc.record({
    wordings: fc.array(randomTerms, { minLength: 1, maxLength: 6 }),
    births: fc.array(
      fc.constantFrom('1990-01-01', '2009-06-01', '2010-11-24', '2010-11-25', '2015-01-01', undefined),
      { minLength: 1, maxLength: 6 },
    ),
    grants: fc.array(
      fc.record({
        person: fc.nat(5),
        terms: fc.nat(5),
        from: fc.oneof(
          fc.constant(0),
          fc.integer({ min: -3, max: 3 }).map((ms) => NOW + ms),
        ),
        until: fc.oneof(
          fc.constant(Infinity),
          fc.integer({ min: -3, max: 3 }).map((ms) => NOW + ms),
        ),
        revokedAfter: fc.boolean(),
      }),
      { maxLength: 30 },
    ),
    uses: fc.array(
      fc.record({
        purpose: fc.constantFrom(...purposes),
        mode: fc.constantFrom('aggregate' as const, 'rows' as const),
        acquirer: fc.constantFrom('northcare', 'southcare'),
        subjectsPriceMinor: fc.constantFrom(4, 5, 6),
        now: fc.integer({ min: -4, max: 4 }).map((ms) => instant(NOW + ms)),
        columns: fc.constantFrom(['height'], ['weight'], ['height', 'pulse'], []),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  })
  const offered = manifest({ modes: ['aggregate', 'rows'] })
  fc.assert(
    fc.property(scenario, ({ wordings, births, grants: drawn, uses }) => {
      const grants = drawn.filter(({ terms: id, person }) => id < wordings.length && person < births.length)
      const mirror = new GrantMirror()
      const mirrored = grants.map((grant) => ({
        ...grant,
        isStanding: grant.until === Infinity && grant.from === 0,
      }))
      mirror.apply({
        sequence: 1,
        newTerms: wordings.map((wording, id) => ({ id, terms: wording })),
        given: mirrored,
        revoked: [],
      })
      const known = context(
        mirror,
        principals(births.map((born) => ({ ...(born !== undefined && { born }), lives: 'IE' }))),
      )
      const check = (inForce: readonly RandomGrant[]) => {
        for (const { columns, ...facts } of uses) {
          const asked = use(facts)
          const expected = oracle({ wordings, grants: inForce, births }, asked, { columns, offered })
          const decided = decideEligibility(known, asked, { manifest: offered, columns })
          assert.deepEqual(decided.ok && decided.value.isEnough ? [...decided.value.eligible] : [], expected)
        }
      }
      check(grants.map((grant) => ({ ...grant, revokedAfter: false })))
      const revoked = mirrored
        .filter(({ revokedAfter }) => revokedAfter)
        .map((grant) => ({ ...grant, sequence: 2 }))
      mirror.apply({ sequence: 2, newTerms: [], given: [], revoked })
      check(grants)
    }),
    { numRuns: 300 },
  )
})
