import type { CalendarDate } from './legal-zones.ts'

/**
 * Public holidays of whole countries, by rules: a dated table, longer than other files. Under Regulation (EEC, Euratom)
 * No 1182/71 Art. 2 and 3(4) a period that would end on one, or on a Saturday or Sunday, ends on the next working day.
 *
 * Held day by day, for 2026 to 2032, against the data of the Python package `holidays` 0.108 (November 2026), which names the
 * law of each country; for the Netherlands against the Algemene termijnenwet, Art. 3, which is about the ends of periods and
 * has 5 May and Good Friday too. Left out: holidays of regions, days that a government moves by decree for one year (BG, GR, HU,
 * LV), and days off that are no public holidays or of which we are not sure (eves of Midsummer and Christmas in Finland,
 * Candlemas and St Joseph in Liechtenstein): without a holiday a period ends earlier, which wrongs nobody. To be read again
 * every year.
 *
 * A rule is `12-25`, `easter+1` (western) or `orthodox+1` (days from Easter Sunday), or `05-mon1` (the first Monday of May;
 * `mon-1` is the last). After it may stand `~` (on a weekend it is the next working day instead), `@2023` (holds from that year) and
 * `!2026` (not in that year). Two countries have one day by a rule of their own.
 */
const RULES: Readonly<Record<string, string>> = {
  AT: '01-01 01-06 easter+1 05-01 easter+39 easter+50 easter+60 08-15 10-26 11-01 12-08 12-25 12-26',
  BE: '01-01 easter+1 05-01 easter+39 easter+50 07-21 08-15 11-01 11-11 12-25',
  BG: '01-01~ 03-03~ orthodox-2 orthodox+1 05-01~ 05-06~ 05-24~ 09-06~ 09-22~ 12-24~ 12-25~ 12-26~',
  CH: '01-01 easter+39 08-01 12-25',
  CY: '01-01 01-06 orthodox-48 03-25 04-01 orthodox-2 orthodox+1 05-01 orthodox+50 08-15 10-01 10-28 12-25 12-26',
  CZ: '01-01 easter-2 easter+1 05-01 05-08 07-05 07-06 09-28 10-28 11-17 12-24 12-25 12-26',
  DE: '01-01 easter-2 easter+1 05-01 easter+39 easter+50 10-03 12-25 12-26',
  DK: '01-01 easter-3 easter-2 easter+1 easter+39 easter+50 12-25 12-26',
  EE: '01-01 02-24 easter-2 05-01 06-23 06-24 08-20 12-24 12-25 12-26',
  ES: '01-01 01-06 easter-2 05-01 08-15 10-12 11-01 12-06 12-08 12-25',
  FI: '01-01 01-06 easter-2 easter+1 05-01 easter+39 12-06 12-25 12-26',
  FR: '01-01 easter+1 05-01 05-08 easter+39 easter+50 07-14 08-15 11-01 11-11 12-25',
  GB: '01-01~ easter-2 05-mon1 05-mon-1 12-25~ 12-26~',
  GR: '01-01 01-06 orthodox-48 03-25 orthodox-2 orthodox+1 05-01 orthodox+50 08-15 10-28 12-25 12-26',
  HR: '01-01 01-06 easter+1 05-01 05-30 easter+60 06-22 08-05 08-15 11-01 11-18 12-25 12-26',
  HU: '01-01 03-15 easter-2 easter+1 05-01 easter+50 08-20 10-23 11-01 12-25 12-26',
  IE: '01-01 brigid@2023 03-17 easter+1 05-mon1 06-mon1 08-mon1 10-mon-1 12-25 12-26',
  IS: '01-01 easter-3 easter-2 easter+1 summer 05-01 easter+39 easter+50 06-17 08-mon1 12-25 12-26',
  IT: '01-01 01-06 easter+1 04-25 05-01 06-02 08-15 10-04@2026 11-01 12-08 12-25 12-26',
  LI: '01-01 01-06 easter+1 05-01 easter+39 easter+50 easter+60 08-15 09-08 11-01 12-08 12-25 12-26',
  LT: '01-01 02-16 03-11 easter+1 05-01 06-24 07-06 08-15 11-01 11-02@2020 12-24 12-25 12-26',
  LU: '01-01 easter+1 05-01 05-09@2019 easter+39 easter+50 06-23 08-15 11-01 12-25 12-26',
  LV: '01-01 easter-2 easter+1 05-01 05-04~ 06-23 06-24 11-18~ 12-24 12-25 12-26 12-31',
  MT: '01-01 02-10 03-19 03-31 easter-2 05-01 06-07 06-29 08-15 09-08 09-21 12-08 12-13 12-25',
  NL: '01-01 easter-2 easter+1 04-27 05-05 easter+39 easter+50 12-25 12-26',
  NO: '01-01 easter-3 easter-2 easter+1 05-01 05-17 easter+39 easter+50 12-25 12-26',
  PL: '01-01 01-06 easter+1 05-01 05-03 easter+60 08-15 11-01 11-11 12-24@2025 12-25 12-26',
  PT: '01-01 easter-2 04-25 05-01 easter+60 06-10 08-15 10-05 11-01 12-01 12-08 12-25',
  RO: '01-01 01-02 01-06@2024 01-07@2024 01-24 orthodox-2 orthodox+1 05-01 06-01 orthodox+50 08-15 11-30 12-01 12-25 12-26',
  SE: '01-01 01-06 easter-2 easter+1 05-01 easter+39 06-06 12-25 12-26',
  SI: '01-01 01-02 02-08 easter+1 04-27 05-01 05-02 06-25 08-15 10-31 11-01 12-25 12-26',
  SK: '01-01 01-06 easter-2 easter+1 05-01 05-08!2026 07-05 08-29 09-15!2026 11-01 12-24 12-25 12-26',
}

