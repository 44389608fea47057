-- average-of-required-column

select sex, round(avg(height), 2) as height from athletes group by sex order by sex

-- DuckDB
select "q"."k0" as "o0", count(*) as "o1", list("q"."_p") as "o2", count("q"."c0") as "o3", 0 as "o4", cast(coalesce(sum("q"."c0"), 0) as double) as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0", case when "r"."x0" between cast(1e+0 as double) and cast(2.5e+0 as double) then cast("r"."x0" as double) when "r"."x0" < cast(1e+0 as double) and "r"."x0" >= -cast(1e+150 as double) then cast(1e+0 as double) when "r"."x0" > cast(2.5e+0 as double) and "r"."x0" <= cast(1e+150 as double) then cast(2.5e+0 as double) end as "c0" from (select "s0"."_p", "s0"."sex" as "k0", "s0"."height as stored" as "x0"
from (select "t"."_p", "t"."height" as "height as stored", "t"."sex" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", (round("g"."m1" * 1e2) / 1e2) as "o1"
from (values (cast($1 as varchar), cast(4 as bigint), (1.545e+0)), (cast($2 as varchar), cast(6 as bigint), (1.545e+0))) as "g" ("k0", "m0", "m1")
order by "g"."k0" asc nulls last; -- ["female","male"]

-- PostgreSQL
select "q"."k0" as "o0", count(*) as "o1", array_agg(distinct "q"."_p") as "o2", count("q"."c0") as "o3", 0 as "o4", cast(coalesce(sum("q"."c0"), 0) as float8) as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0", case when "r"."x0" between cast(1e+0 as float8) and cast(2.5e+0 as float8) then cast("r"."x0" as float8) when "r"."x0" < cast(1e+0 as float8) and "r"."x0" >= -cast(1e+150 as float8) then cast(1e+0 as float8) when "r"."x0" > cast(2.5e+0 as float8) and "r"."x0" <= cast(1e+150 as float8) then cast(2.5e+0 as float8) end as "c0" from (select "s0"."_p", "s0"."sex" as "k0", "s0"."height as stored" as "x0"
from (select "t"."_p", "t"."height" as "height as stored", "t"."sex" collate "C" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select ("g"."k0" collate "C") as "o0", ((select trunc("a") + case when abs("a" - trunc("a")) >= 0.5 then sign("a") else 0 end from (select "g"."m1" * cast(1e2 as float8) as "a" offset 0) as "v") / cast(1e2 as float8)) as "o1"
from (values (cast($1 as text), cast(4 as bigint), cast(1.545e+0 as float8)), (cast($2 as text), cast(6 as bigint), cast(1.545e+0 as float8))) as "g" ("k0", "m0", "m1")
order by ("g"."k0" collate "C") asc nulls last; -- ["female","male"]

-- rows
["female",1.55]
["male",1.55]
