-- join

select a.sex, avg(s.minutes) from athletes a join sessions s using (id) where s.minutes > 20 group by a.sex order by a.sex

-- DuckDB
select "q"."k0" as "o0", count(*) as "o1", list("q"."_p") as "o2", count("q"."c0") as "o3", count(nullif("q"."c0", cast(0 as double))) as "o4", cast(coalesce(sum("q"."c0"), 0) as double) as "o5", 0 as "o6", 0 as "o7", list("q"."_p") filter (where "q"."c0" <> 0) as "o8"
from (select "r"."_p", "r"."k0", case when "r"."x0" between cast(0e+0 as double) and cast(6e+2 as double) then cast("r"."x0" as double) when "r"."x0" < cast(0e+0 as double) and "r"."x0" >= -cast(1e+150 as double) then cast(0e+0 as double) when "r"."x0" > cast(6e+2 as double) and "r"."x0" <= cast(1e+150 as double) then cast(6e+2 as double) end as "c0" from (select "s0"."_p", "s0"."sex" as "k0", "s1"."minutes" as "x0"
from (select "t"."_p", "t"."sex" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
inner join (select "t"."_p", "t"."minutes" as "minutes" from "ds_sessions" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s1" on "s1"."_p" = "s0"."_p"
where ("s1"."minutes" > cast(20 as bigint))) as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", "g"."m1" as "o1"
from (values (cast($1 as varchar), cast(7 as bigint), (1.2e+2)), (cast($2 as varchar), cast(10 as bigint), (1.23e+2))) as "g" ("k0", "m0", "m1")
order by "g"."k0" asc nulls last; -- ["female","male"]

-- PostgreSQL
select "q"."k0" as "o0", count(*) as "o1", array_agg(distinct "q"."_p") as "o2", count("q"."c0") as "o3", count(nullif("q"."c0", cast(0 as float8))) as "o4", cast(coalesce(sum("q"."c0"), 0) as float8) as "o5", 0 as "o6", 0 as "o7", array_agg(distinct "q"."_p") filter (where "q"."c0" <> 0) as "o8"
from (select "r"."_p", "r"."k0", case when "r"."x0" between cast(0e+0 as float8) and cast(6e+2 as float8) then cast("r"."x0" as float8) when "r"."x0" < cast(0e+0 as float8) and "r"."x0" >= -cast(1e+150 as float8) then cast(0e+0 as float8) when "r"."x0" > cast(6e+2 as float8) and "r"."x0" <= cast(1e+150 as float8) then cast(6e+2 as float8) end as "c0" from (select "s0"."_p", "s0"."sex" as "k0", "s1"."minutes" as "x0"
from (select "t"."_p", "t"."sex" collate "C" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
inner join (select "t"."_p", "t"."minutes" as "minutes" from "ds_sessions" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s1" on "s1"."_p" = "s0"."_p"
where ("s1"."minutes" > cast(20 as bigint))) as "r") as "q"
group by "q"."k0"
limit 10001;
select ("g"."k0" collate "C") as "o0", "g"."m1" as "o1"
from (values (cast($1 as text), cast(7 as bigint), cast(1.2e+2 as float8)), (cast($2 as text), cast(10 as bigint), cast(1.23e+2 as float8))) as "g" ("k0", "m0", "m1")
order by ("g"."k0" collate "C") asc nulls last; -- ["female","male"]

-- rows
["female",120]
["male",123]
