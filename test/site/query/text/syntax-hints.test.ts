import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkQuestion } from '../../../../src/site/query/check-question.ts'

/* What people write who know another dialect, and what they are told to write instead. */

const WRITTEN: readonly (readonly [sql: string, says: RegExp])[] = [
  ['select `sex` from a', /names stand in double quotes/],
  ['select top 5 sex from a', /write LIMIT at the end/],
  ['select top (5) * from a', /write LIMIT at the end/],
  ['select top (5) percent sex from a', /write LIMIT at the end/],
  ['select top (5) with ties sex from a', /write LIMIT at the end/],
  ['select extract(year, born) from a', /extract\(year from t\)/],
  [
    'select sex from a where sex = 1 qualify row_number() over () = 1',
    /condition on its window into a WHERE/,
  ],
  ['select sex from a qualify row_number() over () = 1', /condition on its window into a WHERE/],
  ['select sex from a group by all', /name what to group or order by/],
  ['select sex from a order by all', /name what to group or order by/],
  ['select sex, from a', /a comma too many/],
  ['select count(*) from a where sex in (1, )', /a comma too many/],
  ['select * exclude (sex) from a', /name the columns instead of \*/],
  ['select * except (sex) from a', /name the columns instead of \*/],
  ['select sex from a limit 5, 10', /write LIMIT and OFFSET/],
  ['select count(*) from a where t > u - interval 30 day', /write a span as interval '30 days'/],
  ['select try_cast(sex as integer) from a', /write CAST/],
  ["select count(*) from a where sex rlike 'f'", /write ~, or LIKE/],
  ["select count(*) from a where sex regexp 'f'", /write ~, or LIKE/],
  ['select sex from a pivot (sum(x) for y in (1, 2))', /one aggregate with FILTER/],
  ['select 7 div 2 from a', /write % or \//],
]

for (const [sql, says] of WRITTEN)
  test(`what to write instead is said: ${sql}`, () => {
    const checked = checkQuestion(sql, { mode: 'aggregate', dataSets: new Map() })
    assert.ok(!checked.ok)
    assert.match(checked.error.detail ?? '', says)
  })
