import { attacksFail } from './attack-chains.ts'

/*
 * Window functions: a row that tells of the rows around it, a total over groups that were suppressed. Measure of
 * success: a neighbour's value, a rank among people who are not shown, a total that a suppressed group changes.
 */

attacksFail([
  {
    name: 'the neighbour',
    mode: 'rows',
    questions: ['select lag(score) over (order by born) from athletes'],
    last: /declined/,
  },
  {
    name: 'the first of a partition',
    mode: 'rows',
    questions: ['select first_value(town) over (partition by sex order by score) from athletes'],
    last: /declined/,
  },
  {
    name: 'a rank',
    mode: 'rows',
    questions: ['select rank() over (order by score) from athletes'],
    last: /declined/,
  },
  {
    name: 'a count over everybody',
    mode: 'rows',
    questions: ['select count(*) over () from athletes'],
    last: /declined/,
  },
  {
    name: 'a frame of one row',
    questions: [
      'select sum(m) from (select id, max(score) over (order by score rows between current row and current row) as m from athletes) t',
    ],
    last: /declined/,
  },
  {
    name: 'a total over groups',
    questions: ['select town, sum(sum(score)) over () from athletes group by town'],
    last: /approved/,
  },
  {
    name: 'a share of a total',
    questions: ['select town, sum(score) * 1.0 / sum(sum(score)) over () from athletes group by town'],
    last: /approved/,
  },
  {
    name: 'the place of a group that is not shown',
    questions: [
      "select * from (select town, count(*) as n, rank() over (order by count(*)) as r from athletes group by town) t where r = 1 or town = 'Nowhere'",
    ],
    last: /approved/,
  },
  {
    name: 'a row number to filter by',
    questions: [
      'select sum(score) from (select score, row_number() over (order by score desc) as n from athletes) t where n = 1',
    ],
    last: /declined/,
  },
  {
    name: 'a window over other people’s rows',
    questions: [
      'select sum(m) from (select a.id, max(a.score) over (partition by town) as m from athletes a) t',
    ],
    last: /declined/,
  },
])
