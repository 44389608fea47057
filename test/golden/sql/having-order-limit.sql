-- having-order-limit

select extract(year from born) as year, count(*) as athletes from athletes group by 1 having count(*) > 2 order by count(*) desc, 1 limit 2

-- DuckDB
select "q"."k0" as "o0", count(*) as "o1", list("q"."_p") as "o2", count(*) as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0" from (select "s0"."_p", cast(extract(year from "s0"."born") as bigint) as "k0"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", "g"."m0" as "o1"
from (values (cast(1980 as bigint), cast(3 as bigint)), (cast(1981 as bigint), cast(3 as bigint)), (cast(1982 as bigint), cast(2 as bigint)), (cast(1983 as bigint), cast(2 as bigint))) as "g" ("k0", "m0")
where ("g"."m0" > cast(2 as bigint))
order by "g"."m0" desc nulls first, "g"."k0" asc nulls last
limit 2;

-- PostgreSQL
select "q"."k0" as "o0", count(*) as "o1", array_agg(distinct "q"."_p") as "o2", count(*) as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0" from (select "s0"."_p", cast(extract(year from "s0"."born") as bigint) as "k0"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", "g"."m0" as "o1"
from (values (cast(1980 as bigint), cast(3 as bigint)), (cast(1981 as bigint), cast(3 as bigint)), (cast(1982 as bigint), cast(2 as bigint)), (cast(1983 as bigint), cast(2 as bigint))) as "g" ("k0", "m0")
where ("g"."m0" > cast(2 as bigint))
order by "g"."m0" desc nulls first, "g"."k0" asc nulls last
limit 2;

-- rows
[1980,3]
[1981,3]
