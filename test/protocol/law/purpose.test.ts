import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DPV_PURPOSES, DPV_VERSION } from '../../../src/protocol/law/dpv-purposes.ts'
import {
  isKnownPurpose,
  isPurposeRefused,
  isPurposeRefusedForMinors,
  isPurposeWithin,
  purposeLabel,
  REFUSED_FOR_MINORS,
  REFUSED_PURPOSES,
} from '../../../src/protocol/law/purpose.ts'
import { purposeSchema } from '../../../src/protocol/wire.ts'
import { parseCsv, purposesOf } from '../../../scripts/generate-purposes.ts'
import { sharedDirectory } from '../../shared.ts'

const terms = Object.keys(DPV_PURPOSES).map((term) => `dpv:${term}`)
const anyTerm = fc.constantFrom(...terms)

describe('isPurposeWithin()', () => {
  const table: readonly (readonly [asked: string, allowed: string, expected: boolean])[] = [
    ['dpv:ImproveHealthcare', 'dpv:ImproveHealthcare', true],
    ['dpv:ImproveHealthcare', 'dpv:PublicBenefit', true],
    ['dpv:PublicBenefit', 'dpv:ImproveHealthcare', false],
    ['dpv:AcademicResearch', 'dpv:ImproveHealthcare', false],
    // Two parents: each of them covers it.
    ['dpv:CommercialResearch', 'dpv:ResearchAndDevelopment', true],
    ['dpv:CommercialResearch', 'dpv:CommercialPurpose', true],
    ['dpv:TargetedAdvertising', 'dpv:Marketing', true],
    ['dpv:TargetedAdvertising', 'dpv:Personalisation', true],
    // Neither the root nor what is no purpose covers anything.
    ['dpv:AcademicResearch', 'dpv:Purpose', false],
    ['dpv:Purpose', 'dpv:Purpose', false],
    ['dpv:Nonsense', 'dpv:Nonsense', false],
    ['dpv:constructor', 'dpv:constructor', false],
    ['hedgerow:ReIdentification', 'hedgerow:ReIdentification', false],
    ['AcademicResearch', 'dpv:AcademicResearch', false],
  ]
  for (const [asked, allowed, expected] of table) {
    test(`${asked} within ${allowed}: ${expected}`, () =>
      assert.equal(isPurposeWithin(asked, allowed), expected))
  }

  test('every purpose is within itself and its parents, and only within what a naive walk finds', () => {
    const naive = (asked: string, allowed: string): boolean =>
      asked === allowed ||
      (DPV_PURPOSES[asked.slice(4)]?.parents ?? []).some((parent) => naive(`dpv:${parent}`, allowed))
    fc.assert(
      fc.property(
        anyTerm,
        anyTerm,
        (asked, allowed) => isPurposeWithin(asked, allowed) === naive(asked, allowed),
      ),
    )
  })

  test('two different purposes are never within one another', () => {
    fc.assert(
      fc.property(
        anyTerm,
        anyTerm,
        (one, other) => one === other || !(isPurposeWithin(one, other) && isPurposeWithin(other, one)),
      ),
    )
  })
})

describe('the deny list', () => {
  test('refuses every purpose on it, and every term that is no purpose', () => {
    for (const purpose of Object.keys(REFUSED_PURPOSES)) {
      assert.ok(isKnownPurpose(purpose) && purposeSchema.safeParse(purpose).success, purpose)
      assert.ok(isPurposeRefused(purpose), purpose)
      assert.notEqual(purposeLabel(purpose), purpose)
    }
    for (const purpose of [
      'dpv:Purpose',
      'dpv:Nonsense',
      'hedgerow:Nonsense',
      'dpv:toString',
      'hedgerow:toString',
      '',
    ]) {
      assert.ok(!isKnownPurpose(purpose) && isPurposeRefused(purpose), purpose)
    }
  })

  test('refuses nothing else', () => {
    const refused = terms.filter((term) => isPurposeRefused(term))
    assert.deepEqual(refused, ['dpv:RecruitmentApplicantCriminalBackgroundCheck'])
  })

  test('marketing in every form is refused for minors, research is not', () => {
    for (const purpose of [
      ...REFUSED_FOR_MINORS,
      'dpv:TargetedAdvertising',
      'dpv:PoliticalCampaign',
      'dpv:SocialMediaMarketing',
    ]) {
      assert.ok(isPurposeRefusedForMinors(purpose), purpose)
    }
    assert.ok(!isPurposeRefusedForMinors('dpv:AcademicResearch'))
  })
})

const source = join(
  sharedDirectory() ?? '',
  'standards',
  'w3c-dpv',
  DPV_VERSION,
  'dpv',
  'modules',
  'purposes.csv',
)
const isThere = sharedDirectory() !== undefined && existsSync(source)

test(
  'the table holds exactly the purposes of the vocabulary',
  { skip: isThere ? false : 'no ../shared beside the checkout' },
  () => {
    const rows = purposesOf(readFileSync(source, 'utf8'))
    assert.deepEqual(
      Object.fromEntries(rows.map(({ term, label, parents }) => [term, { label, parents }])),
      DPV_PURPOSES,
    )
  },
)

test('parseCsv() reads quotes, commas and line ends inside a field', () => {
  assert.deepEqual(parseCsv('"a","b"\r\n"1,""2""","x\ny"\r\n'), [{ a: '1,"2"', b: 'x\ny' }])
})
