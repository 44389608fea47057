import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { CompiledQuery } from 'kysely'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { askEngine } from './ask-engine.ts'
import { testManifest, twoEngines } from './two-engines.ts'
import type { TestDataSet } from './two-engines.ts'

/*
 * The gate against an oracle that knows nothing of it: the text as it was sent, on a database that never held the
 * people who are not eligible. With nothing suppressed both give the same rows. The others carry marker values, so
 * that one of them in any sum, count or group would show.
 */

const engines = await twoEngines()
const oracle = await testPostgres()
after(async () => {
  await engines[Symbol.asyncDispose]()
  await oracle[Symbol.asyncDispose]()
})

const PEOPLE = 40
const athletes = testManifest('athletes', {
  dimensionsMax: 3,
  columns: [
    { name: 'sex', type: 'text' },
    { name: 'sport', type: 'text' },
    { name: 'height', type: 'number', bounds: [0, 1_000_000] },
    { name: 'gold', type: 'integer', bounds: [-10, 1_000_000] },
    { name: 'born', type: 'date' },
  ],
})
const sessions = testManifest('sessions', {
  rowsMax: 4,
  columns: [
    { name: 'minutes', type: 'integer', bounds: [0, 1_000_000] },
    { name: 'place', type: 'text' },
    { name: 'started', type: 'timestamp' },
  ],
})

type Row = TestDataSet['rows'][number]

/** A person who is not eligible is 777,777 of everything and plays `marker`. */
function rowsOf(eligible: ReadonlySet<number>): {
  readonly athletes: readonly Row[]
  readonly sessions: readonly Row[]
} {
  const athleteRows = Array.from({ length: PEOPLE }, (_, person): Row =>
    eligible.has(person)
      ? [
          person,
          person % 3 === 0 ? 'f' : 'm',
          ['golf', 'rowing', null][person % 3 === 2 ? 2 : person % 2] ?? null,
          person % 7 === 0 ? null : 1.5 + (person % 11) / 16,
          (person % 5) - 1,
          `${1985 + (person % 6)}-0${1 + (person % 9)}-15`,
        ]
      : [person, 'x', 'marker', 777_777, 777_777, '1977-07-07'],
  )
  const sessionRows = Array.from({ length: PEOPLE * 4 }, (_, index): Row => {
    const person = index % PEOPLE
    return eligible.has(person)
      ? [
          person,
          index % 9 === 0 ? null : (index * 7) % 50,
          index % 4 === 0 ? 'home' : 'gym',
          `2026-0${1 + (index % 6)}-1${index % 10} 1${index % 10}:00:00`,
        ]
      : [person, 777_777, 'marker', '1977-07-07 07:07:07']
  }).filter((_, index) => index % 3 !== 0 || index % 2 === 0)
  return { athletes: athleteRows, sessions: sessionRows }
}

const oneKey = fc.constantFrom(
  'sex',
  'sport',
  'extract(year from born)::int',
  "case when height < 1.8 then 'short' when height >= 1.8 then 'tall' end",
  'gold',
  "coalesce(sport, 'none')",
  'round(height)::int',
  "date_trunc('year', born)",
)
const measure = fc.constantFrom(
  'count(*)',
  'count(height)',
  'count(distinct id)',
  'sum(gold)',
  'avg(height)',
  'sum(height * gold)',
  'avg(gold) * 2 + 1',
  'stddev_samp(gold)',
  'var_pop(height)',
  'sum(gold) / count(*)',
  "count(*) filter (where sex = 'f')",
  "sum(height) filter (where sport like 'g%')",
  "avg(case when sport = 'golf' then height end)",
  'sum(case when gold > 0 then 1 else 0 end)',
  'round((avg(height) * 100)::numeric)',
  'coalesce(sum(gold) filter (where height is null), -1)',
  'greatest(avg(height), 1.7)',
)
const condition = fc.constantFrom(
  'true',
  'height > 1.7',
  "sex <> 'f'",
  "born between '1986-01-01' and '1989-12-31'",
  'gold in (0, 1, 3)',
  'height is null or gold < 2',
  "sport ilike 'R%'",
  'extract(month from born) % 2 = 0',
  "not (sport = 'golf')",
  "born + interval '3 months' > '1987-01-01'",
)
const having = fc.constantFrom('', 'having count(*) > 1', 'having avg(height) > 1.6 or sum(gold) > 2')

