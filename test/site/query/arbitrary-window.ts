import fc from 'fast-check'
import { oneOf } from './one-of.ts'

/* Questions over windows of the sessions of a person. */

const FRAMES = [
  'rows between 2 preceding and current row',
  'rows between unbounded preceding and 1 preceding',
  'rows between 1 preceding and 1 following',
  'rows between 3 preceding and 2 preceding',
  'rows between 1 following and unbounded following',
  'rows 1 preceding',
  'range between unbounded preceding and unbounded following',
  'range between current row and unbounded following',
  'groups between unbounded preceding and current row',
]

const frames = fc
  .tuple(
    oneOf('sum(minutes)', 'count(*)', 'count(minutes)', 'avg(minutes)', 'min(minutes)', 'max(minutes)'),
    fc.constantFrom(...FRAMES),
    oneOf('started', 'started desc', 'place, started'),
  )
  .map(([value, frame, order]) => `${value} over (partition by id order by ${order} ${frame})`)

/** Frames by what is ordered by, and without some rows. */
const distances = fc
  .tuple(
    oneOf('sum(minutes)', 'count(*)', 'count(minutes)', 'avg(minutes)', 'min(minutes)', 'max(minutes)'),
    oneOf(
      "order by started range between interval '30 days' preceding and current row",
      "order by started desc range between interval '1 month' preceding and interval '20 days 3 hours' following",
      "order by started::date range interval '45 days' preceding exclude current row",
      'order by minutes range between 5 preceding and 3 following',
      'order by minutes::float8 desc nulls last range between 2.5 preceding and current row exclude ties',
      'order by minutes * 0.5 nulls first range between 1 following and 10 following',
      'order by place groups between 1 preceding and current row',
      'order by place, minutes groups between 1 following and 2 following',
      'order by place groups between unbounded preceding and 1 following exclude group',
      'order by minutes groups 1 preceding exclude ties',
      'order by started rows between 2 preceding and 1 following exclude current row',
      'order by place range between unbounded preceding and unbounded following exclude group',
    ),
  )
  .map(([value, rest]) => `${value} over (partition by id ${rest})`)

const places = oneOf(
  'first_value(minutes) over (partition by id order by started desc)',
  'last_value(minutes) over (partition by id order by started rows between current row and unbounded following)',
  'first_value(minutes) over (partition by id order by started rows 2 preceding)',
  'last_value(minutes) over (partition by id order by started range between unbounded preceding and unbounded following)',
  'nth_value(minutes, 2) over (partition by id order by started rows between unbounded preceding and unbounded following)',
  'nth_value(minutes, 2) over (partition by id order by started rows between 1 preceding and 2 following exclude current row)',
  'last_value(minutes) over (partition by id order by started desc)',
  'nth_value(minutes, 2) over (partition by id order by started)',
  'nth_value(minutes, 1) over (partition by id, place order by started desc)',
  '(last_value(place) over (partition by id order by place) is null)::int',
  'stddev(minutes) over (partition by id)',
  'var_pop(minutes) over (partition by id order by started)',
  "variance(minutes) filter (where place = 'gym') over (partition by id order by started rows 2 preceding)",
  'stddev_pop(minutes * 0.5) over (partition by id order by minutes groups between 1 preceding and current row)',
  'ntile(2) over (partition by id order by started)',
  'lag(minutes, 1, -1) over (partition by id order by started)',
  'round(sqrt(minutes + coalesce(lag(minutes) over (partition by id order by started), row_number() over (partition by id order by started))))::int',
  'lead(minutes, 2, 7) over (partition by id, place order by started)',
  'lag(minutes, 1, extract(day from started)::int) over (partition by id order by started desc)',
  '(100 * percent_rank() over (partition by id order by minutes))::int',
  '(60 * percent_rank() over (partition by id order by place, minutes desc nulls last))::int',
  '(60 * cume_dist() over (partition by id order by place))::int',
  '(60 * cume_dist() over (partition by id))::int',
  "count(*) filter (where place = 'gym') over (partition by id)",
  'sum(minutes) filter (where minutes > 9) over (partition by id order by started)',
  "max(minutes) filter (where place <> 'home') over (partition by id order by started rows between 1 preceding and 1 following)",
  'bool_or(minutes > 30) over (partition by id order by started)::int',
  'every(minutes > 5) over (partition by id, place)::int',
  'sum(minutes) over (o rows between 1 preceding and current row)',
  'nth_value(minutes, 2) over (p order by started rows between unbounded preceding and unbounded following)',
  'count(minutes) over (g range between unbounded preceding and current row)',
  'lead(minutes) over (partition by id order by started rows 2 preceding)',
)

export const framed = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: frames },
      { weight: 3, arbitrary: distances },
      { weight: 3, arbitrary: places },
    ),
    oneOf(
      'select w.place as k, count(*) as n, count(w.v) as v from * w group by 1',
      'select a.sex as k, count(*) as n from * w join athletes a using (id) where w.v > 20 group by 1',
      // A window over a window, and over a join.
      'select count(*) as n, count(*) filter (where z.w < 30) as m from (select id, v, row_number() over (partition by id order by v desc nulls last) as r, max(v) over (partition by id) as w from * w) z where z.r <= 2',
      'select count(*) as n from (select b.id, lag(w.v) over (partition by b.id order by w.started) as before from * w join athletes b using (id)) y where y.before > 15',
      // Different rows of what a window gives.
      'select d.place as k, count(*) as n, count(d.v) as m, count(distinct d.id) as p from * d group by 1',
      'select count(*) as n from * d join athletes a using (id) where d.v > 10 or d.v is null and a.gold > 0',
    ),
  )
  .map(([value, text]) =>
    text
      .replace('* w', () => `(${withWindow(value)}) w`)
      .replace(
        '* d',
        () =>
          `(${withWindow(value).replace('select id, place, minutes, started,', 'select distinct id, place,')}) d`,
      ),
  )

/** A window that is made from another is named after it. */
function withWindow(value: string): string {
  const isNamed = /over \([opg] /.test(value)
  const windows = 'p as (partition by id), o as (p order by started), g as (p order by place desc)'
  return `select id, place, minutes, started, ${value} as v from sessions${isNamed ? ` window ${windows}` : ''}`
}
