import { DAYS } from '../../catalogue/time-units.ts'
import type { TimeUnit } from '../../catalogue/time-units.ts'

/** Days since the beginning of 2000, of `2026-01-31 12:00:00`: in our time a double of them still tells microseconds apart. */
export function dayNumber(text: string): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text.split(/[- :]/).map(Number)
  return dayOf(year, month, day) + (hour + (minute + second / 60) / 60) / 24
}

/** Hinnant, *days from civil*. */
function dayOf(year: number, month: number, day: number): number {
  const [shiftedYear, shiftedMonth] = month <= 2 ? [year - 1, month + 9] : [year, month - 3]
  return (
    shiftedYear * 365 +
    Math.floor(shiftedYear / 4) -
    Math.floor(shiftedYear / 100) +
    Math.floor(shiftedYear / 400) +
    Math.floor((153 * shiftedMonth + 2) / 5) +
    day -
    BEGIN
  )
}

/** What comes out for 2000-01-01 otherwise. */
const BEGIN = 730_426

/** Units that begin on Mondays, which those of the calendar do not. */
const OF_WEEKS: ReadonlySet<TimeUnit> = new Set(['week', 'isoyear'])

/**
 * The shortest stretch, in days, that two units leave together: a week that a month ends in is parted by it, and so is the
 * first year of a century by its decade. Of two that lie within one another there is none shorter than the finer one.
 */
export function narrowestOf(one: TimeUnit, other: TimeUnit): number {
  const finer = Math.min(DAYS[one], DAYS[other])
  if (finer <= 1 || one === other) return finer
  if (OF_WEEKS.has(one) !== OF_WEEKS.has(other)) return 1
  return one !== 'century' && other !== 'century' ? finer : Math.min(finer, DAYS.year)
}

/** How far a moment, in days as of `dayNumber`, is from the edges of its unit on either side; 0 where it is an edge. */
export function fromEdges(day: number, unit: TimeUnit): readonly [since: number, until: number] {
  const edges = edgesAround(day, unit)
  const before = Math.max(...edges.filter((edge) => edge <= day + NOTHING))
  const after = Math.min(...edges.filter((edge) => edge > day + NOTHING))
  return Math.abs(day - before) <= NOTHING ? [0, 0] : [day - before, after - day]
}

/** Less than a microsecond, and more than the rounding of an hour in days. */
const NOTHING = 5e-12

/** Edges of a unit, at least one before a day and one after. */
function edgesAround(day: number, unit: TimeUnit): readonly number[] {
  if (unit === 'week') return stepsAround(day - MONDAY, 7).map((edge) => edge + MONDAY)
  if (DAYS[unit] <= 1) return stepsAround(day, DAYS[unit])
  const year = 2000 + Math.floor(day / 365.2425)
  if (unit === 'isoyear') return around(year, 1).map((one) => mondayOf(dayOf(one, 1, 4)))
  if (unit === 'decade') return around(Math.floor(year / 10) * 10, 10).map((one) => dayOf(one, 1, 1))
  if (unit === 'century') return around(Math.floor(year / 100) * 100 + 1, 100).map((one) => dayOf(one, 1, 1))
  const months = unit === 'month' ? 12 : unit === 'quarter' ? 4 : 1
  return around(year, 1).flatMap((one) =>
    Array.from({ length: months }, (_, part) => dayOf(one, 1 + (part * 12) / months, 1)),
  )
}

const MONDAY = dayOf(2024, 1, 1)

function mondayOf(day: number): number {
  return day - ((((day - MONDAY) % 7) + 7) % 7)
}

function stepsAround(day: number, width: number): readonly number[] {
  return around(Math.round(day / width), 1).map((step) => step * width)
}

function around(middle: number, step: number): readonly number[] {
  return [-2, -1, 0, 1, 2].map((times) => middle + times * step)
}
