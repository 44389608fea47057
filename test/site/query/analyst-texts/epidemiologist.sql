-- aggregate, taken
select gender, count(*) as n, avg(rhr) as mean_rhr, stddev_samp(rhr) / sqrt(count(*)) as se
from (select person_id, avg(resting_heart_rate_bpm) as rhr from lifesnaps_daily group by person_id) r
join lifesnaps_persons p using (person_id)
group by gender;

-- aggregate, taken
select p.age_band,
       avg(d.rmssd_ms) as hrv,
       avg(d.rmssd_ms) - 1.96 * stddev(d.rmssd_ms) / sqrt(count(d.rmssd_ms)) as ci_low,
       avg(d.rmssd_ms) + 1.96 * stddev(d.rmssd_ms) / sqrt(count(d.rmssd_ms)) as ci_high
from lifesnaps_daily d join lifesnaps_persons p on p.person_id = d.person_id
group by p.age_band
order by p.age_band;

-- aggregate, taken
with exposure as (
  select person_id,
         avg(case when steps >= 10000 then 1.0 else 0.0 end) >= 0.5 as active
  from lifesnaps_daily where steps is not null group by person_id
), outcome as (
  select person_id, bool_or(mood_sad) as ever_sad from lifesnaps_daily group by person_id
)
select sum(case when active and ever_sad then 1 else 0 end) as a,
       sum(case when active and not ever_sad then 1 else 0 end) as b,
       sum(case when not active and ever_sad then 1 else 0 end) as c,
       sum(case when not active and not ever_sad then 1 else 0 end) as d
from exposure join outcome using (person_id);

-- aggregate, taken
with e as (
  select person_id, avg(steps) > 8000 as exposed, bool_or(mood_tired) as sick from lifesnaps_daily group by person_id
)
select (count(*) filter (where exposed and sick))::numeric / nullif(count(*) filter (where exposed), 0)
     / nullif((count(*) filter (where not exposed and sick))::numeric / nullif(count(*) filter (where not exposed), 0), 0) as risk_ratio
from e;

-- aggregate, taken
select ln((count(*) filter (where exposed and sick))::float8 * count(*) filter (where not exposed and not sick)
  / nullif(count(*) filter (where exposed and not sick) * count(*) filter (where not exposed and sick), 0)) as log_or
from (select person_id, avg(minutes_asleep) < 390 as exposed, bool_or(mood_tense) as sick from lifesnaps_daily group by person_id) t;

-- aggregate, taken
select p.gender, p.age_band, count(distinct d.person_id) as persons, count(*) as person_days,
       1000.0 * count(*) filter (where d.mood_tense) / count(*) as tense_per_1000
from lifesnaps_daily d join lifesnaps_persons p using (person_id)
where d.mood_tense is not null
group by p.gender, p.age_band;

-- aggregate, taken
select date_trunc('month', day)::date as month, count(distinct person_id) as people,
       round(avg(minutes_asleep) / 60.0, 2) as hours
from lifesnaps_daily where minutes_asleep is not null
group by 1 order by 1;

-- aggregate, taken
select case when sport in ('boxing', 'judo', 'wrestling', 'taekwondo') then 'combat' when sport in ('aquatics', 'rowing', 'sailing', 'canoe') then 'water' else 'other' end as family,
       sex, count(*) as n, round(avg(weight / (height * height))::numeric, 1) as bmi
from athletes where height is not null and weight is not null
group by 1, 2 order by 1, 2;

-- aggregate, taken
select sex, count(*) filter (where weight / (height * height) >= 25)::float / count(*) as prevalence
from athletes where height > 0 and weight > 0 group by sex;

-- private, taken
select sex, percentile_cont(0.5) within group (order by weight / (height * height)) as median_bmi,
       percentile_cont(0.25) within group (order by weight / (height * height)) as q1,
       percentile_cont(0.75) within group (order by weight / (height * height)) as q3
from athletes where height is not null and weight is not null group by sex;

-- aggregate, declined at 273: Not supported: GROUP BY in a sub-select or CTE without exactly one person key; add it,
with std(age_band, w) as (values ('<30', 0.6), ('>=30', 0.4)),
rates as (
  select p.gender, p.age_band, avg(case when d.mood_tired then 1.0 else 0.0 end) as r
  from lifesnaps_daily d join lifesnaps_persons p using (person_id)
  where d.mood_tired is not null
  group by p.gender, p.age_band
)
select gender, sum(r * w) as standardised
from rates join std using (age_band)
group by gender;

