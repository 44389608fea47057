import { both, together } from './catalogue-row.ts'
import { toDigits } from './to-digits.ts'
import type { CatalogueRow, FormArguments } from './catalogue-row.ts'
import {
  duckdbDouble,
  duckdbFinite,
  duckdbNullif,
  duckdbGrained,
  duckdbWhole,
  inTimestamps,
  naming,
  postgresDouble,
  postgresFinite,
  postgresGrained,
  postgresWhole,
  roundHalfAway,
} from './forms.ts'
import type { Text } from './forms.ts'
import { corners, magnitude, range, rising, widened } from './ranges.ts'
import type { MaybeRange } from './ranges.ts'

/** A table: functions that may stand in a question. Outside of where they are defined they give null. */

/** Least number above 0: what is below 0 is taken there and then away. */
const TINY = '5e-324'

const BUCKETS = (constants: readonly (string | number)[]): { low: string; width: string; count: number } => {
  const [low = 0, high = 1, count = 1] = constants.map(Number)
  return { low: low.toExponential(), width: (high - low).toExponential(), count }
}

function duckdbBucket(value: Text, constants: readonly (string | number)[]): Text {
  const { low, width, count } = BUCKETS(constants)
  const distance = duckdbGrained(`${value} - (${low})`)
  return `case when ${value} is not null then cast(floor(least(greatest(${distance} / (${width}) * ${count}e0, -1e0), ${count}e0)) as bigint) + 1 end`
}

function postgresBucket(value: Text, constants: readonly (string | number)[]): Text {
  const { low, width, count } = BUCKETS(constants)
  const distance = postgresGrained(`"a" - ${postgresDouble(low)}`)
  const scaled = `${distance} / ${postgresDouble(width)} * ${postgresDouble(`${count}`)}`
  return naming(
    { a: value },
    `case when "a" is not null then cast(floor(least(greatest(${scaled}, cast(-1 as float8)), cast(${count} as float8))) as bigint) + 1 end`,
  )
}

const POWER_GUARD = `case when "a" is null or "b" is null then null
when "b" = 0 then cast(1 as float8)
when "a" = 0 then case when "b" > 0 then cast(0 as float8) end
when "a" < 0 and floor("b") <> "b" then null
when log(abs("a")) = 0 then power("a", "b")
when log(abs("b")) + log(abs(log(abs("a")))) < -20 then power(sign("a"), "b")
when log(abs("b")) + log(abs(log(abs("a")))) > 4 then case when (log(abs("a")) > 0) = ("b" > 0) then null else cast(0 as float8) end
when "b" * log(abs("a")) > 151 then null
when "b" * log(abs("a")) < -290 then cast(0 as float8)
else power("a", "b") end`

/** `least` and `greatest` would make a bound of a null. */
function clamped(duckdb: Text, postgres: Text): Pick<CatalogueRow, 'duckdb' | 'postgres'> {
  const form =
    (type: Text) =>
    ({ a, constants }: FormArguments): Text => {
      const [low = '', high = ''] = constants.map(
        (constant) => `cast(${Number(constant).toExponential()} as ${type})`,
      )
      return `case when ${a} < ${low} then ${low} when ${a} > ${high} then ${high} else ${a} end`
    }
  return { duckdb: form(duckdb), postgres: form(postgres) }
}

/** Of what is at least 1 to any power; to one that is written out of what is not negative, or of anything where it is even. */
function rangeOfPower(base: MaybeRange, exponent: MaybeRange): MaybeRange {
  if (!base || !exponent) return undefined
  if (base.least >= 1) return corners(base, exponent, (x, y) => x ** y)
  const times = exponent.least
  if (exponent.greatest !== times || times < 0) return undefined
  const isEven = Number.isSafeInteger(times / 2)
  if (base.least < 0 && !isEven) return undefined
  return rising(magnitude(base), (value) => value ** times)
}

const extracted = (field: string, ends: MaybeRange): Pick<CatalogueRow, 'duckdb' | 'postgres' | 'range'> => ({
  ...both(({ a, constants: [name = field] }) => `cast(extract(${name} from ${a}) as bigint)`),
  range: () => ends,
})

