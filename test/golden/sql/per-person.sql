-- per-person

with t as (select id, avg(minutes) as mean, count(*) as n from sessions group by id) select a.sex, round(avg(t.mean), 1), sum(t.n) from athletes a join t on t.id = a.id group by a.sex order by a.sex

-- DuckDB
select "q"."k0" as "o0", count(*) as "o1", list("q"."_p") as "o2", count("q"."c0") as "o3", count(nullif("q"."c0", cast(0 as double))) as "o4", cast(coalesce(sum("q"."c0"), 0) as double) as "o5", 0 as "o6", 0 as "o7", count("q"."c1") as "o8", count(nullif("q"."c1", cast(0 as double))) as "o9", cast(coalesce(sum("q"."c1"), 0) as double) as "o10", 0 as "o11", 0 as "o12", list("q"."_p") filter (where "q"."c0" is not null) as "o13", list("q"."_p") filter (where "q"."c0" <> 0) as "o14", list("q"."_p") filter (where "q"."c1" is not null) as "o15", list("q"."_p") filter (where "q"."c1" <> 0) as "o16"
from (select "r"."_p", "r"."k0", case when "r"."x0" between cast(0e+0 as double) and cast(6e+2 as double) then cast("r"."x0" as double) when "r"."x0" < cast(0e+0 as double) and "r"."x0" >= -cast(1e+150 as double) then cast(0e+0 as double) when "r"."x0" > cast(6e+2 as double) and "r"."x0" <= cast(1e+150 as double) then cast(6e+2 as double) end as "c0", case when "r"."x1" between cast(0e+0 as double) and cast(3e+0 as double) then cast("r"."x1" as double) when "r"."x1" < cast(0e+0 as double) and "r"."x1" >= -cast(1e+150 as double) then cast(0e+0 as double) when "r"."x1" > cast(3e+0 as double) and "r"."x1" <= cast(1e+150 as double) then cast(3e+0 as double) end as "c1" from (select "s0"."_p", "s0"."sex" as "k0", "s1"."a0" as "x0", "s1"."a1" as "x1"
from (select "t"."_p", "t"."sex" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
inner join (select "r"."_p", ((list_transform([((nullif(nullif(least(greatest(cast(sum("r"."x0") as double), -1e150), 1e150), 1e150), -1e150) + 1.1830521861667747e-271) - 1.1830521861667747e-271) / nullif(cast(count("r"."x0") as double), 0)], lambda v: nullif(nullif(least(greatest(v, -1e150), 1e150), 1e150), -1e150))[1] + 1.1830521861667747e-271) - 1.1830521861667747e-271) as "a0", count(*) as "a1" from (select "s0"."_p", case when "s0"."minutes" < cast(0e+0 as bigint) then cast(0e+0 as bigint) when "s0"."minutes" > cast(6e+2 as bigint) then cast(6e+2 as bigint) else "s0"."minutes" end as "x0"
from (select "t"."_p", "t"."minutes" as "minutes" from "ds_sessions" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r" group by "r"."_p") as "s1" on "s1"."_p" = "s0"."_p") as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", (round("g"."m1" * 1e1) / 1e1) as "o1", "g"."m3" as "o2"
from (values (cast($1 as varchar), cast(4 as bigint), (1.05e+2), cast(4 as bigint), (8e+0)), (cast($2 as varchar), cast(6 as bigint), (1.05e+2), cast(6 as bigint), (1.2e+1))) as "g" ("k0", "m0", "m1", "m2", "m3")
order by "g"."k0" asc nulls last; -- ["female","male"]

-- PostgreSQL
select "q"."k0" as "o0", count(*) as "o1", array_agg(distinct "q"."_p") as "o2", count("q"."c0") as "o3", count(nullif("q"."c0", cast(0 as float8))) as "o4", cast(coalesce(sum("q"."c0"), 0) as float8) as "o5", 0 as "o6", 0 as "o7", count("q"."c1") as "o8", count(nullif("q"."c1", cast(0 as float8))) as "o9", cast(coalesce(sum("q"."c1"), 0) as float8) as "o10", 0 as "o11", 0 as "o12", array_agg(distinct "q"."_p") filter (where "q"."c0" is not null) as "o13", array_agg(distinct "q"."_p") filter (where "q"."c0" <> 0) as "o14", array_agg(distinct "q"."_p") filter (where "q"."c1" is not null) as "o15", array_agg(distinct "q"."_p") filter (where "q"."c1" <> 0) as "o16"
from (select "r"."_p", "r"."k0", case when "r"."x0" between cast(0e+0 as float8) and cast(6e+2 as float8) then cast("r"."x0" as float8) when "r"."x0" < cast(0e+0 as float8) and "r"."x0" >= -cast(1e+150 as float8) then cast(0e+0 as float8) when "r"."x0" > cast(6e+2 as float8) and "r"."x0" <= cast(1e+150 as float8) then cast(6e+2 as float8) end as "c0", case when "r"."x1" between cast(0e+0 as float8) and cast(3e+0 as float8) then cast("r"."x1" as float8) when "r"."x1" < cast(0e+0 as float8) and "r"."x1" >= -cast(1e+150 as float8) then cast(0e+0 as float8) when "r"."x1" > cast(3e+0 as float8) and "r"."x1" <= cast(1e+150 as float8) then cast(3e+0 as float8) end as "c1" from (select "s0"."_p", "s0"."sex" as "k0", "s1"."a0" as "x0", "s1"."a1" as "x1"
from (select "t"."_p", "t"."sex" collate "C" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
inner join (select "r"."_p", ((nullif(nullif(least(greatest(((nullif(nullif(least(greatest(cast(sum("r"."x0") as float8), cast(-1e150 as float8)), cast(1e150 as float8)), cast(1e150 as float8)), cast(-1e150 as float8)) + cast(1.1830521861667747e-271 as float8)) - cast(1.1830521861667747e-271 as float8)) / nullif(cast(count("r"."x0") as float8), 0), cast(-1e150 as float8)), cast(1e150 as float8)), cast(1e150 as float8)), cast(-1e150 as float8)) + cast(1.1830521861667747e-271 as float8)) - cast(1.1830521861667747e-271 as float8)) as "a0", count(*) as "a1" from (select "s0"."_p", case when "s0"."minutes" < cast(0e+0 as bigint) then cast(0e+0 as bigint) when "s0"."minutes" > cast(6e+2 as bigint) then cast(6e+2 as bigint) else "s0"."minutes" end as "x0"
from (select "t"."_p", "t"."minutes" as "minutes" from "ds_sessions" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r" group by "r"."_p") as "s1" on "s1"."_p" = "s0"."_p") as "r") as "q"
group by "q"."k0"
limit 10001;
select ("g"."k0" collate "C") as "o0", ((select trunc("a") + case when abs("a" - trunc("a")) >= 0.5 then sign("a") else 0 end from (select "g"."m1" * cast(1e1 as float8) as "a" offset 0) as "v") / cast(1e1 as float8)) as "o1", "g"."m3" as "o2"
from (values (cast($1 as text), cast(4 as bigint), cast(1.05e+2 as float8), cast(4 as bigint), cast(8e+0 as float8)), (cast($2 as text), cast(6 as bigint), cast(1.05e+2 as float8), cast(6 as bigint), cast(1.2e+1 as float8))) as "g" ("k0", "m0", "m1", "m2", "m3")
order by ("g"."k0" collate "C") asc nulls last; -- ["female","male"]

-- rows
["female",105,8]
["male",105,12]
