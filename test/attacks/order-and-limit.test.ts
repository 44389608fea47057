import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite, attacksFail } from './attack-chains.ts'
import { GuardedSite } from './guarded-asker.ts'

/*
 * ORDER BY, LIMIT and OFFSET: which row comes first, and whether there is one, decides on groups that nobody may see.
 * Measure of success: an order or a cut that follows a suppressed group.
 */

attacksFail([
  {
    name: 'an order by what is the same in every row, which an engine does not take',
    mode: 'rows',
    questions: [
      'select 0.0, town from athletes order by 1, town limit 2',
      "select town, 'x' as x from athletes order by x desc nulls last limit 1",
    ],
    last: /approved/,
  },
  {
    name: 'the same over groups, and over the rows of each person',
    questions: [
      'select 0.0, sex, count(*) from athletes group by sex order by 1',
      "select 'x' as x, count(*) from athletes order by 1",
      'select sex, grouping(sex), true, count(*) from athletes group by sex order by 2, 3',
      'select sum(t.minutes) from (select distinct on (id) id, minutes, 0.5 as half from sessions order by id, half, at) t',
      'select sum((select minutes from sessions s where s.id = a.id order by 1.5, at limit 1)) from athletes a',
    ],
    last: /approved|declined/,
  },
  {
    name: 'the first row by what it holds',
    questions: ['select town, count(*) from athletes group by town order by max(score) limit 1'],
    last: /declined/,
  },
  {
    name: 'the smallest group first',
    questions: ['select town, count(*) from athletes group by town order by count(*) limit 1'],
  },
  {
    name: 'the group that has the one',
    questions: ['select town, avg(score) from athletes group by town order by avg(score) desc limit 1'],
  },
  {
    name: 'the n-th group',
    questions: ['select born, count(*) from athletes group by born order by born desc offset 1 limit 1'],
    last: /declined/,
  },
  {
    name: 'a limit inside',
    questions: ['select sum(score) from (select score from athletes order by score desc limit 1) t'],
    last: /declined/,
  },
  {
    name: 'a limit from the data',
    questions: [
      "select town, count(*) from athletes group by town limit (select count(*) from athletes where town = 'Nowhere')",
    ],
    last: /declined/,
  },
  {
    name: 'with ties',
    questions: ['select town, count(*) from athletes group by town order by 2 fetch first 1 rows with ties'],
    last: /approved/,
  },
  {
    name: 'the order of numbers inside',
    mode: 'rows',
    questions: ['select town from athletes order by id'],
    last: /declined/,
  },
  {
    name: 'one row of those who granted, and none of the others',
    mode: 'rows',
    questions: ['select town, score from athletes order by score desc limit 5'],
  },
  {
    name: 'one of each',
    mode: 'rows',
    questions: ['select distinct on (town) town, score from athletes order by town, score desc'],
    last: /declined/,
  },
])

/** How an engine joins, and so in which order rows come, follows from how many there are: also of people without a grant. */
const UNORDERED = [
  'select s.at, coalesce(a.town, s.place) from athletes a left join sessions s on a.id = s.id',
  'select s.at, a.town from athletes a left join sessions s on a.id = s.id limit 3',
  'select s.at, a.town from athletes a left join sessions s on a.id = s.id order by a.sex limit 5',
  'select town from athletes offset 20',
]

for (const sql of UNORDERED) {
  test(`rows come in an order that tells nothing: ${sql}`, async () => {
    using empty = await GuardedSite.open('empty')
    const told = await attackedSite.asker().ask(sql, 'rows')
    assert.equal(told.reason, 'approved')
    assert.deepEqual(await empty.asker().ask(sql, 'rows'), told)
  })
}
