-- aggregate, taken
select floor(age_years / 10.0) * 10 as age_band, social_smoker, count(distinct worker_id) as lives, sum(absence_hours) / count(distinct worker_id) as hours_per_life
from absences group by 1, 2 order by 1, 2;

-- aggregate, taken
with per_worker as (
  select worker_id, count(*) filter (where absence_hours > 0) as claims, sum(absence_hours) as hours, max(service_years) as tenure
  from absences group by worker_id
)
select width_bucket(tenure, 0, 30, 6) as band, avg(claims) as frequency, sum(hours) / nullif(sum(claims), 0) as severity, count(*) as lives
from per_worker group by 1 order by 1;

-- aggregate, taken
select season, sum(absence_hours) as hours, sum(sum(absence_hours)) over (order by season) as cumulative,
       sum(absence_hours) / sum(sum(absence_hours)) over () as share
from absences group by season;

-- aggregate, declined at 34: Not supported: a sum, average or variance of anything but columns, their products and
select sport, count(*) as lives, avg(extract(year from age(date '2016-08-05', date_of_birth))) as mean_age
from athletes group by sport having count(*) > 50;

-- aggregate, taken
select sport, count(*) as lives, avg(2016 - extract(year from date_of_birth)) as mean_age
from athletes group by sport;

-- aggregate, taken
select (extract(year from age(timestamp '2016-08-05', date_of_birth))::int / 5) * 5 as age_from, sex, count(*) as exposure
from athletes group by 1, 2 order by 1, 2;

-- aggregate, declined at 8: Not supported: a set operation (UNION, INTERSECT, EXCEPT) but of person keys, after IN or
select case when weight < 60 then '<60' when weight < 75 then '60-74' when weight < 90 then '75-89' else '90+' end as band,
       count(*) as n, sum(weight) as total_kg, avg(height) as h
from athletes where weight is not null group by 1
union all
select 'all', count(*), sum(weight), avg(height) from athletes where weight is not null;

-- aggregate, taken
select coalesce(residence, 'total') as country, count(*) as lives, avg(weight) as w
from athletes group by rollup (residence) having count(*) >= 100 order by lives desc;

-- aggregate, taken
select reason_code, count(*) as n, count(*) * 1.0 / sum(count(*)) over () as share, rank() over (order by count(*) desc) as rk
from absences group by reason_code order by rk;

-- aggregate, taken
select age_band, gender, avg(rhr) as rhr, avg(vo2) as vo2, count(*) as n from (
  select p.person_id, p.age_band, p.gender, avg(d.resting_heart_rate_bpm) as rhr, avg(d.vo2max_ml_kg_min) as vo2
  from lifesnaps_persons p join lifesnaps_daily d on d.person_id = p.person_id group by p.person_id, p.age_band, p.gender) t
where age_band is not null and gender is not null
group by age_band, gender having count(*) >= 10;

-- aggregate, declined at 12: Not supported: a sum, average or variance of anything but columns, their products and
select exp(avg(ln(absence_hours + 1))) - 1 as geometric_mean from absences;

-- aggregate, taken
select avg(least(absence_hours, 40)) as capped_mean, avg(greatest(absence_hours - 40, 0)) as excess from absences;

-- aggregate, taken
select season, sum(least(absence_hours, 8)) as layer_1, sum(greatest(least(absence_hours, 40) - 8, 0)) as layer_2
from absences group by season;

-- aggregate, taken
select sum(absence_hours * absence_hours) / nullif(power(sum(absence_hours), 2), 0) as concentration from absences;

-- aggregate, taken
select stddev_samp(absence_hours) / nullif(avg(absence_hours), 0) as cv from absences;

-- aggregate, taken
with w as (select worker_id, sum(absence_hours) as hours from absences group by worker_id)
select case when hours = 0 then '0' when hours < 40 then '1-39' when hours < 160 then '40-159' else '160+' end as layer, count(*) as workers, sum(hours) as hours
from w group by 1;

-- aggregate, taken
with w as (select worker_id, sum(absence_hours) as hours from absences group by worker_id)
select width_bucket(hours, array[0, 40, 80, 160, 320]) as bucket, count(*) from w group by 1 order by 1;

-- aggregate, declined at 39: Not supported: a sub-query that is not of the person of its row; tie the person keys, as
select count(*) filter (where hours > (select avg(hours) from (select worker_id, sum(absence_hours) as hours from absences group by worker_id) x)) as above
from (select worker_id, sum(absence_hours) as hours from absences group by worker_id) w;

-- aggregate, declined at 127: Not supported: GROUP BY in a sub-select or CTE without exactly one person key; add it,
select a.season, a.hours, a.hours - b.hours as change
from (select season, sum(absence_hours) as hours from absences group by season) a
left join (select season, sum(absence_hours) as hours from absences group by season) b on b.season = a.season - 1
order by a.season;

-- aggregate, taken
select bmi >= 30 as obese, children > 0 as parent, avg(absence_hours), count(distinct worker_id) from absences group by 1, 2;

-- private, taken
select width_bucket(height, 1.2, 2.2, 10) as bin, count(*) from athletes group by 1 order by 1;

-- private, declined at 15: Not allowed: "approx_percentile" (it is of another dialect, and would be one person’s
select sport, approx_percentile(weight, 0.9) as p90 from athletes group by sport;

-- aggregate, declined at 15: Not allowed: "quantile_cont" (it is of another dialect, and would be one person’s value;
select sport, quantile_cont(weight, 0.9) as p90 from athletes group by sport;

-- aggregate, declined at 8: Not supported: a set operation (UNION, INTERSECT, EXCEPT) but of person keys, after IN or
select 'm' as sex, count(*) from athletes where sex = 'male' union select 'f', count(*) from athletes where sex = 'female';

-- aggregate, declined at 8: Column "education_level" must stand in GROUP BY or in an
select education_level, sum(absence_hours) over (partition by education_level) from absences;

-- aggregate, declined at 268: Column "month_of_absence" may only be grouped by in bins of at least 3; count(*) filter
select month_of_absence, sum(absence_hours) as hours, lag(sum(absence_hours)) over (order by month_of_absence) as previous,
       sum(absence_hours) - lag(sum(absence_hours)) over (order by month_of_absence) as diff
from absences where month_of_absence > 0 group by month_of_absence order by 1;

-- aggregate, taken
select count(distinct worker_id) filter (where absence_hours > 24) * 100.0 / count(distinct worker_id) as pct_long from absences;
