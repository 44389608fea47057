import assert from 'node:assert/strict'
import { test } from 'node:test'
import { monotonicMs } from '../../src/kernel/clock.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { rowShapesOf } from '../../src/site/asks/row-shapes.ts'
import { checkQuestion } from '../../src/site/query/check-question.ts'
import { planAggregate } from '../../src/site/query/plan/plan-aggregate.ts'
import { athletes, sessions } from './worlds.ts'

/*
 * Questions that are cheap to write and dear to read. Measure of success: the gate takes long, or much memory, or says
 * anything but one clear decline. What grows faster than the question would need years at these sizes, so a bound
 * that no machine misses by being slow is enough.
 */

const MANY_TIMES_TOO_LONG_MS = 2_000
const MEMORY_MAX_BYTES = 64 * 1024 * 1024

const dataSets = new Map([athletes, sessions].map((manifest) => [String(manifest.dataSet), manifest]))
const relations = new Map(
  [...dataSets.keys()].map((name) => [
    name,
    { table: `ds_${name}`, eligible: 'e_1', personCount: 10, rowsPerPerson: 6 },
  ]),
)

/** All that happens to a question before an engine sees it. */
function read(sql: string, parameters: readonly (string | number | boolean | null)[] = []): string {
  const checked = checkQuestion(sql, { mode: 'aggregate', dataSets, parameters })
  if (!checked.ok) return checked.error.code
  rowShapesOf(checked.value)
  planAggregate(checked.value, { dialect: 'duckdb', relations })
  return 'approved'
}

read('select count(*) from athletes')

const much = 10_000_000

