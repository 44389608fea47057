-- cte

with young as (select id, sex, height * 100 as cm from athletes where born >= '1981-01-01') select sex, round(avg(cm), 1) as cm from young group by sex order by sex

-- DuckDB
select "q"."k0" as "o0", count(*) as "o1", list("q"."_p") as "o2", count("q"."c0") as "o3", 0 as "o4", cast(coalesce(sum("q"."c0"), 0) as double) as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0", case when "r"."x0" between cast(1e+2 as double) and cast(2.5e+2 as double) then cast("r"."x0" as double) when "r"."x0" < cast(1e+2 as double) and "r"."x0" >= -cast(1e+150 as double) then cast(1e+2 as double) when "r"."x0" > cast(2.5e+2 as double) and "r"."x0" <= cast(1e+150 as double) then cast(2.5e+2 as double) end as "c0" from (select "s0"."_p", "s0"."sex" as "k0", ((list_transform([case when "s0"."height" < cast(1e+0 as double) then cast(1e+0 as double) when "s0"."height" > cast(2.5e+0 as double) then cast(2.5e+0 as double) else "s0"."height" end * (1e+2)], lambda v: nullif(nullif(least(greatest(v, -1e150), 1e150), 1e150), -1e150))[1] + 1.1830521861667747e-271) - 1.1830521861667747e-271) as "x0"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", case when "t"."height" between -1e150 and 1e150 then "t"."height" end as "height", "t"."sex" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
where ("s0"."born" >= date '1981-01-01')) as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", (round("g"."m1" * 1e1) / 1e1) as "o1"
from (values (cast($1 as varchar), cast(3 as bigint), (1.56e+2)), (cast($2 as varchar), cast(4 as bigint), (1.5375e+2))) as "g" ("k0", "m0", "m1")
order by "g"."k0" asc nulls last; -- ["female","male"]

-- PostgreSQL
select "q"."k0" as "o0", count(*) as "o1", array_agg(distinct "q"."_p") as "o2", count("q"."c0") as "o3", 0 as "o4", cast(coalesce(sum("q"."c0"), 0) as float8) as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0", case when "r"."x0" between cast(1e+2 as float8) and cast(2.5e+2 as float8) then cast("r"."x0" as float8) when "r"."x0" < cast(1e+2 as float8) and "r"."x0" >= -cast(1e+150 as float8) then cast(1e+2 as float8) when "r"."x0" > cast(2.5e+2 as float8) and "r"."x0" <= cast(1e+150 as float8) then cast(2.5e+2 as float8) end as "c0" from (select "s0"."_p", "s0"."sex" as "k0", ((nullif(nullif(least(greatest((select case when "a" is null or "b" is null then null when "a" = 0 or "b" = 0 then cast(0 as float8) when log(abs("a")) + log(abs("b")) < -290 then cast(0 as float8) when log(abs("a")) + log(abs("b")) > 151 then null else "a" * "b" end from (select case when "s0"."height" < cast(1e+0 as float8) then cast(1e+0 as float8) when "s0"."height" > cast(2.5e+0 as float8) then cast(2.5e+0 as float8) else "s0"."height" end as "a", cast(1e+2 as float8) as "b" offset 0) as "v"), cast(-1e150 as float8)), cast(1e150 as float8)), cast(1e150 as float8)), cast(-1e150 as float8)) + cast(1.1830521861667747e-271 as float8)) - cast(1.1830521861667747e-271 as float8)) as "x0"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", case when "t"."height" between cast(-1e150 as float8) and cast(1e150 as float8) then "t"."height" end as "height", "t"."sex" collate "C" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
where ("s0"."born" >= date '1981-01-01')) as "r") as "q"
group by "q"."k0"
limit 10001;
select ("g"."k0" collate "C") as "o0", ((select trunc("a") + case when abs("a" - trunc("a")) >= 0.5 then sign("a") else 0 end from (select "g"."m1" * cast(1e1 as float8) as "a" offset 0) as "v") / cast(1e1 as float8)) as "o1"
from (values (cast($1 as text), cast(3 as bigint), cast(1.56e+2 as float8)), (cast($2 as text), cast(4 as bigint), cast(1.5375e+2 as float8))) as "g" ("k0", "m0", "m1")
order by ("g"."k0" collate "C") asc nulls last; -- ["female","male"]

-- rows
["female",156]
["male",153.8]
