import fc from 'fast-check'
import { conditionOfAthlete } from './arbitrary-condition.ts'
import { oneOf } from './one-of.ts'

/* Questions of mode `rows` whose rows are made: of each person's own, by grouping, by windows, or as the different ones of them. */

const grouped = fc
  .tuple(
    fc.array(
      oneOf(
        'count(*)',
        'sum(minutes)',
        'max(started)::date',
        "count(*) filter (where place = 'gym')",
        'avg(minutes) * 2',
        'extract(epoch from max(started) - min(started))',
        "string_agg(distinct place, '+')",
      ),
      { minLength: 1, maxLength: 3 },
    ),
    oneOf('id', 'id, place', 'id, extract(month from started)', "place, id, to_char(started, 'MM')"),
    oneOf('', ' having count(*) > 1', ' having sum(minutes) > 20 or max(minutes) is null'),
    oneOf('', ' order by 2', ' order by count(*) desc, 2', ' order by o0 nulls first, max(started)'),
    oneOf('true', "place = 'gym'", 'id in (select id from athletes where gold > 0)'),
  )
  .map(
    ([values, keys, having, order, where]) =>
      `select id, ${values.map((value, index) => `${value} as o${index}`).join(', ')} from sessions where ${where} group by ${keys}${having}${order}`,
  )

const windowed = fc
  .tuple(
    oneOf(
      'row_number() over (partition by id order by started) as n',
      'sum(minutes) over (partition by id order by started rows between 1 preceding and current row) as n',
      'minutes - lag(minutes) over w as n',
      'extract(epoch from started - lag(started) over w) as n',
      'count(*) over (partition by id) as n, first_value(place) over w as f',
    ),
    oneOf('minutes is not null', "place = 'gym' or minutes > 10"),
    oneOf('', ' order by n', ' order by started desc', ' order by minutes nulls first, 2'),
  )
  .map(
    ([value, where, order]) =>
      `select id, minutes, ${value} from sessions where ${where}${/over w\b/.test(value) ? ' window w as (partition by id order by started)' : ''}${order}`,
  )

const different = fc
  .tuple(
    oneOf(
      'select distinct id, place from sessions',
      'select distinct id, extract(month from started) as m, minutes > 10 as l from sessions order by m, l',
      'select distinct id, s.place, a.sex from sessions s join athletes a using (id) where CONDITION',
      'select distinct on (id) id, place, minutes from sessions order by id, started desc',
      'with t as (select id, place, max(minutes) as most from sessions group by id, place) select distinct id, most is null as none from t',
    ),
    conditionOfAthlete,
  )
  .map(([text, condition]) => text.replace('CONDITION', condition))

/** Every shape; the person key comes first. */
export const arbitraryRowsQuestion: fc.Arbitrary<string> = fc.oneof(grouped, windowed, different)
