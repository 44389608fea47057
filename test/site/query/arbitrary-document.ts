import fc from 'fast-check'
import { conditionOfAthlete } from './arbitrary-condition.ts'
import { oneOf } from './one-of.ts'

/* Questions about documents and lists. */

/** What is taken out of a document or a list of the person's row. */
const documentValue = oneOf(
  "a.profile ->> 'city'",
  "a.profile #>> '{home,zip}'",
  "a.profile -> 'home' ->> 'zip'",
  "a.profile #>> '{likes,0}'",
  "a.profile -> 'likes' ->> -1",
  "a.profile ->> '0'",
  "jsonb_typeof(a.profile -> 'age')",
  "jsonb_array_length(a.profile -> 'likes')",
  "(a.profile -> 'home' ->> 'is_new')::boolean",
  'a.tags[1]',
  'a.tags[2]',
  'cardinality(a.tags)',
  'array_length(a.tags, 1)',
  'a.marks[3]',
  "floor((a.profile ->> 'score')::float8 / 2)",
)
const documentCondition = oneOf(
  "a.profile ->> 'city' = 'Cork'",
  "(a.profile ->> 'age')::int > 25",
  "(a.profile ->> 'score')::float8 between 1.2 and 3.5",
  "a.profile ? 'age'",
  "a.profile -> 'likes' ? 'run'",
  "a.profile ?| array['age', 'nothing']",
  "a.profile ?& '{city,age}'",
  `a.profile @> '{"city": "Cork"}'`,
  `a.profile @> '{"home": {"zip": "Z1", "is_new": false}}'`,
  `a.profile @> '{"likes": ["run", 2]}'`,
  `a.profile -> 'likes' @> '1'`,
  `a.profile @> '{"home": {}, "likes": []}'`,
  `a.profile @> '{"age": null}'`,
  "a.profile -> 'age' is null",
  'a.profile is not null',
  "a.profile #> '{home,is_new}' is not null",
  "'run' = any (a.tags)",
  'a.sport <> all (a.tags)',
  "a.tags && array['run', 'swim']",
  "a.tags @> '{row}'",
  "a.tags <@ array['row', 'swim']",
  'a.gold = any (a.marks)',
  '3 = any (a.marks)',
  'a.marks @> array[3, 1]',
  "a.tags[1] <> 'run' or a.tags is null",
)
export const documents = fc
  .tuple(
    documentValue,
    fc.array(
      fc.oneof(
        oneOf(
          'count(*)',
          'sum(cardinality(a.tags))',
          'avg(array_length(a.tags, 1))',
          "count(a.profile ->> 'age')",
          'count(a.profile)',
          'count(a.marks)',
          'avg(a.height)',
        ),
        documentCondition.map((filter) => `count(*) filter (where ${filter})`),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    documentCondition,
    conditionOfAthlete,
    oneOf('and', 'or'),
  )
  .map(
    ([key, measures, one, other, by]) =>
      `select ${key} as k, ${measures.map((measure, index) => `${measure} as m${index}`).join(', ')} from athletes a where (${one}) ${by} (${other}) group by 1`,
  )

/** The same within what is made of each person first, and through names. */
export const documentsOfPerson = fc
  .tuple(documentValue, documentCondition)
  .map(
    ([value, condition]) =>
      `with t as (select a.id, a.sex, a.profile as p, a.tags as g, ${value} as v from athletes a where ${condition}), u as (select id, count(v) as n, bool_or(p ? 'age') as has from t group by id) select u.n, u.has, t.p ->> 'city' as c, count(*) as m, count(t.v) as k, count(*) filter (where 'run' = any (t.g)) as r from u join t using (id) group by 1, 2, 3`,
  )
