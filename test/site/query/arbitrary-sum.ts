import fc from 'fast-check'
import { conditionOfAthlete } from './arbitrary-condition.ts'
import { oneOf } from './one-of.ts'

/* Sums of what conditions decide and of products of sums, which are taken apart into sums and counts of their own. */

const valueOfAthlete = oneOf(
  'least(gold, 2)',
  'greatest(gold - 1, 0)',
  'greatest(least(gold, 2) - 1, 0)',
  'least(height, gold)',
  'greatest(1.7, height)',
  'least(gold, null)',
  'abs(gold - 2)',
  'abs(height - 1.8) * gold',
  'sign(gold - 1)',
  '(gold > 1)::int',
  "(sex = 'f' and height > 1.6)::int + 2",
  "(sport = 'golf')::int * height",
  'case when gold < 1 then 1 when gold < 3 then 2.5 when height > 1.8 then -4 end',
  "case sport when 'golf' then 10 when 'rowing' then 20 else gold end",
  'case when sport is null then height when gold > 1 then gold * 2 else 0 end',
  'coalesce(height, 1.5)',
  'coalesce(height, gold)',
  'nullif(gold, 2) + 1',
  'nullif(gold, 0) * height',
  '(height - 1.7) * (height - 1.7)',
  'power(height - 1.77, 2)',
  '(height - 1.5) * (gold - 1)',
  '(height - gold) * (height + gold) * 0.5',
  '(height + 1) / 4',
  '-(least(gold, 1) + abs(gold)) / 2.0',
  '(gold + 1) * (case when height > 1.7 then 2 else 3 end)',
)

/** Sums and averages of these. */
export const decidedSums = fc
  .tuple(
    valueOfAthlete,
    oneOf('sum', 'avg'),
    oneOf('', ' filter (where gold <> 2)', " filter (where sport = 'golf' or height is null)"),
    conditionOfAthlete,
    oneOf('sex', 'sport', "coalesce(sport, 'none')"),
  )
  .map(
    ([value, aggregate, filter, where, key]) =>
      `select ${key} as k, ${aggregate}(${value})${filter} as m, round(${aggregate}(${value})::numeric, 3) is null as o from athletes a where (${where}) group by 1`,
  )

/** The same of a person's own figures, and of rows. */
export const decidedSumsOfSessions = fc
  .tuple(
    oneOf(
      'least(n, 2)',
      'most_home * any_long',
      'abs(n - 2)',
      '(n > 1)::int',
      'most_home * n',
      'greatest(total - 40, 0)',
      'case when total > 50 then 3 when n > 2 then 2 else 1 end',
    ),
    oneOf('sum', 'avg'),
    conditionOfAthlete,
  )
  .map(
    ([value, aggregate, where]) =>
      `with t as (select id, count(*) as n, sum(minutes) as total, max(case when place = 'home' then 1 else 0 end) as most_home, max((minutes > 30)::int) as any_long from sessions group by id) select a.sex as k, ${aggregate}(${value}) as m from t join athletes a using (id) where (${where}) group by 1`,
  )

/** Variances and deviations of a sum of several. */
export const spreadsOfSums = fc
  .tuple(
    oneOf('stddev_samp', 'stddev_pop', 'var_samp', 'var_pop'),
    oneOf(
      'height - gold',
      'gold + 2 * height - 1',
      '(gold - height) / 2.0',
      'height - 0.5 * gold + height * gold',
      'gold - gold',
    ),
    oneOf('', ' filter (where gold <> 2)'),
    conditionOfAthlete,
  )
  .map(
    ([aggregate, value, filter, where]) =>
      `select sex as k, ${aggregate}(${value})${filter} as m from athletes a where (${where}) group by 1`,
  )
