/* oxlint-disable max-lines -- a table of questions, read as one page */
import { declinesAll } from './declines-all.ts'

/* What is no SELECT of ours, and what the answer says then: statements, clauses, joins and sub-queries. */

declinesAll([
  ['', 'declined.sql_syntax', /empty/],
  ['selec 1', 'declined.sql_syntax', /^Syntax error, at character 1$/],
  ["select 'é' , count(*) frm athletes", 'declined.sql_syntax', /at character 27$/],
  ["select count(*) from athletes where sex = 'f", 'declined.sql_syntax', /quoted and never closed/],
  ['select 1', 'declined.sql_not_supported', /SELECT without FROM/],
  [
    'select count(*) from athletes; select count(*) from athletes',
    'declined.sql_not_supported',
    /more than one statement/,
  ],
  ['insert into athletes values (1)', 'declined.sql_not_supported', /other than SELECT/],
  ['explain select count(*) from athletes', 'declined.sql_not_supported', /other than SELECT/],
  ['select count(*) into x from athletes', 'declined.sql_not_supported', /SELECT INTO/],
  ['select count(*) from athletes for update', 'declined.sql_not_supported', /locking/],
  [
    'select count(*) from (select id from athletes union all select id from sessions) t',
    'declined.sql_not_supported',
    /UNION ALL, INTERSECT ALL and EXCEPT ALL as a relation/,
  ],
  [
    'select count(*) from athletes where id in (select id from athletes except all select id from sessions)',
    'declined.sql_not_supported',
    /EXCEPT ALL/,
  ],
  [
    "select count(*) from athletes a where 'x' in (select sex from athletes b where b.id = a.id union select place from sessions s where s.id = a.id)",
    'declined.sql_not_supported',
    /but of person keys/,
  ],
  [
    "with t as (select a.id, count(*) as n from athletes a left join sessions s on s.id = a.id and a.sex = 'x' group by a.id) select sum(n) from t",
    'declined.sql_not_supported',
    /within a sub-query, that may find several rows/,
  ],
  [
    'select count(*) from athletes b left join (select a.id, s.place from athletes a left join sessions s using (id)) t on t.id = b.id',
    'declined.sql_not_supported',
    /within a sub-query, that may find several rows/,
  ],
  ['select distinct on (sex) sex from athletes', 'declined.sql_not_supported', /DISTINCT ON/],
  [
    'select distinct count(*) from athletes group by sex',
    'declined.sql_not_supported',
    /DISTINCT over groups whose keys are not all shown/,
  ],
  [
    'select count(*) from (select distinct sex from athletes) t join athletes a on a.sex = t.sex',
    'declined.sql_not_supported',
    /DISTINCT in a sub-select or CTE without exactly one person key/,
  ],
  // Two of them are one person while an inner join says so, and none of the two where it does not.
  [
    'select avg(n) from (select a.id, s.id as other, count(*) as n from athletes a join sessions s on s.id = a.id group by a.id, s.id) t',
    'declined.sql_not_supported',
    /GROUP BY in a sub-select or CTE without exactly one person key; .*, at character 119$/,
  ],
  [
    'select avg(n) from (select distinct a.id, s.id as other, a.gold as n from athletes a join sessions s on s.id = a.id) t',
    'declined.sql_not_supported',
    /DISTINCT in a sub-select or CTE without exactly one person key/,
  ],
  [
    'select count(*) from (select s.id, count(*) from athletes a left join (select id, count(*) as n from sessions group by id) s on s.id = a.id group by s.id) t',
    'declined.sql_not_supported',
    /GROUP BY of a person key that may be missing in a row; .*, at character 150$/,
  ],
  [
    'select count(*) from (select distinct s.id from athletes a left join (select id, count(*) as n from sessions group by id) s on s.id = a.id) t',
    'declined.sql_not_supported',
    /DISTINCT of a person key that may be missing in a row/,
  ],
  [
    'select count(*) from (select distinct on (s.id) s.id, a.gold from athletes a left join (select id, count(*) as n from sessions group by id) s on s.id = a.id) t',
    'declined.sql_not_supported',
    /DISTINCT ON without exactly one person key/,
  ],
  [
    'select count(*) from athletes x where exists (select 1 from athletes a left join (select id, count(*) as n from sessions group by id) s on s.id = a.id where s.id = x.id)',
    'declined.column',
    /The person key may only be counted, joined on/,
  ],
  [
    'select avg((select minutes, started from sessions s where s.id = a.id order by started limit 1)) from athletes a',
    'declined.sql_not_supported',
    /a sub-query of more than one column here, at character 12$/,
  ],
  // A sub-query is tied to a person by the equality of both keys, and by nothing else.
  ...[
    's.id <> a.id',
    's.id < a.id',
    's.id is not distinct from a.id',
    'a.id = a.id',
    's.id = s.id',
    's.minutes = a.id',
    'a.gold = s.id',
  ].map(
    (tie) =>
      [
        `select count(*) from athletes a where exists (select 1 from sessions s where ${tie})`,
        'declined.column',
        /The person key may only be counted, joined on and, in mode rows, shown, at character \d+$/,
      ] as const,
  ),
  [
    'select count(*) from (select distinct on (a.id, s.id) a.id, s.minutes from athletes a join sessions s on s.id = a.id) t',
    'declined.sql_not_supported',
    /DISTINCT ON without exactly one person key/,
  ],
  [
    "select to_char(count(*), '9999999999') from athletes",
    'declined.sql_function',
    /expected number pattern/,
  ],
  ["select to_char(count(*), '9.0000000') from athletes", 'declined.sql_function', /expected number pattern/],
  [
    "select to_char(count(*), '9.000000999') from athletes",
    'declined.sql_function',
    /expected number pattern/,
  ],
  ["select to_char(count(*), '0,990') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '9,99') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '9,999999') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), 'L999') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '999PR') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '9G999') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), 'FM') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '999.') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '.99') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '$99') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '9 kg') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), 'S99') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '9 ''x''') from athletes", 'declined.sql_function', /expected number pattern/],
  ["select to_char(count(*), '99%%') from athletes", 'declined.sql_function', /expected number pattern/],
  [
    "select to_char(started, 'YYYYWW'), count(*) from sessions group by 1",
    'declined.sql_function',
    /expected date pattern/,
  ],
  [
    "select to_char(started, 'J'), count(*) from sessions group by 1",
    'declined.sql_function',
    /expected date pattern/,
  ],
  [
    "select to_char(started, 'HH24:30'), count(*) from sessions group by 1",
    'declined.sql_function',
    /expected date pattern/,
  ],
  [
    "select to_char(started, 'YYYY-MM-DDTHH24'), count(*) from sessions group by 1",
    'declined.sql_function',
    /expected date pattern/,
  ],
  [
    "select to_char(started, 'Month, Day, DY'), count(*) from sessions group by 1",
    'declined.sql_function',
    /expected date pattern/,
  ],
  [
    "select to_char(started, 'TMMonth'), count(*) from sessions group by 1",
    'declined.sql_function',
    /expected date pattern/,
  ],
  [
    "select to_char(started, 'YYYY-MM-DD YYYY-MM-DD YYYY-MM-DD YYYY-MM-DD'), count(*) from sessions group by 1",
    'declined.sql_function',
    /expected date pattern/,
  ],
  [
    "select count(*) from sessions where 60 / (started - timestamp '2026-01-01') > interval '1 day'",
    'declined.sql_function',
    /a span of time in/,
  ],
  [
    "select count(*) from sessions where (started - timestamp '2026-01-01') / (started - timestamp '2026-02-01') > interval '1 day'",
    'declined.sql_function',
    /a span of time in/,
  ],
  [
    "select count(*) from sessions where (started - timestamp '2026-01-01') * (started - timestamp '2026-02-01') > interval '1 day'",
    'declined.sql_function',
    /a span of time in/,
  ],
  [
    "select count(*) from sessions where started at time zone 'Europe/Dublin' > '2026-01-01'",
    'declined.sql_function',
    /AT TIME ZONE but 'UTC'/,
  ],
  [
    "select count(*) from sessions where started at time zone place > '2026-01-01'",
    'declined.sql_function',
    /AT TIME ZONE but 'UTC'/,
  ],
  [
    "select count(*) from sessions where started at time zone interval '1 hour' > '2026-01-01'",
    'declined.sql_function',
    /AT TIME ZONE but 'UTC'/,
  ],
  [
    "select count(*) from athletes where sex = any ('{f}'::text)",
    'declined.sql_not_supported',
    /ANY and ALL of anything but/,
  ],
  [
    "select count(*) from athletes where sex = any ('{}')",
    'declined.sql_not_supported',
    /ANY and ALL of anything but/,
  ],
  [
    "select count(*) from athletes where sex = any ('{{f},{m}}')",
    'declined.sql_not_supported',
    /ANY and ALL of anything but/,
  ],
  [
    "select count(*) from athletes where sex = any ('{f,}')",
    'declined.sql_not_supported',
    /ANY and ALL of anything but/,
  ],
  [
    "select count(*) from athletes where sex = any ('f')",
    'declined.sql_not_supported',
    /ANY and ALL of anything but/,
  ],
  [
    'select sex::text[], count(*) from athletes group by 1',
    'declined.sql_not_supported',
    /an array type, but of a written list/,
  ],
  [
    'select count(*) from athletes where gold + any (array[1, 2])',
    'declined.sql_not_supported',
    /what is no comparison/,
  ],
  [
    "select count(*) from athletes where (sex, gold) = ('f', 1, 2)",
    'declined.sql_not_supported',
    /different lengths/,
  ],
  [
    "select count(*) from athletes where (sex, gold) < ('f', 1)",
    'declined.sql_not_supported',
    /a row value but with/,
  ],
  [
    "select sum(extract(year from age('2026-01-01', born))) from athletes",
    'declined.sql_not_supported',
    /sum, average or variance/,
  ],
  [
    'select count(*) from athletes union select count(*) from sessions',
    'declined.sql_not_supported',
    /UNION/,
  ],
  ['select count(*) over () from athletes', 'declined.sql_not_supported', /without an aggregate/],
  [
    'select count(*) from (select distinct place, row_number() over (partition by id order by started) as n from sessions) t',
    'declined.sql_not_supported',
    /DISTINCT in a sub-select or CTE without exactly one person key/,
  ],
  [
    'select count(*) from (select distinct id, row_number() over (partition by place order by started) as n from sessions) t',
    'declined.sql_not_supported',
    /PARTITION BY <person key>/,
  ],
  [
    'select sum(n) from (select distinct id, minutes, count(*) over (partition by id order by started) as n from sessions) t',
    'declined.sql_not_supported',
    /sum, average or variance of anything but columns/,
  ],
  [
    'select count(*) from (select id, row_number() over (order by height) as n from athletes) t where n = 1',
    'declined.sql_not_supported',
    /not PARTITION BY <person key>/,
  ],
  [
    'select count(*) from (select id, row_number() over (partition by sex order by height) as n from athletes) t where n = 1',
    'declined.sql_not_supported',
    /not PARTITION BY <person key>/,
  ],
  ['select (select count(*) from athletes)', 'declined.sql_not_supported', /without FROM|sub-query/],
  [
    'select count(*) from athletes where exists (select 1 from sessions)',
    'declined.sql_not_supported',
    /not of the person of its row; .*, at character 37/,
  ],
  [
    'select count(*) from athletes where height > (select avg(height) from athletes)',
    'declined.sql_not_supported',
    /not of the person of its row/,
  ],
  [
    'select count(*) from athletes a where exists (select 1 from wages w where w.id = a.id)',
    'declined.sql_not_supported',
    /different issuers/,
  ],
  [
    'select count(*) from athletes a where 5 > (select minutes from sessions s where s.id = a.id)',
    'declined.sql_not_supported',
    /may find several rows/,
  ],
  [
    'select sum(s.minutes * (select height from athletes a where a.id = s.id)) from sessions s',
    'declined.sql_not_supported',
    /repeats for each row/,
  ],
  ['select count(*) from athletes a, sessions s', 'declined.sql_not_supported', /not on the person keys/],
  [
    'select count(*) from athletes cross join sessions',
    'declined.sql_not_supported',
    /not on the person keys/,
  ],
  [
    'select count(*) from athletes a full join sessions s on a.id = s.id and a.height > 1.8',
    'declined.sql_not_supported',
    /FULL JOIN on more than a person key/,
  ],
  [
    'select count(*) from athletes a left join sessions s on a.id = s.id and s.minutes > 5 full join sessions t on t.id = s.id',
    'declined.sql_not_supported',
    /FULL JOIN on more than a person key/,
  ],
  [
    'select count(*) from athletes a left join sessions s on s.minutes > 5',
    'declined.sql_not_supported',
    /not on the person keys/,
  ],
  [
    'select count(*) from athletes a left join sessions s on a.id = s.id and exists (select 1 from sessions t where t.id = s.id)',
    'declined.sql_not_supported',
    /sub-query here/,
  ],
  [
    'select count(*) from athletes a left join sessions s on a.id = s.id where s.id in (select id from athletes)',
    'declined.sql_not_supported',
    /may be missing in a row; use EXISTS/,
  ],
  [
    'select count(*) from athletes a join lateral (select * from sessions) s using (id)',
    'declined.sql_not_supported',
    /LATERAL/,
  ],
  [
    'select count(*) from athletes a join sessions s on a.gold = s.minutes',
    'declined.sql_not_supported',
    /not on the person keys/,
  ],
  [
    'select count(*) from athletes a join sessions s on a.id = s.id or true',
    'declined.sql_not_supported',
    /not on the person keys/,
  ],
  [
    'select count(*) from (select id from athletes intersect select id from wages) t',
    'declined.sql_not_supported',
    /different issuers/,
  ],
  [
    'with t as (select a.id, sum(a.height) as h from athletes a join sessions s using (id) group by a.id) select sum(h) from t',
    'declined.sql_not_supported',
    /repeats for each row/,
  ],
  [
    'select count(*) from ((select id from athletes union select id from sessions limit 3) union select id from athletes) t',
    'declined.sql_not_supported',
    /LIMIT and OFFSET of a set operation/,
  ],
  [
    'select count(*) from (select id, height from athletes union select id, height from athletes) t',
    'declined.sql_not_supported',
    /anything but one person key/,
  ],
  [
    'select count(*) from athletes a join wages w using (id)',
    'declined.sql_not_supported',
    /different issuers/,
  ],
  [
    'with recursive t as (select id from athletes) select count(*) from t',
    'declined.sql_not_supported',
    /RECURSIVE/,
  ],
  [
    'select count(*) from (select id from athletes order by height limit 1) t',
    'declined.sql_not_supported',
    /LIMIT and OFFSET over rows of different people/,
  ],
  ['select count(*) from athletes tablesample bernoulli (10)', 'declined.sql_not_supported', /TABLESAMPLE/],
  ['select count(*) from generate_series(1, 10)', 'declined.sql_not_supported', /written out alone/],
  [
    'select n, count(*) from athletes a join generate_series(0, gold) n on a.gold = n group by n',
    'declined.sql_not_supported',
    /function as a relation/,
  ],
  [
    'select n, count(*) from athletes a, lateral generate_series(0, 9) n where a.gold = n group by n',
    'declined.sql_not_supported',
    /function as a relation/,
  ],
  [
    'select n, count(*) from generate_series(0, 5, -1) n join athletes a on a.gold = n group by n',
    'declined.sql_not_supported',
    /function as a relation/,
  ],
  [
    "select n, count(*) from generate_series(date '2026-01-01', date '2026-09-01', interval '0 days') n join athletes a on a.born = n group by n",
    'declined.sql_not_supported',
    /function as a relation/,
  ],
  [
    'select n, count(*) from generate_series(1, 1000000000) n join athletes a on a.gold = n group by n',
    'declined.too_large',
    /more than 200 rows/,
  ],
  [
    `select count(*) from ${Array.from({ length: 6 }, (_, one) => `generate_series(1, 180) as g${one}`).join()}, athletes`,
    'declined.too_large',
    /series of more than 1000 rows/,
  ],
  ...[
    'generate_series(distinct 0, 5)',
    'generate_series(0, 5 order by 1)',
    'generate_series(0, variadic 5)',
    'evil.generate_series(0, 5)',
    'pg_catalog.generate_series(0, 5)',
  ].map(
    (series) =>
      [
        `select n, count(*) from athletes a join ${series} n on a.gold = n group by n`,
        'declined.sql_not_supported',
        /function as a relation/,
      ] as const,
  ),
  ['select count(*) from main.athletes', 'declined.sql_not_supported', /name with a schema/],
  ['select count(*) from people', 'declined.sql_not_supported', /"people": it is no data set/],
  ['select count(*) from athletes where born < current_date', 'declined.sql_not_supported', /CURRENT_DATE/],
  [
    'select sum(abs(abs(abs(abs(gold - 1) - 1) - 1) - 1)) from athletes',
    'declined.sql_not_supported',
    /average or variance/,
  ],
  ['select var_pop(height + round(gold)) from athletes', 'declined.sql_not_supported', /average or variance/],
  [
    'select avg(a.height) from athletes a join sessions s using (id)',
    'declined.sql_not_supported',
    /repeats for each row/,
  ],
])
