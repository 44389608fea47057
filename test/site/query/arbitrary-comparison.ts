import fc from 'fast-check'
import { PAIR_AGGREGATES } from '../../../src/site/query/bind/aggregate/bind-pair.ts'
import { conditionOfAthlete } from './arbitrary-condition.ts'
import { oneOf } from './one-of.ts'

/* Questions with rarer comparisons, functions, grouping and aggregates of two values. */

/** Comparisons of several values at once. */
export const compared = fc
  .tuple(
    oneOf(
      'gold between symmetric 3 and 0',
      'height not between symmetric 1.9 and 1.6',
      'gold > any (array[0, 2])',
      'gold <= all (array[2, 3, 9])',
      "sport like any (array['r%', '%f'])",
      "(sex, gold) in (('f', 1), ('m', 2), ('m', 0))",
      "(sport, gold) not in (('golf', 1), ('rowing', null))",
      "(sex, sport) <> ('f', 'golf')",
      'gold * 9 > any (select minutes from sessions s where s.id = a.id)',
      'gold * 15 >= all (select minutes from sessions s where s.id = a.id)',
      'gold * 7 <> all (select minutes from sessions s where s.id = a.id and s.minutes is not null)',
      'gold * 7 in (select minutes from sessions s where s.id = a.id order by started limit 2)',
      'gold in (values (0), (2), (null))',
      'exists (select 1 from (values (0, 1), (3, null), (2, 9)) v(lo, hi) where gold between v.lo and v.hi)',
      "not exists (select * from (values ('golf', 1.7), ('rowing', 1.8)) v(sport, least) where v.sport = a.sport and a.height > least)",
      'exists (select 1 where gold > 1) or exists (values (1)) and height > 1.6',
      'exists (with v(n) as (values (5), (30)) select n from v where exists (select 1 from sessions s where s.id = a.id and s.minutes > v.n + a.gold))',
      'exists (select 1 from sessions s where s.id = a.id and exists (select 1 from (values (3, 9), (20, 25)) v(lo, hi) where s.minutes + a.gold between lo and hi limit 1))',
      "born > (select date '1987-06-01')",
      'height > (select greatest(a.gold, 1.6) where a.gold is not null)',
      'exists (select 1 from sessions s where s.id = a.id and s.minutes > 9 order by started limit 1)',
    ),
    conditionOfAthlete,
    oneOf('count(*)', 'avg(height)', 'sum(gold)'),
  )
  .map(
    ([one, where, measure]) =>
      `select sex as k, ${measure} as m, count(*) filter (where ${one}) as f from athletes a where ${one} or (${where}) group by 1`,
  )

export const grouping = fc
  .tuple(
    oneOf(
      'rollup (sex, sport)',
      'cube (sex, sport)',
      'grouping sets ((sex), (sport, sex), ())',
      'sex, sport',
    ),
    conditionOfAthlete,
    oneOf('having count(*) > 0', 'having grouping(sport) = 1 and count(*) > 0'),
  )
  .map(
    ([sets, where, having]) =>
      `with a as materialized (select * from athletes order by height) select sex, sport, grouping(sex) as g, grouping(sport, sex) * 10 as h, count(*) as n from a where (${where}) group by ${sets} ${having}`,
  )

/** Texts and dates that are made, and patterns. */
export const made = fc
  .tuple(
    oneOf(
      "lpad(sport, 3, 'xy')",
      "rpad(coalesce(sport, ''), 8, '.')",
      'lpad(gold::text, 4)',
      "repeat(sport, 2) || '!'",
      "concat_ws('/', sex, sport)",
      "translate(sport, 'og', 'x')",
      "(string_to_array(sport, 'o'))[2]",
      "array_length(string_to_array(sport, 'o'), 1)",
      'make_date(2000 + gold::int, 2, 24 + gold::int)::text',
      'make_date(extract(year from born)::int, 1, 1)::text',
      'date(born)::text',
    ),
    oneOf(
      "sport ~ '^[a-r]+$'",
      "sport !~ 'ow|ol'",
      "regexp_like(sport, 'g.{2}f$')",
      "sport ~ '(^r|f$)' or sport is null",
      "sport similar to '(g|r)o%' or sport not similar to '_owing'",
      "sex::varchar(1) = 'f' and height::numeric(4, 0) = 2",
      "'g' = any (string_to_array(sport, 'o')) or 'wing' <> all (string_to_array(sport, 'o'))",
    ),
    oneOf('count(*)', 'avg(height)'),
  )
  .map(
    ([key, where, measure]) => `select ${key} as k, ${measure} as m from athletes where ${where} group by 1`,
  )

