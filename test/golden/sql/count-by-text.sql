-- count-by-text

select sex, count(*) from athletes group by sex order by sex

-- DuckDB
select "q"."k0" as "o0", count(*) as "o1", list("q"."_p") as "o2", count(*) as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0" from (select "s0"."_p", "s0"."sex" as "k0"
from (select "t"."_p", "t"."sex" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select "g"."k0" as "o0", "g"."m0" as "o1"
from (values (cast($1 as varchar), cast(4 as bigint)), (cast($2 as varchar), cast(6 as bigint))) as "g" ("k0", "m0")
order by "g"."k0" asc nulls last; -- ["female","male"]

-- PostgreSQL
select "q"."k0" as "o0", count(*) as "o1", array_agg(distinct "q"."_p") as "o2", count(*) as "o3", 0 as "o4", 0 as "o5", 0 as "o6", 0 as "o7"
from (select "r"."_p", "r"."k0" from (select "s0"."_p", "s0"."sex" as "k0"
from (select "t"."_p", "t"."sex" collate "C" as "sex" from "ds_athletes" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0") as "r") as "q"
group by "q"."k0"
limit 10001;
select ("g"."k0" collate "C") as "o0", "g"."m0" as "o1"
from (values (cast($1 as text), cast(4 as bigint)), (cast($2 as text), cast(6 as bigint))) as "g" ("k0", "m0")
order by ("g"."k0" collate "C") asc nulls last; -- ["female","male"]

-- rows
["female",4]
["male",6]
