/* oxlint-disable max-lines -- a table of questions, read as one page */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mode } from '../../../src/protocol/mode.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { demoDataSets as dataSets } from './demo-data-sets.ts'

/*
 * What analysts of the demonstration's data write by themselves: texts as Metabase, Superset, Tableau, Looker and Power BI make
 * them, chains of CTEs as in dbt, cohorts, retention, funnels, shares. Which of them the gate takes, and of the others at
 * which word it stops and what it says there.
 */

const TAKEN: readonly (readonly [mode: Mode, sql: string])[] = [
  [
    'aggregate',
    `SELECT DATE_TRUNC('month', "public"."play_sessions"."session_start") AS "session_start", COUNT(*) AS "count" FROM "public"."play_sessions" GROUP BY DATE_TRUNC('month', "public"."play_sessions"."session_start") ORDER BY DATE_TRUNC('month', "public"."play_sessions"."session_start") ASC`,
  ],
  [
    'aggregate',
    `SELECT "source"."sport" AS "sport", AVG("source"."weight") AS "avg" FROM (SELECT "athletes"."sport" AS "sport", "athletes"."weight" AS "weight", "athletes"."sex" AS "sex" FROM "athletes" WHERE "athletes"."sex" = 'female') AS "source" GROUP BY "source"."sport" ORDER BY "avg" DESC, "source"."sport" ASC LIMIT 10`,
  ],
  [
    'aggregate',
    `SELECT "Players"."gender" AS "Players__gender", COUNT(distinct "play_sessions"."player_id") AS "count" FROM "play_sessions" LEFT JOIN "players" AS "Players" ON "play_sessions"."player_id" = "Players"."player_id" GROUP BY "Players"."gender" ORDER BY "count" DESC`,
  ],
  [
    'aggregate',
    `SELECT (CAST(extract(dow from "session_start") AS integer) + 1) AS dow, COUNT(*) AS "count" FROM "play_sessions" GROUP BY (CAST(extract(dow from "session_start") AS integer) + 1) ORDER BY 1`,
  ],
  [
    'aggregate',
    `SELECT DATE_TRUNC('week', session_start) AS __timestamp, game AS game, COUNT(DISTINCT player_id) AS "COUNT_DISTINCT(player_id)" FROM (select * from play_sessions) AS virtual_table WHERE session_start >= TO_TIMESTAMP('2021-06-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND session_start < TO_TIMESTAMP('2021-09-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY DATE_TRUNC('week', session_start), game ORDER BY "COUNT_DISTINCT(player_id)" DESC LIMIT 1000`,
  ],
  [
    'aggregate',
    `SELECT "athletes"."sex" AS "sex", SUM(1) AS "cnt:Number of Records:ok", AVG("athletes"."height") AS "avg:height:ok" FROM "athletes" "athletes" GROUP BY 1 HAVING (COUNT(1) > 0)`,
  ],
  [
    'aggregate',
    `SELECT "athletes"."sport" AS "sport", SUM(CAST("athletes"."gold" AS BIGINT)) AS "sum:gold:ok", SUM((CASE WHEN "athletes"."gold" > 0 THEN 1 ELSE 0 END)) AS "w" FROM "athletes" GROUP BY 1`,
  ],
  [
    'aggregate',
    `SELECT athletes.sport AS "athletes.sport", COUNT(*) AS "athletes.count", COALESCE(SUM(athletes.gold), 0) AS "athletes.total_gold" FROM athletes AS athletes WHERE ((athletes.date_of_birth >= (DATE '1990-01-01') AND athletes.date_of_birth < (DATE '2000-01-01'))) GROUP BY 1 ORDER BY 2 DESC FETCH NEXT 500 ROWS ONLY`,
  ],
  [
    'aggregate',
    `select "_"."sex", "_"."sport", sum("_"."gold") as "a0" from (select "sex", "sport", "gold" from "athletes" "$Table") "_" group by "_"."sex", "_"."sport" limit 1000001`,
  ],
  [
    'aggregate',
    `with source as (select * from athletes), renamed as (select id as athlete_id, sex as gender, sport, height as height_m, weight as weight_kg, gold + silver + bronze as medals from source), final as (select athlete_id, gender, sport, weight_kg / nullif(height_m * height_m, 0) as bmi, medals from renamed where sport is not null) select gender, count(*) as athletes, avg(bmi) as avg_bmi, sum(medals) as medals from final group by gender`,
  ],
  [
    'aggregate',
    `with sessions as (select player_id, game, session_start, session_end, extract(epoch from session_end - session_start) / 3600.0 as hours from play_sessions where session_end is not null), per_player as (select player_id, game, count(*) as n_sessions, sum(hours) as hours_played, min(session_start) as first_seen, max(session_start) as last_seen from sessions group by player_id, game) select game, count(*) as players, avg(n_sessions) as avg_sessions from per_player group by game`,
  ],
  [
    'aggregate',
    `with firsts as (select player_id, date_trunc('month', min(session_start)) as cohort from play_sessions group by player_id), activity as (select distinct player_id, date_trunc('month', session_start) as month from play_sessions) select f.cohort, a.month, count(distinct a.player_id) as active from firsts f join activity a on a.player_id = f.player_id group by f.cohort, a.month order by 1, 2`,
  ],
  [
    'aggregate',
    `with c as (select player_id, min(session_start)::date as d0 from play_sessions group by 1), a as (select p.player_id, (p.session_start::date - c.d0) / 7 as wk from play_sessions p join c using (player_id)) select wk, count(distinct player_id) as players from a where wk between 0 and 11 group by wk order by wk`,
  ],
  [
    'aggregate',
    `with f as (select player_id, min(session_start)::date as d from play_sessions group by player_id) select count(*) as new_players, count(*) filter (where exists (select 1 from play_sessions p where p.player_id = f.player_id and p.session_start::date = f.d + 1)) as d1, count(*) filter (where exists (select 1 from play_sessions p where p.player_id = f.player_id and p.session_start::date between f.d + 7 and f.d + 13)) as w1 from f`,
  ],
  [
    'aggregate',
    `with x as (select player_id, session_start, case when session_start - lag(session_end) over (partition by player_id order by session_start) > interval '30 minutes' then 1 else 0 end as is_new from play_sessions), y as (select player_id, sum(is_new) over (partition by player_id order by session_start) as sid from x) select count(*) as sessions, count(distinct player_id) from (select distinct player_id, sid from y) z`,
  ],
  [
    'aggregate',
    `select sport, total, rank() over (order by total desc) from (select sport, sum(gold) as total from athletes group by sport) t`,
  ],
  [
    'aggregate',
    `select sport, count(*) as n, round(100.0 * count(*) / sum(count(*)) over (), 1) as pct from athletes group by sport order by n desc`,
  ],
  [
    'aggregate',
    `select date_trunc('month', session_start) as m, count(*) as n, sum(count(*)) over (order by date_trunc('month', session_start)) as running from play_sessions group by 1 order by 1`,
  ],
  [
    'aggregate',
    `select sex, sport, count(*)::numeric / sum(count(*)) over (partition by sex) as share from athletes group by sex, sport`,
  ],
  [
    'aggregate',
    `with m as (select date_trunc('month', session_start) as month, count(distinct player_id) as mau from play_sessions group by 1) select month, mau, mau - lag(mau) over (order by month) as delta, round(100.0 * (mau - lag(mau) over (order by month)) / lag(mau) over (order by month), 1) as pct from m order by month`,
  ],
  [
    'aggregate',
    `select sport, count(case when sex = 'female' then 1 end) as women, count(case when sex = 'male' then 1 end) as men, sum(case when sex = 'female' then gold else 0 end) as gold_w from athletes group by sport order by sport`,
  ],
  [
    'aggregate',
    `select (extract(year from date_of_birth)::int / 10) * 10 as decade, count(*) from athletes group by 1 order by 1`,
  ],
  [
    'aggregate',
    `select date_trunc('decade', date_of_birth) as decade, count(*) from athletes group by 1 order by 1`,
  ],
  [
    'aggregate',
    `select case when age < 20 then '<20' when age between 20 and 29 then '20-29' else '30+' end as band, count(*) from (select extract(year from age('2016-08-05', date_of_birth)) as age from athletes) t group by 1 order by 1`,
  ],
  [
    'aggregate',
    `select sport, corr(height, weight) as r, regr_slope(weight, height) as b from athletes group by sport having count(*) >= 50 order by r desc`,
  ],
  [
    'aggregate',
    `select to_char(session_start, 'YYYY-MM') as month, to_char(session_start, 'Mon') as name, count(*) from play_sessions group by 1, 2 order by 1`,
  ],
  ['aggregate', `select to_char(session_start, 'YYYY-"Q"Q') as q, count(*) from play_sessions group by 1`],
  [
    'aggregate',
    `with d as (select distinct person_id, activity_date from daily_activity where total_steps >= 10000), g as (select person_id, activity_date, activity_date - (row_number() over (partition by person_id order by activity_date))::int as grp from d), s as (select person_id, grp, count(*) as len from g group by 1, 2) select len, count(*) from s group by len order by len`,
  ],
  [
    'aggregate',
    `select sport, count(*) as n from athletes group by sport order by n desc fetch first 5 rows with ties`,
  ],
  [
    'aggregate',
    `select game, sum(extract(epoch from (session_end - session_start))) / 3600 as hours from play_sessions where session_end > session_start group by game order by hours desc`,
  ],
  [
    'aggregate',
    `select platform, is_coop, count(*) as sessions, count(distinct player_id) as players, sum(deaths)::float / nullif(sum(game_time_ms) / 3600000.0, 0) as deaths_per_hour from outriders_sessions where game_time_ms > 0 group by platform, is_coop order by platform, is_coop nulls last`,
  ],
  [
    'aggregate',
    `select coalesce(sex, 'all') as sex, coalesce(sport, 'all') as sport, count(*) from athletes group by rollup(sex, sport) order by grouping(sex), sex, grouping(sport), sport`,
  ],
  [
    'aggregate',
    `select sport, count(*) from athletes where sport ilike '%ball' or sport similar to '(rowing|sailing)' group by sport`,
  ],
  [
    'aggregate',
    `select n, count(*) as players from (select player_id, count(*) as n from play_sessions group by player_id having count(*) > 1) t group by n order by n`,
  ],
  [
    'aggregate',
    `select p.game, count(*) from players p left join play_sessions s on s.player_id = p.player_id where s.player_id is null group by p.game`,
  ],
  [
    'aggregate',
    `select game, count(*) from players where player_id not in (select player_id from play_sessions) group by game`,
  ],
  [
    'aggregate',
    `select p.gender, avg(case when w.responded then 1.0 else 0 end) as rate from players p join player_waves w using (player_id) where w.wave = 1 group by p.gender`,
  ],
  ['aggregate', `select gender, avg(in_survey::int) as share from players group by gender`],
  ['aggregate', `select sum(height * gold) / nullif(sum(gold), 0) from athletes`],
  ['rows', `select id, sport, height from athletes where gold > 0 order by height desc limit 100`],
  [
    'aggregate',
    `select nationality, sum(gold + silver + bronze) as medals from athletes group by nationality order by medals desc limit 20`,
  ],
  [
    'aggregate',
    `select case when reason_code between 1 and 21 then 'ICD' when reason_code = 0 then 'none' else 'other' end as reason, season, count(*), avg(age_years) from absences group by 1, 2`,
  ],
  [
    'aggregate',
    `select extract(year from session_start) || '-Q' || extract(quarter from session_start) as q, count(*) from play_sessions group by 1`,
  ],
  [
    'aggregate',
    `select sport, round(avg(height)::numeric, 2) as h, count(*)::text as n from athletes group by sport order by h desc nulls last`,
  ],
  [
    'aggregate',
    `select extract(year from date_of_birth) as year, count(*) from athletes group by year order by year`,
  ],
  [
    'aggregate',
    `select sex, avg(height) filter (where sport = 'rowing') as rowers, avg(height) filter (where sport <> 'rowing') as others from athletes group by sex`,
  ],
  [
    'aggregate',
    `select p.gender, p.age_band, avg(d.rmssd_ms) as hrv, count(distinct d.person_id) as people from lifesnaps_daily d inner join lifesnaps_persons p on d.person_id = p.person_id where d.rmssd_ms is not null group by p.gender, p.age_band order by 1, 2`,
  ],
  [
    'aggregate',
    `select first_game, count(*) from (select distinct player_id, first_value(game) over (partition by player_id order by session_start) as first_game from play_sessions) t group by 1`,
  ],
  [
    'aggregate',
    `select count(*) from athletes where age(date '2016-08-05', date_of_birth) >= interval '30 years'`,
  ],
  [
    'aggregate',
    `select count(*) from play_sessions where (session_start, session_end) overlaps (timestamp '2021-07-01', timestamp '2021-07-02')`,
  ],
  [
    'aggregate',
    `with g as (select player_id, string_agg(distinct game, ' + ' order by game) as games from play_sessions group by player_id) select games, count(*) from g group by games order by 2 desc`,
  ],
  [
    'aggregate',
    `select count(*) from (select person_id, total_steps, avg(total_steps) over w as m, stddev(total_steps) over w as s from daily_activity window w as (partition by person_id)) t where total_steps > m + 2 * s`,
  ],
  [
    'aggregate',
    `select avg(s) from (select person_id, stddev(total_steps) as s from daily_activity group by person_id) t`,
  ],
  [
    'aggregate',
    `select g, count(*) from (select player_id, mode() within group (order by game) as g from play_sessions group by player_id) t group by g`,
  ],
  [
    'aggregate',
    `select avg(m) from (select person_id, percentile_cont(0.5) within group (order by total_steps) as m from daily_activity group by person_id) t`,
  ],
  [
    'private',
    `select sex, percentile_cont(array[0.25,0.5,0.75]) within group (order by height) as q from athletes group by sex`,
  ],
  [
    'aggregate',
    `select count(*) as sports, avg(n) as mean from (select sport, count(*) as n from athletes group by sport) t`,
  ],
  [
    'aggregate',
    `select sport, max(n) filter (where sex = 'female') as women, max(n) filter (where sex = 'male') as men from (select sport, sex, count(*) as n from athletes group by sport, sex) t group by sport`,
  ],
  [
    'aggregate',
    `select g.week, count(distinct d.person_id) from generate_series(date '2016-04-12', date '2016-05-12', interval '1 week') as g(week) left join daily_activity d on d.activity_date >= g.week and d.activity_date < g.week + interval '1 week' group by g.week order by 1`,
  ],
  [
    'aggregate',
    `with bands(label, lo, hi) as (values ('15-19', 15, 19), ('20-24', 20, 24), ('25-29', 25, 29), ('30+', 30, 120)) select b.label, b.lo, count(a.id) as n, avg(a.height) as height from bands b left join athletes a on extract(year from age(date '2016-08-05', a.date_of_birth)) between b.lo and b.hi group by b.label, b.lo order by min(b.lo)`,
  ],
  [
    'aggregate',
    `select sport, avg((date '2016-08-05' - date_of_birth) / 365.25) as mean_age from athletes group by sport order by 2`,
  ],
  [
    'aggregate',
    `select sum(case when social_smoker = 1 then absence_hours end) / nullif(count(distinct case when social_smoker = 1 then worker_id end), 0) as smokers from absences`,
  ],
  [
    'aggregate',
    `select case when weight / (height ^ 2) < 18.5 then 'under' when weight / (height ^ 2) < 25 then 'normal' when weight / power(height, 2) < 30 then 'over' else 'obese' end as cat, sex, count(*) as n from athletes where height is not null and weight is not null group by 1, 2 order by 1, 2`,
  ],
  [
    'aggregate',
    `select case when bmi < 18.5 then 'under' when bmi between 18.5 and 24.9 then 'normal' when bmi between 25 and 29.9 then 'over' else 'obese' end as cat, count(*) from (select round(weight / (height * height), 1) as bmi from athletes) t group by 1`,
  ],
  [
    'private',
    `select case when weight / (height * height) < 18.5 then 'under' when weight / (height * height) < 25 then 'normal' else 'over' end as cat, count(*) from athletes group by 1`,
  ],
  ['aggregate', `select (weight::int / 5) * 5 as w, count(*) from athletes group by 1`],
  ['aggregate', `select trunc(height::numeric, 1) as h, count(*) from athletes group by 1`],
  ['aggregate', `select sex, to_char(avg(weight), 'FM999.0') as kg from athletes group by sex`],
  [
    'aggregate',
    `select game, to_char(count(*), '999,999') as n from players group by game order by count(*) desc`,
  ],
  [
    'aggregate',
    `select to_char(100.0 * count(*) filter (where responded) / count(*), 'FM990.0') || ' %' as rate from player_waves`,
  ],
  ['aggregate', `select to_char(floor(weight / 10) * 10, '999') as band, count(*) from athletes group by 1`],
  [
    'aggregate',
    `select to_char(activity_hour, 'HH24:00') as hour, avg(step_total) from hourly_activity group by 1 order by 1`,
  ],
  ['aggregate', `select to_char(session_start, 'Month') as month, count(*) from play_sessions group by 1`],
  [
    'aggregate',
    `select extract(hour from activity_hour at time zone 'UTC') as h, avg(calories_kcal) from hourly_activity group by 1 order by 1`,
  ],
  [
    'aggregate',
    `select extract(hour from activity_hour + interval '2 hours') as h, count(distinct person_id) from hourly_activity group by 1`,
  ],
  [
    'aggregate',
    `select game, avg(session_end - session_start) as mean, extract(epoch from sum(session_end - session_start)) / 3600 as hours from play_sessions group by game having avg(session_end - session_start) > interval '10 minutes'`,
  ],
  [
    'aggregate',
    `with s as (select player_id, avg(session_end - session_start) as len, max(session_end) - min(session_start) as tenure from play_sessions group by player_id) select avg(len), count(*) filter (where len > interval '1 hour') as long, count(*) filter (where tenure > '30 days') as loyal from s`,
  ],
  [
    'aggregate',
    `select avg(total_distance_km / nullif(total_steps, 0) * 1000) as stride_m from daily_activity`,
  ],
  [
    'aggregate',
    `select sport, count(*) from athletes where sport = any ('{judo,golf}'::text[]) and nationality <> all ('{USA,"GBR"}') group by sport`,
  ],
  [
    'rows',
    `select activity_minute, steps, sum(steps) over (partition by person_id order by activity_minute rows between 59 preceding and current row) as hour from minute_steps where activity_minute >= '2016-04-20' and activity_minute < '2016-04-21' order by activity_minute`,
  ],
  [
    'rows',
    `select *, row_number() over (partition by player_id order by session_start) as n from outriders_sessions where platform = 'steam' order by n, deaths desc`,
  ],
  [
    'rows',
    `select player_id, count(*) as n, sum(deaths) as deaths, max(session_start) - min(session_start) as tenure from outriders_sessions group by player_id having count(*) > 5 order by n desc, min(session_start) limit 100`,
  ],
  [
    'rows',
    `select person_id, date_trunc('hour', activity_minute) as h, sum(steps) from minute_steps group by 1, 2 order by 2`,
  ],
  ['rows', `select distinct player_id, platform from outriders_sessions order by platform`],
  [
    'rows',
    `select distinct on (player_id) player_id, platform, session_start, session_end - session_start as span from outriders_sessions order by player_id, session_start desc`,
  ],
]

