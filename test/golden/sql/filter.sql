-- filter

select sex, count(*) filter (where born >= '1982-01-01') as young, avg(weight) filter (where gold > 0) as weight from athletes group by sex order by sex

-- DuckDB
select "q"."k0" as "o0", count(*) as "o1", list("q"."_p") as "o2", count("q"."c0") as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7", count("q"."c1") as "o8", 0 as "o9", cast(coalesce(sum("q"."c1"), 0) as double) as "o10", 0 as "o11", 0 as "o12", list("q"."_p") filter (where "q"."c0" is not null) as "o13", list("q"."_p") filter (where "q"."c1" is not null) as "o14"
from (select "r"."_p", "r"."k0", case when "r"."f0" then true end as "c0", case when "r"."f1" then case when "r"."x1" between cast(2e+1 as double) and cast(2.5e+2 as double) then cast("r"."x1" as double) when "r"."x1" < cast(2e+1 as double) and "r"."x1" >= -cast(1e+150 as double) then cast(2e+1 as double) when "r"."x1" > cast(2.5e+2 as double) and "r"."x1" <= cast(1e+150 as double) then cast(2.5e+2 as double) end end as "c1" from (select "s0"."_p", "s0"."sex" as "k0", ("s0"."born" >= date '1982-01-01') as "f0", "s0"."weight as stored" as "x1", ("s0"."gold" > cast(0 as bigint)) as "f1"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", "t"."gold" as "gold", "t"."sex" as "sex", "t"."weight" as "weight as stored" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", "g"."m0" as "o1", "g"."m2" as "o2"
from (values (cast($1 as varchar), cast(2 as bigint), cast(0 as bigint), cast(null as double)), (cast($2 as varchar), cast(2 as bigint), cast(2 as bigint), (5.6e+1))) as "g" ("k0", "m0", "m1", "m2")
order by "g"."k0" asc nulls last; -- ["female","male"]

-- PostgreSQL
select "q"."k0" as "o0", count(*) as "o1", array_agg(distinct "q"."_p") as "o2", count("q"."c0") as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7", count("q"."c1") as "o8", 0 as "o9", cast(coalesce(sum("q"."c1"), 0) as float8) as "o10", 0 as "o11", 0 as "o12", array_agg(distinct "q"."_p") filter (where "q"."c0" is not null) as "o13", array_agg(distinct "q"."_p") filter (where "q"."c1" is not null) as "o14"
from (select "r"."_p", "r"."k0", case when "r"."f0" then true end as "c0", case when "r"."f1" then case when "r"."x1" between cast(2e+1 as float8) and cast(2.5e+2 as float8) then cast("r"."x1" as float8) when "r"."x1" < cast(2e+1 as float8) and "r"."x1" >= -cast(1e+150 as float8) then cast(2e+1 as float8) when "r"."x1" > cast(2.5e+2 as float8) and "r"."x1" <= cast(1e+150 as float8) then cast(2.5e+2 as float8) end end as "c1" from (select "s0"."_p", "s0"."sex" as "k0", ("s0"."born" >= date '1982-01-01') as "f0", "s0"."weight as stored" as "x1", ("s0"."gold" > cast(0 as bigint)) as "f1"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", "t"."gold" as "gold", "t"."sex" collate "C" as "sex", "t"."weight" as "weight as stored" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select ("g"."k0" collate "C") as "o0", "g"."m0" as "o1", "g"."m2" as "o2"
from (values (cast($1 as text), cast(2 as bigint), cast(0 as bigint), cast(null as float8)), (cast($2 as text), cast(2 as bigint), cast(2 as bigint), cast(5.6e+1 as float8))) as "g" ("k0", "m0", "m1", "m2")
order by ("g"."k0" collate "C") asc nulls last; -- ["female","male"]

-- rows
["female",2,null]
["male",2,56]