/** The ends of what a field of a date or time can be. */
const FIELD_ENDS: Readonly<Record<string, readonly [number, number]>> = {
  year: [1, 9999],
  isoyear: [0, 10_000],
  quarter: [1, 4],
  month: [1, 12],
  week: [1, 53],
  day: [1, 31],
  doy: [1, 366],
  dow: [0, 6],
  isodow: [1, 7],
  hour: [0, 23],
  minute: [0, 59],
  decade: [0, 999],
  century: [1, 100],
}

/** The first decade and none of a century begins in the year 0, which is before all dates. DuckDB's centuries begin a year early. */
function truncatedTo(moment: (a: Text) => Text): Pick<CatalogueRow, 'duckdb' | 'postgres'> {
  const form =
    (isDuckdb: boolean) =>
    ({ a, constants: [unit = 'day'] }: FormArguments): Text => {
      const text = moment(a)
      if (unit === 'century' && isDuckdb)
        return `cast(make_date(cast((extract(year from ${text}) - 1) // 100 * 100 + 1 as bigint), 1, 1) as timestamp)`
      const truncated = `cast(date_trunc('${unit}', ${text}) as timestamp)`
      return unit === 'decade' ? inTimestamps(truncated, isDuckdb ? 'duckdb' : 'postgres') : truncated
    }
  return { duckdb: form(true), postgres: form(false) }
}

function fieldRange(_: readonly MaybeRange[], [field]: readonly (string | number)[]): MaybeRange {
  const ends = FIELD_ENDS[String(field)]
  return ends && range(...ends)
}

