-- people

select s.at, count(distinct s.id) as people, count(*) as sessions, sum(s.minutes) from sessions s group by s.at order by s.at

-- DuckDB
select "q"."k0" as "o0", count(*) as "o1", list("q"."_p") as "o2", count(*) as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7", count("q"."c1") as "o8", count(nullif("q"."c1", cast(0 as double))) as "o9", cast(coalesce(sum("q"."c1"), 0) as double) as "o10", 0 as "o11", 0 as "o12", list("q"."_p") filter (where "q"."c1" is not null) as "o13", list("q"."_p") filter (where "q"."c1" <> 0) as "o14"
from (select "r"."_p", "r"."k0", case when "r"."x1" between cast(0e+0 as double) and cast(6e+2 as double) then cast("r"."x1" as double) when "r"."x1" < cast(0e+0 as double) and "r"."x1" >= -cast(1e+150 as double) then cast(0e+0 as double) when "r"."x1" > cast(6e+2 as double) and "r"."x1" <= cast(1e+150 as double) then cast(6e+2 as double) end as "c1" from (select "s0"."_p", "s0"."at" as "k0", "s0"."minutes" as "x1"
from (select "t"."_p", "t"."at" as "at", "t"."minutes" as "minutes" from "ds_sessions" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", "g"."m0" as "o1", "g"."m1" as "o2", "g"."m3" as "o3"
from (values (cast($1 as varchar), cast(5 as bigint), cast(10 as bigint), cast(10 as bigint), (1.1e+3)), (cast($2 as varchar), cast(5 as bigint), cast(10 as bigint), cast(10 as bigint), (1e+3))) as "g" ("k0", "m0", "m1", "m2", "m3")
order by "g"."k0" asc nulls last; -- ["gym","home"]

-- PostgreSQL
select "q"."k0" as "o0", count(*) as "o1", array_agg(distinct "q"."_p") as "o2", count(*) as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7", count("q"."c1") as "o8", count(nullif("q"."c1", cast(0 as float8))) as "o9", cast(coalesce(sum("q"."c1"), 0) as float8) as "o10", 0 as "o11", 0 as "o12", array_agg(distinct "q"."_p") filter (where "q"."c1" is not null) as "o13", array_agg(distinct "q"."_p") filter (where "q"."c1" <> 0) as "o14"
from (select "r"."_p", "r"."k0", case when "r"."x1" between cast(0e+0 as float8) and cast(6e+2 as float8) then cast("r"."x1" as float8) when "r"."x1" < cast(0e+0 as float8) and "r"."x1" >= -cast(1e+150 as float8) then cast(0e+0 as float8) when "r"."x1" > cast(6e+2 as float8) and "r"."x1" <= cast(1e+150 as float8) then cast(6e+2 as float8) end as "c1" from (select "s0"."_p", "s0"."at" as "k0", "s0"."minutes" as "x1"
from (select "t"."_p", "t"."at" collate "C" as "at", "t"."minutes" as "minutes" from "ds_sessions" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select ("g"."k0" collate "C") as "o0", "g"."m0" as "o1", "g"."m1" as "o2", "g"."m3" as "o3"
from (values (cast($1 as text), cast(5 as bigint), cast(10 as bigint), cast(10 as bigint), cast(1.1e+3 as float8)), (cast($2 as text), cast(5 as bigint), cast(10 as bigint), cast(10 as bigint), cast(1e+3 as float8))) as "g" ("k0", "m0", "m1", "m2", "m3")
order by ("g"."k0" collate "C") asc nulls last; -- ["gym","home"]

-- rows
["gym",5,10,1100]
["home",5,10,1000]
