-- case

select avg(case when sex = 'female' then 1.0 else 0.0 end) as share from athletes

-- DuckDB
select count(*) as "o0", list("q"."_p") as "o1", count("q"."c0") as "o2", count(nullif("q"."c0", cast(0 as double))) as "o3", cast(coalesce(sum("q"."c0"), 0) as double) as "o4", 0 as "o5", 0 as "o6", list("q"."_p") filter (where "q"."c0" is not null) as "o7", list("q"."_p") filter (where "q"."c0" <> 0) as "o8"
from (select "r"."_p", case when "r"."x0" between cast(0e+0 as double) and cast(1e+0 as double) then cast("r"."x0" as double) when "r"."x0" < cast(0e+0 as double) and "r"."x0" >= -cast(1e+150 as double) then cast(0e+0 as double) when "r"."x0" > cast(1e+0 as double) and "r"."x0" <= cast(1e+150 as double) then cast(1e+0 as double) end as "c0" from (select "s0"."_p", case when ("s0"."sex" = cast($1 as varchar)) then (1e+0) else (0e+0) end as "x0"
from (select "t"."_p", "t"."sex" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
limit 10001; -- ["female"]

-- PostgreSQL
select count(*) as "o0", array_agg(distinct "q"."_p") as "o1", count("q"."c0") as "o2", count(nullif("q"."c0", cast(0 as float8))) as "o3", cast(coalesce(sum("q"."c0"), 0) as float8) as "o4", 0 as "o5", 0 as "o6", array_agg(distinct "q"."_p") filter (where "q"."c0" is not null) as "o7", array_agg(distinct "q"."_p") filter (where "q"."c0" <> 0) as "o8"
from (select "r"."_p", case when "r"."x0" between cast(0e+0 as float8) and cast(1e+0 as float8) then cast("r"."x0" as float8) when "r"."x0" < cast(0e+0 as float8) and "r"."x0" >= -cast(1e+150 as float8) then cast(0e+0 as float8) when "r"."x0" > cast(1e+0 as float8) and "r"."x0" <= cast(1e+150 as float8) then cast(1e+0 as float8) end as "c0" from (select "s0"."_p", case when ("s0"."sex" = cast($1 as text)) then cast(1e+0 as float8) else cast(0e+0 as float8) end as "x0"
from (select "t"."_p", "t"."sex" collate "C" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
limit 10001; -- ["female"]

-- rows
[0.4]
