import { strict as assert } from 'node:assert'
import { parseSync } from 'libpg-query'
import { manifestSchema } from '../src/protocol/data-set.ts'
import type { Manifest } from '../src/protocol/data-set.ts'
import { checkQuestion } from '../src/site/query/check-question.ts'
import { planAggregate } from '../src/site/query/plan/plan-aggregate.ts'
import { planRows } from '../src/site/query/plan/plan-rows.ts'
import type { PlanContext } from '../src/site/query/plan/plan-context.ts'
import { median } from './shared/median.ts'
import { scale, writeReport } from './shared/report.ts'

/** The gate (parse, check, bind, rewrite, print) over 455 questions of an analyst's kind, beside PostgreSQL's grammar alone. */
const size = scale()
const RUNS = Math.max(5, Math.round(25 * size))

const place = { within: ['EEA'] }
const athletes = manifest('athletes', 1, [
  { name: 'sex', type: 'text' },
  { name: 'sport', type: 'text' },
  { name: 'nationality', type: 'text' },
  { name: 'height', type: 'number', bounds: [1, 2.5] },
  { name: 'weight', type: 'number', bounds: [20, 250] },
  { name: 'gold', type: 'integer', bounds: [0, 10] },
  { name: 'born', type: 'date' },
  { name: 'profile', type: 'json' },
  { name: 'tags', type: 'text[]' },
])
const sessions = manifest('sessions', 50, [
  { name: 'minutes', type: 'integer', bounds: [0, 600] },
  { name: 'place', type: 'text' },
  { name: 'started', type: 'timestamp' },
])
const dataSets = new Map([athletes, sessions].map((one) => [one.dataSet, one]))
const context: PlanContext = {
  dialect: 'duckdb',
  relations: new Map(
    [...dataSets.keys()].map((name) => [
      name,
      { table: `ds_${name}`, eligible: 'e_1', personCount: 1_000_000, rowsPerPerson: 1 },
    ]),
  ),
}

const questions = corpus()
assert.equal(questions.length, 455)
const gateMs: number[] = []
const parseMs: number[] = []
for (let run = 0; run <= RUNS; run += 1) {
  for (const { sql, mode } of questions) {
    const parsed = timed(() => parseSync(sql))
    const gated = timed(() => pass(sql, mode))
    // The first run warms up.
    if (run > 0) {
      parseMs.push(parsed)
      gateMs.push(gated)
    }
  }
}
const slowest = gateMs.toSorted((a, b) => a - b)[Math.floor(gateMs.length * 0.99)] ?? Number.NaN
writeReport({
  name: 'gate',
  scale: size,
  figures: [
    {
      name: 'parse, check, rewrite, print: median',
      value: median(gateMs),
      unit: 'ms',
      baseline: median(parseMs),
      goal: 'at most 0.5',
      met: median(gateMs) <= 0.5,
    },
    { name: 'the same: 99 of 100', value: slowest, unit: 'ms' },
  ],
})

function pass(sql: string, mode: 'aggregate' | 'rows'): string {
  const checked = checkQuestion(sql, { mode, dataSets })
  if (!checked.ok) throw new Error(`${sql}: ${checked.error.code} ${checked.error.detail}`)
  return mode === 'rows'
    ? planRows(checked.value, context).statement.sql
    : planAggregate(checked.value, context).collect.sql
}

function timed(act: () => unknown): number {
  const start = performance.now()
  act()
  return performance.now() - start
}

function manifest(dataSet: string, rowsMax: number, columns: readonly object[]): Manifest {
  return manifestSchema.parse({
    dataSet,
    title: dataSet,
    issuer: 'federation',
    person: { key: 'id', rowsMax },
    columns: [{ name: 'id', type: 'text' }, ...columns],
    legalBasis: 'eu-gdpr:A6-1-a',
    purposes: ['dpv:AcademicResearch'],
    modes: ['aggregate', 'rows'],
    perimeter: { store: place, process: place, release: place },
    retention: { period: 'P5Y', from: '2026-01-01' },
    tariff: { currency: 'EUR', capMinor: 1_000 },
    splits: { issuer: 6_000, custodian: 2_000, network: 1_000, subjects: 1_000 },
  })
}

