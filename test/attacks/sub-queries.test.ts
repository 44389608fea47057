import { attacksFail } from './attack-chains.ts'

/*
 * Lateral and correlated sub-queries, EXISTS, IN, scalar sub-queries: a value of one person carried to another's row,
 * or a switch that one person throws for everybody. Measure of success: an answer that another person's row decides.
 */

const ONE = "select 1 from athletes where born = '1999-09-09'"

attacksFail([
  {
    name: 'a switch by EXISTS',
    questions: [`select count(*) from athletes where exists (${ONE})`],
    last: /declined/,
  },
  {
    name: 'a switch by NOT EXISTS',
    questions: [`select count(*) from athletes where not exists (${ONE})`],
    last: /declined/,
  },
  {
    name: 'a switch by a count',
    questions: [
      `select count(*) from athletes where (select count(*) from athletes where born = '1999-09-09') > 0`,
    ],
    last: /declined/,
  },
  {
    name: 'a value by a scalar sub-query',
    questions: [`select sum(score + (select max(score) from athletes)) from athletes`],
    last: /declined/,
  },
  {
    name: 'a threshold from somebody’s value',
    questions: [
      `select count(*) from athletes where score > (select score from athletes where born = '1999-09-09')`,
    ],
    last: /declined/,
  },
  {
    name: 'IN a list of one',
    questions: [
      `select count(*) from athletes where town in (select town from athletes where born = '1999-09-09')`,
    ],
    last: /declined/,
  },
  {
    name: '= ANY of one',
    questions: [
      `select count(*) from athletes where town = any (select town from athletes where born = '1999-09-09')`,
    ],
    last: /declined/,
  },
  {
    name: 'ALL of everybody',
    questions: ['select count(*) from athletes where score >= all (select score from athletes)'],
    last: /declined/,
  },
  {
    name: 'a lateral of somebody else',
    questions: [
      "select sum(x.score) from athletes a cross join lateral (select score from athletes b where b.born = '1999-09-09') x",
    ],
    last: /declined/,
  },
  {
    name: 'a self-join on another column',
    questions: ['select sum(b.score) from athletes a join athletes b on a.town = b.town'],
    last: /declined/,
  },
  {
    name: 'a cross join',
    questions: ['select sum(b.score) from athletes a, athletes b where b.medals > 0'],
    last: /declined/,
  },
  {
    name: 'a self-join that makes up keys',
    questions: ['select count(*) from athletes a join athletes b on a.id = b.id and a.id <> b.id'],
    last: /declined/,
  },
  {
    name: 'the own rows of the one, by EXISTS',
    questions: [
      "select count(*) from athletes a where exists (select 1 from sessions s where s.id = a.id and s.place = 'vault')",
    ],
    last: /group_too_small/,
  },
  {
    name: 'all but the one, by NOT EXISTS',
    questions: [
      'select count(*) from athletes',
      "select count(*) from athletes a where not exists (select 1 from sessions s where s.id = a.id and s.place = 'vault')",
    ],
    last: /differencing/,
  },
  {
    name: 'a union with the one',
    questions: [
      "select sum(score) from (select score from athletes where born = '1999-09-09' union all select score from athletes where sex = 'f') t",
    ],
    last: /declined/,
  },
  {
    name: 'EXCEPT',
    mode: 'rows',
    questions: ['select town from athletes except select place from sessions'],
    last: /declined/,
  },
  {
    name: 'a recursive CTE',
    questions: ['with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t'],
    last: /declined/,
  },
])
