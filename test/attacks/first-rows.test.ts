import { attacksFail } from './attack-chains.ts'

/*
 * LATERAL, first rows, sets of people, frames and NATURAL joins: other rows of the same person, a value carried over from another
 * person, a branch that only one person has. Measure of success: an answer that another person's row decides, or two whose
 * difference is about few.
 */

const SHAPE = 'declined.differencing .*'

attacksFail([
  {
    name: 'the first row beside the second',
    questions: [
      'select sum((select minutes from sessions s where s.id = a.id order by at limit 1)) from athletes a',
      'select sum((select minutes from sessions s where s.id = a.id order by at limit 1 offset 1)) from athletes a',
    ],
    last: new RegExp(SHAPE),
  },
  {
    name: 'the first row by an order that one person’s value turns',
    questions: [
      'select sum((select minutes from sessions s where s.id = a.id order by at limit 1)) from athletes a',
      "select sum((select minutes from sessions s where s.id = a.id order by case when place = 'vault' then 0 else 1 end, at limit 1)) from athletes a",
    ],
    last: new RegExp(SHAPE),
  },
  {
    name: 'DISTINCT ON by another order',
    questions: [
      'select sum(minutes) from (select distinct on (id) id, minutes from sessions order by id, at) t',
      'select sum(minutes) from (select distinct on (id) id, minutes from sessions order by id, at desc) t',
    ],
    last: new RegExp(SHAPE),
  },
  {
    name: 'two of LATERAL beside three',
    questions: [
      'select sum(x.minutes) from athletes a cross join lateral (select minutes from sessions s where s.id = a.id order by at limit 2) x',
      'select sum(x.minutes) from athletes a cross join lateral (select minutes from sessions s where s.id = a.id order by at limit 3) x',
    ],
    last: new RegExp(SHAPE),
  },
  {
    name: 'rows of LATERAL that a value of the row before chooses',
    questions: [
      'select sum(x.minutes) from athletes a cross join lateral (select minutes from sessions s where s.id = a.id) x',
      "select sum(x.minutes) from athletes a cross join lateral (select minutes from sessions s where s.id = a.id and (a.born <> '1999-09-09' or s.place <> 'vault')) x",
    ],
    last: new RegExp(SHAPE),
  },
  {
    name: 'the one of LATERAL',
    questions: [
      "select sum(x.score) from athletes a cross join lateral (select score from athletes b where b.id = a.id and b.born = '1999-09-09') x",
    ],
    last: /group_too_small/,
  },
  {
    name: 'LATERAL of whoever is next',
    questions: [
      'select sum(x.score) from athletes a cross join lateral (select score from athletes b where b.score > a.score order by score limit 1) x',
    ],
    last: /not of the person of the row before it/,
  },
  {
    name: 'the first rows of everybody',
    questions: ['select sum(score) from (select id, score from athletes order by score desc limit 1) t'],
    last: /rows of different people/,
  },
  {
    name: 'LIMIT that somebody else decides',
    questions: [
      'select count(*) from athletes where id in (select id from athletes order by score desc limit 1)',
    ],
    last: /declined/,
  },
  {
    name: 'a set without the one',
    questions: [
      'select count(*) from athletes',
      "with u as (select id from athletes except select id from athletes where born = '1999-09-09') select count(*) from u",
    ],
    last: /differencing/,
  },
  {
    name: 'a set of the one',
    questions: [
      "with u as (select id from athletes where born = '1999-09-09' union select id from athletes where born = '1999-09-10') select count(*) from u",
    ],
    last: /group_too_small/,
  },
  {
    name: 'a branch that counts one person twice',
    questions: [
      "select sum(score) from (select id, score from athletes union all select id, score from athletes where born = '1999-09-09') t",
    ],
    last: /anything but one person key/,
  },
  {
    name: 'a branch that gives one person another value',
    questions: [
      "select sum(score) from (select id, score from athletes union select id, medals from athletes where born = '1999-09-09') t",
    ],
    last: /anything but one person key/,
  },
  {
    name: 'a frame beside another',
    questions: [
      'select count(*) from (select id, sum(minutes) over (partition by id order by at rows 1 preceding) as n from sessions) t where n > 40',
      'select count(*) from (select id, sum(minutes) over (partition by id order by at rows 2 preceding) as n from sessions) t where n > 40',
    ],
    last: new RegExp(SHAPE),
  },
  {
    name: 'a sum over a frame, which weighs rows by where they are',
    questions: [
      'select sum(n) from (select id, sum(minutes) over (partition by id order by at rows 1 preceding) as n from sessions) t',
    ],
    last: /no declared bounds/,
  },
  {
    name: 'a NATURAL join on a column of two people',
    questions: [
      'select sum(b.score) from (select id as who, town from athletes) a natural join (select id, town, score from athletes) b',
    ],
    last: /not on the person keys/,
  },
  {
    name: 'a NATURAL join on what seals a name',
    questions: ['select count(*) from athletes a natural join athletes b'],
    last: /identifies people directly/,
  },
  {
    name: 'ALL of everybody, in other words',
    questions: ['select count(*) from athletes where score <> all (select score from athletes where smokes)'],
    last: /declined/,
  },
  {
    name: 'a constant that is none',
    questions: ['select count(*) from athletes where score > (select max(score) where true)'],
    last: /declined/,
  },
  {
    name: 'GROUPING of what is suppressed',
    questions: ['select born, grouping(born), count(*) from athletes group by rollup (born)'],
  },
])
