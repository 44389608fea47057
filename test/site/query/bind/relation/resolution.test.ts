import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Found } from '../../../../../src/site/query/bind/expression/bin-width.ts'
import { narrowestBetween } from '../../../../../src/site/query/bind/expression/cut-of-product.ts'
import type { Range } from '../../../../../src/site/query/catalogue/expression-type.ts'
import { checkQuestion } from '../../../../../src/site/query/check-question.ts'
import { testManifest } from '../../two-engines.ts'
import { codeOf, manifest, verdictOf } from './bin-verdicts.ts'

/* How fine groups over numbers and times may be: never finer than the manifest says, in whatever way it is written. */

const COARSE = [
  'floor(height / 0.1)',
  'floor(height * 10) / 10',
  'round(height, 1)',
  'round(height)',
  'width_bucket(height, 1, 2, 10)',
  'ceil(height * 5) / 5',
  '(height * 2)::int',
  "case when height < 1.6 then 'a' when height < 1.8 then 'b' else 'c' end",
  'height > 1.8',
  'age / 5',
  '(age / 10) * 10',
  'floor(age / 5.0)',
  'width_bucket(age, 0, 100, 20)',
  "case when age between 18 and 30 then 'a' else 'b' end",
  'age > 20 and true',
  'age between 18 and 22',
  'age > 17.5 and age <= 22.5',
  '(height * 1000)::int / 100',
  'floor(height / 1000.0)',
  'height >= 1.6 and height < 1.7',
  'medals',
  'medals * 2',
  'medals = 3',
  "date_trunc('year', born)",
  'extract(year from born)',
  "born < '1990-06-01'",
  "date_trunc('hour', seen)",
  'extract(hour from seen)',
  'seen::date',
  'visited',
  'extract(dow from visited)',
  'floor(weight)',
  'weight > 70',
  'round(weight, 15)',
  'town',
  'upper(left(town, 1))',
  "town = 'Cork'",
  'num_nulls(height, age, born)',
  'width_bucket(height, array[1.6, 1.75, 2])',
  "date_bin('2 hours', seen, timestamp '2020-01-01 00:30')",
  "date_bin('7 days', visited::timestamp, timestamp '2020-01-01')",
  "to_char(seen, 'HH12 AM')",
  "to_char(visited, 'Dy Mon YY')",
  "to_char(born, 'YY')",
  "to_date(town, 'YYYYMMDD')",
  '(mass::int / 5) * 5',
  'div(round(mass)::int, 10)',
  'floor(round(tall * 10) / 2)',
  'trunc(tall::numeric, 1)',
  "extract(hour from seen + interval '2 hours')",
  "date_trunc('week', day - 1)",
  "case when mass / (tall * tall) < 18.5 then 'a' when mass / tall ^ 2 < 25 then 'b' when mass / power(tall, 2) < 30 then 'c' else 'd' end",
  "case when round(mass / (tall * tall), 1) between 18.5 and 24.9 then 'b' when round(mass / (tall * tall), 1) between 25 and 29.9 then 'c' end",
  'mass / (cm / 100.0 * (cm / 100.0)) > 25',
  'mass * 2.2 > 150',
  'share / (share * share) = 0.2',
  'mass / share > 3 and mass / share < 50',
  "to_char(floor(mass / 5) * 5, 'FM990')",
  "to_char(seen, 'HH24:00')",
  "to_char(day, 'IYYY-IW')",
  "to_char(day, 'Month')",
  "to_char(day - 1, 'IYYY-IW')",
]

