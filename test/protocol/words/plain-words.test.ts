import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { contactInText } from '../../../src/protocol/words/contact-in-text.ts'
import { disputeAnswerSchema } from '../../../src/protocol/money/dispute.ts'
import { newTransferSchema } from '../../../src/protocol/http/money-api.ts'
import { newMemberSchema } from '../../../src/protocol/http/network-api.ts'
import { newTermsSchema } from '../../../src/protocol/terms-of-use.ts'
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
    assert.equal(placeNames(['CH', 'EEA'], 'de'), 'Schweiz und Europäischer Wirtschaftsraum')
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
        (by) => actorName(by),
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

test('contactInText() finds how somebody is reached, and leaves days, ids and amounts alone', () => {
  const ids = 'ask_01J9ZQ00000000000000000000 at galway, stl_00000000000000000000000000'
  for (const text of [
    'ann@northcare.example wrote',
    'ａｎｎ＠northcare.example',
    '(Ann.B+x@mail.northcare.example)',
  ])
    assert.equal(contactInText(text), 'an e-mail address', text)
  for (const text of [
    '+49 30 1234567',
    'call 0049(30)1234567!',
    'at 030/123 45 67.',
    '(030) 1234567',
    '06 12 34 56 78',
    '(555) 123-4567',
    '555-123-4567',
    'tel. 12 34 56',
    'phone: 123456',
    'Handynummer 123456, Telefon: 123456',
    'Mobilfunknummer 123456',
    'Mobilfunk: 123 456',
    'phones 555 1234',
    'My telephone is 12 34 56, my mobile 12345',
  ])
    assert.equal(contactInText(text), 'a telephone number', text)
  for (const text of [
    'It opened on 2027-01-03 at 10:00:30.123',
    'On 03.05.2027, and 3/5/27, and 03-05-2027 08:00',
    `The receipt of ${ids} shows it`,
    'sha-256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    '1000000 rows for 1.25EUR, not 0.00000001 or +1.25EUR',
    'rows @ galway: 12345678901 of 98765432109',
    'Version 1.2.3 of 10.0.0.1:8443',
    'The telemetry of 12000000 rows, mobility of 2026 and 2027',
    'Mobile data: 12.50 EUR for 1 000 rows',
    'The cell has 12 345, the phone column 10 000',
    'Mobilfunk 2026, phones of 2027',
  ])
    assert.equal(contactInText(text), undefined, text)
})

test('a text that is too long is refused by its length, and nothing is looked for in it', () => {
  for (const part of ['ann@northcare.example ', '030', 'a']) {
    const read = disputeAnswerSchema.safeParse({ answer: 'contested', text: part.repeat(2_000) })
    assert.deepEqual(
      read.error?.issues.map(({ code }) => code),
      ['too_big'],
    )
  }
})

suite('texts that a network takes from others', () => {
  const turned = ['a\nb', 'a\rb', 'a\u2028b', 'a\u0000b', 'a\u001B[2Jb', 'a\u009Bb', 'a\u202Eb', 'a\u2066b']
  const fine = 'Sláintecare הבריאות\u200F, l’Île 👨‍👩‍👧 <b>'
  const member = newMemberSchema.pick({ name: true, transferBases: true })
  const lines: readonly [string, (text: string) => boolean][] = [
    ['the name of a member', (name) => member.safeParse({ name }).success],
    ['a basis', (basis) => member.safeParse({ name: 'N', transferBases: [basis] }).success],
    ['a reference', (text) => newTransferSchema.shape.reference.safeParse(text).success],
  ]
  for (const [what, isTaken] of lines) {
    test(`${what} is one line that shows as it is`, () => {
      assert.ok(isTaken(fine))
      assert.deepEqual(turned.filter(isTaken), [])
    })
  }

  test('terms have lines, and show as they are', () => {
    const isTaken = (text: string) => newTermsSchema.safeParse({ text }).success
    assert.ok(isTaken(`${fine}\r\n\t1.\n`))
    assert.deepEqual(['', ' \n\n'].filter(isTaken), [], 'terms that say nothing')
    assert.deepEqual(turned.filter(isTaken), ['a\nb', 'a\rb'])
  })

  test('what is said in a dispute becomes one line', () => {
    const said = (text: string) => disputeAnswerSchema.safeParse({ answer: 'contested', text }).data?.text
    assert.equal(
      said(' It opened.\r\n\tDecided on 1 May:\u2028 5 EUR went back '),
      'It opened. Decided on 1 May: 5 EUR went back',
    )
    assert.deepEqual(
      turned.slice(3).flatMap((text) => said(text) ?? []),
      [],
    )
  })
})
