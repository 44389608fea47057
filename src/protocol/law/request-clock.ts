import type { CalendarDate } from './legal-zones.ts'
import { isWorkingDay } from './public-holidays.ts'

/** Months to answer a request, and by how many that may be extended (GDPR Art. 12(3)). */
export const ANSWER_MONTHS = 1
export const EXTENSION_MONTHS = 2

/**
 * The last day of a period of months that began on a day: the same day of the last month, or its last day where there
 * is none, and from there the next working day (Regulation 1182/71 Art. 3(2)(c), 3(4); EDPB Guidelines 01/2022, 157).
 * Days for which it stood still are added before.
 */
export function lastDayOf({
  from,
  months,
  pausedDays = 0,
  country,
}: {
  from: CalendarDate
  months: number
  pausedDays?: number
  /** Whose public holidays count: where the controller answers from. */
  country: string
}): CalendarDate {
  let day = Temporal.PlainDate.from(from).add({ months }).add({ days: pausedDays })
  while (!isWorkingDay(day.toString(), country)) day = day.add({ days: 1 })
  return day.toString()
}

/** Whole days from one day to another. */
export function daysBetween(from: CalendarDate, to: CalendarDate): number {
  return Temporal.PlainDate.from(from).until(to, { largestUnit: 'days' }).days
}
