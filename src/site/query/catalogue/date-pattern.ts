import type { Text } from './forms.ts'
import type { TimeUnit } from './time-units.ts'

/** A part of a `to_char` pattern of dates. */
interface PatternPart {
  /** By which unit it tells times apart. */
  readonly unit: TimeUnit
  /** What DuckDB's `strftime` calls it. */
  readonly as?: Text
  /** What it is for DuckDB where `strftime` alone has no name for it. */
  readonly made?: (value: Text) => Text
}

const named = (value: Text, name: Text): Text => `strftime(${value}, '${name}')`
/** PostgreSQL fills names up to the length of the longest. */
const filled = (text: Text): Text => `rpad(${text}, 9, ' ')`
const MONTH = '%B'
const DAY = '%A'

/** A table: parts of a pattern, all that is known of each. */
const DATE_PATTERN: Readonly<Record<string, PatternPart>> = {
  YYYY: { unit: 'year', as: '%Y' },
  YY: { unit: 'year', as: '%y' },
  IYYY: { unit: 'isoyear', as: '%G' },
  Q: { unit: 'quarter', made: (value) => `cast(extract(quarter from ${value}) as varchar)` },
  MM: { unit: 'month', as: '%m' },
  Mon: { unit: 'month', as: '%b' },
  MON: { unit: 'month', made: (value) => `upper(${named(value, '%b')})` },
  mon: { unit: 'month', made: (value) => `lower(${named(value, '%b')})` },
  Month: { unit: 'month', made: (value) => filled(named(value, MONTH)) },
  MONTH: { unit: 'month', made: (value) => filled(`upper(${named(value, MONTH)})`) },
  month: { unit: 'month', made: (value) => filled(`lower(${named(value, MONTH)})`) },
  FMMonth: { unit: 'month', as: MONTH },
  IW: { unit: 'week', as: '%V' },
  DD: { unit: 'day', as: '%d' },
  DDD: { unit: 'day', as: '%j' },
  ID: { unit: 'day', as: '%u' },
  Dy: { unit: 'day', as: '%a' },
  DY: { unit: 'day', made: (value) => `upper(${named(value, '%a')})` },
  dy: { unit: 'day', made: (value) => `lower(${named(value, '%a')})` },
  Day: { unit: 'day', made: (value) => filled(named(value, DAY)) },
  DAY: { unit: 'day', made: (value) => filled(`upper(${named(value, DAY)})`) },
  day: { unit: 'day', made: (value) => filled(`lower(${named(value, DAY)})`) },
  FMDay: { unit: 'day', as: DAY },
  AM: { unit: 'hour', as: '%p' },
  PM: { unit: 'hour', as: '%p' },
  HH24: { unit: 'hour', as: '%H' },
  HH12: { unit: 'hour', as: '%I' },
  HH: { unit: 'hour', as: '%I' },
  MI: { unit: 'minute', as: '%M' },
  SS: { unit: 'second', as: '%S' },
}

/** Parts by name, the longer of two that begin alike first. */
const NAMES = Object.keys(DATE_PATTERN)
  .toSorted((a, b) => b.length - a.length)
  .join('|')

/** What a pattern says as it is: a word in double quotes, or `00` behind a colon, for the minutes that are left out. */
const SAID = '"[A-Za-z ]{1,8}"|:00'
const TOKENS = new RegExp(`${SAID}|${NAMES}|.`, 'gs')

/** Parts side by side may mean something else together, but for those that are known. */
const KNOWN = `YYYYMMDD|YYYYMM|HH24MI|${NAMES}`
const WHOLE = new RegExp(`^(${KNOWN})(([-/.:,_ ]|"[A-Za-z ]{1,8}")+(${KNOWN})|:00)*$`)
const LENGTH_MAX = 40
/** Most parts that are made by themselves: each writes the value again. */
const MADE_MAX = 2

/** The pattern, if it is one that is understood. */
export function readDatePattern(pattern: string): string | undefined {
  if (pattern.length > LENGTH_MAX || !WHOLE.test(pattern)) return undefined
  const made = tokensOf(pattern).filter((token) => partOf(token)?.made)
  return made.length <= MADE_MAX ? pattern : undefined
}

/** How `to_char` patterns of dates are said. */
export const DATE_PATTERN_EXPECTED = `a pattern of ${Object.keys(DATE_PATTERN).join(', ')} with - / . : , _, spaces or a word in double quotes between; YYYYMM, YYYYMMDD and HH24MI need none, and :00 may follow`

/** The units that a pattern tells times apart by. */
export function unitsOf(pattern: string): readonly TimeUnit[] {
  const units = tokensOf(pattern).flatMap((token) => partOf(token)?.unit ?? [])
  return [...new Set(units)]
}

/** What `to_char` writes, for DuckDB. */
export function duckdbWritten(value: Text, pattern: string): Text {
  const texts: Text[] = []
  let plain = ''
  const end = (): void => {
    if (plain !== '') texts.push(named(value, plain))
    plain = ''
  }
  for (const token of tokensOf(pattern)) {
    const part = partOf(token)
    if (part?.made) {
      end()
      texts.push(part.made(value))
    } else plain += part?.as ?? token.replaceAll('"', '')
  }
  end()
  const [only = '', another] = texts
  return another === undefined ? only : `(${texts.join(' || ')})`
}

function tokensOf(pattern: string): readonly string[] {
  return pattern.match(TOKENS) ?? []
}

function partOf(token: string): PatternPart | undefined {
  return Object.hasOwn(DATE_PATTERN, token) ? DATE_PATTERN[token] : undefined
}
