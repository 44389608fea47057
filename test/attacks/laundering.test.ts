import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkQuestion } from '../../src/site/query/check-question.ts'
import { athletes, sessions } from './worlds.ts'

/*
 * Laundering: a column that is used under another name, through a sub-select, a CTE, a whole row, a JSON function, a
 * natural join, an order. Measure of success: a question that is accepted and whose uses do not name the column in the
 * clause where it decides or is shown.
 */

const dataSets = new Map([athletes, sessions].map((manifest) => [String(manifest.dataSet), manifest]))

function usesOf(sql: string, mode: 'aggregate' | 'rows' = 'aggregate'): readonly string[] | undefined {
  const checked = checkQuestion(sql, { mode, dataSets })
  return checked.ok ? checked.value.uses.map(({ column, clause }) => `${column} ${clause}`) : undefined
}

/** One meaning: towns with the heights of those who do not smoke. Each spelling uses the same columns in the same clauses. */
const SPELLINGS = [
  'select town, avg(height) from athletes where not smokes group by town',
  'select a.town as x, avg(a.height) as y from athletes as a where not a.smokes group by a.town',
  'select t, avg(h) from (select town as t, height as h from athletes where not smokes) s group by t',
  'select t, avg(h) from (select town, height, smokes from athletes) s(t, h, k) where not k group by 1',
  'with c as (select * from athletes), d as (select town as smokes, height as town, smokes as height from c) select smokes, avg(town) from d where not height group by smokes',
  'with "height" as (select * from athletes) select "height".town, avg("height".height) from "height" where not "height".smokes group by 1',
]

for (const sql of SPELLINGS) {
  test(`the same columns in the same clauses: ${sql}`, () => {
    assert.deepEqual(usesOf(sql)?.toSorted(), ['height select', 'smokes where', 'town group', 'town select'])
  })
}

/** Each decides by a column that it never shows. */
const DECIDING: readonly (readonly [sql: string, use: string, mode?: 'aggregate' | 'rows'])[] = [
  ['select count(*) from athletes where smokes', 'smokes where'],
  ['select count(*) filter (where smokes) from athletes', 'smokes filter'],
  ['select sum(case when smokes then score end) from athletes', 'smokes select'],
  ['select town, count(*) from athletes group by town having avg(height) > 1', 'height having'],
  ['select town, count(*) from athletes group by town order by avg(height)', 'height order'],
  ['select town from athletes order by height', 'height order', 'rows'],
  ['select town from athletes order by 1, height limit 3', 'height order', 'rows'],
  ['select count(*) from athletes a join sessions s on a.id = s.id and s.minutes > 20', 'minutes join'],
  ['select count(*) from (select * from athletes where smokes) t', 'smokes where'],
  [
    'select count(*) from athletes join (select id, max(minutes) as m from sessions group by id) v using (id) where m > 5',
    'minutes where',
  ],
  [
    'select count(*) from athletes join (select id, count(*) as n from sessions where minutes > 20 group by id) v using (id)',
    'minutes where',
  ],
  [
    'select count(*) from athletes a where exists (select 1 from sessions s where s.id = a.id and s.minutes > 20)',
    'minutes where',
  ],
  ["select count(*) from athletes where profile ->> 'team' = 'red'", 'profile where'],
  [`select count(*) from athletes where profile @> '{"likes": ["run"]}'`, 'profile where'],
  [
    "select count(*) from (select id, profile -> 'likes' as x from athletes) t where x ? 'run'",
    'profile where',
  ],
  ["select count(*) filter (where 'a' = any (tags)) from athletes", 'tags filter'],
  [
    "select town, count(*) from athletes group by town having count(profile #> '{age}') > 1",
    'profile having',
  ],
  [
    'select count(*) from athletes a join sessions s on a.id = s.id and s.minutes = any (a.marks)',
    'marks join',
  ],
  ["select town from athletes order by profile ->> 'age'", 'profile order', 'rows'],
  ['select cardinality(tags) from athletes', 'tags select', 'rows'],
  ["select coalesce(town, 'x') from athletes", 'town select', 'rows'],
  ['select nullif(score, medals) from athletes', 'medals select', 'rows'],
]

for (const [sql, use, mode] of DECIDING) {
  test(`is a use: ${sql}`, () => {
    const uses = usesOf(sql, mode)
    assert.ok(uses?.includes(use), `${use} is not among ${uses?.join(', ')}`)
  })
}

/** Ways around names: each is declined, or names what it uses. */
const AROUND: readonly (readonly [sql: string, uses: RegExp])[] = [
  ['select to_json(a) from athletes a', /height select/],
  ['select row(a.*) from athletes a', /height select/],
  ['select a from athletes a', /height select/],
  ["select to_jsonb(a) ->> 'height' from athletes a", /height select/],
  ['select a.*::text from athletes a', /height select/],
  ['select (a).height from athletes a', /height select/],
  ['select place from athletes natural join sessions', /place select/],
  ['select town from athletes union select place from sessions', /place select/],
  ['select array[height] from athletes', /height select/],
  ["select to_jsonb(profile) ->> 'team' from athletes", /profile select/],
  ["select jsonb_build_object('a', height) ->> 'a' from athletes", /height select/],
  ['select (profile || to_jsonb(height)) ->> 0 from athletes', /height select/],
  ['select array_append(tags, town) from athletes', /town select/],
  ['select t.value from athletes a, jsonb_each_text(to_jsonb(a)) t', /height select/],
  ['select json_object_agg(town, height) from athletes', /height select/],
  ["select json_object('a': height) from athletes", /height select/],
  ['select * from athletes', /height select/],
]

for (const [sql, expected] of AROUND) {
  test(`declined, or a use: ${sql}`, () => {
    const uses = usesOf(sql, 'rows')
    if (uses) assert.match(uses.join(', '), expected)
  })
}