const declined: readonly (readonly [name: string, sql: () => string, code: RegExp])[] = [
  ['a text of 10 MB', () => `select ${'a'.repeat(much)} from athletes`, /too_large/],
  ['a text of 10 MB of one sign', () => '('.repeat(much), /too_large/],
  ['an unclosed quote of 10 MB', () => `select '${'a'.repeat(much)}`, /too_large/],
  [
    '60 sums that are taken apart into 2,000',
    () =>
      `select ${Array.from({ length: 60 }, (_, i) => `sum(least(height, abs(score - ${i})) * abs(medals - ${i}))`).join(', ')} from athletes`,
    /too_large/,
  ],
  [
    '200 correlations, each of eight sums and counts',
    () =>
      `select ${Array.from({ length: 200 }, (_, i) => `corr(height, score) filter (where medals > ${i})`).join(' + ')} from athletes`,
    /too_large/,
  ],
  ['an unclosed quote', () => `select '${'a'.repeat(60_000)}`, /sql_syntax/],
  ['an unclosed comment', () => `select /*${'a'.repeat(60_000)}`, /sql_syntax/],
  ['an unclosed identifier', () => `select "${'a'.repeat(60_000)}`, /sql_syntax/],
  ['an unclosed dollar quote', () => `select $x$${'a'.repeat(60_000)}`, /sql_syntax/],
  [
    'a depth of 10,000 parentheses',
    () => `select ${'('.repeat(10_000)}1${')'.repeat(10_000)} from athletes`,
    /too_large/,
  ],
  [
    'a depth of 1,000 sub-selects',
    () => `select * from ${'(select * from '.repeat(1_000)}athletes${') a'.repeat(1_000)}`,
    /too_large/,
  ],
  [
    'a depth of 1,400 NOTs',
    () => `select count(*) from athletes where ${'not '.repeat(1_400)}smokes`,
    /too_large/,
  ],
  [
    '1,000 joins',
    () =>
      `select count(*) from athletes a0 ${Array.from({ length: 1_000 }, (_, i) => `join athletes a${i + 1} using (id)`).join(' ')}`,
    /too_large/,
  ],
  [
    '20 joins',
    () =>
      `select count(*) from athletes a0 ${Array.from({ length: 20 }, (_, i) => `join athletes a${i + 1} using (id)`).join(' ')}`,
    /too_large/,
  ],
  ['a NUL', () => 'select count(*)\0 from athletes', /sql_syntax/],
  ['half of a surrogate pair', () => "select count(*) from athletes where town = '\ud800'", /sql_syntax/],
  ['a name of 60,000 letters', () => `select ${'a'.repeat(60_000)} from athletes`, /column/],
  [
    'a number of 60,000 digits',
    () => `select count(*) from athletes where score > ${'9'.repeat(60_000)}`,
    /sql/,
  ],
  [
    'an exponent of 60,000 digits',
    () => `select count(*) from athletes where score > 1e${'9'.repeat(60_000)}`,
    /sql/,
  ],
  ['a parameter that is not there', () => 'select count(*) from athletes where score > $2147483647', /sql/],
  [
    'an interval of 60,000 digits',
    () => `select count(*) from athletes where seen > seen + interval '${'9'.repeat(60_000)} days'`,
    /sql/,
  ],
  [
    'a date of 60,000 digits',
    () => `select count(*) from athletes where born > '${'9'.repeat(60_000)}'`,
    /sql/,
  ],
  [
    'a text that is repeated again and again',
    () => `select count(*) from athletes where length(${'repeat('.repeat(20)}town${', 64)'.repeat(20)}) > 1`,
    /too_large/,
  ],
  [
    '100 texts of each row, each 64 times as long as a stored one',
    () =>
      `select count(*) from athletes where ${Array.from({ length: 100 }, (_, i) => `repeat(town, 64) = 'a${i}'`).join(' or ')}`,
    /too_large/,
  ],
  [
    'as many in a sub-select',
    () =>
      `select count(*) from (select id, ${Array.from({ length: 60 }, (_, i) => `repeat(town, 64) like 'a${i}%' as t${i}`).join(', ')} from athletes) a where ${Array.from({ length: 60 }, (_, i) => `t${i}`).join(' or ')}`,
    /too_large/,
  ],
  [
    'a text of 30,000 bytes that the question writes, and 100 made of it',
    () =>
      `select count(*) from (select id, max(town || '${'b'.repeat(30_000)}') as t from athletes group by id) a where ${Array.from({ length: 100 }, (_, i) => `upper(t) = 'a${i}'`).join(' or ')}`,
    /too_large/,
  ],
  [
    'the same of 1,000 bytes in each of 60',
    () =>
      `select count(*) from athletes where ${Array.from({ length: 60 }, (_, i) => `upper(town || '${'b'.repeat(1_000)}') = 'a${i}'`).join(' or ')}`,
    /too_large/,
  ],
  [
    '100 texts that are padded to 4,000 bytes',
    () =>
      `select count(*) from athletes where ${Array.from({ length: 100 }, (_, i) => `lpad(town, 1000, '\u{1f600}') = 'a${i}'`).join(' or ')}`,
    /too_large/,
  ],
  [
    '60 greatest texts of each person, which are kept of all people at once',
    () =>
      `select count(*) from (select id, ${Array.from({ length: 60 }, (_, i) => `max(repeat(place, 15)) filter (where minutes > ${i}) as t${i}`).join(', ')} from sessions group by id) a where ${Array.from({ length: 60 }, (_, i) => `t${i} = 'a'`).join(' or ')}`,
    /too_large/,
  ],
  ...(
    [
      ['parts', "(string_to_array(town, ','))[2] = 'a'"],
      ['numbers of parts', "array_length(string_to_array(town, ','), 1) = 2"],
      ['looks into parts', "town = any (string_to_array(town, ','))"],
      ['numbers of matches', "regexp_count(town, 'a') = 2"],
    ] as const
  ).map(([name, condition]): (typeof declined)[number] => [
    `150 ${name} of a text, each of which makes a list of them`,
    () => `select count(*) from athletes where ${Array.from({ length: 150 }, () => condition).join(' or ')}`,
    /too_large/,
  ]),
  [
    'a text that each of 40 groups doubles',
    () =>
      chain('select id, max(place) as t from sessions group by id', {
        length: 40,
        next: 'select id, max(t || t) as t from PREVIOUS group by id',
        last: 'select count(*) from LAST where length(t) > 1',
      }),
    /too_large/,
  ],
  [
    'a text that each of 8 windows doubles',
    () =>
      chain('select id, place as t, at from sessions', {
        length: 8,
        next: "select id, at, concat_ws('-', t, lag(t) over (partition by id order by at)) as t from PREVIOUS",
        last: 'select count(*) from LAST where length(t) > 1',
      }),
    /too_large/,
  ],
  [
    'buckets within buckets, each printed twice',
    () =>
      `select count(*) from athletes where ${'width_bucket('.repeat(40)}height${', 0, 10, 5)'.repeat(40)} > 1`,
    /too_large/,
  ],
  [
    'BETWEEN SYMMETRIC within BETWEEN SYMMETRIC',
    () =>
      `select count(*) from athletes where ${'('.repeat(40)}smokes${' between symmetric true and false)'.repeat(40)}`,
    /too_large/,
  ],
  [
    'a pattern of repeats within repeats',
    () => `select count(*) from athletes where town ~ '((a{50}){50}){50}'`,
    /sql_function/,
  ],
  [
    'padding to a million',
    () => "select count(*) from athletes where lpad(town, 1000000, 'x') = 'a'",
    /sql_function/,
  ],
  [
    '300 group keys',
    () =>
      `select count(*) from athletes group by ${Array.from({ length: 300 }, (_, i) => `score + ${i}`).join(', ')}`,
    /column|too_large|sql/,
  ],
]

