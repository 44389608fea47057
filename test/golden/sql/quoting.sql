-- quoting

select at as "select", 'it''s "; drop table x; --' as text from sessions order by minutes limit 1

-- DuckDB
select "s0"."_p" as "o_p", "s0"."at" as "o0", cast($1 as varchar) as "o1"
from (select "t"."_p", "t"."at" as "at", "t"."minutes" as "minutes" from "ds_sessions" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
order by "s0"."minutes" asc nulls last, "s0"."at" asc nulls last, "o_p"
limit 1; -- ["it's \"; drop table x; --"]

-- PostgreSQL
select "s0"."_p" as "o_p", "s0"."at" as "o0", cast($1 as text) as "o1"
from (select "t"."_p", "t"."at" collate "C" as "at", "t"."minutes" as "minutes" from "ds_sessions" as "t" inner join "e" as "e" on "e"."_p" = "t"."_p") as "s0"
order by "s0"."minutes" asc nulls last, "s0"."at" asc nulls last, "o_p"
limit 1; -- ["it's \"; drop table x; --"]

-- rows
["home","it's \"; drop table x; --"]