/** Five keys, eighteen selections and five conditions, and a set of groups for each condition: 455 questions. */
function corpus(): readonly { readonly sql: string; readonly mode: 'aggregate' | 'rows' }[] {
  const keys = [
    'sex',
    'sport, sex',
    'extract(year from born)',
    "case when weight < 60 then 'light' when weight < 90 then 'middle' else 'heavy' end",
    'floor(height / 0.1) * 0.1',
  ]
  const conditions = [
    'true',
    "sex = 'female'",
    "height between 1.5 and 2.1 and sport in ('rowing', 'golf', 'judo', 'sailing')",
    "born >= '1990-01-01' and coalesce(weight, 70) > 60 and nationality not like 'IR%'",
    "gold > 0 or (weight / (height * height)) < 25 or born + interval '20 years' < '2016-08-05'",
  ]
  const selections: readonly ((key: string, where: string) => string)[] = [
    (key, where) =>
      `select ${key} as k, count(*) as n from athletes where ${where} group by ${key} order by n desc limit 20`,
    (key, where) =>
      `select ${key} as k, count(*), round(avg(height), 2), avg(weight), stddev(weight), sum(gold) from athletes where ${where} group by ${key} having count(*) >= 20 order by 1`,
    (key, where) =>
      `select ${key} as k, count(*) filter (where gold > 0) as medalled, avg(weight / (height * height)) as bmi, count(distinct id) from athletes where ${where} group by ${key}`,
    (key, where) =>
      `select ${key} as k, avg(case when gold > 0 then 1.0 else 0.0 end) as share, sum(gold) / count(*) as mean from athletes where ${where} group by ${key}`,
    (key, where) =>
      `with picked as (select id, sex, sport, born, height, weight, gold from athletes where ${where}) select ${key} as k, avg(height), count(*) from picked group by ${key}`,
    (key, where) =>
      `with t as (select id, avg(minutes) as mean, count(*) as visits from sessions where started >= '2026-01-01' group by id) select ${key} as k, avg(t.mean), sum(t.visits) from athletes a join t on t.id = a.id where ${where} group by ${key}`,
    (key, where) =>
      `select ${key} as k, sum(s.minutes), count(distinct a.id) as people from athletes a join sessions s using (id) where s.minutes > 5 and (${where}) group by ${key}`,
    (key, where) =>
      `select id, ${key.split(',')[0]} as k, height * 100 as cm, upper(left(sport, 3)) || '-' || sex as tag, born from athletes where ${where} order by height desc nulls last, born limit 500`,
  ]
  const plain = keys.flatMap((key) =>
    conditions.flatMap((where) =>
      selections.map((select, index) => ({
        sql: select(key, where),
        mode: index === 7 ? ('rows' as const) : ('aggregate' as const),
      })),
    ),
  )
  return [...plain, ...furtherQuestions(keys, conditions)]
}

/** Sub-queries, outer joins, windows and several sets of groups. */
function furtherQuestions(
  keys: readonly string[],
  conditions: readonly string[],
): readonly { readonly sql: string; readonly mode: 'aggregate' }[] {
  const shapes: readonly ((key: string, where: string) => string)[] = [
    (key, where) =>
      `select ${key} as k, count(*) as n, count(*) filter (where exists (select 1 from sessions s where s.id = a.id and s.started >= a.born + interval '20 years' and s.minutes > 30)) as active from athletes a where ${where} and a.id not in (select id from sessions group by id having count(*) > 40) group by ${key}`,
    (key, where) =>
      `select ${key} as k, count(distinct s.id) as visitors, sum(s.minutes), count(*) filter (where s.id is null) as without from athletes a left join (select id, minutes from sessions where place = 'gym') s on s.id = a.id where ${where} group by ${key}`,
    (key, where) =>
      `select ${key} as k, count(*), count(*) filter (where (select avg(minutes) from sessions s where s.id = a.id) > 30) as long from athletes a left join (select id, started, row_number() over (partition by id order by started) as visit from sessions) f on f.id = a.id and f.visit = 1 where (${where}) and to_char(f.started, 'YYYY-MM') > '2025-06' group by ${key}`,
  ]
  const laterals: readonly ((key: string, where: string) => string)[] = [
    (key, where) =>
      `select ${key} as k, count(*) as n, avg(x.visits) from athletes a cross join lateral (select count(*) as visits, max(minutes) as longest from sessions s where s.id = a.id and s.started > a.born + interval '18 years') x where x.longest > 20 and (${where}) group by ${key}`,
    (key, where) =>
      `select ${key} as k, count(*), sum(t.minutes) from athletes a join (select distinct on (id) id, minutes, place from sessions order by id, started desc) t using (id) where t.place ~ '^(gym|pool)$' and (${where}) group by ${key}`,
    (key, where) =>
      `with active as (select id from sessions where minutes > 30 union select id from athletes where gold > 2 except select id from sessions where place = 'home') select ${key} as k, count(*), avg(height) from athletes a join active using (id) where ${where} group by ${key}`,
    (key, where) =>
      `select ${key} as k, count(*) filter (where w.week > 120) as busy, count(*) from athletes a join (select id, sum(minutes) over (partition by id order by started rows between 6 preceding and current row) as week from sessions) w using (id) where (${where}) and a.gold >= all (select minutes / 60 from sessions s where s.id = a.id) group by ${key}`,
    (key, where) =>
      `select ${key} as k, count(*), avg((select minutes from sessions s where s.id = a.id order by started limit 1)) from athletes a where (sex, gold) in (('f', 1), ('m', 2)) or weight between symmetric 90 and 50 or ${where} group by ${key}`,
  ]
  const documents: readonly ((key: string, where: string) => string)[] = [
    (key, where) =>
      `select ${key} as k, count(*), count(profile ->> 'city') as located, count(*) filter (where (profile #>> '{home,rooms}')::int > 3) as roomy from athletes where (${where}) and profile @> '{"home": {"garden": true}, "likes": ["run"]}' and profile -> 'likes' ? 'swim' group by ${key}`,
    (key, where) =>
      `select ${key} as k, count(*), avg(cardinality(tags)) as mean, count(*) filter (where 'run' = any (tags)) as runners from athletes where (${where}) and tags && array['run', 'swim', 'row'] and tags[1] <> 'row' group by ${key}`,
  ]
  const sets = conditions.map(
    (where) =>
      `select sex, sport, count(*), avg(height) from athletes a where ${where} group by rollup (sex, sport) having count(*) > 20 order by 1 nulls last, 2 nulls last`,
  )
  const texts = [
    ...keys.flatMap((key) =>
      conditions.flatMap((where) =>
        [...shapes, ...laterals, ...documents].map((select) => select(key, where)),
      ),
    ),
    ...sets,
  ]
  return texts.map((sql) => ({ sql, mode: 'aggregate' as const }))
}
