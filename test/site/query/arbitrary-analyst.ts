import fc from 'fast-check'
import { conditionOfAthlete } from './arbitrary-condition.ts'
import { oneOf } from './one-of.ts'

/* Questions as analysts and their tools write them: spans of time, names with their schema, and what a person's own rows come to. */

/** Spans of time, beside each other and beside those that are written out; moments as tools write them. */
export const spans = fc
  .tuple(
    oneOf(
      "started - timestamp '2026-02-01' > interval '20 days'",
      "interval '3 months' >= timestamp '2026-06-01 12:00' - started",
      "started - timestamp '2026-02-01' between interval '-10 days' and interval '35 days 2 hours'",
      "started - timestamp '2026-03-15' not between interval '0 days' and interval '45 days'",
      "timestamp '2026-06-10' - started < started - timestamp '2026-01-05'",
      "age(timestamp '2026-05-20 03:00', started) >= interval '2 months'",
      "age(started, timestamp '2026-01-31') between interval '1 month 3 days' and interval '4 months'",
      "interval '31 days' < age(started, timestamp '2026-02-28')",
      "age(started, timestamp '2026-01-01') <> age(timestamp '2026-07-01', started)",
      "(started, interval '10 days') overlaps (timestamp '2026-03-01', timestamp '2026-04-15')",
      "(started, started) overlaps (timestamp '2026-02-10 12:00', interval '60 days')",
      "(started, null) overlaps (timestamp '2026-03-01', timestamp '2026-05-15')",
      "started >= to_timestamp('2026-03-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS') and started < to_timestamp('2026-05-15', 'YYYY-MM-DD')",
      "started < to_timestamp('2026-04-11 14:00:01.500', 'YYYY-MM-DD HH24:MI:SS.MS')",
    ),
    oneOf('sum(minutes)', 'count(*)', 'count(distinct id)', 'count(distinct case when COND then id end)'),
    oneOf(
      'place',
      "format('%s/%s', place, extract(quarter from started)::int)",
      "format('%2$s%%%1$s', place, 7)",
    ),
    oneOf('', ' or minutes > 40', ' and minutes is not null'),
  )
  .map(
    ([condition, measure, key, more]) =>
      `select ${key} as k, ${measure.replace('COND', condition)} as m, count(*) filter (where not (${condition})) as n from sessions where (${condition})${more} group by 1`,
  )

/** The same of days. */
export const ages = fc
  .tuple(
    oneOf(
      "age(date '2026-03-01', born) >= interval '38 years'",
      "age(date '2026-02-28', born) between interval '36 years' and interval '39 years 6 months'",
      "age(born, date '1985-05-31') < interval '2 years 10 months'",
      "(born, born + interval '2 years') overlaps (date '1987-01-15', date '1988-03-01')",
      "(born, date '1990-01-01') overlaps (date '1987-04-15', interval '1 year')",
    ),
    conditionOfAthlete,
    oneOf('count(*)', 'avg(height)', "avg(date '2026-03-01' - born)"),
  )
  .map(
    ([one, where, measure]) =>
      `select sex as k, ${measure} as m, count(*) filter (where ${one}) as n from athletes a where ${one} or (${where}) group by 1`,
  )

/** Names with the schema, as tools write them. */
export const publicNames = fc
  .tuple(
    oneOf(
      'select "public"."athletes"."sex" as "sex", count(*) as "count" from "public"."athletes" where WHERE group by "public"."athletes"."sex"',
      'select public.sessions.place as k, sum(public.sessions.minutes) as m from public.sessions group by public.sessions.place',
      'select "source"."sport", avg("source"."height") as "avg" from (select "public"."athletes"."sport" as "sport", "public"."athletes"."height" as "height", "public"."athletes"."gold" as "gold" from "public"."athletes") "source" where "source"."gold" > 0 group by "source"."sport"',
      'select "A"."sex" as "A__sex", count(distinct "public"."sessions"."id") as "count" from "public"."sessions" left join "public"."athletes" as "A" on "public"."sessions"."id" = "A"."id" group by "A"."sex"',
    ),
    oneOf('gold > 0', "sex = 'f' or height is null", 'true'),
  )
  .map(([text, where]) => text.replace('WHERE', where))

