import type { Asked } from './ask-engine.ts'
import { testManifest } from './two-engines.ts'
import type { TestDataSet } from './two-engines.ts'

const athletes = testManifest('athletes', {
  dimensionsMax: 3,
  columns: [
    { name: 'name', type: 'text', sensitivity: 'direct_identifier' },
    { name: 'sex', type: 'text', isRequired: true },
    { name: 'height', type: 'number', bounds: [1, 2.5], unit: 'm', isRequired: true },
    { name: 'weight', type: 'number', bounds: [20, 250], unit: 'kg' },
    { name: 'born', type: 'date', minimumBin: 'year' },
    { name: 'gold', type: 'integer', bounds: [0, 5] },
  ],
})

const sessions = testManifest('sessions', {
  rowsMax: 3,
  columns: [
    { name: 'started', type: 'timestamp' },
    { name: 'minutes', type: 'integer', bounds: [0, 600] },
    { name: 'at', type: 'text' },
  ],
})

function athlete(person: number): TestDataSet['rows'][number] {
  return [
    person,
    `name ${person}`,
    person % 3 === 0 ? 'female' : 'male',
    1.5 + person / 100,
    person % 5 === 0 ? null : 50 + person,
    `${1980 + (person % 4)}-05-${10 + person}`,
    person % 4 === 0 ? 1 : 0,
  ]
}

/** Twelve athletes with sessions; numbers 10 and 11 are not eligible. */
export const goldenData = {
  dataSets: [
    { manifest: athletes, rows: Array.from({ length: 12 }, (_, person) => athlete(person)) },
    {
      manifest: sessions,
      rows: Array.from({ length: 24 }, (_, row): TestDataSet['rows'][number] => [
        row % 12,
        `2026-0${1 + (row % 3)}-1${row % 10} 0${row % 10}:30:00`,
        row * 10,
        row % 2 === 0 ? 'home' : 'gym',
      ]),
    },
  ],
  eligible: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
} as const

/** What a reader should see of the gate's work, each in one question. */
export const GOLDEN_CASES: readonly (Pick<Asked, 'sql' | 'mode' | 'parameters'> & {
  readonly name: string
})[] = [
  { name: 'count-by-text', sql: 'select sex, count(*) from athletes group by sex order by sex' },
  {
    name: 'average-of-required-column',
    sql: 'select sex, round(avg(height), 2) as height from athletes group by sex order by sex',
  },
  { name: 'sum-with-zeros', sql: 'select sex, sum(gold) as gold from athletes group by sex order by sex' },
  { name: 'variance', sql: 'select round(stddev_samp(weight), 3) from athletes' },
  {
    name: 'filter',
    sql: "select sex, count(*) filter (where born >= '1982-01-01') as young, avg(weight) filter (where gold > 0) as weight from athletes group by sex order by sex",
  },
  {
    name: 'having-order-limit',
    sql: 'select extract(year from born) as year, count(*) as athletes from athletes group by 1 having count(*) > 2 order by count(*) desc, 1 limit 2',
  },
  {
    name: 'parameters',
    sql: 'select count(*) from athletes where sex = $1 and height > $2 and born < $3',
    parameters: ['female', 1.52, '1983-01-01'],
  },
  {
    name: 'bins',
    sql: 'select width_bucket(weight, 40, 70, 3) as bucket, count(*) from athletes group by 1 order by 1',
  },
  { name: 'product', sql: 'select round(avg(weight / (height * height)), 2) as bmi from athletes' },
  { name: 'case', sql: "select avg(case when sex = 'female' then 1.0 else 0.0 end) as share from athletes" },
  {
    name: 'people',
    sql: 'select s.at, count(distinct s.id) as people, count(*) as sessions, sum(s.minutes) from sessions s group by s.at order by s.at',
  },
  {
    name: 'join',
    sql: 'select a.sex, avg(s.minutes) from athletes a join sessions s using (id) where s.minutes > 20 group by a.sex order by a.sex',
  },
  {
    name: 'cte',
    sql: "with young as (select id, sex, height * 100 as cm from athletes where born >= '1981-01-01') select sex, round(avg(cm), 1) as cm from young group by sex order by sex",
  },
  {
    name: 'per-person',
    sql: 'with t as (select id, avg(minutes) as mean, count(*) as n from sessions group by id) select a.sex, round(avg(t.mean), 1), sum(t.n) from athletes a join t on t.id = a.id group by a.sex order by a.sex',
  },
  {
    name: 'rows',
    mode: 'rows',
    sql: "select id, sex, height, born + 1 as next_day, date_trunc('month', born) as month from athletes where weight is not null order by height desc limit 3",
  },
  { name: 'rows-star', mode: 'rows', sql: 'select * from athletes order by height limit 2' },
  {
    name: 'quoting',
    mode: 'rows',
    sql: "select at as \"select\", 'it''s \"; drop table x; --' as text from sessions order by minutes limit 1",
  },
]
