import type { CalendarDate } from '../../protocol/law/legal-zones.ts'

/** A move to another country, and whose word it is. */
export interface Move {
  readonly country: string
  /** The first day there. */
  readonly fromDay: CalendarDate
  /** The residence in the data when it was told; empty where it was not known. */
  readonly was: string
  /** Told by the issuer. What a person or a guardian says never makes the law laxer: the former country counts too. */
  readonly isConfirmed: boolean
}

/** Stands for a country that is not known; no law knows it, so the age of Art. 8(1) itself counts. */
const UNKNOWN_COUNTRY = 'XX'

/**
 * The countries one of which is the residence on a day, sorted; the strictest law of them counts. `data` is what the data
 * says now, empty for nothing. A move that the issuer has told takes its place until the data says something new.
 */
export function weighResidence(data: string, moves: readonly Move[], day: CalendarDate): readonly string[] {
  const begun = moves
    .filter(({ fromDay }) => fromDay <= day)
    .toSorted((one, other) => (one.fromDay < other.fromDay ? -1 : one.fromDay > other.fromDay ? 1 : 0))
  const [first] = begun
  if (!first) return data === '' ? [] : [data]
  let countries = new Set([named(first.was)])
  for (const { country, isConfirmed } of begun)
    countries = isConfirmed ? new Set([country]) : new Set([...countries, country])
  if (data !== begun.at(-1)?.was) countries.add(named(data))
  return [...countries].toSorted()
}

function named(country: string): string {
  return country === '' ? UNKNOWN_COUNTRY : country
}
