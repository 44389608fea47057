import type { ScalarType } from '../../../protocol/data-set.ts'
import type { LiteralValue } from './bound-query.ts'
import type { Span } from '../catalogue/expression-type.ts'

/** Reads a text that stands for a value of a type, as PostgreSQL's input functions do, but only in their plainest form. */
export function readLiteral(text: string, type: ScalarType | 'interval'): LiteralValue | undefined {
  const trimmed = text.trim()
  switch (type) {
    case 'text':
      return text
    case 'boolean':
      return readBoolean(trimmed)
    case 'integer':
      return readInteger(trimmed)
    case 'number':
      return readNumber(trimmed)
    case 'date':
      return readDate(trimmed)
    case 'timestamp':
      return readTimestamp(trimmed)
    case 'interval':
      return readSpan(trimmed)
  }
}

function readBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase()
  return lower === 'true' || lower === 't' ? true : lower === 'false' || lower === 'f' ? false : undefined
}

const INT64_MAX = 9_223_372_036_854_775_807n

/** Whole numbers past ±2^53 stay texts of digits, so that they can be compared exactly; past 64 bits they are none. */
export function readInteger(text: string): number | string | undefined {
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value
  const exact = BigInt(text)
  return exact > INT64_MAX || exact < -INT64_MAX ? undefined : exact.toString()
}

/** Numbers within the domain of expressions: below 1e150 in magnitude. */
export function readNumber(text: string): number | undefined {
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined
  const value = Number(text)
  return Math.abs(value) < 1e150 ? value : undefined
}

/** `2026-01-31`, of the proleptic Gregorian calendar, from the year 1 on. */
function readDate(text: string): string | undefined {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text)
  if (!match) return undefined
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number)
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const length = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > length) return undefined
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** `2026-01-31 10:00:00.5` or with `T`, in UTC; a trailing `Z` may stand. */
function readTimestamp(text: string): string | undefined {
  const match = /^(\d{4}-\d{1,2}-\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s*Z?)?$/.exec(
    text,
  )
  const date = match && readDate(match[1] ?? '')
  if (!match || date === undefined || date === null) return undefined
  const [hour, minute, second] = [match[2] ?? '0', match[3] ?? '0', match[4] ?? '0'].map(Number)
  if (
    hour === undefined ||
    minute === undefined ||
    second === undefined ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  )
    return undefined
  const fraction = (match[5] ?? '').replace(/0+$/, '')
  return `${date} ${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}${fraction === '' ? '' : `.${fraction}`}`
}

const SPAN_UNITS: Readonly<Record<string, readonly [keyof Span, number]>> = {
  year: ['months', 12],
  month: ['months', 1],
  mon: ['months', 1],
  week: ['days', 7],
  day: ['days', 1],
  hour: ['microseconds', 3_600_000_000],
  minute: ['microseconds', 60_000_000],
  min: ['microseconds', 60_000_000],
  second: ['microseconds', 1_000_000],
  sec: ['microseconds', 1_000_000],
}
/** So that a date of the years 1 to 9999 stays within what both engines can hold. */
const SPAN_DAYS_MAX = 1_000_000

/** `7 days`, `1 month 12 hours`: whole counts of units. */
function readSpan(text: string): Span | undefined {
  const span = { months: 0, days: 0, microseconds: 0 }
  const parts = text.toLowerCase().split(/\s+/)
  if (parts.length % 2 !== 0) return undefined
  for (let index = 0; index < parts.length; index += 2) {
    const count = /^[+-]?\d{1,7}$/.test(parts[index] ?? '') ? Number(parts[index]) : undefined
    const unit = SPAN_UNITS[(parts[index + 1] ?? '').replace(/s$/, '')]
    if (count === undefined || unit === undefined) return undefined
    span[unit[0]] += count * unit[1]
  }
  const days = Math.abs(span.months) * 31 + Math.abs(span.days) + Math.abs(span.microseconds) / 86_400_000_000
  return days <= SPAN_DAYS_MAX ? span : undefined
}

function pad(value: number, digits: number): string {
  return `${value}`.padStart(digits, '0')
}

/** `{a,"b c"}`: the texts of a list of one level, none of them null; `undefined` for anything else. */
export function readTextList(text: string): readonly string[] | undefined {
  const [, inside] = /^\s*\{(.*)\}\s*$/s.exec(text) ?? []
  if (inside === undefined) return undefined
  const items: string[] = []
  const item = /\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}\\\s](?:[^",{}\\]*[^",{}\\\s])?))\s*(,|$)/sy
  for (let isLast = inside.trim() === ''; !isLast;) {
    const match = item.exec(inside)
    if (!match || match[2]?.toLowerCase() === 'null') return undefined
    items.push(match[1]?.replaceAll(/\\(.)/gs, '$1') ?? match[2] ?? '')
    isLast = match[3] === ''
  }
  return items
}
