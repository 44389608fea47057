import { attacksFail } from './attack-chains.ts'

/*
 * HAVING: a condition on groups that were not shown. It is looked at after the guard, so it can choose among released
 * groups only. Measure of success: a row that only a suppressed group could give, or whose absence tells of one.
 */

attacksFail([
  {
    name: 'groups of one',
    questions: ['select town, count(*) from athletes group by town having count(*) = 1'],
  },
  {
    name: 'groups of one by birthday',
    questions: ['select born, count(*) from athletes group by born having count(*) = 1'],
    last: /declined/,
  },
  {
    name: 'the sum of the one',
    questions: ['select town, count(*) from athletes group by town having sum(score) = 100'],
  },
  {
    name: 'everybody, if the one is there',
    questions: ["select count(*) from athletes having count(*) filter (where born = '1999-09-09') > 0"],
    last: /group_too_small/,
  },
  {
    name: 'everybody, if the greatest is 100',
    questions: ['select count(*) from athletes having max(score) = 100'],
    last: /declined/,
  },
  {
    name: 'everybody, if a sub-query is true',
    questions: [
      "select count(*) from athletes having exists (select 1 from athletes where born = '1999-09-09')",
    ],
    last: /declined/,
  },
  {
    name: 'a group by the person',
    questions: ['select count(*) from athletes group by id having sum(score) > 99'],
    last: /declined/,
  },
  {
    name: 'a marker as a condition',
    questions: ["select town, count(*) from athletes group by town having town = 'Mq7xMARKER'"],
  },
])