test('what is within an extract is read once: extracts within extracts', () => {
  const sql = `select count(*) from athletes where ${'extract(epoch from born - '.repeat(18)}1${')::int'.repeat(18)} > 1`
  const startedMs = monotonicMs()
  assert.match(read(sql), /^(approved|declined\.too_large)$/)
  // Read twice at each level it takes some ten seconds.
  assert.ok(monotonicMs() - startedMs < MANY_TIMES_TOO_LONG_MS, `${monotonicMs() - startedMs} ms`)
})

for (const [name, sql, code] of declined) {
  test(`one clear decline: ${name}`, () => {
    const text = sql()
    const before = process.memoryUsage().rss
    const startedMs = monotonicMs()
    assert.match(read(text), new RegExp(`^declined\\.(${code.source})`))
    assert.ok(monotonicMs() - startedMs < MANY_TIMES_TOO_LONG_MS)
    assert.ok(process.memoryUsage().rss - before < MEMORY_MAX_BYTES)
  })
}

/** Texts that a rule which tries every place again would need minutes for; each at most as long as a question may be. */
const TRIED_AGAIN: readonly (readonly [name: string, sql: string, parameter: string])[] = [
  ['a pattern of brackets that never close', 'town similar to $1', '['.repeat(60_000)],
  ['digits that are no number', 'score > $1', `${'1'.repeat(60_000)}x`],
  ['a list of nothing but spaces', 'tags && $1', `{${' '.repeat(60_000)}{}`],
]

for (const [name, condition, parameter] of TRIED_AGAIN) {
  test(`one clear decline: ${name}`, () => {
    const startedMs = monotonicMs()
    assert.match(read(`select count(*) from athletes where ${condition}`, [parameter]), /^declined\.sql/)
    assert.ok(monotonicMs() - startedMs < MANY_TIMES_TOO_LONG_MS / 4, `${monotonicMs() - startedMs} ms`)
  })
}

const DEAR_PARAMETERS: readonly (readonly [name: string, sql: string, parameters: readonly string[]])[] = [
  ['one of 7 MB', 'select count(*) from athletes where town = $1', ['a'.repeat(7_000_000)]],
  [
    'a hundred that are too long together',
    'select count(*) from athletes where town = $1',
    Array.from({ length: 100 }, () => 'a'.repeat(1_000)),
  ],
  [
    'one that is named 600 times in a condition',
    `select count(*) from athletes where ${Array.from({ length: 600 }, () => 'town = $1').join(' or ')}`,
    ['a'.repeat(60_000)],
  ],
]

