-- variance

select round(stddev_samp(weight), 3) from athletes

-- DuckDB
select count(*) as "o0", list("q"."_p") as "o1", count("q"."c0") as "o2", 0 as "o3", cast(coalesce(sum("q"."c0"), 0) as double) as "o4", 0 as "o5", cast(coalesce(sum((("q"."c0" + cast(3.8725919148493183e-121 as double)) - cast(3.8725919148493183e-121 as double)) * (("q"."c0" + cast(3.8725919148493183e-121 as double)) - cast(3.8725919148493183e-121 as double))), 0) as double) as "o6", list("q"."_p") filter (where "q"."c0" is not null) as "o7"
from (select "r"."_p", case when "r"."x0" between cast(2e+1 as double) and cast(2.5e+2 as double) then cast("r"."x0" as double) when "r"."x0" < cast(2e+1 as double) and "r"."x0" >= -cast(1e+150 as double) then cast(2e+1 as double) when "r"."x0" > cast(2.5e+2 as double) and "r"."x0" <= cast(1e+150 as double) then cast(2.5e+2 as double) end as "c0" from (select "s0"."_p", "s0"."weight as stored" as "x0"
from (select "t"."_p", "t"."weight" as "weight as stored" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
limit 10001;

-- PostgreSQL
select count(*) as "o0", array_agg(distinct "q"."_p") as "o1", count("q"."c0") as "o2", 0 as "o3", cast(coalesce(sum("q"."c0"), 0) as float8) as "o4", 0 as "o5", cast(coalesce(sum((("q"."c0" + cast(3.8725919148493183e-121 as float8)) - cast(3.8725919148493183e-121 as float8)) * (("q"."c0" + cast(3.8725919148493183e-121 as float8)) - cast(3.8725919148493183e-121 as float8))), 0) as float8) as "o6", array_agg(distinct "q"."_p") filter (where "q"."c0" is not null) as "o7"
from (select "r"."_p", case when "r"."x0" between cast(2e+1 as float8) and cast(2.5e+2 as float8) then cast("r"."x0" as float8) when "r"."x0" < cast(2e+1 as float8) and "r"."x0" >= -cast(1e+150 as float8) then cast(2e+1 as float8) when "r"."x0" > cast(2.5e+2 as float8) and "r"."x0" <= cast(1e+150 as float8) then cast(2.5e+2 as float8) end as "c0" from (select "s0"."_p", "s0"."weight as stored" as "x0"
from (select "t"."_p", "t"."weight" as "weight as stored" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
limit 10001;

-- rows
[2.928]
