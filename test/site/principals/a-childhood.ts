import fc from 'fast-check'
import { formatDate, instant, later } from '../../../src/kernel/clock.ts'
import type { Instant } from '../../../src/kernel/clock.ts'
import { consentAge } from '../../../src/protocol/law/consent-ages.ts'

/** Something that happens to one child. Numbers of guardians and documents are small, so that they meet again. */
export type Happening =
  | { readonly what: 'pass'; readonly days: number }
  | {
      readonly what: 'establish'
      readonly guardian: number
      readonly authority: 'sole' | 'joint'
      readonly days: number | undefined
    }
  | { readonly what: 'end'; readonly guardian: number }
  | { readonly what: 'guardian gives'; readonly guardian: number }
  | { readonly what: 'child gives' }
  | { readonly what: 'withdraw' }
  | {
      readonly what: 'move'
      readonly country: string
      readonly inDays: number
      readonly isConfirmed: boolean
    }
  | {
      readonly what: 'evidence'
      readonly kind: 'document' | 'declared' | 'guardian'
      readonly atLeast: number | undefined
      readonly below: number | undefined
      readonly days: number
    }

const COUNTRIES = ['IE', 'FR', 'BE', 'DE', 'ES', 'CH'] as const
const guardian = fc.integer({ min: 0, max: 2 })

export const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('pass' as const), days: fc.integer({ min: 0, max: 500 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('establish' as const),
      guardian,
      authority: fc.constantFrom('sole' as const, 'sole' as const, 'joint' as const),
      days: fc.option(fc.integer({ min: 1, max: 900 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('end' as const), guardian }) },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('guardian gives' as const), guardian }) },
  { weight: 3, arbitrary: fc.constant({ what: 'child gives' as const }) },
  { weight: 1, arbitrary: fc.constant({ what: 'withdraw' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('move' as const),
      country: fc.constantFrom(...COUNTRIES),
      inDays: fc.integer({ min: -400, max: 400 }),
      isConfirmed: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('evidence' as const),
      kind: fc.constantFrom('document' as const, 'declared' as const, 'guardian' as const),
      atLeast: fc.option(fc.integer({ min: 10, max: 18 }), { nil: undefined }),
      below: fc.option(fc.integer({ min: 11, max: 19 }), { nil: undefined }),
      days: fc.integer({ min: 1, max: 600 }),
    }),
  },
)

/** Who a child is at the beginning: around the ages of the laws, on any day (29 February among them), or not known. */
export const beginning = fc.record({
  born: fc.oneof(
    fc.constant('unknown' as const),
    fc.constant('on a leap day' as const),
    fc.record({ daysAgo: fc.integer({ min: 3_600, max: 6_700 }) }),
  ),
  country: fc.constantFrom('', ...COUNTRIES),
})
export type Beginning = typeof beginning extends fc.Arbitrary<infer T> ? T : never

/** The birth date of a child whose life begins at a moment: lives are told one after the other, and all of them of children. */
export function birthDateOf({ born }: Beginning, now: Instant): string {
  if (born === 'unknown') return ''
  if (born !== 'on a leap day') return dayText(now, -born.daysAgo)
  let { year } = Temporal.PlainDate.from(formatDate(now)).subtract({ years: 12 })
  while (!Temporal.PlainDate.from({ year, month: 1, day: 1 }).inLeapYear) year -= 1
  return `${year}-02-29`
}

interface Claim {
  readonly isTrusted: boolean
  readonly atLeast: number | undefined
  readonly below: number | undefined
  readonly on: string
  readonly expires: number
}

/** What the law says of one child, told anew from what happened and nothing else: who must have said yes for a use. */
export class Childhood {
  readonly #start: { readonly birthDate: string; readonly country: string }
  readonly #claims: Claim[] = []
  readonly #moves: { readonly country: string; readonly fromDay: string; readonly isConfirmed: boolean }[] =
    []
  readonly #standing = new Map<number, { readonly authority: string; readonly until: number }>()
  #yes = new Set<number>()
  #ownYes = false

  constructor(start: { birthDate: string; country: string }) {
    this.#start = start
  }

  claim(claim: Claim): void {
    this.#claims.push(claim)
  }

  move(country: string, fromDay: string, isConfirmed: boolean): void {
    this.#moves.push({ country, fromDay, isConfirmed })
  }

  establish(guardianNumber: number, { authority, until }: { authority: string; until: number }): void {
    this.#standing.set(guardianNumber, { authority, until })
  }

  end(guardianNumber: number): void {
    this.#standing.delete(guardianNumber)
    this.#yes.delete(guardianNumber)
  }

  says(guardianNumber: number): void {
    this.#yes.add(guardianNumber)
  }

  saysItself(): void {
    this.#ownYes = true
  }

  withdraw(): void {
    this.#yes = new Set()
    this.#ownYes = false
  }