/** What the rows of a person come to, as something to group and choose people by. */
export const ofOwnRows = fc
  .tuple(
    oneOf(
      "string_agg(distinct place, '+')",
      "string_agg(distinct place, ' + ' order by place) filter (where minutes > 15)",
      "string_agg(distinct minutes::text, '/' order by minutes::text)",
      'mode() within group (order by place)',
      'mode() within group (order by started::date)::text',
      'mode() within group (order by minutes % 3) filter (where minutes is not null)',
      'percentile_disc(0.25) within group (order by place)',
      'percentile_disc(0.5) within group (order by minutes)',
      "percentile_disc(0.9) within group (order by minutes) filter (where place = 'gym')",
      '(percentile_cont(0.75) within group (order by minutes) * 8)::int',
      '(percentile_cont(0.1) within group (order by minutes desc nulls last) * 7)::int',
      'floor(stddev_samp(minutes) / 3)',
      'variance(minutes) > 100',
      'stddev_pop(minutes) > 8',
      'var_samp(minutes * 0.1) is null',
    ),
    oneOf(
      'with t as (select id, VALUE as v from sessions group by id) select v as k, count(*) as n from t group by 1',
      'with t as (select id, VALUE as v from sessions group by id) select v as k, avg(a.height) as m, sum(a.gold) as s from t join athletes a using (id) group by 1',
      'with t as (select id, place as p, VALUE as v from sessions group by id, place) select p as k, count(*) filter (where v is not null) as n, count(distinct id) as m from t group by 1',
      'select a.sex as k, count(*) as n from athletes a where (select VALUE from sessions s where s.id = a.id) is not null group by 1',
    ),
  )
  .map(([value, text]) => text.replace('VALUE', value))

/** The same as quantities that are added up over people. */
export const sumsOfOwnRows = fc
  .tuple(
    oneOf(
      'stddev_samp(minutes)',
      'var_pop(minutes)',
      'percentile_cont(0.5) within group (order by minutes)',
      'percentile_disc(0.5) within group (order by minutes)',
      'mode() within group (order by minutes)',
    ),
    oneOf('', " filter (where place = 'gym')", ' filter (where minutes > 9)'),
    oneOf('avg(t.v)', 'sum(t.v * a.gold)', 'count(t.v)', 'stddev_pop(t.v)'),
    conditionOfAthlete,
  )
  .map(
    ([value, filter, measure, where]) =>
      `with t as (select id, ${value}${filter} as v from sessions group by id) select a.sex as k, ${measure} as m from athletes a join t on t.id = a.id where (${where}) group by 1`,
  )

/** What is summed, averaged and compared of spans between times; their seconds, as PostgreSQL shows them. */
export const figuresOfSpans = fc
  .tuple(
    oneOf(
      "started - timestamp '2026-02-01'",
      "timestamp '2026-06-01 12:30' - started",
      "case when minutes > 10 then started - timestamp '2026-01-01' end",
      "coalesce(started - timestamp '2026-01-01', interval '0 seconds')",
      "(started - timestamp '2026-01-01') * 2",
      "(started - timestamp '2026-01-01') / 60.0",
    ),
    oneOf(
      'select place as k, extract(epoch from avg(SPAN)) as m, count(*) as n from SOURCE group by 1',
      'select sex as k, extract(epoch from sum(SPAN)) / 3600 as m, extract(epoch from sum(SPAN) / count(*)) as n from SOURCE group by 1',
      "select place as k, count(*) as n from SOURCE group by 1 having avg(SPAN) > interval '20 days' or sum(SPAN) < '100 days'",
      "with t as (select s.id, place, max(SPAN) as longest, min(SPAN) as shortest, avg(SPAN) as middle from SOURCE group by s.id, place) select place as k, extract(epoch from sum(longest)) as m, count(*) filter (where middle > interval '40 days') as n, count(*) filter (where longest - shortest < interval '20 days') as o from t group by place",
      "with t as (select s.id, sex, place, max(started) - min(started) as tenure from SOURCE group by s.id, sex, place) select sex as k, count(*) filter (where tenure between interval '1 day' and '50 days') as n from t group by 1",
    ),
  )
  .map(([span, text]) =>
    text.replaceAll('SPAN', span).replace('SOURCE', 'sessions s join athletes a on a.id = s.id'),
  )

/** Numbers and days as tools write them, and lists that are written in a text. */
export const writtenValues = fc
  .tuple(
    oneOf(
      "to_char(gold, '990')",
      "to_char(gold - 3, 'FM000')",
      "to_char(gold * 1234, '9,999')",
      "to_char(gold / 8.0, 'FM0.999')",
      "to_char(gold / 4.0 - 1, '90.0')",
      "to_char(gold * 0.5, 'FM9.9')",
      "to_char(round(height)::numeric, 'FM999,990.00')",
      "to_char(born, 'Month YY')",
      "to_char(born, 'DAY')",
      "to_char(born, 'mon') || to_char(gold, 'FM9\" gold\"')",
      "to_char(born::timestamp at time zone 'UTC', 'YYYY-MM-DD')",
    ),
    oneOf(
      "to_char(count(*), 'FM999')",
      "to_char(avg(gold), '990.00')",
      "to_char(100.0 * count(height) / count(*), 'FM990.0%')",
      "to_char(sum(gold) * 1000, '999,999,999')",
    ),
    oneOf(
      "sport = any ('{golf,rowing}')",
      'sport <> all (\'{golf,"x, y"}\'::text[])',
      "gold = any ('{1,2,3}'::int[])",
      "gold > any ('{0,2}') and born < all ('{1990-01-01, 1989-06-01}')",
      'gold between 0 and 3',
    ),
  )
  .map(
    ([key, measure, where]) => `select ${key} as k, ${measure} as m from athletes where ${where} group by 1`,
  )
