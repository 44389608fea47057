import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { askUnguarded, stopEngines } from './marked-people.ts'

/* Reading somebody who gave no grant, in every way that the security model names. Without any guard behind the gate. */

after(stopEngines)

const answered: readonly (readonly [string, 'aggregate' | 'rows'])[] = [
  ['select * from people', 'rows'],
  ['table people', 'rows'],
  ['select id, town, score from people order by score desc limit 3', 'rows'],
  ["select * from people where town = 'MARKER' or true", 'rows'],
  ['select * from (select * from people) p join visits using (id)', 'rows'],
  [
    'select p.town, v.place from visits v join people p on p.id = v.id and p.score >= v.spent - 1000000',
    'rows',
  ],
  ['select * from people where score > 100 or score < 100 or score is null', 'rows'],
  ['select town, count(*), sum(score), avg(count), stddev(score) from people group by town', 'aggregate'],
  ['select count(*) from people', 'aggregate'],
  ['select place, n from (select id, place, count(*) over (partition by id) as n from visits) t', 'rows'],
  ['select town, count(*), sum(score) from people group by grouping sets ((town), ())', 'aggregate'],
  ['select town, count(*) from people group by cube (town)', 'aggregate'],
  ['select distinct town from people', 'aggregate'],
  [
    "select v.label, count(*) from people p left join (values ('MARKER', 'found'), ('Cork', 'C')) v(town, label) on v.town = p.town group by 1",
    'aggregate',
  ],
  ["select town, regexp_replace(town, '[A-Z]+', '', 'g'), substring(town from '(MAR)K') from people", 'rows'],
  ['select place, sum(spent), count(distinct id) from visits group by place', 'aggregate'],
  [
    'with p as (select id, max(spent) as most from visits group by id) select town, sum(most) from people join p using (id) group by town',
    'aggregate',
  ],
  ["select count(*) filter (where town = 'MARKER') from people", 'aggregate'],
  ['select town from people group by town having sum(score) > 900000', 'aggregate'],
  ['select town, count(*) from people group by town order by sum(score) desc limit 1', 'aggregate'],
  [
    "select case when score > 900000 then 'rich' else 'others' end as class, count(*) from people group by 1",
    'aggregate',
  ],
  ['with people as (select id, town as t from people) select count(*) from people', 'aggregate'],
  ['select v.town from people as visits join people as v using (id)', 'rows'],
  ['select town from people p where exists (select 1 from visits v where v.id = p.id)', 'rows'],
  ['select a.town, v.place from people a left join visits v using (id)', 'rows'],
  ['select a.town, b.town from people a full join people b using (id)', 'rows'],
  ['select p.town, v.place from visits v right join people p on p.id = v.id and v.spent < 0', 'rows'],
  [
    'select count(*), sum(v.spent) from people p full join visits v using (id) where p.id is null',
    'aggregate',
  ],
  ['select p.town, v.spent from people p, visits v where p.id = v.id', 'rows'],
  ['select town from people p where not exists (select 1 from visits v where v.id = p.id)', 'rows'],
  ['select town, (select max(spent) from visits v where v.id = p.id) from people p', 'rows'],
  [
    "select count(*) from people p where p.id in (select id from visits where place = 'MARKER') or p.score > 900000",
    'aggregate',
  ],
  [
    'select p.town, x.place from people p cross join lateral (select place from visits v where v.id = p.id order by v.spent desc limit 1) x',
    'rows',
  ],
  [
    'select p.town, x.place from people p left join lateral (select * from visits v where v.id = p.id) x on true',
    'rows',
  ],
  ['select * from people natural join visits', 'rows'],
  [
    'select town, place from (select distinct on (id) * from visits order by id, spent desc) v join people p using (id)',
    'rows',
  ],
  [
    'with u as (select id from people union select id from visits) select p.town from u left join people p using (id)',
    'rows',
  ],
  [
    'select sum((select sum(spent) from visits v where v.id = p.id and v.spent > p.score)) from people p',
    'aggregate',
  ],
]

for (const [sql, mode] of answered) {
  test(`answered without the marked: ${sql}`, async () => {
    const { declined } = await askUnguarded(sql, mode)
    assert.equal(declined, undefined)
  })
}

const refused: readonly (readonly [string, 'aggregate' | 'rows'])[] = [
  ['select name from people', 'rows'],
  ["select count(*) from people where name = 'MARKER name'", 'aggregate'],
  ['select _p from people', 'rows'],
  ['select town from people order by _p', 'rows'],
  ['select ctid, tableoid, xmin from people', 'rows'],
  ['select rowid from people', 'rows'],
  ['select town from ds_people', 'rows'],
  ['select town from e_1', 'rows'],
  ['select people from people', 'rows'],
  ['select (people).town from people', 'rows'],
  ['select people.* is null from people', 'rows'],
  ['select row(p.*) from people p', 'rows'],
  ['select to_jsonb(p) from people p', 'rows'],
  ['select row_to_json(people) from people', 'rows'],
  ["select string_agg(town, ',') from people", 'aggregate'],
  ['select array_agg(score) from people', 'aggregate'],
  ['select list(score) from people', 'aggregate'],
  ['select json_agg(p) from people p', 'aggregate'],
  ['select any_value(town) from people', 'aggregate'],
  ['select max(town), min(score) from people', 'aggregate'],
  ['select percentile_cont(1) within group (order by score) from people', 'aggregate'],
  ['select median(score), mode() within group (order by town) from people', 'aggregate'],
  ['select (select max(score) from people) from people', 'rows'],
  ['select count(*) from people where score > (select avg(score) from people)', 'aggregate'],
  [
    'select p.town, x.place from people p cross join lateral (select place from visits v where v.spent > p.score) x',
    'rows',
  ],
  ['select town from people union select place from visits', 'rows'],
  ['select town from people except select place from visits', 'rows'],
  ['select sum(score) over (partition by town) from people', 'rows'],
  ['select lag(score) over (order by score) from people', 'rows'],
  ['select town, row_number() over (order by score) from people', 'rows'],
  ['select id, count(*) from people group by id', 'aggregate'],
  ['select id as harmless, count(*) from people group by harmless', 'aggregate'],
  ['select count(*) from people group by id having sum(score) > 0', 'aggregate'],
  ['select a.town, b.town from people a join people b on a.score < b.score', 'rows'],
  ['select town from people p join visits v on v.place = p.town', 'rows'],
  ["select * from read_csv('/etc/passwd')", 'rows'],
  ["select * from '/etc/passwd'", 'rows'],
  ["select pg_read_file('/etc/passwd') from people", 'rows'],
  ["select getenv('HOME') from people", 'rows'],
  ["select current_setting('data_directory') from people", 'rows'],
  ["select query('select 1') from people", 'rows'],
  ['select * from duckdb_tables()', 'rows'],
  ['select * from information_schema.columns', 'rows'],
  ['select * from pg_stats', 'rows'],
  ['values (1)', 'rows'],
  ["copy people to '/tmp/x'", 'rows'],
  ['with t as (delete from people returning *) select count(*) from t', 'aggregate'],
  ['prepare x as select * from people', 'rows'],
  ['do $$ begin perform 1; end $$', 'rows'],
]

for (const [sql, mode] of refused) {
  test(`refused: ${sql}`, async () => {
    const { declined } = await askUnguarded(sql, mode)
    assert.match(
      declined?.code ?? 'approved',
      /^declined\.(sql_not_supported|sql_function|column|sql_syntax)$/,
    )
  })
}