-- aggregate, taken
select case when reason_code between 1 and 21 then 'ICD ' || reason_code::text else 'other' end as chapter,
       count(*) as spells, sum(absence_hours) as hours, count(distinct worker_id) as workers
from absences group by 1 having count(distinct worker_id) >= 10 order by hours desc;

-- aggregate, taken
select social_smoker, social_drinker, avg(absence_hours) as mean_hours, var_samp(absence_hours) as variance
from absences group by grouping sets ((social_smoker), (social_drinker), ());

-- aggregate, taken
with smokers as (select worker_id, max(social_smoker) as smoker, sum(absence_hours) as hours from absences group by worker_id)
select smoker, avg(hours) as mean, stddev(hours) as sd, count(*) as n from smokers group by smoker;

-- aggregate, taken
select p.gender, avg(w.life_satisfaction) as ls, count(*) as n
from player_waves w join players p on p.player_id = w.player_id
where w.wave = 1 and w.life_satisfaction is not null
group by p.gender
having count(*) >= 50
order by ls desc;

-- aggregate, taken
select width_bucket(age_years, 18, 68, 10) as band, count(*), avg(gaming_experience_years)
from players where age_years is not null group by 1 order by 1;

-- aggregate, taken
select w1.life_satisfaction as before, w2.life_satisfaction as after, count(*) as n
from player_waves w1 join player_waves w2 on w1.player_id = w2.player_id
where w1.wave = 1 and w2.wave = 2
group by 1, 2 order by 1, 2;

-- aggregate, taken
with d as (
  select player_id,
         max(life_satisfaction) filter (where wave = 1) as ls1,
         max(life_satisfaction) filter (where wave = 3) as ls3
  from player_waves group by player_id
)
select count(*) as n, avg(ls3 - ls1) as mean_change, stddev_samp(ls3 - ls1) as sd_change
from d where ls1 is not null and ls3 is not null;

-- aggregate, taken
select corr(hours_logged, affect_balance) as r, regr_slope(affect_balance, hours_logged) as slope, regr_count(affect_balance, hours_logged) as n
from player_waves where wave = 2;

-- aggregate, declined at 64: Not supported: a window that is not PARTITION BY <person key>; over the groups of a
select ntile, avg(affect_balance)
from (select affect_balance, ntile(5) over (order by hours_logged) as ntile from player_waves where wave = 1) q
group by ntile order by ntile;

-- aggregate, taken
select count(*) as total,
       count(height) as with_height,
       count(*) - count(height) as missing_height,
       round(100.0 * (count(*) - count(height)) / count(*), 2) as pct_missing
from athletes;

-- aggregate, taken
select date_trunc('week', day) as week, sum(case when mood_alert then 1 else 0 end) as alert_days, count(mood_alert) as answered
from lifesnaps_daily group by 1 order by 1;

-- aggregate, taken
select s.person_group, count(*) from (
  select person_id, case when avg(total_minutes_asleep) < 360 then 'short' when avg(total_minutes_asleep) <= 540 then 'normal' else 'long' end as person_group
  from sleep_day group by person_id) s
group by s.person_group;

-- aggregate, taken
with sleepers as (select person_id from sleep_day group by person_id having count(*) >= 14)
select avg(d.total_steps), avg(d.sedentary_minutes), count(distinct d.person_id)
from daily_activity d where d.person_id in (select person_id from sleepers);

-- aggregate, taken
select avg(d.steps) filter (where exists (select 1 from lifesnaps_daily x where x.person_id = d.person_id and x.day = d.day - 1 and x.minutes_asleep < 360)) as after_short_night,
       avg(d.steps) as all_days
from lifesnaps_daily d;

-- aggregate, taken
with lagged as (
  select person_id, day, steps, lag(minutes_asleep) over (partition by person_id order by day) as slept_before
  from lifesnaps_daily
)
select case when slept_before < 360 then 'short' else 'enough' end as night, avg(steps) as steps, count(distinct person_id) as n
from lagged where slept_before is not null group by 1;

-- aggregate, declined at 16: Not allowed: "min" (it would be one person’s value; computed for each person in a
select gender, min(day) as first_day, max(day) as last_day, count(distinct person_id) as n
from lifesnaps_daily join lifesnaps_persons using (person_id) group by gender;

-- aggregate, taken
select p.gender, sum(d.n) as person_days from lifesnaps_persons p
join (select person_id, count(*) as n from lifesnaps_daily where minutes_asleep is not null group by person_id) d using (person_id)
group by p.gender;