const FINE = [
  'height',
  // What overflows is null, which would part a bin wherever the constant says.
  '(height * 4900000000000000)::bigint / 490000000000000',
  '(height * 1000 * 1000 * 1000 * 1000 * 1000 * 4.9)::bigint / 490000000000000',
  '(age + 9007199254740970) / 5',
  '(age + 9007199254740) * 1000 / 5000',
  'floor(height * 10 * 5e148 * 10 / 5e149)',
  'floor(height / 1e149 / 1e139 * 1e149 * 1e140)',
  'cm * 49000000000000 > 9000000000000000',
  'mass * 1e148 > 5e149',
  'mass / 1e-148 > 5e149',
  "case when age <= 18 then 'a' when age < 23 then 'b' end",
  'height < 1.8 and height <= 1.8',
  "born > '1990-01-01' and born < '1991-01-01'",
  "seen < '2021-06-08 12:00' or seen <= '2021-06-08 12:00'",
  'cm * 1 > 180 and cm * 1 < 190',
  'mass * 1 < 80 and mass * 1 <= 80',
  'mass * -1 > -80 and mass * 1 <= 80',
  'floor(mass * 1) < 80 and ceil(mass * 1) <= 80',
  'height * 10',
  'floor(height / 0.05)',
  'floor(height * 100)',
  'round(height, 2)',
  'width_bucket(height, 1, 2, 11)',
  'sqrt(height)',
  'floor(sqrt(height))',
  'height = 1.83',
  'height in (1.8, 1.9)',
  "case when height < 1.6 then 'a' when height < 1.65 then 'b' else 'c' end",
  'height between 1.8 and 1.85',
  'coalesce(height, 0)',
  'floor(height / age)',
  'floor(height - weight)',
  'height > 1.8 and height < 1.85',
  'age',
  'age / 4',
  'age % 5',
  'age = 37',
  'age in (18, 19)',
  "case when age < 18 then 'a' when age < 20 then 'b' end",
  'floor(age)',
  'age::text',
  'concat(town, age::text)',
  'born',
  "date_trunc('month', born)",
  'extract(month from born)',
  "born = '1990-01-01'",
  "born between '1990-01-01' and '1990-06-01'",
  'born::text',
  'born + 1',
  'extract(doy from born)',
  'seen',
  "date_trunc('minute', seen)",
  'extract(minute from seen)',
  'extract(epoch from seen)',
  'extract(second from seen)',
  'weight',
  'weight + 1',
  'nullif(weight, 70)',
  'log(2, height)',
  'gcd(age, 7)',
  'num_nulls(nullif(height, 1.83))',
  'width_bucket(height, array[1.6, 1.65])',
  "date_bin('30 minutes', seen, timestamp '2020-01-01')",
  "date_bin('364 days', born::timestamp, timestamp '2020-01-01')",
  "date_bin('2 hours', seen, date_trunc('hour', seen))",
  "date_bin('12 hours', visited::timestamp, timestamp '2020-01-01')",
  "to_char(born, 'Mon')",
  "to_char(born, 'FMDay')",
  "to_char(born, 'AM')",
  'town || age',
  '(mass::int / 4) * 5',
  'floor(round(tall * 20) / 1.5)',
  'floor(round(mass * 2) / 9.5)',
  'mass - mass::int % 5',
  'trunc(tall::numeric, 2)',
  "extract(month from born + interval '1 month')",
  "extract(year from born + interval '1 month')",
  "case when mass / (tall * tall) < 24 then 'a' when mass / (tall * tall) < 25 then 'b' end",
  'mass / (tall * tall) = 25',
  "case when tall * tall < 3 then 'a' when tall * tall < 3.1 then 'b' end",
  'mass / (tall * tall) > 25 and mass > 80',
  'mass / (tall * tall) > 25 and mass / tall > 40',
  'mass / (height * height) > 25',
  "case when mass / (cm * cm) < 0.0025 then 'a' when mass / (cm * cm) < 0.0028 then 'b' end",
  'mass / (tall - 1) > 25',
  "to_char(mass, 'FM990')",
  "to_char(day, 'YYYY-IW')",
  "to_char(day - 1, 'YYYY-IW')",
  "to_char(day, 'Day')",
  "to_char(day, 'Month IW')",
  "to_char(born, 'YYYY IYYY')",
  "to_char(born, 'MON')",
]

for (const key of COARSE) test(`coarse enough: ${key}`, () => assert.equal(verdictOf(key), 'approved'))
for (const key of FINE) test(`too fine: ${key}`, () => assert.match(verdictOf(key), /^declined\.column/))

