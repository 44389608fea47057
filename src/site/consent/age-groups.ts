import { Bitset } from '../../kernel/bitset.ts'
import type { CalendarDate } from '../../protocol/legal-zones.ts'
import { consentAgeRule, consentGiver, lastBirthDayOfAge } from '../../protocol/consent-ages.ts'
import type { ConsentGiver } from '../../protocol/consent-ages.ts'
import { MINOR_UNDER_AGE } from '../../protocol/purpose.ts'
import type { Principals } from '../vault/vault.ts'
import { UNKNOWN_BIRTH_DAY } from '../vault/vault.ts'

/** People by whose grant counts for them (GDPR Art. 8), and who is of full age. Not to be written to. */
export interface AgeGroups {
  readonly self: Bitset
  readonly guardian: Bitset
  readonly joint: Bitset
  readonly adults: Bitset
}

/** What ages are judged by besides birth dates and residences. */
export interface AgeFacts {
  /** Whose law counts beside that of the residence. */
  readonly siteCountry: string
  /** Law of which day. */
  readonly today: CalendarDate
  /** Age on which day; absent: today. Data that was collected of a child stays a child's. */
  readonly ageOn?: CalendarDate | undefined
  /** Least age of people whose birth date is not known, as the issuer vouches. */
  readonly ageAtLeast?: number | undefined
}

/** Last birth dates, in days since 1970-01-01, of those who decide alone and of those for whom no joint consent is asked. */
interface BirthDayLimits {
  readonly self: number
  readonly joint: number
  readonly ofUnknownAge: ConsentGiver
}

/** Sorts people by age: one pass, some ten milliseconds for a million; the caller keeps the outcome for the day. */
export function ageGroups(principals: Principals, facts: AgeFacts): AgeGroups {
  const { birthDay, residence, countries } = principals
  const limits = countries.map((country) => birthDayLimits(country === '' ? undefined : country, facts))
  const unknown = birthDayLimits(undefined, facts)
  const adultLimit = lastBirthDayOfAge(MINOR_UNDER_AGE, facts.ageOn ?? facts.today)
  const areUnknownAdults = (facts.ageAtLeast ?? 0) >= MINOR_UNDER_AGE
  const size = birthDay.length
  const groups = {
    self: new Bitset(size),
    guardian: new Bitset(size),
    joint: new Bitset(size),
    adults: new Bitset(size),
  }
  for (let person = 0; person < size; person += 1) {
    const born = birthDay[person] ?? UNKNOWN_BIRTH_DAY
    const limit = limits[residence[person] ?? 0] ?? unknown
    if (born === UNKNOWN_BIRTH_DAY) {
      groups[limit.ofUnknownAge].add(person)
      if (areUnknownAdults) groups.adults.add(person)
      continue
    }
    if (born <= limit.self) groups.self.add(person)
    else if (born > limit.joint) groups.joint.add(person)
    else groups.guardian.add(person)
    if (born <= adultLimit) groups.adults.add(person)
  }
  return groups
}

function birthDayLimits(country: string | undefined, facts: AgeFacts): BirthDayLimits {
  const rule = consentAgeRule({ residence: country, siteCountry: facts.siteCountry }, facts.today)
  const day = facts.ageOn ?? facts.today
  return {
    self: lastBirthDayOfAge(rule.selfFrom, day),
    joint: rule.jointBelow === 0 ? Infinity : lastBirthDayOfAge(rule.jointBelow, day),
    ofUnknownAge: consentGiver(facts.ageAtLeast, rule),
  }
}
