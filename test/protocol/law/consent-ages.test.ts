import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  consentAge,
  consentAgeRule,
  consentGiver,
  epochDay,
  lastBirthDayOfAge,
} from '../../../src/protocol/law/consent-ages.ts'
import { EFTA_STATES, EU_STATES, isInEea } from '../../../src/protocol/law/legal-zones.ts'

const today = '2026-11-24'

/** The table of the reference, written the other way round. */
const ages: Readonly<Record<string, number>> = {
  AT: 14,
  BE: 13,
  BG: 14,
  CY: 14,
  CZ: 15,
  DE: 16,
  DK: 15,
  EE: 13,
  ES: 14,
  FI: 13,
  FR: 15,
  GB: 13,
  GR: 15,
  HR: 16,
  HU: 16,
  IE: 16,
  IS: 13,
  IT: 14,
  LI: 16,
  LT: 14,
  LU: 16,
  LV: 13,
  MT: 13,
  NL: 16,
  NO: 13,
  PL: 16,
  PT: 13,
  RO: 16,
  SE: 13,
  SI: 15,
  SK: 16,
}

test('the table covers the 30 states of the Area and Great Britain', () => {
  const states = [...Object.keys(EU_STATES), ...Object.keys(EFTA_STATES)].filter((code) =>
    isInEea(code, today),
  )
  assert.deepEqual([...states, 'GB'].toSorted(), Object.keys(ages).toSorted())
})

for (const [country, age] of Object.entries(ages)) {
  describe(`${country}: ${age}`, () => {
    const rule = consentAgeRule({ residence: country, siteCountry: country }, today)
    const below = country === 'FR' ? 'joint' : 'guardian'
    test('one year below needs a guardian', () => assert.equal(consentGiver(age - 1, rule), below))
    test('at the age the person decides', () => assert.equal(consentGiver(age, rule), 'self'))
    test('an unknown age needs a guardian', () => assert.equal(consentGiver(undefined, rule), below))
  })
}

describe('consentAgeRule()', () => {
  test('takes the stricter of residence and the country of the site', () => {
    assert.equal(consentAgeRule({ residence: 'BE', siteCountry: 'DE' }, today).selfFrom, 16)
    assert.equal(consentAgeRule({ residence: 'DE', siteCountry: 'BE' }, today).selfFrom, 16)
  })

  test('an unknown residence and a country without a law count as 16', () => {
    assert.equal(consentAgeRule({ residence: undefined, siteCountry: 'BE' }, today).selfFrom, 16)
    assert.equal(consentAgeRule({ residence: 'CH', siteCountry: 'BE' }, today).selfFrom, 16)
    assert.equal(consentAgeRule({ residence: 'XX', siteCountry: 'BE' }, today).selfFrom, 16)
  })

  test('territories have the law of their state', () => {
    assert.equal(consentAge('AX', today), 13)
    assert.deepEqual(consentAgeRule({ residence: 'RE', siteCountry: 'BE' }, today), {
      selfFrom: 15,
      jointBelow: 15,
    })
  })

  test('in France a child below 15 and the guardian consent together, whichever side is French', () => {
    for (const countries of [
      { residence: 'FR', siteCountry: 'DE' },
      { residence: 'DE', siteCountry: 'FR' },
    ]) {
      const rule = consentAgeRule(countries, today)
      assert.deepEqual(
        [14, 15, 16].map((age) => consentGiver(age, rule)),
        ['joint', 'guardian', 'self'],
      )
    }
  })

  test('ages are dated: Denmark since 2024, Slovenia since 2023', () => {
    assert.equal(consentAge('DK', '2023-12-31'), 13)
    assert.equal(consentAge('DK', '2024-01-01'), 15)
    assert.equal(consentAge('SI', '2023-01-25'), 16)
    assert.equal(consentAge('SI', '2023-01-26'), 15)
  })
})

describe('lastBirthDayOfAge()', () => {
  const hasReached = (birth: string, age: number, day: string) =>
    epochDay(birth) <= lastBirthDayOfAge(age, day)

  test('moves on the birthday', () => {
    assert.ok(!hasReached('2010-11-25', 16, '2026-11-24'))
    assert.ok(hasReached('2010-11-24', 16, '2026-11-24'))
  })

  test('a birthday on 29 February comes on 1 March of other years', () => {
    assert.ok(!hasReached('2008-02-29', 15, '2023-02-28'))
    assert.ok(hasReached('2008-02-29', 15, '2023-03-01'))
    assert.ok(hasReached('2008-02-29', 16, '2024-02-29'))
    assert.ok(!hasReached('2009-03-01', 15, '2024-02-29'))
  })

  test('agrees with counting birthdays', () => {
    const date = fc.date({ min: new Date('1930-01-01'), max: new Date('2030-12-31'), noInvalidDate: true })
    const text = (moment: Date) => moment.toISOString().slice(0, 10)
    fc.assert(
      fc.property(date, date, fc.integer({ min: 0, max: 100 }), (birth, day, age) => {
        const anniversary = `${String(birth.getUTCFullYear() + age).padStart(4, '0')}${text(birth).slice(4)}`
        return hasReached(text(birth), age, text(day)) === anniversary <= text(day)
      }),
    )
  })
})
