-- aggregate, taken
with first_seen as (select player_id, min(session_start::date) as d0 from play_sessions group by player_id),
activity as (select distinct player_id, session_start::date as d from play_sessions)
select date_trunc('week', f.d0) as cohort, (a.d - f.d0) / 7 as week_n, count(distinct a.player_id) as retained
from first_seen f join activity a using (player_id)
group by 1, 2 order by 1, 2;

-- aggregate, declined at 43: Not supported: a sub-query that is not of the person of its row; tie the person keys, as
select count(distinct player_id)::float / (select count(*) from players) as share_active from play_sessions where session_start >= '2021-08-01';

-- aggregate, declined at 49: Not supported: counting people in a sub-select or CTE of people's rows; leave the person
with dau as (select session_start::date as day, count(distinct player_id) as dau from play_sessions group by 1),
mau as (select date_trunc('month', session_start) as month, count(distinct player_id) as mau from play_sessions group by 1)
select m.month, avg(d.dau) / max(m.mau) as stickiness
from dau d join mau m on date_trunc('month', d.day) = m.month
group by m.month;

-- aggregate, taken
select session_start::date as day, count(distinct player_id) as dau, avg(count(distinct player_id)) over (order by session_start::date rows between 6 preceding and current row) as dau_7d
from play_sessions group by 1 order by 1;

-- aggregate, taken
select game, count(*) as sessions, count(distinct player_id) as players, count(*)::numeric / count(distinct player_id) as sessions_per_player
from play_sessions group by game order by sessions desc;

-- aggregate, taken
select platform, avg(game_time_ms / 60000.0) as minutes, avg(deaths) as deaths, sum(deaths) * 3600000.0 / nullif(sum(game_time_ms), 0) as deaths_per_hour
from outriders_sessions where game_time_ms between 1 and 86400000 group by platform;

-- aggregate, taken
select is_coop, platform, count(*), avg(expeditions_completed), avg(main_quests_completed + side_quests_completed) as quests
from outriders_sessions group by cube (is_coop, platform);

-- aggregate, taken
with steps as (
  select player_id, max(case when main_quests_completed > 0 then 1 else 0 end) as did_main,
         max(case when side_quests_completed > 0 then 1 else 0 end) as did_side,
         max(case when expeditions_completed > 0 then 1 else 0 end) as did_exp
  from outriders_sessions group by player_id
)
select count(*) as players, sum(did_main) as main, sum(did_main * did_side) as side, sum(did_main * did_side * did_exp) as expedition from steps;

-- aggregate, declined at 48: Column "session_start" may only be grouped by in bins of at least day; count(*) filter
select extract(dow from session_start) as dow, extract(hour from session_start) as hour, count(*) from play_sessions group by 1, 2;

-- aggregate, taken
select to_char(session_start, 'Dy') as day, count(*) from play_sessions group by 1, extract(isodow from session_start) order by extract(isodow from session_start);

-- aggregate, taken
with gaps as (
  select player_id, session_start - lag(session_start) over (partition by player_id order by session_start) as gap from play_sessions
)
select count(*) filter (where gap <= interval '1 day') as within_day, count(*) filter (where gap > interval '1 day' and gap <= interval '7 days') as within_week, count(*) filter (where gap > interval '7 days') as later
from gaps where gap is not null;

-- aggregate, taken
with last_seen as (select player_id, max(session_start) as last from play_sessions group by player_id)
select count(*) filter (where last < timestamp '2021-09-01' - interval '28 days') as churned, count(*) as all_players from last_seen;

-- aggregate, declined at 248: Not allowed: "min" (it would be one person’s value; computed for each person in a
select case when n = 1 then '1' when n between 2 and 5 then '2-5' when n between 6 and 20 then '6-20' else '21+' end as bucket, count(*) as players
from (select player_id, count(*) as n from play_sessions group by player_id) t group by 1 order by min(n);

-- aggregate, taken
select p.gender, count(distinct s.player_id) as active, count(distinct p.player_id) as invited,
       count(distinct s.player_id)::float / count(distinct p.player_id) as activation
from players p left join play_sessions s on s.player_id = p.player_id
group by p.gender;

-- aggregate, taken
select p.game, w.wave, avg(w.responded::int) as response_rate from players p join player_waves w using (player_id) group by p.game, w.wave order by 1, 2;

-- aggregate, taken
select wave, count(*) filter (where responded) as responded, lag(count(*) filter (where responded)) over (order by wave) as before
from player_waves group by wave order by wave;

-- aggregate, declined at 33: Not supported: ORDER BY in an aggregate (it lists values of people; group by them
with r as (
  select player_id, array_agg(wave order by wave) filter (where responded) as waves from player_waves group by player_id
)
select waves, count(*) from r group by waves order by count(*) desc;

-- aggregate, declined at 33: Not supported: "string_agg" without DISTINCT: how long its text is would follow from the
with r as (
  select player_id, string_agg(wave::text, ',' order by wave) filter (where responded) as pattern from player_waves group by player_id
)
select pattern, count(*) from r group by pattern order by 2 desc;

-- aggregate, taken
select game, platform_count, count(*) from (
  select player_id, count(distinct platform) as platform_count from outriders_sessions group by player_id) o
join players using (player_id) group by game, platform_count;

-- rows, taken
select player_id, session_start, session_end, deaths from outriders_sessions where deaths > 50 order by deaths desc limit 20;

-- rows, taken
select player_id, platform, sum(deaths) as total_deaths, count(*) as sessions
from outriders_sessions group by player_id, platform order by total_deaths desc limit 50;

-- rows, taken
select o.*, o.session_end - o.session_start as length from outriders_sessions o where o.platform = 'steam' and o.session_end is not null;

-- aggregate, taken
select avg(sessions) from (select player_id, session_start::date as day, count(*) as sessions from play_sessions group by player_id, session_start::date) t;

-- aggregate, declined at 45: Not allowed: "max" (it would be one person’s value; computed for each person in a
select day, avg(sessions) as mean_sessions, max(sessions) as most from (
  select player_id, session_start::date as day, count(*) as sessions from play_sessions group by 1, 2) t group by day order by day;

-- aggregate, taken
select game, count(*) filter (where session_end is null) as open_sessions, count(*) as sessions from play_sessions group by game;

-- aggregate, declined at 14: Not allowed: "median" (it would be one person’s value; count bands of it, as floor(x /
select game, median(extract(epoch from session_end - session_start)) / 60 as median_minutes from play_sessions group by game;

-- aggregate, taken
select s.game, p.age_years / 10 * 10 as decade, count(distinct s.player_id) from play_sessions s join players p using (player_id) where p.age_years is not null group by 1, 2;

-- aggregate, taken
select a.game as game_a, b.game as game_b, count(distinct a.player_id) as both
from play_sessions a join play_sessions b on a.player_id = b.player_id and a.game < b.game
group by a.game, b.game;
