import { formatDate, instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { ageOn, consentAgeRule, consentGiver } from '../../protocol/law/consent-ages.ts'
import type { ConsentGiver } from '../../protocol/law/consent-ages.ts'
import type { CalendarDate } from '../../protocol/law/legal-zones.ts'
import { UNKNOWN_BIRTH_DAY } from '../vault/vault.ts'
import type { Principals } from '../vault/vault.ts'

const DAY_MS = 86_400_000

/** By which law and day it is judged who decides. */
export interface DecisionFacts {
  readonly siteCountry: string
  readonly now: Instant
  /** Age on which day; absent: today. */
  readonly ageOn?: CalendarDate | undefined
  /** Least age of people whose birth date is not known, as the issuer vouches. */
  readonly ageAtLeast?: number | undefined
}

/** What the rules of age go by for one person. */
export interface KnownAge {
  /** As the data or evidence says; absent: not known. */
  readonly birthDate?: CalendarDate | undefined
  /** Every country whose law may be that of the residence; none where it is not known. */
  readonly residences: readonly string[]
}

/** What is known of one person for the rules of age. */
export function knownAgeOf({ birthDay, residence, countries }: Principals, person: number): KnownAge {
  const born = birthDay[person] ?? UNKNOWN_BIRTH_DAY
  const known = countries[residence[person] ?? 0] ?? ''
  return {
    ...(born === UNKNOWN_BIRTH_DAY ? {} : { birthDate: formatDate(instant(born * DAY_MS)) }),
    residences: known === '' ? [] : known.split(' '),
  }
}

/** Whose grant counts for one person: the rule of `age-groups.ts`, for one. */
export function whoDecides({ birthDate, residences }: KnownAge, facts: DecisionFacts): ConsentGiver {
  const today = formatDate(facts.now)
  const residence = residences.length === 0 ? undefined : residences
  const rule = consentAgeRule({ residence, siteCountry: facts.siteCountry }, today)
  const age = birthDate === undefined ? facts.ageAtLeast : ageOn(birthDate, facts.ageOn ?? today)
  return consentGiver(age, rule)
}
