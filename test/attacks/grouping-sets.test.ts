import { attacksFail } from './attack-chains.ts'

/*
 * Grouping sets: totals beside parts, so that the parts that are not shown can be taken from the total. Measure of
 * success: a suppressed group as the difference of what is shown.
 */

attacksFail([
  { name: 'rollup', questions: ['select town, sum(score) from athletes group by rollup (town)'] },
  { name: 'cube', questions: ['select town, sex, sum(score) from athletes group by cube (town, sex)'] },
  {
    name: 'grouping sets with everybody',
    questions: ['select town, sum(score) from athletes group by grouping sets ((town), ())'],
  },
  {
    name: 'the parts, then everybody',
    questions: ['select town, sum(score) from athletes group by town', 'select sum(score) from athletes'],
  },
  {
    name: 'everybody, then the parts',
    questions: ['select sum(score) from athletes', 'select town, sum(score) from athletes group by town'],
  },
  {
    name: 'parts by one key, then by two',
    questions: [
      'select sex, sum(score) from athletes group by sex',
      'select sex, town, sum(score) from athletes group by sex, town',
    ],
  },
  {
    name: 'parts by two keys, then by one',
    questions: [
      'select sex, town, sum(score) from athletes group by sex, town',
      'select sex, sum(score) from athletes group by sex',
    ],
  },
  {
    name: 'the same key written in two ways',
    questions: [
      'select town, sum(score) from athletes group by town',
      'select upper(town), sum(score) from athletes group by 1',
    ],
  },
  {
    name: 'GROUPING as a switch',
    questions: ['select grouping(town), sum(score) from athletes group by rollup (town)'],
  },
  {
    name: 'keys that separate the one',
    questions: [
      "select case when born = '1999-09-09' then 1 else 0 end, sum(score) from athletes group by 1",
    ],
  },
])
