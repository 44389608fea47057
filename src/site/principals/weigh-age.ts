import { epochDay, lastBirthDayOfAge } from '../../protocol/law/consent-ages.ts'
import type { CalendarDate } from '../../protocol/law/legal-zones.ts'
import { UNKNOWN_BIRTH_DAY } from '../vault/vault.ts'

/** What evidence says of an age on the day it was given. */
export interface AgeClaim {
  readonly atLeast?: number | undefined
  readonly below?: number | undefined
  readonly givenOn: CalendarDate
  /** Whether it is worth enough to make somebody older than unknown. */
  readonly isTrusted: boolean
}

/** When somebody was born, as far as a claim says: both ends in days since 1970-01-01, both possible. */
interface BirthRange {
  readonly earliest: number
  readonly latest: number
}

/**
 * The birth day by which somebody is judged: the latest one that fits all that is known, so that nobody is taken for older
 * than they may be. What contradicts each other gives the youngest of all; a claim that is not trusted can only make
 * somebody younger. `UNKNOWN_BIRTH_DAY` where nothing is known.
 */
export function weighBirthDay(known: number, claims: readonly AgeClaim[]): number {
  const trusted = claims.filter(({ isTrusted }) => isTrusted).map(rangeOf)
  if (known !== UNKNOWN_BIRTH_DAY) trusted.push({ earliest: known, latest: known })
  const judged = youngestOf(trusted)
  const said = claims.filter(({ isTrusted }) => !isTrusted)
  if (!judged) {
    // Nothing is known: a word that somebody is young stands against an age that the issuer vouches for, and no more.
    const young = said.filter(({ below }) => below !== undefined)
    return Math.max(UNKNOWN_BIRTH_DAY, ...young.map(({ givenOn }) => epochDay(givenOn)))
  }
  // What is only said counts where it makes somebody younger than all that is known.
  const younger = said.map(rangeOf).filter(({ earliest }) => earliest > judged.latest)
  return Math.max(judged.latest, ...younger.map(({ latest }) => latest))
}

function youngestOf(ranges: readonly BirthRange[]): BirthRange | undefined {
  if (ranges.length === 0) return undefined
  const earliest = Math.max(...ranges.map((range) => range.earliest))
  const latest = Math.min(...ranges.map((range) => range.latest))
  if (earliest <= latest) return { earliest, latest }
  return { earliest, latest: Math.max(...ranges.map((range) => range.latest)) }
}

function rangeOf({ atLeast, below, givenOn }: AgeClaim): BirthRange {
  return {
    earliest: below === undefined ? -Infinity : lastBirthDayOfAge(below, givenOn) + 1,
    latest: atLeast === undefined ? epochDay(givenOn) : lastBirthDayOfAge(atLeast, givenOn),
  }
}
