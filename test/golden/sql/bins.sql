-- bins

select width_bucket(weight, 40, 70, 3) as bucket, count(*) from athletes group by 1 order by 1

-- DuckDB
select "q"."k0" as "o0", count(*) as "o1", list("q"."_p") as "o2", count(*) as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0" from (select "s0"."_p", case when "s0"."weight" is not null then cast(floor(least(greatest((("s0"."weight" - (4e+1) + 1.1830521861667747e-271) - 1.1830521861667747e-271) / (3e+1) * 3e0, -1e0), 3e0)) as bigint) + 1 end as "k0"
from (select "t"."_p", case when "t"."weight" between -1e150 and 1e150 then "t"."weight" end as "weight" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", "g"."m0" as "o1"
from (values (cast(2 as bigint), cast(8 as bigint)), (cast(null as bigint), cast(2 as bigint))) as "g" ("k0", "m0")
order by "g"."k0" asc nulls last;

-- PostgreSQL
select "q"."k0" as "o0", count(*) as "o1", array_agg(distinct "q"."_p") as "o2", count(*) as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0" from (select "s0"."_p", (select case when "a" is not null then cast(floor(least(greatest((("a" - cast(4e+1 as float8) + cast(1.1830521861667747e-271 as float8)) - cast(1.1830521861667747e-271 as float8)) / cast(3e+1 as float8) * cast(3 as float8), cast(-1 as float8)), cast(3 as float8))) as bigint) + 1 end from (select "s0"."weight" as "a" offset 0) as "v") as "k0"
from (select "t"."_p", case when "t"."weight" between cast(-1e150 as float8) and cast(1e150 as float8) then "t"."weight" end as "weight" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", "g"."m0" as "o1"
from (values (cast(2 as bigint), cast(8 as bigint)), (cast(null as bigint), cast(2 as bigint))) as "g" ("k0", "m0")
order by "g"."k0" asc nulls last;

-- rows
[2,8]
[null,2]