test('two coarse bins that are shifted make a fine one', () => {
  assert.match(verdictOf('floor(height / 0.1)', 'floor((height + 0.05) / 0.1)'), /^declined\.column/)
  assert.match(verdictOf('floor(height / 0.1)', 'height > 1.85'), /^declined\.column/)
  assert.match(verdictOf('height > 1.8', 'height > 1.85'), /^declined\.column/)
  const weeks = "date_bin('7 days', visited::timestamp, timestamp '2020-01-01')"
  assert.match(verdictOf(weeks, weeks.replace('01-01', '01-04')), /^declined\.column/)
  assert.match(verdictOf(weeks, "date_trunc('week', visited)"), /^declined\.column/)
  assert.equal(verdictOf(weeks, `${weeks}::date`), 'approved')
  assert.equal(verdictOf('floor(height / 0.1)', 'floor(height / 0.1) * 0.1'), 'approved')
  assert.equal(verdictOf('height > 1.8', 'height > 1.6', 'age / 5', 'town'), 'approved')
})

test('units of time that part one another make a finer one, and so does a comparison within one', () => {
  const twice = (one: string, other: string): string => verdictOf(one, other).slice(0, 15)
  const [week, month] = ["date_trunc('week', day)", "date_trunc('month', day)"]
  for (const other of [month, 'extract(quarter from day)', 'extract(year from day)', "to_char(day, 'YYYY')"])
    assert.equal(twice(week, other), 'declined.column', other)
  for (const other of ['extract(isoyear from day)', "to_char(day, 'IYYY-IW')", 'extract(week from day)'])
    assert.equal(twice(week, other), 'approved', other)
  assert.equal(twice(month, 'extract(year from day)'), 'approved')
  assert.equal(twice('extract(year from born)', 'extract(isoyear from born)'), 'declined.column')
  assert.equal(twice('extract(year from born)', "born < '1990-01-03'"), 'declined.column')
  assert.equal(twice('extract(year from born)', "born < '1990-01-01'"), 'approved')
  assert.equal(twice(month, "day < '2021-06-08'"), 'approved')
  assert.equal(twice(month, "day < '2021-06-07'"), 'declined.column')
  assert.equal(twice(month, "day < '2021-06-25'"), 'declined.column')
  assert.equal(twice(week, "day < '2021-06-07'"), 'approved')
  assert.equal(twice(week, "day < '2021-06-08'"), 'declined.column')
  for (const [bin, first] of [
    [week, "day <= '2021-06-07'"],
    [month, "day <= '2021-06-01'"],
    ['extract(year from born)', "born <= '1990-01-01'"],
    ["date_trunc('hour', seen)", "seen <= '2021-06-08 12:00'"],
    ["date_trunc('hour', seen)", "seen = '1821-06-08 12:00'"],
  ] as const)
    assert.equal(twice(bin, first), 'declined.column', first)
  assert.equal(twice(week, "day <= '2021-06-06'"), 'approved')
  assert.equal(twice('height < 1.8', 'height <= 1.8'), 'declined.column')
  assert.equal(twice("date_trunc('hour', seen)", "seen < '2021-06-08 12:00'"), 'approved')
  assert.equal(twice("date_trunc('hour', seen)", "seen < '2021-06-08 12:00:00.000001'"), 'declined.column')
  assert.equal(twice("seen < '2021-06-08 12:00'", "seen < '2021-06-08 12:00:00.000001'"), 'declined.column')
  const moved = "extract(hour from seen + interval '30 minutes')"
  assert.equal(verdictOf(moved), 'approved')
  assert.equal(twice(moved, 'extract(hour from seen)'), 'declined.column')
})

