import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, verdict } from './gate-data.ts'

/* LATERAL, first rows, sets of people, frames, GROUPING, comparisons of several values: what can be asked, and what the answer says of the rest. */

const ANSWERED: readonly string[] = [
  "select count(*) from athletes where sex similar to '(fe)?male|x_%' and sex not similar to 'a.b'",
  'select round(avg(height)::numeric(10, 2), 1), count(*) from athletes where sex::varchar(3) = $$fem$$ and sin(height) > cos(weight) and trunc(height, 1) > pi() / 2',
  "select count(*) from athletes where sex::int > 3 or sex::date < '2020-01-01' or sex::numeric > 1.5",
  "select (string_to_array(sex, '-'))[1], count(*) from athletes where 'male' = any (string_to_array(sex, '-')) and array_length(string_to_array(sex, '-'), 1) = 2 group by 1",
  "select count(*) from athletes where sex ~ '^(f|fe)[a-z]+$' or sex !~ '\\d{2,}' or regexp_like(sex, 'm.le')",
  "select regexp_replace(sex, '^fe', ''), count(*) from athletes where regexp_replace(sex, '(m)(a)', '\\2', 'g') = 'ale' group by 1",
  "select count(*) from athletes where substring(sex from '^f(e)') = 'e' and regexp_count(sex, 'e') > 1 and regexp_substr(sex, '[aeiou]l') is not null",
  "select count(*) from athletes where regexp_replace(sex, '[A-F]+', '', 'gi') = 'ml'",
  "select lpad(sex, 10, '.'), count(*) from athletes where repeat(sex, 2) <> concat_ws('-', sex, sex) and translate(sex, 'ae', 'b') <> 'x' group by 1",
  'select count(*) from athletes where born > make_date(1990 + gold, 1, 31)',
  'select sex, count(*) from athletes natural join sessions where minutes > 3 group by sex',
  'select a.sex, avg(x.n) from athletes a cross join lateral (select count(*) as n from sessions s where s.id = a.id and s.started > a.born) x group by a.sex',
  'select a.sex, sum(x.minutes) from athletes a, lateral (select * from sessions s where s.id = a.id order by started desc limit 3) x where x.minutes > 3 group by 1',
  'select a.sex, count(x.minutes) from athletes a left join lateral (select minutes from sessions s where s.id = a.id and s.minutes > a.gold) x on true group by 1',
  'select x.tall, count(*) from athletes a cross join lateral (select height > 1.8 as tall) x group by 1',
  'select count(*) from athletes a where gold > (select minutes from sessions s where s.id = a.id order by started limit 1)',
  'select avg((select minutes from sessions s where s.id = a.id order by started desc limit 1 offset 1)) from athletes a',
  'select place, count(*) from (select distinct on (id) id, place from sessions order by id, started desc) t group by place',
  'with u as (select id from athletes where gold > 0 union select id from sessions where minutes > 60 except select id from athletes where active) select sex, count(*) from athletes join u using (id) group by sex',
  'select count(*) from athletes a where gold > all (select minutes from sessions s where s.id = a.id) and gold < any (array[3, 5])',
  "select count(*) from athletes where gold between symmetric 5 and 1 and (sex, gold) in (('f', 1), ('m', 2)) and sex in (values ('f'), ('m'))",
  "select count(*) from athletes where born > (select date '1990-01-01')",
  'select count(*) from (select id, sum(minutes) over (partition by id order by started rows between 6 preceding and current row) as week, ntile(4) over (partition by id order by minutes) as q from sessions) t where week > 100 and q = 1',
  'select count(*) from (select id, row_number() over (partition by id order by n desc) as m from (select id, row_number() over (partition by id order by started) as n from sessions) t) u where m = 1',
  "select count(*) from (select id, sum(minutes) over (partition by id order by started range between interval '7 days' preceding and current row exclude current row) as week, count(*) over (partition by id order by place groups between 1 preceding and 1 following exclude ties) as near, max(minutes) over (partition by id order by minutes range 10 preceding) as m from sessions) t where week > 100 and near > m",
  'select count(*) from (select id, percent_rank() over w as p, cume_dist() over w as c, nth_value(minutes, 2) over (w rows 3 preceding) as n, lag(minutes, 1, 0) over w as l, sum(minutes) filter (where minutes > 9) over (w range unbounded preceding) as f, every(minutes > 3) over (partition by id) as e from sessions window w as (partition by id order by started)) t where p > 0.5 and c < 1 and n > 3 and e',
  "select count(*) from athletes where sex ~* '^FE?male' or sex !~* 'x'",
  'select sex, active, grouping(sex, active) as g, count(*) from athletes group by rollup (sex, active) having grouping(active) = 1 order by g',
  'with t as materialized (select id from athletes order by height) select count(*) from t',
  'select count(*) from athletes a where exists (select 1 from sessions s where s.id = a.id order by started limit 1)',
  "select count(*) from athletes a where exists (select 1 from (values ('f', 1), ('m', 3)) v(sex, least) where v.sex = a.sex and gold >= least)",
]