  /** Whether everybody has said yes who must have, at a moment. */
  mayBeUsed(now: Instant): boolean {
    const countries = [...this.#residences(formatDate(now)), 'IE']
    const ages = countries.map((country) => consentAge(country, formatDate(now)))
    if (this.#isSurelyOfAge(Math.max(...ages), now)) return this.#ownYes
    const isBoth = countries.includes('FR') && !this.#isSurelyOfAge(15, now)
    return this.#guardiansAgree(now) && (this.#ownYes || !isBoth)
  }

  #guardiansAgree(now: Instant): boolean {
    const standing = [...this.#standing].filter(([, { until }]) => now < until)
    const isShared = standing.some(([, { authority }]) => authority === 'joint')
    const saying = standing.filter(([number]) => this.#yes.has(number))
    return isShared ? standing.length > 1 && saying.length === standing.length : saying.length > 0
  }

  /**
   * Of age only where something that counts says so and nothing at all says otherwise; of what cannot all be right, each
   * has to say so by itself.
   */
  #isSurelyOfAge(years: number, now: Instant): boolean {
    const today = Temporal.PlainDate.from(formatDate(now))
    const says = (range: BirthRange) => range.latest !== undefined && ageAt(range.latest, today) >= years
    const denies = (range: BirthRange) => range.earliest !== undefined && ageAt(range.earliest, today) < years
    const ranges = this.#birthRanges(now)
    const counting = ranges.filter(({ isTrusted }) => isTrusted)
    if (!counting.some(says) || ranges.some(denies)) return false
    if (counting.some((range) => isAgainstAny(range, counting)))
      return [...counting, ...ranges.filter((range) => isAgainstAll(range, counting))].every(says)
    const doubtful = ranges.filter((range) => isAgainstAny(range, counting))
    return doubtful.every(says)
  }

  #birthRanges(now: Instant): readonly BirthRange[] {
    const { birthDate } = this.#start
    const known = birthDate === '' ? [] : [Temporal.PlainDate.from(birthDate)]
    return [
      ...known.map((day) => ({ isTrusted: true, earliest: day, latest: day })),
      ...this.#claims
        .filter(({ expires }) => now < expires)
        .map(({ isTrusted, atLeast, below, on }) => ({
          isTrusted,
          earliest: below === undefined ? undefined : bornAt(on, below).add({ days: 1 }),
          latest: atLeast === undefined ? undefined : bornAt(on, atLeast),
        })),
    ]
  }

  #residences(today: string): readonly string[] {
    const begun = this.#moves
      .filter(({ fromDay }) => fromDay <= today)
      .toSorted((one, other) => (one.fromDay < other.fromDay ? -1 : one.fromDay > other.fromDay ? 1 : 0))
    const last = begun.findLastIndex(({ isConfirmed }) => isConfirmed)
    const former = last === -1 ? [this.#start.country === '' ? 'XX' : this.#start.country] : []
    return [...former, ...begun.slice(Math.max(0, last)).map(({ country }) => country)]
  }
}

/** When somebody was born, as far as one claim tells: no day for an end that it leaves open. */
interface BirthRange {
  readonly isTrusted: boolean
  readonly earliest: Temporal.PlainDate | undefined
  readonly latest: Temporal.PlainDate | undefined
}

/** Whether somebody of whom the first is true is younger than whoever another allows. */
function isAgainst({ earliest }: BirthRange, { latest }: BirthRange): boolean {
  return earliest !== undefined && latest !== undefined && Temporal.PlainDate.compare(earliest, latest) > 0
}

function isAgainstAny(range: BirthRange, others: readonly BirthRange[]): boolean {
  return others.some((other) => isAgainst(range, other))
}

function isAgainstAll(range: BirthRange, others: readonly BirthRange[]): boolean {
  return others.every((other) => isAgainst(range, other))
}

/** The last day on which somebody was born who is so old on a day. */
function bornAt(day: string, years: number): Temporal.PlainDate {
  return Temporal.PlainDate.from(day).subtract({ years })
}

/** Years by counting birthdays; of somebody born on 29 February it is 1 March in other years. */
function ageAt(born: string | Temporal.PlainDate, today: Temporal.PlainDate): number {
  const birth = Temporal.PlainDate.from(born)
  let age = today.year - birth.year
  const isLeapling = birth.month === 2 && birth.day === 29 && !today.inLeapYear
  const birthday = isLeapling
    ? Temporal.PlainDate.from({ year: today.year, month: 3, day: 1 })
    : Temporal.PlainDate.from({ year: today.year, month: birth.month, day: birth.day })
  if (Temporal.PlainDate.compare(today, birthday) < 0) age -= 1
  return age
}

export const START = Date.parse('2026-11-24T10:00:00Z')

export function daysLater(now: Instant, days: number): Instant {
  return later(now, days * 86_400_000)
}

export function dayText(now: Instant, days: number): string {
  return formatDate(instant(daysLater(now, days)))
}
