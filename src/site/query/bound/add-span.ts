import type { Span } from '../catalogue/expression-type.ts'

const DAY_MICROSECONDS = 86_400_000_000n

/**
 * A written time (`2026-01-31 12:00:00`) a span later, or earlier, as engines add it: months first, to the last day of a month
 * that is too short, then days, then the rest. `undefined` outside of the years 1 to 9999.
 */
export function addSpan(time: string, span: Span, sign: 1 | -1): string | undefined {
  const read = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(time)
  if (read === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = read.slice(1, 7).map(Number)
  const months = year * 12 + month - 1 + sign * Number(span.months)
  const [ofYear, ofMonth] = [Math.floor(months / 12), (((months % 12) + 12) % 12) + 1]
  const start = daysOf({ year: ofYear, month: ofMonth, day: Math.min(day, lengthOf(ofYear, ofMonth)) })
  const within = ((hour * 60 + minute) * 60 + second) * 1_000_000 + Number((read[7] ?? '').padEnd(6, '0'))
  const moved = BigInt(within) + BigInt(sign) * BigInt(Math.round(Number(span.microseconds)))
  const overflow = moved / DAY_MICROSECONDS - (moved % DAY_MICROSECONDS < 0n ? 1n : 0n)
  const date = civilOf(start + sign * Number(span.days) + Number(overflow))
  if (date.year < 1 || date.year > 9_999) return undefined
  return `${pad(date.year, 4)}-${pad(date.month, 2)}-${pad(date.day, 2)} ${clockOf(Number(moved - overflow * DAY_MICROSECONDS))}`
}

interface Civil {
  readonly year: number
  readonly month: number
  readonly day: number
}

/** Days since a fixed day (Hinnant, *days from civil*), in the proleptic Gregorian calendar. */
function daysOf({ year, month, day }: Civil): number {
  const [of, at] = month <= 2 ? [year - 1, month + 9] : [year, month - 3]
  return (
    of * 365 +
    Math.floor(of / 4) -
    Math.floor(of / 100) +
    Math.floor(of / 400) +
    Math.floor((153 * at + 2) / 5) +
    day -
    1
  )
}

/** The same back (*civil from days*). */
function civilOf(days: number): Civil {
  const era = Math.floor(days / 146_097)
  const ofEra = days - era * 146_097
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const at = Math.floor((5 * ofYear + 2) / 153)
  const month = at < 10 ? at + 3 : at - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: ofYear - Math.floor((153 * at + 2) / 5) + 1,
  }
}

function lengthOf(year: number, month: number): number {
  const next = month === 12 ? { year: year + 1, month: 1, day: 1 } : { year, month: month + 1, day: 1 }
  return daysOf(next) - daysOf({ year, month, day: 1 })
}

function clockOf(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1_000_000)
  const fraction = pad(microseconds % 1_000_000, 6).replace(/0+$/, '')
  const [hour, minute] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60]
  return `${pad(hour, 2)}:${pad(minute, 2)}:${pad(seconds % 60, 2)}${fraction === '' ? '' : `.${fraction}`}`
}

function pad(value: number, digits: number): string {
  return `${value}`.padStart(digits, '0')
}
