import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CATEGORY_WORDS } from '../../../src/protocol/words/category-words.ts'
import { DPV_PURPOSES } from '../../../src/protocol/law/dpv-purposes.ts'
import { PERSONAL_DATA } from '../../../src/protocol/law/dpv-terms.ts'
import {
  actorName,
  actorWords,
  basisName,
  categoryName,
  columnName,
  dayText,
  granteeName,
  momentText,
  periodText,
  placeName,
  placeNames,
  purposeName,
  shortMomentText,
} from '../../../src/protocol/words/plain-words.ts'
import { PURPOSE_WORDS } from '../../../src/protocol/words/purpose-words.ts'

suite('plain words', () => {
  test('every purpose of the vocabulary has words in each language, and no other has', () => {
    assert.deepEqual(Object.keys(PURPOSE_WORDS).toSorted(), Object.keys(DPV_PURPOSES).toSorted())
    assert.equal(purposeName('dpv:AcademicResearch'), 'Academic Research')
    assert.equal(purposeName('dpv:ResearchAndDevelopment', 'de'), 'Forschung und Entwicklung')
    assert.equal(purposeName('dpv:ScientificResearch', 'fr'), 'recherche scientifique')
    assert.equal(purposeName('dpv:NoSuchTerm', 'fr'), 'dpv:NoSuchTerm')
  })

  test('every category that is translated is one of the vocabulary; the others have its label', () => {
    for (const term of Object.keys(CATEGORY_WORDS)) assert.ok(PERSONAL_DATA.has(term), term)
    for (const [category, words] of [
      ['dpv-pd:BirthDate', 'birth date'],
      ['pd:DNACode', 'DNA code'],
      ['pd:IPAddress', 'IP address'],
      ['pd:GPSCoordinate', 'GPS coordinate'],
      ['steps per day', 'steps per day'],
    ] as const)
      assert.equal(categoryName(category), words)
    assert.equal(categoryName('dpv-pd:Height', 'de'), 'Körpergröße')
    assert.equal(categoryName('dpv-pd:Tattoo', 'de'), 'tattoo')
  })

  test('every legal basis of Art. 6(1) and 9(2) has words with its place in the law', () => {
    for (const letter of 'abcdef') assert.match(basisName(`eu-gdpr:A6-1-${letter}`), /GDPR Art\. 6\(1\)\(.\)/)
    for (const letter of 'abcdefghij')
      for (const [language, clause] of [
        ['en', `GDPR Art. 9(2)(${letter})`],
        ['de', `Art. 9 Abs. 2 Buchst. ${letter} DSGVO`],
        ['fr', `art. 9, par. 2, point ${letter}, du RGPD`],
      ] as const)
        assert.ok(basisName(`eu-gdpr:A9-2-${letter}`, language).endsWith(`(${clause})`), letter)
    assert.equal(basisName('eu-gdpr:A6-1-a'), 'consent (GDPR Art. 6(1)(a))')
    assert.equal(basisName('eu-gdpr:A6-1-a-explicit-consent'), 'explicit consent (GDPR Art. 6(1)(a))')
    assert.equal(
      basisName('eu-gdpr:A6-1-f-third-party', 'de'),
      'ein berechtigtes Interesse (Art. 6 Abs. 1 Buchst. f DSGVO)',
    )
    assert.equal(basisName('contract of 3 May'), 'contract of 3 May')
  })

  test('days and moments are those of UTC, and say so', () => {
    assert.equal(dayText('2026-11-27T23:59:59.999Z'), '27 November 2026')
    assert.equal(dayText('2026-11-28T00:30:00+02:00'), '27 November 2026')
    assert.equal(dayText('1969-10-17', 'de'), '17. Oktober 1969')
    assert.equal(momentText('2026-11-27T07:01:23.654Z'), '27 November 2026, 07:01 UTC')
    assert.equal(momentText('2026-03-01T07:01:00Z', 'fr'), '1 mars 2026, 07:01 UTC')
    assert.equal(shortMomentText('2026-11-27T07:01:23.654Z'), '2026-11-27 07:01:23 UTC')
  })

  test('periods are told in words, and what is none stays as it is', () => {
    assert.equal(periodText('P20Y'), '20 years')
    assert.equal(periodText('P1Y6M'), '1 year and 6 months')
    assert.equal(periodText('P30D', 'de'), '30 Tage')
    assert.equal(periodText('P2W', 'fr'), '2\u00A0semaines')
    assert.equal(periodText('PT5M'), 'PT5M')
  })

  test('countries and areas have names', () => {
    assert.equal(placeName('IE'), 'Ireland')
    assert.equal(placeNames(['CH', 'EEA'], 'de'), 'Schweiz, Europäischer Wirtschaftsraum')
    assert.equal(placeName('XK'), 'Kosovo')
    assert.equal(placeName('IC'), 'the Canary Islands')
    for (const [code, name] of [
      ['NL', 'the Netherlands'],
      ['GB', 'the United Kingdom'],
      ['US', 'the United States'],
      ['FO', 'the Faroe Islands'],
      ['CZ', 'Czechia'],
      ['IS', 'Iceland'],
    ] as const)
      assert.equal(placeName(code), name)
    assert.equal(placeName('NL', 'de'), 'Niederlande')
  })

  test('columns, people and grantees are named', () => {
    assert.equal(
      columnName({ column: 'date_of_birth', category: 'dpv-pd:BirthDate' }, 'fr'),
      'date de naissance',
    )
    assert.equal(columnName({ column: 'steps', description: 'Steps a day' }), 'Steps a day')
    assert.equal(columnName({ column: 'resting_pulse' }), 'resting pulse')
    assert.deepEqual(
      ['person', 'self', 'guardian:gua_1', 'issuer:world-sport', 'operator', 'officer:orla', 'agent:x'].map(
        actorName,
      ),
      [
        'you',
        'you',
        'your guardian',
        'world-sport',
        'the operator of the site',
        'orla, data-protection officer',
        'agent:x',
      ],
    )
    assert.deepEqual(
      ['person', 'self', 'guardian:gua_1', 'issuer:world-sport', 'operator', 'site'].map(actorWords),
      ['the person', 'the person', 'a guardian', 'world-sport', 'the operator of the site', 'the site'],
    )
    assert.equal(granteeName({ class: 'equipment-maker' }), 'every equipment maker')
  })
})
