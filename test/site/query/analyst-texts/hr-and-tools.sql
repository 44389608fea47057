-- aggregate, taken
select day_of_week, case day_of_week when 2 then 'Mon' when 3 then 'Tue' when 4 then 'Wed' when 5 then 'Thu' else 'Fri' end as name, sum(absence_hours) from absences group by day_of_week order by day_of_week;

-- aggregate, taken
select disciplinary_failure, avg(hit_target_pct), avg(workload_avg_per_day), count(distinct worker_id) from absences group by disciplinary_failure;

-- aggregate, taken
select distance_to_work_km / 10 as band, avg(transport_expense), corr(distance_to_work_km, transport_expense) from absences group by 1;

-- aggregate, taken
with base as (select distinct worker_id, age_years, education_level, children from absences)
select education_level, avg(children), avg(age_years), count(*) from base group by education_level;

-- aggregate, declined at 128: Column "absence_id" identifies people directly and may stand in no
with base as (select distinct on (worker_id) worker_id, age_years, education_level, children from absences order by worker_id, absence_id)
select education_level, avg(children), avg(age_years), count(*) from base group by education_level;

-- aggregate, taken
with base as (select distinct on (worker_id) worker_id, age_years, education_level, children from absences order by worker_id, month_of_absence)
select education_level, avg(children), avg(age_years), count(*) from base group by education_level;

-- aggregate, taken
select season, count(*) as absences, sum(absence_hours) as hours from absences where absence_hours > 0 group by season order by case season when 1 then 'a' when 2 then 'b' else 'c' end;

-- aggregate, taken
SELECT "absences"."season" AS "season", SUM("absences"."absence_hours") AS "sum", COUNT(*) AS "count" FROM "absences" WHERE ("absences"."reason_code" <> 0 OR "absences"."reason_code" IS NULL) GROUP BY "absences"."season" ORDER BY "absences"."season" ASC;

-- aggregate, taken
SELECT "source"."age_band" AS "age_band", COUNT(DISTINCT "source"."person_id") AS "count", AVG("source"."steps") AS "avg" FROM (SELECT "lifesnaps_daily"."person_id" AS "person_id", "lifesnaps_daily"."steps" AS "steps", "P"."age_band" AS "age_band" FROM "lifesnaps_daily" LEFT JOIN "lifesnaps_persons" AS "P" ON "lifesnaps_daily"."person_id" = "P"."person_id") AS "source" GROUP BY "source"."age_band" ORDER BY "source"."age_band" ASC;

-- aggregate, taken
SELECT CAST(DATE_TRUNC('QUARTER', "play_sessions"."session_start") AS DATE) AS "tqr:session_start:ok", COUNT(DISTINCT "play_sessions"."player_id") AS "ctd:player_id:ok" FROM "public"."play_sessions" "play_sessions" GROUP BY 1;

-- aggregate, taken
SELECT (DATE(DATE_TRUNC('month', play_sessions.session_start))) AS "play_sessions.session_start_month", COUNT(DISTINCT play_sessions.player_id) AS "players" FROM play_sessions GROUP BY 1 ORDER BY 1 DESC LIMIT 500;

-- aggregate, taken
SELECT TO_CHAR(DATE_TRUNC('month', outriders_sessions.session_start), 'YYYY-MM') AS "month", COALESCE(SUM(outriders_sessions.deaths), 0) AS "deaths", COUNT(*) FILTER (WHERE outriders_sessions.is_coop) AS "coop" FROM outriders_sessions GROUP BY DATE_TRUNC('month', outriders_sessions.session_start) ORDER BY 1;

-- aggregate, taken
SELECT sport, AVG(height) FILTER (WHERE sex = 'female') AS f, AVG(height) FILTER (WHERE sex = 'male') AS m, AVG(height) FILTER (WHERE sex = 'male') - AVG(height) FILTER (WHERE sex = 'female') AS gap FROM athletes GROUP BY sport HAVING COUNT(*) FILTER (WHERE sex = 'female') >= 20 AND COUNT(*) FILTER (WHERE sex = 'male') >= 20 ORDER BY gap DESC;

