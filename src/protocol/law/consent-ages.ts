import { stateOf } from './legal-zones.ts'
import type { CalendarDate } from './legal-zones.ts'

/**
 * From which age a child consents alone to a service offered directly to it (GDPR Art. 8), by country and date.
 *
 * Sources: the Commission's list of June 2020 (SWD(2020) 115) and what changed since; state of mid-2026, known on
 * 2026-11-24, to be read again every year (bills were pending in ES and NO). Not legal advice.
 */
export interface ConsentAge {
  readonly country: string
  /** Years. */
  readonly age: number
  readonly from: CalendarDate
  /** Last day; absent: no end is known. */
  readonly until?: CalendarDate
  readonly source: string
}

/** Where no law, country or birth date is known: the age of Art. 8(1) itself. */
const CONSENT_AGE_DEFAULT = 16

const GDPR_FROM = '2018-05-25'
const LIST = 'SWD(2020) 115'

function rows(age: number, countries: string, source = LIST): readonly ConsentAge[] {
  return countries.split(' ').map((country) => ({ country, age, from: GDPR_FROM, source }))
}

/** The table. A country without a row has the default. */
const CONSENT_AGES: readonly ConsentAge[] = [
  ...rows(13, 'BE EE FI LV MT PT SE'),
  ...rows(13, 'IS NO', 'national law; in NO a bill for 15 was consulted in October 2025'),
  ...rows(13, 'GB', 'Data Protection Act 2018, section 9'),
  ...rows(14, 'AT BG CY ES IT LT', `${LIST}; in ES a bill for 16 was pending`),
  ...rows(15, 'CZ FR GR'),
  ...rows(16, 'DE HR HU IE LU NL PL RO SK'),
  ...rows(16, 'LI', 'default of Art. 8(1) (to be checked)'),
  { country: 'DK', age: 13, from: GDPR_FROM, until: '2023-12-31', source: LIST },
  { country: 'DK', age: 15, from: '2024-01-01', source: 'Databeskyttelsesloven section 6(2), as changed' },
  { country: 'SI', age: 15, from: '2023-01-26', source: 'ZVOP-2' },
]

/**
 * Where a child below the age consents together with the holder of parental responsibility, not the latter alone:
 * Loi informatique et libertés Art. 45.
 */
const JOINT_CONSENT_COUNTRIES: ReadonlySet<string> = new Set(['FR'])

/** Whose grant counts: the person's, a guardian's, or both together. */
export type ConsentGiver = 'self' | 'guardian' | 'joint'

/** The rule for people who live in one country and whose data is at a site in another. */
export interface ConsentAgeRule {
  /** From this age on the person's own grant counts. Years. */
  readonly selfFrom: number
  /** Below this age both grants are needed; 0 where no law asks for both. Years. */
  readonly jointBelow: number
}

/** The age of Art. 8 in a country on a day. Unknown country: 16. */
export function consentAge(country: string | undefined, today: CalendarDate): number {
  if (country === undefined) return CONSENT_AGE_DEFAULT
  const state = stateOf(country)
  const row = CONSENT_AGES.find(
    (candidate) =>
      candidate.country === state &&
      candidate.from <= today &&
      (candidate.until === undefined || today <= candidate.until),
  )
  return row?.age ?? CONSENT_AGE_DEFAULT
}

/** The strictest of residence (of each, where it is in doubt) and the site's country: states differ over whose law counts. */
export function consentAgeRule(
  { residence, siteCountry }: { residence: string | readonly string[] | undefined; siteCountry: string },
  today: CalendarDate,
): ConsentAgeRule {
  const countries = [...(typeof residence === 'object' ? residence : [residence]), siteCountry]
  const joint = countries.filter(
    (country) => country !== undefined && JOINT_CONSENT_COUNTRIES.has(stateOf(country)),
  )
  return {
    selfFrom: Math.max(...countries.map((country) => consentAge(country, today))),
    jointBelow: Math.max(0, ...joint.map((country) => consentAge(country, today))),
  }
}

/** Whose grant counts for a person of an age in whole years; an unknown age is below every age. */
export function consentGiver(age: number | undefined, rule: ConsentAgeRule): ConsentGiver {
  if (age !== undefined && age >= rule.selfFrom) return 'self'
  return age === undefined
    ? rule.jointBelow > 0
      ? 'joint'
      : 'guardian'
    : age < rule.jointBelow
      ? 'joint'
      : 'guardian'
}

/**
 * The last birth date, in days since 1970-01-01, of those who have reached an age on a day. Somebody born on 29 February
 * reaches it on 1 March in other years: a period of years whose last day is missing ends with the last hour of the last
 * day of that month (Regulation 1182/71, Art. 3(2)(c)), and the age is reached when it has ended. So say the laws that we
 * found: Germany's (BGB §§ 187(2), 188(2), (3): of age with the end of 28 February). Others are told to let it be 28 February, Taiwan's
 * among them; a day later wrongs nobody.
 */
export function lastBirthDayOfAge(age: number, today: CalendarDate): number {
  return daysSinceEpoch(Temporal.PlainDate.from(today).subtract({ years: age }))
}

/** Age in whole years on a day, by the same rule: the day of birth has come in the year, or it has not. */
export function ageOn(birthDate: CalendarDate, day: CalendarDate): number {
  const [born, today] = [Temporal.PlainDate.from(birthDate), Temporal.PlainDate.from(day)]
  const isBefore = today.month < born.month || (today.month === born.month && today.day < born.day)
  return today.year - born.year - (isBefore ? 1 : 0)
}

/** A calendar date in days since 1970-01-01. */
export function epochDay(date: CalendarDate): number {
  return daysSinceEpoch(Temporal.PlainDate.from(date))
}

function daysSinceEpoch(date: Temporal.PlainDate): number {
  return date.since('1970-01-01', { largestUnit: 'days' }).days
}