export const FUNCTIONS = {
  abs_integer: {
    kind: 'function',
    names: ['abs'],
    takes: ['integer'],
    gives: 'integer',
    says: 'null beyond ±2^53',
    duckdb: ({ a }) => duckdbWhole(`abs(${duckdbDouble(a)})`),
    postgres: ({ a }) => postgresWhole(`abs(${postgresDouble(a)})`),
    range: ([a]) => magnitude(a),
  },
  abs_number: {
    kind: 'function',
    names: ['abs'],
    takes: ['number'],
    gives: 'number',
    ...both(({ a }) => `abs(${a})`),
    range: ([a]) => magnitude(a),
  },
  round: {
    kind: 'function',
    names: ['round'],
    takes: ['number'],
    gives: 'number',
    says: 'half away from zero',
    duckdb: ({ a }) => `round(${a})`,
    postgres: ({ a }) => roundHalfAway(a),
    range: ([a]) => widened(rising(a, Math.round), 1),
  },
  round_digits: {
    kind: 'function',
    names: ['round'],
    takes: ['number', { constant: 'digits' }],
    gives: 'number',
    says: 'half away from zero, of the double times a power of ten',
    ...toDigits({ duckdb: (text) => `round(${text})`, postgres: roundHalfAway }),
    range: ([a], [digits = 0]) => widened(a, 10 ** -Number(digits)),
  },
  floor: {
    kind: 'function',
    names: ['floor'],
    takes: ['number'],
    gives: 'number',
    ...both(({ a }) => `floor(${a})`),
    range: ([a]) => rising(a, Math.floor),
  },
  ceil: {
    kind: 'function',
    names: ['ceil', 'ceiling'],
    takes: ['number'],
    gives: 'number',
    ...both(({ a }) => `ceil(${a})`),
    range: ([a]) => rising(a, Math.ceil),
  },
  trunc: {
    kind: 'function',
    names: ['trunc'],
    takes: ['number'],
    gives: 'number',
    ...both(({ a }) => `trunc(${a})`),
    range: ([a]) => rising(a, Math.trunc),
  },
  sign: {
    kind: 'function',
    names: ['sign'],
    takes: ['number'],
    gives: 'number',
    duckdb: ({ a }) => duckdbDouble(`sign(${a})`),
    postgres: ({ a }) => `sign(${a})`,
    range: () => range(-1, 1),
  },
  sqrt: {
    kind: 'function',
    names: ['sqrt'],
    takes: ['number'],
    gives: 'number',
    says: 'null below 0',
    duckdb: ({ a }) => `sqrt(${duckdbNullif(`greatest(${a}, -${TINY})`, `-${TINY}`)})`,
    postgres: ({ a }) => naming({ a }, 'case when "a" >= 0 then sqrt("a") end'),
    range: ([a]) =>
      a && a.greatest >= 0 ? range(Math.sqrt(Math.max(a.least, 0)), Math.sqrt(a.greatest)) : undefined,
  },
  ln: {
    kind: 'function',
    names: ['ln'],
    takes: ['number'],
    gives: 'number',
    says: 'null at and below 0',
    duckdb: ({ a }) => `ln(${duckdbNullif(`greatest(${a}, 0e0)`, '0e0')})`,
    postgres: ({ a }) => naming({ a }, 'case when "a" > 0 then ln("a") end'),
    range: ([a]) => (a && a.least > 0 ? rising(a, Math.log) : undefined),
  },
  log10: {
    kind: 'function',
    names: ['log', 'log10'],
    takes: ['number'],
    gives: 'number',
    says: 'to base 10; null at and below 0',
    duckdb: ({ a }) => `log10(${duckdbNullif(`greatest(${a}, 0e0)`, '0e0')})`,
    postgres: ({ a }) => naming({ a }, 'case when "a" > 0 then log("a") end'),
    range: ([a]) => (a && a.least > 0 ? rising(a, Math.log10) : undefined),
  },
  exp: {
    kind: 'function',
    names: ['exp'],
    takes: ['number'],
    gives: 'number',
    says: 'null beyond 1e150',
    duckdb: ({ a }) => duckdbFinite(`exp(${a})`),
    postgres: ({ a }) =>
      postgresFinite(
        naming(
          { a },
          'case when "a" > 346 then null when "a" < -667 then cast(0 as float8) else exp("a") end',
        ),
      ),
    range: ([a]) => rising(a, Math.exp),
  },
  power: {
    kind: 'function',
    names: ['power', 'pow', '^'],
    takes: ['number', 'number'],
    gives: 'number',
    says: 'null where it is not defined and beyond ±1e150',
    duckdb: ({ a, b }) => duckdbFinite(`pow(${a}, ${b})`),
    postgres: ({ a, b }) => postgresFinite(naming({ a, b }, POWER_GUARD)),
    range: ([a, b]) => rangeOfPower(a, b),
  },
  width_bucket: {
    kind: 'function',
    names: ['width_bucket'],
    takes: ['number', { constant: 'edge' }, { constant: 'edge' }, { constant: 'buckets' }],
    gives: 'integer',
    prints: 2,
    says: 'the first edge is below the second; 0 below the first bucket, one more than there are above the last',
    duckdb: ({ a, constants }) => duckdbBucket(a, constants),
    postgres: ({ a, constants }) => postgresBucket(a, constants),
    range: (_, constants) => range(0, Number(constants[2]) + 1),
  },

  clamp_integer: {
    kind: 'function',
    names: [],
    takes: ['integer', { constant: 'bound' }, { constant: 'bound' }],
    gives: 'integer',
    says: 'within the declared bounds of a column; put in by the gate',
    prints: 3,
    ...clamped('bigint', 'bigint'),
    range: (_, [low, high]) => range(Number(low), Number(high)),
  },
  clamp_number: {
    kind: 'function',
    names: [],
    takes: ['number', { constant: 'bound' }, { constant: 'bound' }],
    gives: 'number',
    says: 'within the declared bounds of a column; put in by the gate',
    prints: 3,
    ...clamped('double', 'float8'),
    range: (_, [low, high]) => range(Number(low), Number(high)),
  },

  lower: {
    kind: 'function',
    names: ['lower'],
    takes: ['text'],
    gives: 'text',
    says: 'letter by letter, of Unicode 15',
    duckdb: ({ a }) => `lower(${a})`,
    postgres: ({ a }) => `lower(${a} collate "pg_c_utf8")`,
  },
  upper: {
    kind: 'function',
    names: ['upper'],
    takes: ['text'],
    gives: 'text',
    says: 'letter by letter, of Unicode 15; ß becomes ẞ',
    duckdb: ({ a }) => `upper(${a})`,
    postgres: ({ a }) => `replace(upper(${a} collate "pg_c_utf8"), 'ß', 'ẞ')`,
  },
  length: {
    kind: 'function',
    names: ['length', 'char_length', 'character_length'],
    takes: ['text'],
    gives: 'integer',
    says: 'code points',
    ...both(({ a }) => `cast(length(${a}) as bigint)`),
  },
  substr: {
    kind: 'function',
    names: ['substr', 'substring'],
    takes: ['text', { constant: 'from' }],
    gives: 'text',
    ...both(({ a, constants: [from = 1] }) => `substr(${a}, ${from})`),
  },
  substr_length: {
    kind: 'function',
    names: ['substr', 'substring'],
    takes: ['text', { constant: 'from' }, { constant: 'length' }],
    gives: 'text',
    ...both(({ a, constants: [from = 1, length = 0] }) => `substr(${a}, ${from}, ${length})`),
  },
  trim: {
    kind: 'function',
    names: ['trim', 'btrim'],
    takes: ['text'],
    gives: 'text',
    says: 'spaces only',
    duckdb: ({ a }) => `trim(${a}, ' ')`,
    postgres: ({ a }) => `btrim(${a}, ' ')`,
  },
  ltrim: {
    kind: 'function',
    names: ['ltrim'],
    takes: ['text'],
    gives: 'text',
    says: 'spaces only',
    ...both(({ a }) => `ltrim(${a}, ' ')`),
  },
  rtrim: {
    kind: 'function',
    names: ['rtrim'],
    takes: ['text'],
    gives: 'text',
    says: 'spaces only',
    ...both(({ a }) => `rtrim(${a}, ' ')`),
  },
  concat_function: {
    kind: 'function',
    names: ['concat'],
    takes: ['text'],
    isVariadic: true,
    gives: 'text',
    says: 'nulls are left out',
    copies: together,
    ...both(({ all }) => `(${all.map((text) => `coalesce(${text}, '')`).join(' || ')})`),
  },

  extract_date: {
    kind: 'function',
    names: ['extract', 'date_part'],
    takes: [{ constant: 'date field' }, 'date'],
    gives: 'integer',
    ...extracted('year', undefined),
    range: fieldRange,
  },
  extract_timestamp: {
    kind: 'function',
    names: ['extract', 'date_part'],
    takes: [{ constant: 'timestamp field' }, 'timestamp'],
    gives: 'integer',
    ...extracted('year', undefined),
    range: fieldRange,
  },
  extract_second: {
    kind: 'function',
    names: ['extract', 'date_part'],
    takes: [{ constant: 'second' }, 'timestamp'],
    gives: 'number',
    says: 'with its fraction',
    duckdb: ({ a }) => `(extract(microsecond from ${a}) / 1e6)`,
    postgres: ({ a }) => postgresDouble(`extract(second from ${a})`),
    range: () => range(0, 60),
  },
  extract_epoch: {
    kind: 'function',
    names: ['extract', 'date_part'],
    takes: [{ constant: 'epoch' }, 'timestamp'],
    gives: 'number',
    says: 'seconds since 1970',
    duckdb: ({ a }) => `(epoch_us(${a}) / 1e6)`,
    postgres: ({ a }) => postgresDouble(`extract(epoch from ${a})`),
    range: () => range(-62_135_596_800, 253_402_300_800),
  },
  epoch_between: {
    kind: 'function',
    names: ['extract(epoch from a - b)'],
    takes: ['timestamp', 'timestamp'],
    gives: 'number',
    says: 'seconds from the second to the first',
    duckdb: ({ a, b }) => `((epoch_us(${a}) - epoch_us(${b})) / 1e6)`,
    postgres: ({ a, b }) => postgresDouble(`extract(epoch from ${a} - ${b})`),
    range: () => range(-316_000_000_000, 316_000_000_000),
  },
  trunc_date: {
    kind: 'function',
    names: ['date_trunc'],
    takes: [{ constant: 'date unit' }, 'date'],
    gives: 'timestamp',
    ...truncatedTo((a) => `cast(${a} as timestamp)`),
  },
  trunc_timestamp: {
    kind: 'function',
    names: ['date_trunc'],
    takes: [{ constant: 'timestamp unit' }, 'timestamp'],
    gives: 'timestamp',
    ...truncatedTo((a) => a),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>