-- aggregate, taken
select platform, date_trunc('week', session_start)::date as week, count(distinct player_id) as players from outriders_sessions where session_start >= '2021-04-01'::timestamp and session_start < '2021-07-01'::timestamp group by platform, week order by platform, week;

-- aggregate, taken
select platform, date_trunc('week', session_start) + interval '6 days' as week_end, count(*) from outriders_sessions group by 1, 2;

-- aggregate, taken
select session_start::date - extract(isodow from session_start)::int + 1 as monday, count(*) from outriders_sessions group by 1;

-- aggregate, taken
select date_bin('7 days', session_start, timestamp '2021-03-29') as bin, count(*), count(distinct player_id) from outriders_sessions group by 1 order by 1;

-- aggregate, taken
with calendar as (select generate_series(date '2021-06-01', date '2021-08-31', interval '1 day')::date as day)
select c.day, count(distinct s.player_id) as dau from calendar c left join play_sessions s on s.session_start::date = c.day group by c.day order by c.day;

-- aggregate, declined at 16: Not supported: WITH RECURSIVE; write a series as generate_series(1, 10) in FROM, or
with recursive days(d) as (select date '2021-06-01' union all select d + 1 from days where d < date '2021-06-30')
select d, count(distinct player_id) from days left join play_sessions on session_start::date = d group by d;

-- aggregate, declined at 59: Not allowed: AT TIME ZONE but 'UTC': times stand as the data set has them; add hours
select extract(hour from session_start at time zone 'UTC' at time zone 'Europe/Berlin') as local_hour, count(*) from play_sessions group by 1 order by 1;

-- aggregate, declined at 8: Not allowed: "json_build_object" (a whole row cannot be traced to permitted columns, and
select json_build_object('sport', sport, 'n', count(*)) from athletes group by sport;

-- aggregate, declined at 51: Syntax error; name what to group or order by, or write its number, as in GROUP BY 1,
select sport, count(*) from athletes group by all order by all;

-- aggregate, declined at 48: Not allowed: == (it is of another dialect; write
select sport, count(*) from athletes where sex == 'female' group by sport;

-- aggregate, declined at 12: Syntax error; write LIMIT at the
select top 10 sport, count(*) from athletes group by sport;

-- aggregate, declined at 15: Not allowed: "countif" (it is of another dialect; write count(*) filter (where
select sport, countif(sex = 'female') as women from athletes group by sport;

-- aggregate, declined at 19: Not allowed: "if" (it is of another dialect; write case when … then … else …
select sport, sum(if(sex = 'female', 1, 0)) as women from athletes group by sport;

-- aggregate, declined at 15: Not allowed: "ifnull" (it is of another dialect; write coalesce(x,
select sport, ifnull(sum(gold), 0) as gold, nvl(sum(silver), 0) as silver from athletes group by sport;

-- aggregate, declined at 15: Syntax error; names stand in double
select `sport`, count(*) from `athletes` group by `sport`;

-- aggregate, declined at 49: There is no column "n"; there are "id", "nationality", "residence", "sex",
select sport, count(*) as n from athletes where n > 10 group by sport;

-- aggregate, declined at 15: Column "sex" must stand in GROUP BY or in an
select sport, sex, count(*) from athletes group by sport;

-- aggregate, declined at 8: Not allowed: "datediff" (it is of another dialect; write a - b for days, extract(year
select datediff('year', date_of_birth, date '2016-08-05') / 5 as band, count(*) from athletes group by 1;

-- aggregate, declined at 8: Not allowed: "year" (it is of another dialect; write extract(year from t), or to_char(t,
select year(date_of_birth) as y, count(*) from athletes group by 1;

-- aggregate, declined at 53: Syntax error; put the SELECT into a sub-select, and the condition on its window into a
select sport, count(*) from athletes group by sport qualify row_number() over (order by count(*) desc) <= 5;

-- aggregate, declined at 8: Not allowed: "strftime" (it is of another dialect; write to_char(t,
select strftime('%Y', date_of_birth) as y, count(*) from athletes group by 1;

-- aggregate, declined at 15: Not allowed: "group_concat" (it lists values of people; group by them instead, join those
select sport, group_concat(distinct nationality) from athletes group by sport;