for (const [mode, sql] of TAKEN)
  test(`taken: ${sql}`, () => {
    const checked = checkQuestion(sql, { mode, dataSets })
    assert.ok(checked.ok, JSON.stringify(checked))
  })

const DECLINED: readonly (readonly [mode: Mode, sql: string, at: string, says: RegExp])[] = [
  [
    'aggregate',
    `SELECT COUNT(*) FROM "play_sessions" WHERE "session_start" >= DATE_TRUNC('month', (NOW() + INTERVAL '-12 month'))`,
    'NOW() + INTE',
    /"now"/,
  ],
  [
    'aggregate',
    `SELECT DATE_TRUNC('month', session_start) AS __timestamp, game, COUNT(*) AS count FROM play_sessions JOIN (SELECT game AS game__, COUNT(*) AS mme_inner__ FROM play_sessions GROUP BY game ORDER BY mme_inner__ DESC LIMIT 2) AS series_limit ON game = game__ GROUP BY DATE_TRUNC('month', session_start), game ORDER BY count DESC LIMIT 1000`,
    '2) AS series',
    /LIMIT and OFFSET over rows of different peopl/,
  ],
  [
    'aggregate',
    `with c as (select player_id, min(session_start) as d0 from play_sessions group by 1) select extract(year from age(p.session_start, c.d0)) * 12 + extract(month from age(p.session_start, c.d0)) as m, count(distinct p.player_id) from play_sessions p join c using (player_id) group by 1`,
    'extract(year',
    /Column "session_start" may only be grouped by/,
  ],
  [
    'aggregate',
    `select game, avg(gap_days) from (select player_id, game, session_start::date - lag(session_start::date) over (partition by player_id order by session_start) as gap_days from play_sessions) g group by game`,
    'avg(gap_days',
    /a sum, average or variance of anything but co/,
  ],
  [
    'private',
    `select medal, sum(n) from (select 'gold' as medal, gold as n from athletes union all select 'silver', silver from athletes union all select 'bronze', bronze from athletes) m group by medal`,
    "'gold' as med",
    /anything but one person key; ask each branch as a question of its own/,
  ],
  [
    'aggregate',
    `select sport, count(*) as n from athletes group by sport union all select 'total', count(*) from athletes`,
    'sport, count',
    /a set operation/,
  ],
  [
    'private',
    `select v.medal, sum(v.n) as total from athletes a cross join lateral (values ('gold', a.gold), ('silver', a.silver), ('bronze', a.bronze)) as v(medal, n) group by v.medal`,
    "'gold', a.go",
    /GROUP BY, HAVING, DISTINCT, windows and set o/,
  ],
  [
    'aggregate',
    `select sex, percentile_cont(0.5) within group (order by height) as median_height from athletes group by sex`,
    'percentile_c',
    /WITHIN GROUP \(it would be one person’s value/,
  ],
  [
    'aggregate',
    `select sex, mode() within group (order by sport) from athletes group by sex`,
    'mode() withi',
    /WITHIN GROUP \(it would be one person’s value/,
  ],
  [
    'aggregate',
    `select nationality, string_agg(distinct sport, ', ' order by sport) from athletes group by nationality`,
    'string_agg(d',
    /ORDER BY in an aggregate \(it lists values/,
  ],
  [
    'aggregate',
    `select sport, min(height), max(height), max(height) - min(height) as spread from athletes group by sport`,
    'min(height),',
    /"min"/,
  ],
  [
    'aggregate',
    `select count(*) from athletes where height > (select avg(height) from athletes)`,
    '(select avg(',
    /a sub-query that is not of the person of its /,
  ],
  [
    'aggregate',
    `select extract(isodow from session_start) as d, date_part('hour', session_start) as h, count(*) from play_sessions group by 1, 2 order by 1, 2`,
    "date_part('h",
    /Column "session_start" may only be grouped by/,
  ],
  [
    'aggregate',
    `with steps as (select p.player_id, bool_or(w.responded) as r1, bool_or(w.responded and w.wave = 2) as r2, bool_or(w.responded and w.wave = 3) as r3 from players p left join player_waves w using (player_id) group by p.player_id) select count(*) as invited, count(*) filter (where r1) as w1, count(*) filter (where r1 and r2) as w2, sum(case when r1 and r2 and r3 then 1 else 0 end) as w3 from steps`,
    'player_waves',
    /an outer join, within a sub-query, that may f/,
  ],
  [
    'aggregate',
    `select avg(w2.life_satisfaction - w1.life_satisfaction) from player_waves w1 join player_waves w2 on w1.player_id = w2.player_id and w1.wave = 1 and w2.wave = 2`,
    'avg(w2.life_',
    /"avg" of a value that the join repeats for ea/,
  ],
  [
    'aggregate',
    `select avg(w2.life_satisfaction) - avg(w1.life_satisfaction), count(*) from player_waves w1 join player_waves w2 on w1.player_id = w2.player_id and w1.wave = 1 and w2.wave = 2`,
    'avg(w2.life_',
    /"avg" of a value that the join repeats for ea/,
  ],
  [
    'aggregate',
    `select case when s.total_minutes_asleep >= 420 then '7h+' else 'less' end as slept, avg(d.total_steps) as steps from daily_activity d join sleep_day s on s.person_id = d.person_id and s.sleep_date = d.activity_date group by 1`,
    'avg(d.total_',
    /"avg" of a value that the join repeats for ea/,
  ],
  [
    'aggregate',
    `select activity_date, avg(steps7) from (select person_id, activity_date, avg(total_steps) over (partition by person_id order by activity_date rows between 6 preceding and current row) as steps7 from daily_activity) t group by activity_date order by 1`,
    'avg(steps7) ',
    /a sum, average or variance of anything but co/,
  ],
  [
    'aggregate',
    `select extract(isodow from activity_date) in (6, 7) as is_weekend, avg(total_steps), avg(very_active_minutes + fairly_active_minutes) from daily_activity group by 1`,
    'extract(isod',
    /Column "activity_date" may only be grouped by/,
  ],
  [
    'aggregate',
    `select extract(isodow from activity_date) d, count(*) from (select person_id, activity_date, row_number() over (partition by person_id order by total_steps desc) rn from daily_activity) t where rn = 1 group by 1`,
    'extract(isod',
    /A value of a sub-query may only be grouped by/,
  ],
  [
    'aggregate',
    `select q, avg(weight) from (select weight, ntile(4) over (order by height) as q from athletes) t group by q`,
    'ntile(4) ove',
    /a window that is not PARTITION BY <person key/,
  ],
  [
    'aggregate',
    `select nationality, count(distinct sport) as sports from athletes group by 1`,
    'count(distin',
    /"count" of distinct values of anything but th/,
  ],
  [
    'aggregate',
    `select avg(n), max(n), percentile_cont(0.9) within group (order by n) from (select player_id, count(*) as n from play_sessions group by player_id) t`,
    'max(n), perc',
    /"max"/,
  ],
  [
    'private',
    `select nationality, sum(gold + silver + bronze) as medals, stddev(height), mode() within group (order by sport) from athletes group by nationality order by medals desc limit 20`,
    'mode() withi',
    /WITHIN GROUP \(it would be one person’s value/,
  ],
  [
    'aggregate',
    `select count(*) from play_sessions where session_start > current_date - 90`,
    'current_date',
    /a value of the moment or the session/,
  ],
  [
    'rows',
    `select distinct on (sport) sport, height from athletes order by sport, height desc`,
    'sport) sport',
    /DISTINCT ON without exactly one person key/,
  ],
  [
    'aggregate',
    `select count(*) from players where exists (select 1 from play_sessions)`,
    'exists (sele',
    /a sub-query that is not of the person of its /,
  ],
  [
    'aggregate',
    `select count(*) from athletes where sex = "female"`,
    '"female"',
    /There is no column "female"; there are .*; a text is written in single quotes, at character \d+$/,
  ],
  [
    'aggregate',
    `select sport, count(*) as n from athletes group by sport having n > 100`,
    'n > 100',
    /There is no column "n"/,
  ],
  [
    'aggregate',
    `select extract(hour from activity_hour at time zone 'America/New_York') as h, count(*) from hourly_activity group by 1`,
    `at time zone`,
    /add hours instead, as in t \+ interval/,
  ],
  [
    'aggregate',
    `select activity_hour::time as t, avg(step_total) from hourly_activity group by 1`,
    `time as t`,
    /take extract\(hour from t\)/,
  ],
  [
    'aggregate',
    `select round(100.0 * count(*) filter (where responded) / count(*), 1) || '%' as rate from player_waves`,
    `|| '%'`,
    /to_char\(x, 'FM990.0'\)/,
  ],
  [
    'aggregate',
    `select to_char(avg(weight), '9G999D0') from athletes`,
    `to_char`,
    /expected number pattern: a pattern such as 'FM999,990.00'/,
  ],
  [
    'aggregate',
    `select worker_id, sum(absence_hours) from absences group by worker_id order by 2 desc limit 10`,
    `worker_id order`,
    /group by it in a sub-select/,
  ],
  [
    'aggregate',
    `select to_char(day, 'YYYY-IW') as week, avg(steps) from lifesnaps_daily group by 1`,
    `to_char`,
    /in one way only; together these are finer than bins of week/,
  ],
  [
    'aggregate',
    `select weight / (height * height) < 25 as lean, weight < 80 as light, count(*) from athletes group by 1, 2`,
    `weight /`,
    /in one way only/,
  ],
  [
    'aggregate',
    `select case when weight / (height * height) < 24 then 'a' when weight / (height * height) < 25 then 'b' end as cat, count(*) from athletes group by 1`,
    `case when`,
    /bins of at least/,
  ],
  [
    'aggregate',
    `select game, avg(round(extract(epoch from session_end - session_start))) from play_sessions group by game`,
    `avg(round`,
    /functions around the result, at character/,
  ],
  [
    'aggregate',
    `select extract(hour from avg(session_end - session_start)) from play_sessions`,
    `extract(hour`,
    /divide its seconds/,
  ],
  [
    'aggregate',
    `select count(*) from play_sessions where session_end - session_start > 3600`,
    `> 3600`,
    /compare it with a span/,
  ],
  [
    'aggregate',
    `select count(*) filter (where last_w < first_w) from (select person_id, (array_agg(weight_kg order by logged_at))[1] as first_w, (array_agg(weight_kg order by logged_at desc))[1] as last_w from weight_log group by person_id) t`,
    `array_agg`,
    /distinct on \(<person key>\)/,
  ],
  [
    'rows',
    `select platform, count(*) from outriders_sessions group by platform`,
    `platform`,
    /without the person key in mode rows/,
  ],
  [
    'rows',
    `select distinct player_id, platform from outriders_sessions order by deaths`,
    `deaths`,
    /ORDER BY beside DISTINCT of what is not shown/,
  ],
  [
    'rows',
    `select player_id, count(*) from outriders_sessions group by player_id order by player_id`,
    `player_id`,
    /person key may only be counted/,
  ],
]

for (const [mode, sql, at, says] of DECLINED)
  test(`declined at "${at}": ${sql}`, () => {
    const checked = checkQuestion(sql, { mode, dataSets })
    assert.ok(!checked.ok)
    const { position = 0, detail = '' } = checked.error
    assert.ok(sql.slice(position - 1).startsWith(at), `${position}: ${detail}`)
    assert.match(detail, says)
  })