/** Whether a day is a working day in a country: neither a weekend's nor a public holiday. Unknown country: weekends only. */
export function isWorkingDay(day: CalendarDate, country: string): boolean {
  const date = Temporal.PlainDate.from(day)
  if (date.dayOfWeek > 5) return false
  const rules = RULES[country]?.split(' ') ?? []
  return !rules.some((rule) => falls(rule, date)) && !isInstead(rules, date)
}

/** Whether a day is free instead of a holiday of the weekend before it: those come one after another from Monday on. */
function isInstead(rules: readonly string[], date: Temporal.PlainDate): boolean {
  const moved = rules.filter((rule) => rule.includes('~'))
  const daysBefore = (days: number) => date.subtract({ days })
  const weekend = [daysBefore(date.dayOfWeek), daysBefore(date.dayOfWeek + 1)]
  const owed = weekend.filter((day) => moved.some((rule) => falls(rule, day))).length
  const weekdays = Array.from({ length: date.dayOfWeek }, (_, index) => daysBefore(index))
  return weekdays.filter((day) => !rules.some((rule) => falls(rule, day))).length <= owed
}

function falls(rule: string, date: Temporal.PlainDate): boolean {
  const [, when = '', since, except] = /^([^~@!]+)~?(?:@(\d+))?(?:!(\d+))?$/.exec(rule) ?? []
  if (since !== undefined && date.year < Number(since)) return false
  if (except !== undefined && date.year === Number(except)) return false
  if (when === 'brigid') return isBrigid(date)
  if (when === 'summer') return isFirstOfSummer(date)
  const fromEaster = /^(easter|orthodox)([+-]\d+)$/.exec(when)
  if (fromEaster) {
    const easter = fromEaster[1] === 'easter' ? westernEaster(date.year) : orthodoxEaster(date.year)
    return easter.add({ days: Number(fromEaster[2]) }).equals(date)
  }
  const monday = /^(\d{2})-mon(-?\d)$/.exec(when)
  if (monday) return isMonday(date, { month: Number(monday[1]), nth: Number(monday[2]) })
  return when === date.toString().slice(5)
}

/** The first Monday of February, or its first day where that is a Friday (Organisation of Working Time Act 1997, Second Schedule). */
function isBrigid(date: Temporal.PlainDate): boolean {
  if (date.month !== 2) return false
  return date.with({ day: 1 }).dayOfWeek === 5 ? date.day === 1 : isMonday(date, { month: 2, nth: 1 })
}

/** The first Thursday after 18 April (sumardagurinn fyrsti). */
function isFirstOfSummer(date: Temporal.PlainDate): boolean {
  return date.month === 4 && date.dayOfWeek === 4 && date.day >= 19 && date.day <= 25
}

function isMonday(date: Temporal.PlainDate, { month, nth }: { month: number; nth: number }): boolean {
  if (date.month !== month || date.dayOfWeek !== 1) return false
  if (nth < 0) return date.add({ days: 7 }).month !== month
  return Math.ceil(date.day / 7) === nth
}

/** Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8). */
function westernEaster(year: number): Temporal.PlainDate {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const d = Math.floor(b / 4)
  const e = b % 4
  const g = Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3)
  const h = (19 * a + b - d - g + 15) % 30
  const l = (32 + 2 * e + 2 * Math.floor(c / 4) - h - (c % 4)) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  const sum = h + l - 7 * m + 114
  return new Temporal.PlainDate(year, Math.floor(sum / 31), (sum % 31) + 1)
}

/** Easter Sunday of the Julian calendar, as a Gregorian date; thirteen days apart from 1900 to 2099. */
function orthodoxEaster(year: number): Temporal.PlainDate {
  const d = (19 * (year % 19) + 15) % 30
  const e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7
  const sum = d + e + 114
  return new Temporal.PlainDate(year, Math.floor(sum / 31), (sum % 31) + 1).add({ days: 13 })
}
