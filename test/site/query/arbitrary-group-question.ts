import fc from 'fast-check'
import { conditionOfAthlete } from './arbitrary-condition.ts'
import { oneOf } from './one-of.ts'

/* Questions that compute over their groups: window functions over them, and SELECTs around the one that groups. */

/** Groups with the columns `k`, `l`, `n` and `m`, no two of them alike in `k` and `l`. */
const groups = fc
  .tuple(
    oneOf(
      "coalesce(sex, '?') as k, sport as l",
      'sport as k, gold as l',
      'gold as k, extract(year from born)::int as l',
      "date_trunc('year', born) as k, sex as l",
    ),
    oneOf('sum(gold)', 'count(height)', 'sum(gold + 1)', 'count(*) filter (where gold > 0)'),
    conditionOfAthlete,
    oneOf('', 'having count(*) > 1', 'having count(*) > 1000'),
  )
  .map(([keys, measure, where, having]) => ({
    keys,
    n: 'count(*)',
    m: measure,
    rest: `from athletes a where (${where}) group by 1, 2 ${having}`,
  }))

/** Window functions; N and M stand for what is counted and summed in each group, K and L for its keys. */
const windows = oneOf(
  'sum(N) over ()',
  'sum(N) over (order by K, L)',
  'sum(M) over (partition by K)',
  'sum(N) over (partition by K order by L rows between 1 preceding and current row)',
  'avg(N) over (partition by L)',
  'count(*) over (partition by K)',
  'rank() over (order by N desc)',
  'dense_rank() over (partition by K order by N, M)',
  'row_number() over (order by N desc, K, L)',
  'lag(N) over (order by K, L)',
  'N - lead(N, 1, 0) over (partition by K order by L)',
  'first_value(M) over (partition by K order by L)',
  'last_value(M) over (order by K, L rows between unbounded preceding and unbounded following)',
  'max(N) over () - N',
  'ntile(3) over (order by K, L)',
  '100.0 * N / nullif(sum(N) over (partition by L), 0)',
  'round((100 * cume_dist() over (order by N))::numeric)',
  'sum(N) over w',
)

const NAMED = 'window w as (partition by K order by L)'

function written(text: string, { k, l, n, m }: Readonly<Record<'k' | 'l' | 'n' | 'm', string>>): string {
  return text.replaceAll(/\b[KLNM]\b/g, (name) => ({ K: k, L: l, N: n, M: m })[name] ?? name)
}

const plain = { k: 'k', l: 'l', n: 'n', m: 'm' }

/** In the SELECT that groups. */
const within = fc.tuple(groups, windows).map(([{ keys, n, m, rest }, window]) => {
  const [k = '', l = ''] = keys.split(/ as [kl](?:, |$)/)
  const own = { k, l, n, m }
  const name = window.endsWith(' w') ? written(NAMED, own) : ''
  return `select ${keys}, ${n} as n, ${m} as m, ${written(window, own)} as v ${rest} ${name}`
})

/** In PostgreSQL only where the aggregates have names already. */
const aroundWindows = fc.oneof(
  windows,
  oneOf('sum(N) filter (where M > 1) over (order by K, L)', 'count(*) filter (where K is null) over ()'),
)

/** In one around it. */
const around = fc
  .tuple(groups, aroundWindows, windows, oneOf('', 'where n > 1', 'where m is not null and k is not null'))
  .map(([{ keys, n, m, rest }, one, other, where]) => {
    const inner = `select ${keys}, ${n} as n, ${m} as m ${rest}`
    const name = [one, other].some((window) => window.endsWith(' w')) ? written(NAMED, plain) : ''
    return `with g as (${inner}), h as (select k, l, n, m from g ${where}) select k, n * 2 as n, ${written(one, plain)} as v, ${written(other, plain)} as w from h ${name}`
  })

/** A condition on what a window computed. */
const best = fc
  .tuple(
    groups,
    oneOf(
      'rank() over (partition by K order by N desc)',
      'dense_rank() over (order by M desc nulls last)',
      'row_number() over (partition by L order by N, K)',
      'count(*) over (partition by K)',
    ),
    oneOf('r <= 2', 'r = 1 or n > 4', 'r > 1 and m is not null'),
  )
  .map(([{ keys, n, m, rest }, window, where]) => {
    const groupsText = `select ${keys}, ${n} as n, ${m} as m ${rest}`
    return `select k, l, n, r from (select *, ${written(window, plain)} as r from (${groupsText}) g) t where ${where}`
  })

const ties = fc
  .tuple(groups, oneOf('n', 'n desc', 'm desc nulls last, k', 'k'), oneOf('1', '3', '0'))
  .map(
    ([{ keys, n, m, rest }, order, count]) =>
      `select ${keys}, ${n} as n, ${m} as m ${rest} order by ${order} fetch first ${count} rows with ties`,
  )

/** Groups of the groups. Of all of them there is one row, and of none as well. */
const regrouped = fc
  .tuple(
    groups,
    oneOf(
      'select k, sum(n) as s, count(*) as c FROM group by k',
      'select l as o, max(n) filter (where m > 0) as s, min(m) as c FROM group by l having sum(n) > 1',
      'select count(*) as c, avg(n) as a, stddev_pop(m) as v FROM having count(*) > 0',
      'select count(*) as c, sum(n) as s, count(m) filter (where n > 2) as f FROM',
      'select count(*) as c, max(n) - min(n) as s, 7 as seven FROM where n > 2',
      'select sum(m) as s, count(*) as c FROM where n > 1000 having count(*) < 3',
      'select c from (select count(*) as c FROM where m > 2) z where c < 4 order by c',
      'select distinct k FROM',
      'select n % 2 = 0 as e, sum(m) / count(*) as s, count(m) as c FROM where n > 1 group by 1',
      'select k is null as e, bool_or(n > 2)::int as b, 100.0 * max(n) / sum(n) as p FROM group by k is null order by sum(n)',
      'select o, s from (select l as o, sum(n) as s FROM group by l) z where s > 2',
      'select k, l, count(*) as c, variance(n) as v FROM group by k, l',
    ),
  )
  .map(([{ keys, n, m, rest }, text]) =>
    text.replace('FROM', `from (select ${keys}, ${n} as n, ${m} as m ${rest}) g`),
  )

/** Groups of people are counted in, and computed over again. */
const people = fc
  .tuple(
    oneOf('place', "date_trunc('month', started)", 'minutes > 20'),
    oneOf(
      'avg(n) as m, count(*) as c',
      'max(n) - min(n) as m, sum(n) as c',
      'stddev_pop(n) as m, count(k) as c',
    ),
    oneOf('', ' where n > 1'),
  )
  .map(
    ([key, measures, where]) =>
      `with d as (select ${key} as k, count(distinct id) as n from sessions group by 1) select ${measures} from d${where}`,
  )

/** Every shape of this file, with its name. */
export const GROUP_SHAPES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'people of groups': people,
  'windows of groups': within,
  'around groups': around,
  'best groups': best,
  'with ties': ties,
  'groups of groups': regrouped,
}
