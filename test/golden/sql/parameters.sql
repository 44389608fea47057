-- parameters

select count(*) from athletes where sex = $1 and height > $2 and born < $3

-- DuckDB
select count(*) as "o0", list("q"."_p") as "o1", count(*) as "o2", 0 as "o3", 0 as "o4", 0 as "o5", 0 as "o6"
from (select "r"."_p" from (select "s0"."_p"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", case when "t"."height" between -1e150 and 1e150 then "t"."height" end as "height", "t"."sex" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
where ("s0"."sex" = cast($1 as varchar)) and ("s0"."height" > (1.52e+0)) and ("s0"."born" < date '1983-01-01')) as "r") as "q"
limit 10001; -- ["female"]

-- PostgreSQL
select count(*) as "o0", array_agg(distinct "q"."_p") as "o1", count(*) as "o2", 0 as "o3", 0 as "o4", 0 as "o5", 0 as "o6"
from (select "r"."_p" from (select "s0"."_p"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", case when "t"."height" between cast(-1e150 as float8) and cast(1e150 as float8) then "t"."height" end as "height", "t"."sex" collate "C" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
where ("s0"."sex" = cast($1 as text)) and ("s0"."height" > cast(1.52e+0 as float8)) and ("s0"."born" < date '1983-01-01')) as "r") as "q"
limit 10001; -- ["female"]

-- rows
[2]