const plain = fc
  .tuple(
    fc.uniqueArray(oneKey, { maxLength: 2 }),
    fc.array(measure, { minLength: 1, maxLength: 4 }),
    condition,
    having,
  )
  .map(
    ([keys, measures, where, filter]) =>
      `select ${[...keys, ...measures].map((text, index) => `${text} as o${index}`).join(', ')} from athletes where ${where} ${keys.length === 0 ? '' : `group by ${keys.map((_, index) => index + 1).join(', ')}`} ${keys.length === 0 ? '' : filter}`,
  )
const joined = fc
  .tuple(
    fc.constantFrom('a.sex', 's.place', "date_trunc('month', s.started)"),
    fc.constantFrom(
      'sum(s.minutes)',
      'avg(s.minutes)',
      'count(distinct a.id)',
      'count(*)',
      'count(s.minutes)',
    ),
    condition,
  )
  .map(
    ([key, aggregate, where]) =>
      `select ${key} as k, ${aggregate} as m from athletes a join sessions s using (id) where ${where} group by 1`,
  )
const perPerson = fc
  .tuple(
    fc.constantFrom(
      'avg(minutes)',
      'sum(minutes)',
      'max(minutes)',
      'count(*)',
      "count(*) filter (where place = 'gym')",
    ),
    fc.constantFrom('avg(t.v)', 'sum(t.v)', 'count(t.v)'),
    condition,
  )
  .map(
    ([inner, outer, where]) =>
      `with t as (select id, ${inner} as v from sessions where minutes is not null group by id) select a.sex, ${outer} as m, count(*) as n from t join athletes a on a.id = t.id where ${where} group by a.sex`,
  )
const question = fc.oneof({ weight: 3, arbitrary: plain }, joined, perPerson)

async function askOracle(
  sql: string,
  rows: ReturnType<typeof rowsOf>,
  eligible: ReadonlySet<number>,
): Promise<readonly (readonly unknown[])[]> {
  const run = (text: string) => oracle.db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text))
  await run('drop table if exists athletes, sessions')
  await run(
    'create table athletes (id text, sex text collate "C", sport text collate "C", height float8, gold bigint, born date)',
  )
  await run('create table sessions (id text, minutes bigint, place text collate "C", started timestamp)')
  for (const [table, list] of Object.entries(rows)) {
    const values = list
      .filter(([person]) => eligible.has(person))
      .map((row) => `(${row.map((cell) => (cell === null ? 'null' : `'${cell}'`)).join(', ')})`)
    if (values.length > 0) await run(`insert into ${table} values ${values.join(', ')}`)
  }
  const { rows: found } = await run(
    sql.replaceAll(/date_trunc\([^)]*\)/g, (text) => `to_char(${text}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`),
  )
  return found.map((row) => Object.values(row))
}

/** Numbers to 10 digits, in any order of rows. */
function comparable(rows: readonly (readonly unknown[])[]): readonly string[] {
  return rows
    .map((row) =>
      JSON.stringify(
        row.map((cell) => {
          const number =
            typeof cell === 'number' ||
            typeof cell === 'bigint' ||
            (typeof cell === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(cell))
              ? Number(cell)
              : undefined
          return number === undefined ? cell : Math.abs(number) < 1e-12 ? 0 : Number(number.toPrecision(10))
        }),
      ),
    )
    .toSorted()
}

for (const name of ['duckdb', 'postgres'] as const) {
  test(`on ${name} the gate gives what the text gives where the others never were`, async () => {
    const people = fc.uniqueArray(fc.nat({ max: PEOPLE - 1 }), { maxLength: PEOPLE })
    await fc.assert(
      fc.asyncProperty(question, people, async (sql, list) => {
        const eligible = new Set(list)
        const rows = rowsOf(eligible)
        const dataSets = [
          { manifest: athletes, rows: rows.athletes },
          { manifest: sessions, rows: rows.sessions },
        ]
        const answer = await askEngine(engines[name], { sql, dataSets, eligible: list })
        if (!answer.ok) assert.fail(`${sql}: ${answer.error.code} ${answer.error.detail}`)
        assert.deepEqual(comparable(answer.value.rows), comparable(await askOracle(sql, rows, eligible)), sql)
        for (const { people: behind } of answer.value.groups)
          for (const person of behind) assert.ok(eligible.has(person))
      }),
      { seed: 20_261_124, numRuns: 60 },
    )
  })
}