for (const sql of ANSWERED) {
  test(`answered: ${sql}`, () => {
    assert.equal(verdict(sql), 'approved', JSON.stringify(ask(sql)))
  })
}

/** Each with the code and the words that tell the asker what it was. */
const DECLINED: readonly (readonly [sql: string, code: string, detail: RegExp])[] = [
  [
    'select count(*) from athletes where sex similar to sex',
    'declined.sql_not_supported',
    /SIMILAR TO of what/,
  ],
  [
    "select count(*) from athletes where sex similar to 'a!%' escape '!'",
    'declined.sql_not_supported',
    /SIMILAR TO of what/,
  ],
  [
    'select count(*) from athletes where height::numeric(40, 2) > 1',
    'declined.sql_not_supported',
    /precision/,
  ],
  [
    "select count(*) from athletes where regexp_replace(sex, 'e|al', '') = 'fm'",
    'declined.sql_function',
    /expected a pattern written out.*no alternatives.*at character 37/,
  ],
  [
    "select count(*) from athletes where regexp_replace(sex, 'e', 'longer', 'g') = 'fm'",
    'declined.sql_function',
    /no longer than the shortest match/,
  ],
  [
    "select count(*) from athletes where regexp_replace(sex, 'e', '', 'n') = 'fm'",
    'declined.sql_function',
    /regexp_replace/,
  ],
  [
    "select count(*) from athletes where regexp_replace(sex, sex, '') = 'fm'",
    'declined.sql_function',
    /pattern written out/,
  ],
  [
    "select count(*) from athletes where (regexp_match(sex, 'e'))[1] = 'fm'",
    'declined.sql_function',
    /regexp_match.*substring/,
  ],
  ['select count(*) from athletes where sex::char(3) = $$a$$', 'declined.sql_function', /the type char/],
  [
    'select sum(height::numeric(10, 2)) from athletes',
    'declined.sql_not_supported',
    /sum, average or variance/,
  ],
  ["select count(*) from athletes where sex::json ->> 'a' = 'b'", 'declined.sql_function', /type "json"/],
  [
    "select count(*) from athletes where sex ->> 'a' = 'b'",
    'declined.sql_function',
    /-> of \(text, a text\)/,
  ],
  [
    "select count(*) from athletes where (string_to_array(sex, '-'))[1:2] = 'b'",
    'declined.sql_not_supported',
    /a slice/,
  ],
  [
    "select count(*) from athletes where (string_to_array(sex, '-'))[gold] = 'b'",
    'declined.sql_function',
    /string_to_array/,
  ],
  [
    "select string_to_array(sex, '-'), count(*) from athletes group by 1",
    'declined.sql_function',
    /lists are read, not made/,
  ],
  [
    'select count(*) from (select id, minutes from sessions union select id, gold from athletes) t',
    'declined.sql_not_supported',
    /anything but one person key/,
  ],
  ['select count(*) from (values (1), (2)) v(n)', 'declined.sql_not_supported', /written out alone/],
  [
    "select count(*) from sessions where date_bin('1 month 1 day', started, timestamp '2020-01-01') < '2020-01-01'",
    'declined.sql_function',
    /date_bin.*at character 37/,
  ],
  [
    'select width_bucket(height, array[1.9, 1.5]), count(*) from athletes group by 1',
    'declined.sql_function',
    /edges that are not written out and rising, at character 8/,
  ],
  [
    'select width_bucket(height, array[1.5, weight]), count(*) from athletes group by 1',
    'declined.sql_function',
    /edges that are not written out and rising/,
  ],
  [
    "select count(*) from athletes where to_date(sex, 'YYYY-MM') < '2020-01-01'",
    'declined.sql_function',
    /a pattern of YYYY, MM and DD/,
  ],
  ["select count(*) from athletes where split_part(sex, 'a', 0) = ''", 'declined.sql_function', /but 0/],
  ['select count(*) from athletes where gold || active = $$1$$', 'declined.sql_function', /integer, boolean/],
  [
    'select count(*) from (select id, nth_value(minutes, 2) over (partition by id order by started groups 1 preceding) as n from sessions) t where n > 3',
    'declined.sql_not_supported',
    /"nth_value" without a frame of ROWS/,
  ],
  [
    'select count(*) from (select id, sum(minutes) over (w partition by place) as n from sessions window w as (partition by id)) t where n > 3',
    'declined.sql_not_supported',
    /made from another that changes its partition/,
  ],
  [
    'select count(*) from (select id, sum(minutes) over (w rows 2 preceding) as n from sessions window v as (w rows 1 preceding), w as (v)) t where n > 3',
    'declined.sql_not_supported',
    /a window that is not defined/,
  ],
  [
    'select count(*) from (select id, rank() filter (where minutes > 3) over (partition by id order by started) as n from sessions) t where n > 3',
    'declined.sql_function',
    /"rank" with OVER and FILTER/,
  ],
  [
    'select sum(n) from (select id, lag(minutes, 1, gold) over (partition by id order by started) as n from sessions join athletes using (id)) t',
    'declined.sql_not_supported',
    /a sum, average or variance/,
  ],
  [
    "select count(*) from athletes where (sex, gold) in (values ('f', 1))",
    'declined.sql_not_supported',
    /VALUES|a row value/,
  ],
  [
    'select count(*) from athletes a where gold > (select minutes from sessions s where s.id = a.id and s.minutes > a.gold order by started limit 1)',
    'declined.sql_not_supported',
    /more of the row around it than its person/,
  ],
  [
    'select count(*) from athletes a where a.id in (select id from sessions order by started limit 5)',
    'declined.sql_not_supported',
    /more of the row around it than its person/,
  ],
  [
    'select sum(x.gold) from athletes a cross join lateral (select gold from athletes b where b.gold > a.gold) x',
    'declined.sql_not_supported',
    /LATERAL sub-query that is not of the person of the row before it/,
  ],
  [
    'select count(*) from athletes a cross join lateral (select place, count(*) from sessions s where s.id = a.id group by place) x',
    'declined.sql_not_supported',
    /GROUP BY, HAVING, DISTINCT, windows and set operations in a LATERAL/,
  ],
  [
    'select count(*) from athletes a left join lateral (select a.gold + minutes as m from sessions s where s.id = a.id) x on true',
    'declined.sql_not_supported',
    /SELECT list of LEFT JOIN LATERAL/,
  ],
  [
    'select count(*) from athletes a cross join lateral (select * from sessions s where s.id = a.id and s.minutes > a.gold order by started limit 1) x',
    'declined.sql_not_supported',
    /LIMIT in a LATERAL/,
  ],
  [
    'select count(*) from athletes a cross join lateral (select count(*) as n from sessions s where s.id = a.id) x right join sessions t on t.id = a.id',
    'declined.sql_not_supported',
    /after LATERAL/,
  ],
  [
    'select count(*) from athletes a, athletes b, lateral (select * from sessions s where s.id = b.id) x where x.minutes > a.gold',
    'declined.sql_not_supported',
    /not on the person keys/,
  ],
  [
    'select count(*) from athletes a cross join lateral (select 1 as n from wages w where w.id = a.id) x',
    'declined.sql_not_supported',
    /different issuers/,
  ],
  [
    'select count(*) from (select distinct on (place) id, place from sessions order by place, started) t',
    'declined.sql_not_supported',
    /DISTINCT ON without exactly one person key/,
  ],
  [
    'select count(*) from (select distinct on (id) id, place from sessions order by started) t',
    'declined.sql_not_supported',
    /DISTINCT ON of what ORDER BY does not begin with/,
  ],
  [
    "select count(*) from (select id, sum(minutes) over (partition by id order by place range between interval '1 day' preceding and current row) as n from sessions) t",
    'declined.sql_not_supported',
    /RANGE by a distance without ORDER BY of one number or time/,
  ],
  [
    "select count(*) from (select id, sum(minutes) over (partition by id order by started, place range interval '1 day' preceding) as n from sessions) t",
    'declined.sql_not_supported',
    /RANGE by a distance without ORDER BY of one number or time/,
  ],
  [
    "select count(*) from (select id, sum(minutes) over (partition by id order by started range interval '1 month -3 days' preceding) as n from sessions) t",
    'declined.sql_not_supported',
    /a frame of RANGE by anything but/,
  ],
  [
    'select count(*) from (select id, sum(minutes) over (partition by id order by minutes range between minutes preceding and current row) as n from sessions) t',
    'declined.sql_not_supported',
    /a frame of RANGE by anything but/,
  ],
  ["select count(*) from athletes where sex ~* 'é'", 'declined.sql_function', /~\* of \(text, a text\)/],
  [
    'select count(*) from (select id, sum(minutes) over (partition by id order by started rows between 1000000 preceding and current row) as n from sessions) t',
    'declined.sql_not_supported',
    /written number from 0 to 1000/,
  ],
  [
    'select count(*) from (select id, sum(minutes) over (partition by id order by started rows between minutes preceding and current row) as n from sessions) t',
    'declined.sql_not_supported',
    /written number from 0 to 1000/,
  ],
  [
    'select count(*) from (select id, last_value(minutes) over (partition by id order by place range between current row and unbounded following) as n from sessions) t',
    'declined.sql_not_supported',
    /without a frame of ROWS/,
  ],
  [
    'select count(*) from (select id, sum(minutes) over (partition by id order by started rows 2 preceding exclude ties) as n from sessions) t',
    'declined.sql_not_supported',
    /EXCLUDE GROUP and EXCLUDE TIES in a frame of ROWS/,
  ],
  [
    'select grouping(gold), count(*) from athletes group by rollup (sex)',
    'declined.sql_not_supported',
    /GROUPING of what stands in no GROUP BY/,
  ],
  [
    'select grouping(sex) from athletes',
    'declined.sql_not_supported',
    /GROUPING of what stands in no GROUP BY|without an aggregate/,
  ],
]

