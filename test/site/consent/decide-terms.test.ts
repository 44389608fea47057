import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { digestOf } from '../../../src/kernel/digest.ts'
import { grantTermsSchema } from '../../../src/protocol/consent/grant.ts'
import { REFUSED_PURPOSES } from '../../../src/protocol/law/purpose.ts'
import { decideTerms } from '../../../src/site/consent/decide-terms.ts'
import type { TermsUse, TermsVerdict } from '../../../src/site/consent/decide-terms.ts'

const base = {
  dataSet: 'athletes',
  grantee: { class: 'insurer' },
  purposes: ['dpv:ResearchAndDevelopment'],
  modes: ['aggregate'],
  columns: ['height', 'weight'],
}
const CURRENT = digestOf('the text')
const use: TermsUse = {
  acquirer: 'northcare',
  acquirerClass: 'insurer',
  purpose: 'dpv:AcademicResearch',
  mode: 'aggregate',
  columns: ['height'],
  needsExplicit: false,
  subjectsPriceMinor: 5,
  textDigest: () => CURRENT,
}

describe('decideTerms()', () => {
  const table: readonly (readonly [
    name: string,
    terms: object,
    use: Partial<TermsUse>,
    expected: TermsVerdict,
  ])[] = [
    ['all fits', {}, {}, 'covers'],
    ['given to the text as it stands', { notice: CURRENT }, {}, 'covers'],
    ['given to another text', { notice: digestOf('the text of before') }, {}, 'text'],
    ['the very purpose', {}, { purpose: 'dpv:ResearchAndDevelopment' }, 'covers'],
    [
      'a wider purpose',
      { purposes: ['dpv:AcademicResearch'] },
      { purpose: 'dpv:ResearchAndDevelopment' },
      'purpose',
    ],
    ['another purpose', {}, { purpose: 'dpv:DirectMarketing' }, 'purpose'],
    [
      'one of several purposes',
      { purposes: ['dpv:Marketing', 'dpv:PublicBenefit'] },
      { purpose: 'dpv:ImproveHealthcare' },
      'covers',
    ],
    ['an unknown purpose', { purposes: ['dpv:Nonsense'] }, { purpose: 'dpv:Nonsense' }, 'purpose'],
    ['another class', {}, { acquirerClass: 'advertiser' }, 'grantee'],
    ['no class', {}, { acquirerClass: undefined }, 'grantee'],
    ['the member named', { grantee: { member: 'northcare' } }, {}, 'covers'],
    ['another member named', { grantee: { member: 'southcare' } }, {}, 'grantee'],
    ['anybody', { grantee: { anyone: true } }, { acquirer: 'southcare', acquirerClass: undefined }, 'covers'],
    ['another mode', {}, { mode: 'rows' }, 'mode'],
    ['explicit needed, not given', {}, { needsExplicit: true }, 'explicit'],
    ['explicit needed, given', { isExplicit: true }, { needsExplicit: true }, 'covers'],
    ['a column that is not named', {}, { columns: ['height', 'sport'] }, 'column'],
    ['every column, where none is named', { columns: undefined }, { columns: ['height', 'sport'] }, 'covers'],
    ['no column at all, for a count', {}, { columns: [] }, 'covers'],
    ['a price just met', { minimumPriceMinor: 5 }, {}, 'covers'],
    ['a price not met', { minimumPriceMinor: 6 }, {}, 'price'],
    [
      'price and column missing: the column comes first',
      { minimumPriceMinor: 6 },
      { columns: ['sport'] },
      'column',
    ],
  ]
  for (const [name, terms, asked, expected] of table) {
    test(`${name}: ${expected}`, () =>
      assert.equal(
        decideTerms(grantTermsSchema.parse({ ...base, ...terms }), { ...use, ...asked }),
        expected,
      ))
  }

  test('the deny list beats explicit consent to the very purpose', () => {
    for (const purpose of Object.keys(REFUSED_PURPOSES)) {
      const terms = grantTermsSchema.parse({
        ...base,
        grantee: { anyone: true },
        purposes: [purpose],
        isExplicit: true,
      })
      assert.equal(decideTerms(terms, { ...use, purpose, needsExplicit: true }), 'purpose')
    }
  })
})
