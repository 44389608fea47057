import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseCsv } from '../../../scripts/generate-purposes.ts'
import {
  isConsentBasis,
  isConsentPresumedUnfree,
  isExplicitConsentBasis,
  isLegalBasisFitting,
} from '../../../src/protocol/law/legal-basis.ts'
import { sharedDirectory } from '../../shared.ts'

describe('isLegalBasisFitting()', () => {
  const consent = { legalBasis: 'eu-gdpr:A6-1-a' }
  const explicit = { legalBasis: 'eu-gdpr:A6-1-a-explicit-consent', specialCategoryBasis: 'eu-gdpr:A9-2-a' }
  const interest = { legalBasis: 'eu-gdpr:A6-1-f', specialCategoryBasis: 'eu-gdpr:A9-2-j' }
  const table = [
    ['eu-gdpr:A6-1-a', consent, true],
    ['eu-gdpr:A6-1-a-explicit-consent', consent, true],
    ['eu-gdpr:A6-1-a', explicit, true],
    ['eu-gdpr:A6-1-a-non-explicit-consent', explicit, false],
    ['eu-gdpr:A6-1-f', consent, false],
    ['eu-gdpr:A6-1-a', interest, false],
    ['eu-gdpr:A6-1-f-third-party', interest, true],
    ['eu-gdpr:A9-2-a', explicit, true],
    ['eu-gdpr:A9-2-a', consent, false],
    ['eu-gdpr:A9-2-j', interest, true],
    ['eu-gdpr:A9-2-h', interest, false],
    ['eu-gdpr:A6-1-g', { legalBasis: 'eu-gdpr:A6-1-g' }, false],
    ['eu-gdpr:toString', { legalBasis: 'eu-gdpr:toString' }, false],
  ] as const
  for (const [asked, offered, expected] of table) {
    test(`${asked} on ${offered.legalBasis}: ${expected}`, () =>
      assert.equal(isLegalBasisFitting(asked, offered), expected))
  }
})

test('consent and explicit consent are told from other bases', () => {
  assert.ok(
    isConsentBasis('eu-gdpr:A6-1-a') &&
      isConsentBasis('eu-gdpr:A6-1-a-explicit-consent') &&
      isConsentBasis('eu-gdpr:A9-2-a'),
  )
  assert.ok(
    !isConsentBasis('eu-gdpr:A6-1-b') &&
      !isConsentBasis('eu-gdpr:A9-2-b') &&
      !isConsentBasis('eu-gdpr:A6-1-x'),
  )
  assert.ok(
    isExplicitConsentBasis('eu-gdpr:A6-1-a-explicit-consent') && !isExplicitConsentBasis('eu-gdpr:A6-1-a'),
  )
})

test('consent is presumed unfree towards an employer and for the management of staff', () => {
  assert.ok(isConsentPresumedUnfree({ purpose: 'dpv:AcademicResearch', acquirerClass: 'employer' }))
  assert.ok(
    isConsentPresumedUnfree({ purpose: 'dpv:PersonnelPerformanceMonitoring', acquirerClass: 'researcher' }),
  )
  assert.ok(!isConsentPresumedUnfree({ purpose: 'dpv:AcademicResearch', acquirerClass: 'researcher' }))
})

const modules = join(sharedDirectory() ?? '', 'standards', 'w3c-dpv', '2.2', 'legal', 'eu', 'gdpr', 'modules')
const isThere = sharedDirectory() !== undefined && existsSync(modules)

test(
  'every term of Art. 6 and Art. 9 in the vocabulary is known',
  { skip: isThere ? false : 'no ../shared beside the checkout' },
  () => {
    for (const [file, pattern] of [
      ['legal_basis.csv', /^A6-1-/],
      ['legal_basis_special.csv', /^A9-2-/],
    ] as const) {
      const terms = parseCsv(readFileSync(join(modules, file), 'utf8')).map(({ term = '' }) => term)
      const relevant = terms.filter((term) => pattern.test(term))
      assert.ok(relevant.length >= 10)
      for (const basis of relevant.map((term) => `eu-gdpr:${term}`)) {
        const offered = basis.includes(':A9')
          ? { legalBasis: 'eu-gdpr:A6-1-a', specialCategoryBasis: basis }
          : { legalBasis: basis }
        assert.ok(isLegalBasisFitting(basis, offered), basis)
      }
    }
  },
)