test('edges of a time are looked at beside each other, also behind those of a number that was made of it', () => {
  const people = testManifest('people', { columns: [{ name: 'at', type: 'timestamp' }] })
  const codeOfKey = (key: string): string => {
    const checked = checkQuestion(
      `select ${key}, count(*) from (select distinct id, at, extract(epoch from at) as seconds from people) t group by 1`,
      { mode: 'aggregate', dataSets: new Map([['people', people]]) },
    )
    return checked.ok ? 'approved' : checked.error.code
  }
  const keyOf = (...edges: readonly string[]) =>
    `case ${edges.map((edge, index) => `when ${edge} then ${index}`).join(' ')} end`
  const [six, noon, tomorrow] = [
    "at < '2020-01-01 06:00'",
    "at < '2020-01-01 12:00'",
    "at < '2020-01-02 06:00'",
  ] as const
  for (const before of [[], ['seconds > 0']]) {
    assert.equal(codeOfKey(keyOf(...before, six, tomorrow)), 'approved')
    assert.equal(codeOfKey(keyOf(...before, six, noon)), 'declined.column', before.join())
  }
})

test('a product of columns is told apart in one way, and no finer than each of its columns may be', () => {
  const index = 'mass / (tall * tall)'
  assert.equal(verdictOf(`${index} < 25`, `${index} < 18.5`), 'approved')
  for (const other of [`${index} < 24`, 'floor(mass / 5)', 'mass > 80', 'tall > 1.8', 'mass / tall > 40'])
    assert.match(verdictOf(`${index} < 25`, other), /^declined\.column/, other)
  const among = 'people a join people b using (id)'
  const codeOfBoth = (other: string): string =>
    codeOf(`select a.mass / (a.tall * a.tall) < 25, ${other}, count(*) from ${among} group by 1, 2`)
  assert.equal(codeOfBoth('b.mass > 80'), 'declined.column')
  assert.equal(codeOfBoth('b.town'), 'approved')
})

test('the narrowest stretch between two edges of a product is one that there is', () => {
  const column = (name: string, range: Range, type: 'number' | 'integer'): Found => ({
    kind: 'column',
    source: 0,
    column: name,
    type,
    size: 1,
    range,
  })
  const range = fc
    .tuple(fc.double({ min: 0.5, max: 50, noNaN: true }), fc.double({ min: 1.1, max: 10, noNaN: true }))
    .map(([least, times]): Range => ({ least, greatest: least * times }))
  const power = fc.constantFrom(1, -1, 2, -2, 3)
  const type = fc.constantFrom('number' as const, 'integer' as const)
  const edges = fc.tuple(
    fc.double({ min: 0.01, max: 20, noNaN: true }),
    fc.double({ min: 1.001, max: 3, noNaN: true }),
  )
  const one = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(
      range,
      range,
      power,
      power,
      type,
      edges,
      fc.array(one, { minLength: 20, maxLength: 20 }),
      (...given) => {
        const [own, other, p, q, of, [from, times], places] = given
        const [factor, another] = [
          { column: column('own', own, of), power: p },
          { column: column('other', other, 'number'), power: q },
        ]
        const cut = { factors: [factor, another], at: [] }
        const narrowest = narrowestBetween([from, from * times], cut, factor)
        for (const place of places) {
          const beside = (other.least + place * (other.greatest - other.least)) ** q
          const [low = 0, high = 0] = [from, from * times]
            .map((edge) => (edge / beside) ** (1 / p))
            .toSorted((a, b) => a - b)
          if (high <= own.least || low > own.greatest) continue
          // Of whole numbers neither end may belong to it.
          const width = of === 'integer' ? Math.ceil(high - 1e-9) - Math.floor(low + 1e-9) - 1 : high - low
          assert.ok(width >= narrowest * (1 - 1e-6), `${width} < ${narrowest}`)
        }
      },
    ),
    { seed: 20_261_128, numRuns: 300 },
  )
})

