import { attacksFail } from './attack-chains.ts'

/*
 * Relations that are written out, and what patterns find: rows of nobody beside rows of people. Measure of success: an answer in which
 * one person counts otherwise than the others, or alone.
 */

attacksFail([
  {
    name: 'a weight for the one',
    questions: [
      "select sum(v.w) from athletes a left join (values (date '1999-09-09', 1000000)) v(born, w) on v.born = a.born",
    ],
    last: /declined/,
  },
  {
    name: 'the one twice',
    questions: [
      "select count(*) from athletes a left join (values (date '1999-09-09'), (date '1999-09-09')) v(born) on v.born = a.born",
    ],
    last: /declined/,
  },
  {
    name: 'the one twice by ranges that overlap in one day',
    questions: [
      "select sum(a.score) from athletes a join (values (date '1900-01-01', date '1999-09-09'), (date '1999-09-09', date '2030-01-01')) v(since, until) on a.born between v.since and v.until",
    ],
    last: /declined/,
  },
  {
    name: 'the one twice, by union all with a constant',
    questions: [
      "select count(*) from (select id from athletes union all select id from athletes where born = '1999-09-09') t",
    ],
    last: /declined/,
  },
  {
    name: 'a group of the one',
    questions: [
      "select v.n, count(*) from athletes a join (values (date '1999-09-09', 'x')) v(born, n) on v.born = a.born group by 1",
    ],
    last: /declined/,
  },
  {
    name: 'only the one',
    questions: ["select count(*) from athletes a join (values (date '1999-09-09')) v(born) using (born)"],
    last: /group_too_small/,
  },
  {
    name: 'all but the one',
    questions: [
      'select count(*), sum(score) from athletes',
      "select count(*), sum(score) from athletes a left join (values (date '1999-09-09', true)) v(born, is_it) on v.born = a.born where v.is_it is null",
    ],
    last: /differencing/,
  },
  {
    name: 'the person by their key',
    questions: ["select count(*) from athletes a join (values ('p7')) v(id) on v.id = a.id"],
    last: /declined/,
  },
  {
    name: 'a threshold from somebody’s value beside a constant',
    questions: [
      'with p as (select max(score) as most from athletes) select count(*) from athletes, p where score = p.most',
    ],
    last: /declined/,
  },
  {
    name: 'the one by what a pattern finds',
    questions: [
      'select count(*), sum(score) from athletes',
      "select count(*), sum(score) from athletes where regexp_replace(born::text, '[0-9]', '', 'g') || substring(born::text from '9-09-09$') is null",
    ],
    last: /differencing/,
  },
])
