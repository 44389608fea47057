import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { FURTHER_SHAPES } from './arbitrary-further-question.ts'
import { POPULATIONS, questionWorld } from './question-world.ts'
import { storedText } from '../../../src/site/vault/stored-json.ts'
import { testManifest } from './two-engines.ts'

/* JSON documents and lists: what may be asked of them, what the answer says of the rest, and that it is what PostgreSQL says of `jsonb` and arrays. */

const world = await questionWorld()
after(() => world[Symbol.asyncDispose]())

const people = testManifest('people', {
  columns: [
    { name: 'profile', type: 'json' },
    { name: 'health', type: 'json', sensitivity: 'special_category' },
    { name: 'letter', type: 'json', sensitivity: 'free_text' },
    { name: 'tags', type: 'text[]' },
    { name: 'marks', type: 'integer[]' },
    { name: 'times', type: 'number[]' },
    { name: 'town', type: 'text' },
  ],
})
const dataSets = new Map([['people', people]])

function ask(sql: string, mode: 'aggregate' | 'rows' | 'private' = 'aggregate') {
  return checkQuestion(sql, { mode, dataSets })
}

const ANSWERED: readonly string[] = [
  "select profile ->> 'city', count(*) from people group by 1",
  "select count(*) from people where profile #>> '{home, \"the zip\", 0}' = '1' and profile #> '{a}' is not null",
  "select count(*) from people where (profile ->> 'age')::int > 30 and (profile -> 'age')::numeric < 90.5 and (profile ->> 'on')::boolean",
  "select floor((profile ->> 'height')::float8 / 10), count(*) from people group by 1",
  `select count(*) from people where profile @> '{"a": {"b": [1, "x", null]}, "c": true}' and profile ? 'a' and profile ?| array['a', 'b']`,
  "select jsonb_typeof(profile), jsonb_array_length(profile -> 'a'), count(*) from people group by 1, 2",
  "select tags[1], cardinality(tags), count(*) from people where 'a' = any(tags) and town <> all(tags) and tags && '{a,\"b c\"}' group by 1, 2",
  'select count(*) from people where marks @> array[1, 2] and array[1, 2] <@ marks and times && array[1, 2.5] and marks[2] > 3',
  'select sum(cardinality(tags)), avg(array_length(marks, 1)) from people',
  'select count(profile), count(tags) from people where profile is not null and tags is null',
  "select town from people where (select count(*) from people p where p.id = people.id and p.profile ? 'a') > 0 group by town",
  "select profile -> '01' ->> '-1', count(*) from people where profile -> '0' is null group by 1",
]
for (const sql of ANSWERED) {
  test(`answered: ${sql}`, () => {
    const checked = ask(sql)
    assert.ok(checked.ok, JSON.stringify(checked))
  })
}

test('rows show documents and lists as JSON texts', () => {
  assert.ok(ask('select id, profile, tags, profile -> $$a$$ as a from people order by town', 'rows').ok)
})

const DECLINED: readonly (readonly [sql: string, detail: RegExp])[] = [
  ['select profile, count(*) from people group by 1', /json to group, order or tell apart by/],
  ['select count(*) from people group by tags', /text\[\] to group/],
  ['select distinct profile from people', /json to group/],
  ['select count(*) from (select id, max(profile) as m from people group by id) t', /"max" of json/],
  ['select count(*) from (select distinct id, tags from people) t', /text\[\] to group/],
  ['select count(*) from people where profile = profile', /= of \(json, json\)/],
  ['select count(*) from people where tags = tags', /= of \(text\[\], text\[\]\)/],
  ["select count(*) from people where profile ->> town = 'x'", /-> of \(json, text\)/],
  ['select count(*) from people where profile @> \'{"a": [{}]}\'', /a list that holds objects/],
  ["select count(*) from people where profile @> '{'", /one that is written out/],
  ["select count(*) from people where profile #>> array[town] = 'x'", /texts that are written out/],
  ["select count(*) from people where profile #>> '{-1}' = 'x'", /#> of/],
  ["select count(*) from people where tags && array['a', null]", /values that are written out/],
  ['select count(*) from people where tags && array[town]', /values that are written out/],
  ["select count(*) from people where tags && '{a,{b}}'", /&& of/],
  ['select count(*) from people where marks[cardinality(marks)] = 1', /expected from: a whole number/],
  ['select count(*) from people where marks[1:2] is null', /a slice/],
  ["select count(*) from people where 'a' < any(tags)", /= ANY and <> ALL/],
  ['select times[1], count(*) from people group by 1', /may only be grouped by in bins/],
  ['select sum((profile ->> $$age$$)::int) from people', /bounds cannot be told/],
  ['select sum(marks[1]) from people', /bounds cannot be told/],
  ['select count(*) from people, lateral unnest(tags) t', /a function as a relation/],
  ["select count(*) from people where (town::jsonb) ? 'a'", /the type "jsonb"/],
  ['select count(*) from people where profile::text like $$%a%$$', /the cast from json to text/],
  ["select count(*) from people where letter ->> 'a' = 'b'", /letter/],
  ['select count(*) from people where to_jsonb(people) ? $$a$$', /whole row|"people"/],
  ["select count(*) from people where jsonb_path_exists(profile, '$.a')", /whole row|a document is read/],
]
for (const [sql, detail] of DECLINED) {
  test(`declined: ${sql}`, () => {
    const checked = ask(sql)
    assert.ok(!checked.ok)
    assert.match(checked.error.detail ?? '', detail)
  })
}

test('whatever is taken out of a document is a use of its column, in the clause where it is taken out', () => {
  const checked = ask(
    "with t as (select id, profile -> 'a' as a, tags as t from people where health ->> 'b' = 'c') select a ->> 'x', count(*) filter (where 'y' = any (t)) from t group by 1",
  )
  assert.ok(checked.ok)
  assert.deepEqual(
    checked.value.uses.map(({ column, clause }) => `${column} ${clause}`),
    ['health where', 'profile select', 'profile group', 'tags filter'],
  )
})

test('what is asked of documents and lists is what PostgreSQL says where the others never were', async () => {
  const { documents, 'documents of a person': ofPerson } = FURTHER_SHAPES
  assert.ok(documents && ofPerson)
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(documents, ofPerson),
      fc.nat({ max: POPULATIONS - 1 }),
      async (sql, population) => {
        await world.check(sql, population)
      },
    ),
    { seed: 20_261_127, numRuns: 60 },
  )
})

test('a document is kept in one form, which is the form of what is taken out of it', () => {
  assert.equal(
    storedText(' {"b": 1.0, "a": [1e3, -0.0, 1E+22, 1e-7], "b": "\\u001f\\/\\u00e9"} ', 'json'),
    '{"a":[1000,0,1e22,1e-7],"b":"\\u001F/é"}',
  )
  for (const text of [
    '{',
    '"\\u0000"',
    '"\\ud800"',
    '1e400',
    `${'['.repeat(33)}${']'.repeat(33)}`,
    '',
    '{"\\u0000": 1}',
  ])
    assert.equal(storedText(text, 'json'), undefined, text)
  for (const text of ['[1.5]', '[null]', '["1"]', '{}', '[9007199254740992]', '1'])
    assert.equal(storedText(text, 'integer[]'), undefined, text)
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      const once = storedText(text, 'json')
      return once === undefined || storedText(once, 'json') === once
    }),
  )
})
