-- rows, taken
select player_id,
       count(*) as n_sessions,
       avg(game_time_ms) as mean_game_time,
       max(deaths) as max_deaths,
       avg(is_coop::int) as coop_share,
       extract(epoch from max(session_start) - min(session_start)) / 86400.0 as tenure_days
from outriders_sessions
group by player_id;

-- rows, taken
select person_id, activity_minute, steps,
       lag(steps, 1) over w as l1, lag(steps, 2) over w as l2, lag(steps, 3) over w as l3,
       avg(steps) over (partition by person_id order by activity_minute rows between 10 preceding and 1 preceding) as mean10
from minute_steps
window w as (partition by person_id order by activity_minute);

-- rows, taken
select id, height, weight, sex = 'female' as is_female, extract(year from date_of_birth) as birth_year, gold + silver + bronze > 0 as label from athletes;

-- rows, declined at 22: Not supported: a sub-query that is not of the person of its row; tie the person keys, as
select id, (height - (select avg(height) from athletes)) / (select stddev(height) from athletes) as z_height from athletes;

-- rows, declined at 22: Not supported: a window that is not PARTITION BY <person key>; over the groups of a
select id, (height - avg(height) over ()) / stddev(height) over () as z_height from athletes;

-- rows, declined at 19: Not supported: a window that is not PARTITION BY <person key>; over the groups of a
select id, sport, row_number() over (partition by sport order by height desc) as rank_in_sport from athletes;

-- aggregate, taken
select avg(height) as mu_h, stddev_pop(height) as sd_h, avg(weight) as mu_w, stddev_pop(weight) as sd_w, covar_pop(height, weight) as cov from athletes;

-- aggregate, taken
select sport, count(*) as n, avg((gold > 0)::int) as positive_rate from athletes group by sport order by n desc;

-- aggregate, taken
select count(*) as n, sum(height) as sx, sum(weight) as sy, sum(height * weight) as sxy, sum(height * height) as sxx from athletes where height is not null and weight is not null;

-- aggregate, declined at 16: Not allowed: "hashtext" (the engines differ, and a person key may only be counted, joined on or shown; choose by a column)
select mod(abs(hashtext(id)), 10) as fold, count(*) from athletes group by 1;

-- aggregate, declined at 53: Not supported: TABLESAMPLE (an equal question must have an equal answer); ask about
select sport, avg(height) from athletes tablesample bernoulli (10) group by sport;

-- aggregate, declined at 47: Not allowed: "random" (an equal question must have an equal answer; ask about everybody,
select sport, avg(height) from athletes where random() < 0.1 group by sport;

-- rows, declined at 50: Not allowed: "random" (an equal question must have an equal answer; ask about everybody,
select id, height, weight from athletes order by random() limit 1000;

-- aggregate, taken
select count(*) filter (where sport is null) as null_sport, count(*) filter (where height is null) as null_height, count(*) filter (where weight is null) as null_weight, count(*) as n from athletes;

-- aggregate, declined at 8: Not allowed: "max" (it would be one person’s value; computed for each person in a
select max(height) - min(height) as range from athletes;

-- aggregate, taken
select histogram_bin, count(*) from (select floor(weight / 5) * 5 as histogram_bin from athletes) t group by histogram_bin order by histogram_bin;

-- aggregate, declined at 96: Not supported: a window function (OVER) here; put it into a
select sport, -sum(p * ln(p)) as entropy from (
  select sport, nationality, count(*)::float / sum(count(*)) over (partition by sport) as p from athletes group by sport, nationality) t
group by sport;

-- aggregate, taken
select sex, sport, count(*) as n, ln(count(*)::float * sum(count(*)) over () / (sum(count(*)) over (partition by sex) * sum(count(*)) over (partition by sport))) as pmi
from athletes group by sex, sport;

-- aggregate, taken
select sum(case when pred and label then 1 else 0 end) as tp, sum(case when pred and not label then 1 else 0 end) as fp,
       sum(case when not pred and label then 1 else 0 end) as fn, sum(case when not pred and not label then 1 else 0 end) as tn
from (select height > 1.85 as pred, sport = 'basketball' as label from athletes where height is not null) t;

-- aggregate, taken
select avg(abs(height - 1.77)) as mae, sqrt(avg(power(height - 1.77, 2))) as rmse from athletes;

-- aggregate, taken
select sex, avg(weight - (62.0 * height - 38.0)) as bias from athletes where height is not null group by sex;

-- aggregate, taken
select sum((weight - (62.0 * height - 38.0)) * (weight - (62.0 * height - 38.0))) / count(*) as mse from athletes where height is not null and weight is not null;

-- aggregate, declined at 8: Not supported: a sum, average or variance of anything but columns, their products and
select avg(1 / (1 + exp(-(0.05 * weight - 3.5)))) as mean_score from athletes;

-- aggregate, taken
select p.gender, avg(d.very_active_minutes + d.moderately_active_minutes) as mvpa, avg(d.steps)::int as steps
from lifesnaps_persons p inner join lifesnaps_daily d using (person_id) group by p.gender;

-- aggregate, taken
select extract(hour from activity_hour) as h, avg(step_total) as mean, stddev(step_total) as sd, count(*) from hourly_activity group by 1 order by 1;

-- aggregate, taken
select x.hour, x.steps, case when x.steps > avg(x.steps) over () then 'busy' else 'quiet' end as kind
from (select extract(hour from activity_hour) as hour, avg(step_total) as steps from hourly_activity group by 1) x order by 1;

-- aggregate, taken
with daily as (select person_id, activity_hour::date as day, sum(step_total) as steps from hourly_activity group by 1, 2),
person as (select person_id, avg(steps) as m, stddev(steps) as s from daily group by person_id)
select avg(m) as between_mean, stddev(m) as between_sd, sqrt(avg(s * s)) as within_sd from person;

-- aggregate, taken
select sum(steps) from lifesnaps_daily where day between '2021-06-01' and '2021-06-30' and 'Walk' = any (string_to_array(activity_types, ';'));

-- aggregate, declined at 8: Not allowed: "unnest" (it makes several rows of one; ask with = ANY, &&, @>,
select unnest(string_to_array(activity_types, ';')) as kind, count(*) from lifesnaps_daily group by 1 order by 2 desc;

-- aggregate, declined at 45: Not supported: a function as a relation (it makes several rows of one, or rows of
select kind, count(*) from lifesnaps_daily, unnest(string_to_array(activity_types, ';')) as kind group by kind;