for (const [name, sql, parameters] of DEAR_PARAMETERS) {
  test(`one clear decline: a long parameter, ${name}`, () => {
    const before = process.memoryUsage().rss
    const startedMs = monotonicMs()
    assert.equal(read(sql, parameters), 'declined.too_large')
    assert.ok(monotonicMs() - startedMs < MANY_TIMES_TOO_LONG_MS)
    assert.ok(process.memoryUsage().rss - before < MEMORY_MAX_BYTES)
  })
}

const WRONG_PARAMETERS: readonly (readonly [string | number | boolean | null, RegExp])[] = [
  ['no number', /^declined\.sql/],
  [true, /^declined\.sql/],
  [1e200, /^declined\.sql/],
  [Number.NaN, /^declined\.sql/],
  [Number.POSITIVE_INFINITY, /^declined\.sql/],
  ['a\0b', /^declined\.sql/],
  ['\udc00', /^declined\.sql/],
]

for (const [parameter, code] of WRONG_PARAMETERS) {
  test(`one clear decline: a parameter ${JSON.stringify(parameter)} for a number`, () => {
    assert.match(read('select count(*) from athletes where score > $1', [parameter]), code)
  })
}

/** A chain of sub-selects in which each names the one before in some way. */
function chain(
  first: string,
  { length, next, last }: { length: number; next: string; last: string },
): string {
  const links = Array.from(
    { length },
    (_, index) =>
      `c${index + 1} as (${next.replaceAll('PREVIOUS', `c${index}`).replaceAll('INDEX', String(index))})`,
  )
  return `with c0 as (${first}), ${links.join(', ')} ${last.replaceAll('LAST', `c${length}`)}`
}

const CHAINS: readonly (readonly [name: string, first: string, next: string, last: string])[] = [
  [
    'each doubles a value',
    'select id, score from athletes',
    'select id, score + score as score from PREVIOUS',
    'select sum(score) from LAST',
  ],
  [
    'each joins the one before twice',
    'select id, score from athletes',
    'select u.id, u.score from PREVIOUS u join PREVIOUS w using (id)',
    'select count(*) from LAST',
  ],
  [
    'each groups by the person',
    'select id, max(score) as s from athletes group by id',
    'select id, max(s) as s from PREVIOUS group by id',
    'select sum(s) from LAST',
  ],
  [
    'each groups by a value that names the one before twice',
    'select id, minutes from sessions',
    'select id, minutes + minutes % 7 as minutes from PREVIOUS group by id, minutes + minutes % 7',
    'select sum(minutes) from LAST',
  ],
  [
    'a group key that names each twice',
    'select id, minutes from sessions',
    'select id, minutes + minutes % 7 as minutes from PREVIOUS group by id, minutes + minutes % 7',
    'select minutes, count(*) from LAST group by minutes',
  ],
  [
    'each takes two aggregates of many rows',
    'select id, day, minutes from sessions',
    'select id, day, sum(minutes) as minutes, count(*) as nINDEX from PREVIOUS group by id, day',
    'select sum(minutes) from LAST',
  ],
  [
    'each filters',
    'select id, score from athletes',
    'select id, score from PREVIOUS where score > INDEX',
    'select count(*) from LAST',
  ],
  [
    'each puts a CASE around',
    'select id, score from athletes',
    'select id, case when score > INDEX then score else score end as score from PREVIOUS',
    'select count(*) from LAST where score > 1',
  ],
  [
    'none is used',
    'select id, score from athletes',
    'select u.id, u.score from PREVIOUS u join PREVIOUS w using (id) join PREVIOUS z using (id)',
    'select count(*) from athletes',
  ],
]

for (const [name, first, next, last] of CHAINS) {
  test(`no longer than to read it: a chain of 50 sub-selects, ${name}`, () => {
    const sql = chain(first, { length: 50, next, last })
    assert.ok(sql.length < LIMITS.queryTextBytesMax)
    const startedMs = monotonicMs()
    assert.match(read(sql), /^(approved|declined\.(too_large|sql_not_supported|column))$/)
    assert.ok(monotonicMs() - startedMs < MANY_TIMES_TOO_LONG_MS, `${monotonicMs() - startedMs} ms`)
  })
}