test('what was taken from a person before keeps the width of its column', () => {
  const perPerson = (inner: string, key: string): string => {
    const checked = checkQuestion(
      `with t as (select id, ${inner} as v from people group by id) select ${key}, count(*) from t group by 1`,
      { mode: 'aggregate', dataSets: new Map([['people', manifest]]) },
    )
    return checked.ok ? 'approved' : checked.error.code
  }
  assert.equal(perPerson('max(height)', 'v'), 'declined.column')
  assert.equal(perPerson('avg(height)', 'floor(v / 0.05)'), 'declined.column')
  assert.equal(perPerson('avg(height)', 'floor(v / 0.1)'), 'approved')
  assert.equal(perPerson('min(born)', 'v'), 'declined.column')
  assert.equal(perPerson('count(*)', 'v'), 'approved')
})

test('a bin that a sub-select made may be grouped by as it is', () => {
  const grouped = (key: string, outer = 'k') =>
    codeOf(
      `with t as (select distinct id, ${key} as k from people) select ${outer}, count(*) from t group by 1`,
    )
  for (const key of COARSE) assert.equal(grouped(key), 'approved', key)
  assert.equal(grouped("date_trunc('month', seen)", 'k'), 'approved')
  assert.equal(grouped("date_trunc('minute', seen)", 'k'), 'declined.column')
  assert.equal(grouped('floor(height * 100)', 'k'), 'declined.column')
  const halves = (hour: string) =>
    `(select distinct id, date_bin('1 day', visited::timestamp, timestamp '2020-01-01 ${hour}') as k from people)`
  const both = (one: string, other: string) =>
    codeOf(`select a.k, b.k, count(*) from ${halves(one)} a join ${halves(other)} b using (id) group by 1, 2`)
  assert.equal(both('00:00', '12:00'), 'declined.column')
})

for (const key of FINE) {
  test(`too fine, also where a sub-select groups by it first: ${key}`, () => {
    for (const made of [
      `select id, ${key} as k from people group by id, ${key}`,
      `select distinct id, ${key} as k from people`,
    ])
      assert.equal(codeOf(`select k, count(*) from (${made}) t group by k`), 'declined.column', made)
  })
}

test('a number that was made larger before is no coarser by the bins of what it became', () => {
  const grouped = (key: string, outer: string) =>
    codeOf(
      `with t as (select id, ${key} as k from people group by id, ${key}) select ${outer}, count(*) from t group by 1`,
    )
  assert.equal(grouped('height * 100', 'floor(k)'), 'declined.column')
  assert.equal(grouped('(height * 100)::int', 'k'), 'declined.column')
  assert.equal(grouped('height * 100', 'k > 180'), 'declined.column')
  assert.equal(grouped('height', 'floor(k / 0.1)'), 'approved')
  assert.equal(grouped('(height * 10)::int', 'k'), 'approved')
  assert.equal(grouped('weight * 100', 'floor(k)'), 'approved')
  const greatest = 'with t as (select id, max(height * 100) as k from people group by id)'
  assert.equal(codeOf(`${greatest} select floor(k), count(*) from t group by 1`), 'declined.column')
})

test('two coarse ways are one fine way, also by two names or from two sub-selects', () => {
  const twice = (one: string, other: string, relation: string) =>
    codeOf(`select ${one}, ${other}, count(*) from ${relation} group by 1, 2`)
  const joined = 'people a join people b using (id)'
  assert.equal(twice('floor(a.height / 0.1)', 'floor((b.height + 0.05) / 0.1)', joined), 'declined.column')
  assert.equal(twice('a.height > 1.8', 'b.height > 1.85', joined), 'declined.column')
  assert.equal(twice('floor(a.height / 0.1)', 'b.town', joined), 'approved')
  const tall = (metres: number) =>
    `(select id, height > ${metres} as is_tall from people group by id, height > ${metres})`
  const both = (metres: number) => `${tall(1.8)} a join ${tall(metres)} b using (id)`
  assert.equal(twice('a.is_tall', 'b.is_tall', both(1.85)), 'declined.column')
  assert.equal(twice('a.is_tall', 'b.is_tall', both(1.6)), 'approved')
  const counted = 'select id, count(*) filter (where height > 1.85) as n from people group by id'
  assert.equal(twice('a.height > 1.8', 'b.n', `people a join (${counted}) b using (id)`), 'declined.column')
})
