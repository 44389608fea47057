import { duckdbDouble, naming, postgresDouble, roundHalfAway } from './forms.ts'
import type { Text } from './forms.ts'

/** A `to_char` pattern of numbers, taken apart. */
interface NumberPattern {
  /** FM: without blanks before, and without zeros behind where a 9 stands. */
  readonly isTight: boolean
  /** Places before the point, and how many of the last of them are always written. */
  readonly places: number
  readonly zeros: number
  readonly hasCommas: boolean
  /** Places behind the point, and how many of the first of them are always written. */
  readonly digits: number
  readonly digitsLeast: number
  /** What stands behind the number. */
  readonly unit: string
}

const FORM = /^(FM)?(9*0*|[90]{1,3}(?:,[90]{3}){1,3})(?:\.(0{0,6})(9{0,6}))?( ?%| ?"[A-Za-z /]{1,8}")?$/
/** A double holds so many digits as they are written. */
const PLACES_MAX = 9
const DIGITS_MAX = 6

/** How `to_char` patterns of numbers are said. */
export const NUMBER_PATTERN_EXPECTED =
  "a pattern such as 'FM999,990.00': up to 9 places of 9 and then 0, with a comma before every third or none, a point and up to 6 places of 0 and then 9, and % or a word in double quotes behind"

/** The pattern in parts; undefined where it is none that is understood. */
export function readNumberPattern(pattern: string): NumberPattern | undefined {
  const [found, tight, before = '', zeroDigits = '', nineDigits = '', unit = ''] = FORM.exec(pattern) ?? []
  const places = before.replaceAll(',', '')
  const digits = zeroDigits.length + nineDigits.length
  // Without a digit behind it a point would be written or not, as the engine likes.
  const isPointed = pattern.includes('.')
  if (found === undefined || places === '' || !/^9*0*$/.test(places) || (isPointed && digits === 0))
    return undefined
  if (places.length > PLACES_MAX || digits > DIGITS_MAX) return undefined
  return {
    isTight: tight !== undefined,
    places: places.length,
    zeros: places.length - places.replaceAll('0', '').length,
    hasCommas: before.includes(','),
    digits,
    digitsLeast: zeroDigits.length,
    unit: unit.replaceAll('"', ''),
  }
}

/** What `to_char` writes of a number, for DuckDB, which has none. */
export function duckdbPatterned(value: Text, pattern: string): Text {
  const form = readNumberPattern(pattern)
  if (form === undefined) throw new Error('A pattern of numbers was not read before it was printed')
  const scaled = `round(abs(${value}) * ${duckdbDouble(`1e${form.digits}`)})`
  return patterned(form, value, wholeOf(form, scaled, duckdbDouble))
}

/** The same for PostgreSQL, whose own rounds halves of a double to the even neighbour, and writes -0. */
export function postgresPatterned(value: Text, pattern: string): Text {
  const form = readNumberPattern(pattern)
  if (form === undefined) throw new Error('A pattern of numbers was not read before it was printed')
  const scaled = roundHalfAway(`abs("x") * ${postgresDouble(`1e${form.digits}`)}`)
  const whole = wholeOf(form, scaled, postgresDouble)
  return naming({ x: value }, naming({ x: '"x"', n: whole }, patterned(form, '"x"', '"n"')))
}

/** The number without its point, as far as the pattern has places: one more stands for all that are larger. */
function wholeOf({ places, digits }: NumberPattern, scaled: Text, double: (text: Text) => Text): Text {
  return `cast(least(${scaled}, ${double(`1e${places + digits}`)}) as bigint)`
}

function patterned(form: NumberPattern, value: Text, whole: Text): Text {
  const { places, digits, isTight, unit } = form
  const width = places + (form.hasCommas ? Math.floor((places - 1) / 3) : 0) + (digits > 0 ? digits + 1 : 0)
  const sign = `case when ${value} < 0 and ${whole} > 0 then '-' else '' end`
  const number = `case when ${whole} >= ${10 ** (places + digits)} then '${tooLarge(form)}' else ${written(form, whole)} end`
  const signed = `${sign} || ${number}`
  const filled = isTight ? signed : `lpad(${signed}, ${width + 1}, ' ')`
  const all = unit === '' ? filled : `${filled} || '${unit}'`
  return `case when ${value} is not null then ${all} end`
}

function tooLarge({ places, digits, hasCommas }: NumberPattern): Text {
  const signs = '#'.repeat(places)
  const grouped = hasCommas ? signs.replaceAll(/#(?=(###)+$)/g, '#,') : signs
  return digits > 0 ? `${grouped}.${'#'.repeat(digits)}` : grouped
}

function written(form: NumberPattern, whole: Text): Text {
  const { places, digits, digitsLeast, isTight } = form
  const all = `lpad(cast(${whole} as text), ${places + digits}, '0')`
  const before = beforePoint(form, all)
  if (digits === 0) return before
  const behind = `right(${all}, ${digits})`
  const kept = isTight ? `regexp_replace(${behind}, '0{0,${digits - digitsLeast}}$', '')` : behind
  const number = `${before} || '.' || ${kept}`
  // Of nothing on either side of the point PostgreSQL writes one zero.
  return isTight && form.zeros === 0 && digitsLeast === 0
    ? `case when ${whole} = 0 then '0.' else ${number} end`
    : number
}

/** The places before the point without zeros that the pattern does not ask for; without a point at least one. */
function beforePoint({ places, digits, zeros, hasCommas }: NumberPattern, all: Text): Text {
  const least = digits === 0 ? Math.max(1, zeros) : zeros
  const number = `regexp_replace(left(${all}, ${places}), '^0{0,${places - least}}', '')`
  if (!hasCommas) return number
  const groups = [((places - 1) % 3) + 1, ...Array.from({ length: Math.ceil(places / 3) - 1 }, () => 3)]
  const apart = groups.map((length) => `(.{${length}})`).join('')
  const together = groups.map((_, index) => `\\${index + 1}`).join(',')
  return `ltrim(regexp_replace(lpad(${number}, ${places}, ' '), '^${apart}$', '${together}'), ' ,')`
}
