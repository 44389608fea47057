-- aggregate, taken
select residence, count(*) as athletes, sum(gold) as gold, sum(gold + silver + bronze) as medals,
       round(sum(gold + silver + bronze)::numeric / count(*), 3) as per_athlete
from athletes group by residence order by medals desc, residence limit 15;

-- aggregate, taken
select residence, sex, count(*), round(100.0 * count(*) / sum(count(*)) over (partition by residence), 1) as pct from athletes group by residence, sex order by residence, sex;

-- aggregate, taken
select residence, sum(medals) from (select residence, gold + silver + bronze as medals from athletes) t group by residence;

-- aggregate, taken
select nationality, sport, sum(gold) as g from athletes where gold > 0 group by nationality, sport order by g desc limit 10;

-- aggregate, declined at 8: Not allowed: "count" of distinct values of anything but the person key; count the groups,
select count(distinct nationality) as nations, count(distinct sport) as sports, count(*) as athletes from athletes;

-- aggregate, declined at 15: Not allowed: "count" of distinct values of anything but the person key; count the groups,
select sport, count(distinct nationality) as nations from athletes group by sport order by nations desc;

-- aggregate, declined at 159: Not supported: GROUP BY in a sub-select or CTE without exactly one person key; add it,
select a.sport, a.women, b.men, a.women::float / (a.women + b.men) as share
from (select sport, count(*) as women from athletes where sex = 'female' group by sport) a
join (select sport, count(*) as men from athletes where sex = 'male' group by sport) b on a.sport = b.sport
order by share;

-- aggregate, declined at 88: Not supported: GROUP BY in a sub-select or CTE without exactly one person key; add it,
with w as (select sport, count(*) as women from athletes where sex = 'female' group by sport),
m as (select sport, count(*) as men from athletes where sex = 'male' group by sport)
select coalesce(w.sport, m.sport) as sport, coalesce(women, 0) as women, coalesce(men, 0) as men
from w full outer join m on w.sport = m.sport order by 1;

-- aggregate, taken
select * from (select sport, sex, count(*) as n, row_number() over (partition by sex order by count(*) desc) as rn from athletes group by sport, sex) t where rn <= 5 order by sex, rn;

-- aggregate, declined at 8: Not supported: a set operation (UNION, INTERSECT, EXCEPT) but of person keys, after IN or
select sport from athletes group by sport having count(*) > 200
intersect
select sport from athletes where sex = 'female' group by sport having count(*) > 100;

-- aggregate, taken
select sex, sport, count(*) from athletes where sport not in ('golf', 'rugby sevens') and nationality like 'U%' group by sex, sport;

-- aggregate, taken
select left(nationality, 1) as letter, count(*) from athletes group by left(nationality, 1) order by 1;

-- aggregate, declined at 8: Not allowed: "initcap" (the engines differ; write upper(left(x, 1)) || substr(x,
select initcap(sport) as sport, upper(sex) as sex, count(*) from athletes group by 1, 2;

-- aggregate, taken
select upper(substring(sport from 1 for 1)) || lower(substring(sport from 2)) as sport, count(*) as n from athletes group by 1;

-- aggregate, taken
select concat(sport, ' / ', sex) as label, count(*) from athletes group by concat(sport, ' / ', sex);

-- aggregate, declined at 30: Not allowed: "repeat" of (a text, integer); expected repeats: a whole number from 0 to
select sport, count(*) as n, repeat('*', (count(*) / 50)::int) as bar from athletes group by sport order by n desc;

-- aggregate, taken
select date_part('year', date_of_birth) as y, count(*) from athletes where date_of_birth between date '1980-01-01' and date '1999-12-31' group by y order by y;

-- aggregate, taken
select extract(decade from date_of_birth) * 10 as decade, sex, avg(height)::numeric(4, 2) as h from athletes group by 1, 2 order by 1, 2;

-- aggregate, declined at 8: Column "date_of_birth" may only be grouped by in bins of at least year; count(*) filter
select extract(month from date_of_birth) as month, count(*) from athletes group by 1 order by 1;

-- aggregate, declined at 8: Column "date_of_birth" may only be grouped by in bins of at least year; count(*) filter
select extract(quarter from date_of_birth) as quarter, count(*) from athletes where sport = 'football' group by 1;

-- aggregate, declined at 58: Not supported: a value of the moment or the session (CURRENT_DATE and the like): an equal
select sex, count(*) from athletes where date_of_birth > current_date - interval '30 years' group by sex;

-- aggregate, declined at 42: Not allowed: "age" (a span of time is a constant here; use extract(year from age(a, b)),
select sex, count(*) from athletes where age(date_of_birth) > interval '30 years' group by sex;

-- aggregate, declined at 47: Not supported: a sub-query that is not of the person of its row; tie the person keys, as
select sport, avg(height) as h, avg(height) - (select avg(height) from athletes) as diff from athletes group by sport order by diff desc;

-- aggregate, taken
select sport, avg(height) as h, avg(avg(height)) over () as mean_of_means, avg(height) - avg(avg(height)) over () as diff from athletes group by sport order by diff desc;

-- aggregate, taken
select sport, count(*), avg(weight), grouping(sport) from athletes group by rollup(sport) order by grouping(sport), sport;

-- private, taken
select residence, count(*) as n, avg(height) as h, stddev(height) as sd from athletes group by residence order by n desc limit 20;

-- private, taken
select sport, sum(gold) as gold from athletes group by sport having sum(gold) > 5 order by gold desc;

-- private, declined at 8: Not allowed: "count" of distinct values of anything but the person key; count the groups,
select count(distinct nationality) from athletes;

-- private, declined at 8: Not allowed: "max" (it would be one person’s value; computed for each person in a
select max(height), min(height) from athletes where sport = 'basketball';

-- private, taken
select sex, percentile_disc(0.5) within group (order by gold) from athletes group by sex;