for (const [sql, code, detail] of DECLINED) {
  test(`${code}: ${sql}`, () => {
    const checked = ask(sql)
    assert.equal(checked.ok ? 'approved' : checked.error.code, code, JSON.stringify(checked))
    if (!checked.ok) assert.match(checked.error.detail ?? '', detail)
  })
}

/** Each uses the same columns in the same clauses as the text beside it, which says it in a plainer way. */
const SPELLINGS: readonly (readonly [sql: string, plainer: string])[] = [
  [
    'select sex, sum(minutes) from athletes natural join sessions group by sex',
    'select sex, sum(minutes) from athletes join sessions using (id) group by sex',
  ],
  [
    'select a.sex, sum(x.m) from athletes a cross join lateral (select s.minutes as m from sessions s where s.id = a.id and s.minutes > a.gold) x group by a.sex',
    'select a.sex, sum(s.minutes) from athletes a join sessions s on s.id = a.id where s.minutes > a.gold group by a.sex',
  ],
  [
    'select a.sex, count(x.m) from athletes a left join lateral (select s.minutes as m from sessions s where s.id = a.id and s.minutes > a.gold) x on true group by a.sex',
    'select a.sex, count(s.minutes) from athletes a left join sessions s on s.id = a.id and s.minutes > a.gold group by a.sex',
  ],
  [
    'select avg((select minutes from sessions s where s.id = a.id order by started limit 1)) from athletes a',
    'select avg(t.minutes) from (select id, minutes, row_number() over (partition by id order by started) as n from sessions) t where t.n = 1',
  ],
  [
    'select place, count(*) from (select distinct on (id) id, place from sessions order by id, started) t group by place',
    'select place, count(*) from (select id, place, row_number() over (partition by id order by started) as n from sessions) t where n = 1 group by place',
  ],
  [
    'with u as (select id from athletes where active except select id from sessions where minutes > 3) select count(*) from u',
    'select count(*) from athletes where active and id not in (select id from sessions where minutes > 3)',
  ],
  [
    'select count(*) from athletes where (sex, gold) = (sex, 1)',
    'select count(*) from athletes where sex = sex and gold = 1',
  ],
]

