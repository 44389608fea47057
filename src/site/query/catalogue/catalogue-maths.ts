import { both } from './catalogue-row.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import {
  duckdbDouble,
  duckdbBetween,
  duckdbFinite,
  duckdbNullif,
  duckdbGrained,
  duckdbWhole,
  naming,
  postgresDouble,
  postgresFinite,
  postgresGrained,
  postgresWhole,
} from './forms.ts'
import type { Text } from './forms.ts'
import { range, rising, widened } from './ranges.ts'
import { toDigits } from './to-digits.ts'

/** A function of the mathematics library, which both engines take from the machine. */
function ofLibrary(
  name: string,
): Pick<CatalogueRow, 'kind' | 'names' | 'takes' | 'gives' | 'duckdb' | 'postgres'> {
  return {
    kind: 'function',
    names: [name],
    takes: ['number'],
    gives: 'number',
    duckdb: ({ a }) => duckdbGrained(`${name}(${a})`),
    postgres: ({ a }) => postgresGrained(`${name}(${a})`),
  }
}

function truncated(text: Text): Text {
  return `trunc(${text})`
}

function duckdbLog(value: Text): Text {
  return `log10(${duckdbNullif(`greatest(${value}, 0e0)`, '0e0')})`
}

/** The least double above 1: what is past 1 is taken there and then away. */
const PAST_ONE = 1 + Number.EPSILON

function withinOne(value: Text): Text {
  return duckdbBetween(value, `-${PAST_ONE}`, `${PAST_ONE}`)
}

function ofSine(name: string): ReturnType<typeof ofLibrary> {
  return {
    ...ofLibrary(name),
    duckdb: ({ a }) => duckdbGrained(`${name}(${withinOne(a)})`),
    postgres: ({ a }) =>
      postgresGrained(naming({ a }, `case when "a" between -1 and 1 then ${name}("a") end`)),
  }
}

function ofAngle(name: string, factor: number): CatalogueRow {
  return {
    ...ofLibrary(name),
    duckdb: ({ a }) => duckdbFinite(`${name}(${a})`),
    postgres: ({ a }) => postgresFinite(`${name}(${postgresGrained(a)})`),
    range: ([a]) => rising(a, (value) => value * factor),
  }
}

/** A table: more of mathematics. */
export const MATHS = {
  sin: { ...ofLibrary('sin'), range: () => range(-1, 1) },
  cos: { ...ofLibrary('cos'), range: () => range(-1, 1) },
  tan: ofLibrary('tan'),
  asin: { ...ofSine('asin'), says: 'null past ±1', range: () => range(-2, 2) },
  acos: { ...ofSine('acos'), says: 'null past ±1', range: () => range(0, 4) },
  atan: { ...ofLibrary('atan'), range: () => range(-2, 2) },
  atan2: {
    kind: 'function',
    names: ['atan2'],
    takes: ['number', 'number'],
    gives: 'number',
    duckdb: ({ a, b }) => duckdbGrained(`atan2(${a}, ${b})`),
    postgres: ({ a, b }) => postgresGrained(`atan2(${a}, ${b})`),
    range: () => range(-4, 4),
  },
  degrees: ofAngle('degrees', 180 / Math.PI),
  radians: ofAngle('radians', Math.PI / 180),
  cbrt: { ...ofLibrary('cbrt'), range: ([a]) => rising(a, Math.cbrt) },
  log_of: {
    kind: 'function',
    names: ['log'],
    takes: ['number', 'number'],
    gives: 'number',
    says: '`log(b, x)`, to base b; null where it is not defined',
    duckdb: ({ a, b }) => duckdbFinite(`${duckdbLog(b)} / ${duckdbNullif(duckdbLog(a), '0e0')}`),
    postgres: ({ a, b }) =>
      postgresFinite(
        naming({ a, b }, 'case when "a" > 0 and "b" > 0 and log("a") <> 0 then log("b") / log("a") end'),
      ),
  },
  gcd: {
    kind: 'function',
    names: ['gcd'],
    takes: ['integer', 'integer'],
    gives: 'integer',
    says: 'null beyond ±2^53',
    duckdb: ({ a, b }) =>
      `cast(gcd(${duckdbWhole(duckdbDouble(a))}, ${duckdbWhole(duckdbDouble(b))}) as bigint)`,
    postgres: ({ a, b }) => `gcd(${postgresWhole(postgresDouble(a))}, ${postgresWhole(postgresDouble(b))})`,
  },
  lcm: {
    kind: 'function',
    names: ['lcm'],
    takes: ['integer', 'integer'],
    gives: 'integer',
    says: 'null beyond ±2^53',
    prints: 3,
    duckdb: ({ a, b }) => {
      const [one, other] = [duckdbWhole(duckdbDouble(a)), duckdbWhole(duckdbDouble(b))]
      return duckdbWhole(
        `coalesce(abs(${duckdbDouble(one)} / nullif(gcd(${one}, ${other}), 0) * ${duckdbDouble(other)}), case when ${one} is not null and ${other} is not null then 0e0 end)`,
      )
    },
    postgres: ({ a, b }) =>
      naming(
        { a: postgresWhole(postgresDouble(a)), b: postgresWhole(postgresDouble(b)) },
        postgresWhole(
          `coalesce(abs(${postgresDouble('"a" / nullif(gcd("a", "b"), 0)')} * ${postgresDouble('"b"')}), case when "a" is not null and "b" is not null then ${postgresDouble('0')} end)`,
        ),
      ),
  },
  pi: {
    kind: 'function',
    names: ['pi'],
    takes: [],
    gives: 'number',
    ...both(() => 'pi()'),
    range: () => range(Math.PI, Math.PI),
  },
  trunc_digits: {
    kind: 'function',
    names: ['trunc'],
    takes: ['number', { constant: 'digits' }],
    gives: 'number',
    says: 'toward zero, of the double times a power of ten',
    ...toDigits({ duckdb: truncated, postgres: truncated }),
    range: ([a], [digits = 0]) => widened(a, 10 ** -Number(digits)),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>