/** Functions that analysts know from PostgreSQL's manual. */
export const known = fc
  .tuple(
    oneOf(
      'log(2, gold + 3)',
      'log(gold + 3, 10)',
      'gcd(gold * 6, 9)',
      'div(gold, 2)',
      'num_nulls(height, sport) * 10 + num_nonnulls(sport)',
      'left(sport, -2)',
      'right(sport, -3)',
      "split_part(sport, 'o', -1)",
      "trim(both 'gr' from sport)",
      "trim(leading 'rog' from sport)",
      "rtrim(sport, 'fgn')",
      'octet_length(sport)',
      "to_char(born, 'Mon YY')",
      "to_char(born, 'FMMonth')",
      "to_char(born, 'Dy, FMDay')",
      "'m' || to_char(born, 'YYYYMM')",
      "to_date(to_char(born, 'DD/MM/YYYY'), 'DD/MM/YYYY')::text",
      "to_date(to_char(born, 'YYYYMMDD'), 'YYYYMMDD') - born",
      "concat(sport, '-', gold)",
      "concat_ws('/', sex, gold, born)",
      'sport || gold',
      "gold || ':' || born",
      'width_bucket(height, array[1.55, 1.8, 2])',
      "width_bucket(born, array[date '1986-01-01', date '1988-03-01'])",
      'width_bucket(gold, array[-1, 0, 2])',
      "(date_bin('28 days', born::timestamp, timestamp '1986-01-11'))::date::text",
    ),
    oneOf(
      "sport ^@ 'ro' or sport is null",
      "date_bin('900 days', born::timestamp, timestamp '2000-01-01') < '1988-01-01'",
      'log(3, height::numeric) > 0.5 or num_nulls(height) = 1',
      "to_date(left(born::text, 7) || '-02', 'YYYY-MM-DD') > '1987-03-01'",
    ),
    oneOf('count(*)', 'avg(height)', 'sum(gold)'),
  )
  .map(
    ([key, where, measure]) => `select ${key} as k, ${measure} as m from athletes where ${where} group by 1`,
  )

export const knownOfSessions = oneOf(
  "select place as k, count(*) as n from sessions where to_char(started, 'HH12 AM') in ('10 AM', '01 PM', '07 PM') group by 1",
  "select to_char(date_bin('36 hours', started, timestamp '2026-01-01 01:30'), 'YYYYMMDD HH24MI') as k, sum(minutes) as n from sessions group by 1",
)

/** Aggregates of two values. */
export const pairs = fc
  .tuple(
    fc.array(
      fc
        .tuple(
          fc.constantFrom(...Object.keys(PAIR_AGGREGATES)),
          oneOf(
            '(height, gold)',
            '(gold, height)',
            '(gold, gold)',
            '(gold * height, height)',
            '(height / 4, gold * gold)',
            '(extract(year from born), height)',
            "(case when sport = 'golf' then height end, gold)",
            '(height, 2)',
          ),
          oneOf('', '', " filter (where sex = 'f')", ' filter (where height > 1.6 or gold > 1)'),
        )
        .map((parts) => parts.join('')),
      { minLength: 1, maxLength: 4 },
    ),
    oneOf('sex', 'sport', 'gold', 'extract(month from born)'),
    conditionOfAthlete,
    oneOf('', 'having regr_count(height, gold) > 2', 'having corr(height, gold) is not null'),
  )
  .map(
    ([measures, key, where, having]) =>
      `select ${key} as k, ${measures.map((text, index) => `${text} as m${index}`).join(', ')} from athletes a where (${where}) group by 1 ${having}`,
  )

export const pairsOfSessions = oneOf(
  'select place as k, covar_pop(minutes, extract(hour from started)) as c, regr_slope(minutes, extract(day from started)) as s from sessions group by 1',
  'select a.sex as k, corr(s.minutes, extract(hour from s.started)) as c, count(*) as n from athletes a join sessions s using (id) group by 1',
  'with t as (select id, sum(minutes) as m, count(*) as n from sessions group by id) select a.sex as k, regr_intercept(a.gold, t.m) as i, regr_r2(t.m, a.height) as r, corr(t.m, t.n) as c from athletes a left join t using (id) group by 1',
)

/** What patterns find in texts. */
export const found = fc
  .tuple(
    oneOf(
      "regexp_replace(sport, '[aeiou]+', '')",
      "regexp_replace(sport, '([a-m])([n-z])', '\\2\\1', 'g')",
      "regexp_replace(sport, 'O.', '-', 'gi')",
      "regexp_substr(sport, '[l-z]{2}')",
      "substring(sport from '^.(.*)g$')",
      "substring(profile ->> 'city' from '[a-z]+')",
      "regexp_count(sport, '[^o]o')",
    ),
    conditionOfAthlete,
  )
  .map(([value, where]) => `select ${value} as k, count(*) as n from athletes a where (${where}) group by 1`)