for (const [sql, plainer] of SPELLINGS) {
  test(`the same uses: ${sql}`, () => {
    const [one, other] = [ask(sql), ask(plainer)]
    assert.ok(one.ok && other.ok, JSON.stringify([one, other]))
    assert.deepEqual(one.value.uses, other.value.uses)
  })
}

test('a NATURAL join uses every column that both sides have, and of sealed ones it is declined', () => {
  const joined = ask(
    'select count(*) from (select id, gold from athletes) a natural join (select id, minutes as gold from sessions) s',
  )
  assert.ok(joined.ok)
  assert.deepEqual(
    joined.value.uses.map(({ column, clause }) => `${column} ${clause}`),
    ['gold join', 'minutes join'],
  )
  const sealed = ask('select count(*) from athletes a natural join athletes b')
  assert.ok(!sealed.ok)
  assert.match(sealed.error.detail ?? '', /"name" identifies people directly/)
})

test('questions that differ by a frame only are different questions', () => {
  const digest = (frame: string): string => {
    const checked = ask(
      `select count(*) from (select id, sum(minutes) over (partition by id order by started ${frame}) as n from sessions) t where n > 9`,
    )
    assert.ok(checked.ok)
    return checked.value.digest
  }
  assert.notEqual(digest('rows 1 preceding'), digest('rows 2 preceding'))
  assert.notEqual(digest('rows 1 preceding'), digest(''))
  assert.notEqual(digest('rows 1 preceding'), digest('groups 1 preceding'))
  assert.notEqual(digest('rows 1 preceding'), digest('rows 1 preceding exclude current row'))
  assert.notEqual(digest("range interval '1 day' preceding"), digest("range interval '2 days' preceding"))
})
