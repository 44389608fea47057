-- rows

select id, sex, height, born + 1 as next_day, date_trunc('month', born) as month from athletes where weight is not null order by height desc limit 3

-- DuckDB
select "s0"."_p" as "o_p", null as "o0", "s0"."sex" as "o1", "s0"."height" as "o2", strftime(list_transform(["s0"."born" + cast(nullif(nullif(least(greatest(cast(1 as bigint), -1500000), 1500000), 1500000), -1500000) as integer)], lambda v: nullif(nullif(least(greatest(v, date '0001-01-01'), date '9999-12-31'), date '9999-12-31'), date '0001-01-01'))[1], '%Y-%m-%d') as "o3", strftime(cast(date_trunc('month', cast("s0"."born" as timestamp)) as timestamp), '%Y-%m-%dT%H:%M:%S.%fZ') as "o4"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", case when "t"."height" between -1e150 and 1e150 then "t"."height" end as "height", "t"."sex" as "sex", case when "t"."weight" between -1e150 and 1e150 then "t"."weight" end as "weight" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
where ("s0"."weight" is not null)
order by "s0"."height" desc nulls first, "s0"."sex" asc nulls last, ("s0"."height" + 0) nulls last, list_transform(["s0"."born" + cast(nullif(nullif(least(greatest(cast(1 as bigint), -1500000), 1500000), 1500000), -1500000) as integer)], lambda v: nullif(nullif(least(greatest(v, date '0001-01-01'), date '9999-12-31'), date '9999-12-31'), date '0001-01-01'))[1] asc nulls last, cast(date_trunc('month', cast("s0"."born" as timestamp)) as timestamp) asc nulls last, "o_p"
limit 3;

-- PostgreSQL
select "s0"."_p" as "o_p", null as "o0", "s0"."sex" as "o1", "s0"."height" as "o2", to_char(nullif(nullif(least(greatest("s0"."born" + cast(nullif(nullif(least(greatest(cast(1 as bigint), -1500000), 1500000), 1500000), -1500000) as integer), date '0001-01-01'), date '9999-12-31'), date '9999-12-31'), date '0001-01-01'), 'YYYY-MM-DD') as "o3", to_char(cast(date_trunc('month', cast("s0"."born" as timestamp)) as timestamp), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "o4"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", case when "t"."height" between cast(-1e150 as float8) and cast(1e150 as float8) then "t"."height" end as "height", "t"."sex" collate "C" as "sex", case when "t"."weight" between cast(-1e150 as float8) and cast(1e150 as float8) then "t"."weight" end as "weight" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
where ("s0"."weight" is not null)
order by "s0"."height" desc nulls first, "s0"."sex" asc nulls last, ("s0"."height" + 0) nulls last, nullif(nullif(least(greatest("s0"."born" + cast(nullif(nullif(least(greatest(cast(1 as bigint), -1500000), 1500000), 1500000), -1500000) as integer), date '0001-01-01'), date '9999-12-31'), date '9999-12-31'), date '0001-01-01') asc nulls last, cast(date_trunc('month', cast("s0"."born" as timestamp)) as timestamp) asc nulls last, "o_p"
limit 3;

-- rows
[null,"female",1.59,"1981-05-20","1981-05-01T00:00:00Z"]
[null,"male",1.58,"1980-05-19","1980-05-01T00:00:00Z"]
[null,"male",1.57,"1983-05-18","1983-05-01T00:00:00Z"]
