-- rows-star

select * from athletes order by height limit 2

-- DuckDB
select "s0"."_p" as "o_p", null as "o0", "s0"."sex" as "o1", "s0"."height" as "o2", "s0"."weight" as "o3", strftime("s0"."born", '%Y-%m-%d') as "o4", "s0"."gold" as "o5"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", "t"."gold" as "gold", case when "t"."height" between -1e150 and 1e150 then "t"."height" end as "height", "t"."sex" as "sex", case when "t"."weight" between -1e150 and 1e150 then "t"."weight" end as "weight" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
order by "s0"."height" asc nulls last, "s0"."sex" asc nulls last, ("s0"."height" + 0) nulls last, ("s0"."weight" + 0) nulls last, "s0"."born" asc nulls last, "s0"."gold" asc nulls last, "o_p"
limit 2;

-- PostgreSQL
select "s0"."_p" as "o_p", null as "o0", "s0"."sex" as "o1", "s0"."height" as "o2", "s0"."weight" as "o3", to_char("s0"."born", 'YYYY-MM-DD') as "o4", "s0"."gold" as "o5"
from (select "t"."_p", case when "t"."born" > date '0001-01-01' and "t"."born" < date '9999-12-31' then "t"."born" end as "born", "t"."gold" as "gold", case when "t"."height" between cast(-1e150 as float8) and cast(1e150 as float8) then "t"."height" end as "height", "t"."sex" collate "C" as "sex", case when "t"."weight" between cast(-1e150 as float8) and cast(1e150 as float8) then "t"."weight" end as "weight" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
order by "s0"."height" asc nulls last, "s0"."sex" asc nulls last, ("s0"."height" + 0) nulls last, ("s0"."weight" + 0) nulls last, "s0"."born" asc nulls last, "s0"."gold" asc nulls last, "o_p"
limit 2;

-- rows
[null,"female",1.5,null,"1980-05-10",1]
[null,"male",1.51,51,"1981-05-11",0]
