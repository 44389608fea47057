import { declinesAll } from './declines-all.ts'

/* Functions, operators, casts and types that the catalogue does not have, and what the answer says then. */

declinesAll([
  [
    "select count(*) from athletes where replace(sex, 'f', 'female') = 'x'",
    'declined.sql_function',
    /"replace" of/,
  ],
  [
    "select count(*) from athletes where split_part(sex, '', 1) = 'x'",
    'declined.sql_function',
    /"split_part" of/,
  ],
  ["select to_char(born, 'D'), count(*) from athletes group by 1", 'declined.sql_function', /date pattern/],
  ['select avg(datediff(day, born, born)) from athletes', 'declined.sql_function', /write a - b for days/],
  ['select top (5) sex from athletes', 'declined.sql_function', /write LIMIT at the end\), at character 8$/],
  [
    'select date_trunc(month, born), count(*) from athletes group by 1',
    'declined.column',
    /no column "month".*; a unit of time is written in single quotes/,
  ],
  ["select age(born, '2020-01-01') from athletes", 'declined.sql_function', /"age"/],
  [
    'select max(height) from athletes',
    'declined.sql_function',
    /^Not allowed: "max" \(it would be one person’s value; .*\), at character 8$/,
  ],
  ['select sum(distinct gold) from athletes', 'declined.sql_function', /distinct/],
  ['select now(), count(*) from athletes', 'declined.sql_function', /"now"/],
  ['select pg_catalog.count(*) from athletes', 'declined.sql_function', /function with a schema/],
  [
    'select count(*) from athletes where height operator(pg_catalog.>) 1',
    'declined.sql_function',
    /operator with a schema/,
  ],
  ["select count(*) from athletes where sex ~* 'ÉF'", 'declined.sql_function', /pattern written out/],
  ["select count(*) from athletes where sex ~ '(?i)f'", 'declined.sql_function', /pattern written out/],
  ["select count(*) from athletes where sex ~ '\\mf'", 'declined.sql_function', /pattern written out/],
  ['select count(*) from athletes where sex ~ sex', 'declined.sql_function', /pattern written out/],
  ['select count(*) from athletes where gold ~ 4', 'declined.sql_function', /^Not allowed: ~ of/],
  [
    "select count(*) from athletes where regexp_replace(sex, 'f|m', 'm') = 'm'",
    'declined.sql_function',
    /no alternatives/,
  ],
  [
    'select count(*) from athletes where gold like 4',
    'declined.sql_function',
    /^Not allowed: LIKE of \(integer/,
  ],
  [
    'select count(*) from athletes where sex not ilike sex',
    'declined.sql_function',
    /^Not allowed: NOT ILIKE/,
  ],
  ['select count(*) from athletes where trim(gold) is null', 'declined.sql_function', /^Not allowed: trim/],
  [
    'select count(*) from athletes where born at time zone sex is null',
    'declined.sql_function',
    /^Not allowed: AT TIME ZONE/,
  ],
  [
    'select max(*) from athletes',
    'declined.sql_function',
    /^Not allowed: "max" \(it would be one person’s value/,
  ],
  [
    'select avg(distinct gold) from athletes',
    'declined.sql_function',
    /^Not allowed: "avg" of distinct values/,
  ],
  [
    'select count(*) from athletes where born::timestamp with time zone is null',
    'declined.sql_function',
    /^Not allowed: the type timestamp with time zone; times stand as the data set has them: write timestamp, at/,
  ],
  [
    'select count(*) from athletes where height::real > 1',
    'declined.sql_function',
    /the type real; write float8 or numeric, at/,
  ],
  [
    'select count(*) from athletes where height::json is null',
    'declined.sql_function',
    /the type "json"; a document is read, not made, at/,
  ],
  ['select count(*) from athletes where height[1] > 1', 'declined.sql_function', /of \(number, integer\)/],
  ['select count(*) from athletes where gold', 'declined.sql_function', /integer as boolean in a condition/],
  ['select count(*) from athletes where sex like sex', 'declined.sql_function', /pattern written out/],
  ["select count(*) from athletes where sex like 'f\\'", 'declined.sql_function', /pattern/],
  [
    "select count(*) from athletes where height::text = '1.8'",
    'declined.sql_function',
    /cast from number to text/,
  ],
  [
    'select count(*) from athletes where sex::timestamp is null',
    'declined.sql_function',
    /cast from text to timestamp/,
  ],
  ['select count(*) from athletes where sex = 1', 'declined.sql_function', /: = of \(text, integer\)/],
  ["select count(*) from athletes where born = 'yesterday'", 'declined.sql_function', /: = of/],
  [
    "select date_trunc('millennium', born), count(*) from athletes group by 1",
    'declined.sql_function',
    /expected date unit: one of day, week/,
  ],
])
