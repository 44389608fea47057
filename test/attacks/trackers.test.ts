import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite, attacksFail, requireNothingLearnt } from './attack-chains.ts'
import { GRANTED } from './worlds.ts'

/*
 * Trackers (Denning 1979): the answer about one person from answers about many. Pairs, the complement, a padded tracker
 * q(C or T) + q(C or not T) - q(everybody), a double tracker, and chains of overlapping conditions. Measure of success:
 * a combination of answers about fewer people than the minimum group.
 */

const C = "born = '1999-09-09'"
const T = "sex = 'f'"

attacksFail([
  {
    name: 'a difference pair',
    questions: ['select sum(score) from athletes', `select sum(score) from athletes where not (${C})`],
    last: /differencing/,
  },
  {
    name: 'the pair the other way round: who was left out first waits',
    questions: [`select sum(score) from athletes where not (${C})`, 'select sum(score) from athletes'],
  },
  {
    name: 'the complement in one question',
    questions: [`select sum(score), sum(score) filter (where not (${C})) from athletes`],
    last: /group_too_small/,
  },
  {
    name: 'a padded tracker',
    questions: [
      'select sum(score) from athletes',
      `select sum(score) from athletes where ${T}`,
      `select sum(score) from athletes where ${C} or ${T}`,
    ],
  },
  {
    name: 'a padded tracker of the other half',
    questions: [
      'select sum(score) from athletes',
      `select sum(score) from athletes where not (${T})`,
      `select sum(score) from athletes where ${C} or not (${T})`,
    ],
  },
  {
    name: 'a double tracker',
    questions: [
      `select sum(score) from athletes where ${T}`,
      "select sum(score) from athletes where town in ('Galway', 'Cork', 'Sligo')",
    ],
    last: /differencing|approved/,
  },
  {
    name: 'a tracker in the keys of a grouping',
    questions: [
      'select sex, sum(score) from athletes group by sex',
      `select sex, ${C} as c, sum(score) from athletes group by 1, 2`,
    ],
  },
  {
    name: 'a tracker by CASE',
    questions: [
      'select sum(score) from athletes',
      `select sum(case when ${C} then 0 else score end) from athletes`,
    ],
    last: /declined/,
  },
  {
    name: 'a tracker by nulls',
    questions: [
      'select count(score) from athletes',
      `select count(nullif(born, '1999-09-09')) from athletes`,
    ],
    last: /declined/,
  },
  {
    name: 'a chain of thresholds that moves on by one person',
    questions: [
      'select sum(score) from athletes where height > 1.60',
      'select sum(score) from athletes where height > 1.61',
    ],
    last: /differencing/,
  },
  {
    name: 'a pair by a sub-query of the row’s own person',
    questions: [
      'select sum(score) from athletes',
      "select sum(score) from athletes a where not exists (select 1 from sessions s where s.id = a.id and s.place = 'vault')",
    ],
    last: /^partial.differencing/,
  },
  {
    name: 'a pair by an outer join and what is missing there',
    questions: [
      'select sum(score) from athletes',
      "select sum(a.score) from athletes a left join (select id, max(minutes) as m, min(place) as p from sessions where place = 'vault' group by id) v using (id) where v.p is null",
    ],
    last: /^partial.differencing/,
  },
])

/** How many whole numbers an exact mean is of: at least half of all who may be in it. */
function countBehind(mean: unknown): number {
  for (let count = GRANTED.length / 2; count <= GRANTED.length; count += 1)
    if (Math.abs(Number(mean) * count - Math.round(Number(mean) * count)) < 1e-9) return count
  return 0
}

test('fails: means of two columns, of which the second leaves out somebody if something is so', async () => {
  // Sums of different columns do not cancel each other. But an exact mean tells how many it is of, and these numbers do.
  const questions = [
    'select avg(score) from athletes',
    "select avg(extract(month from born)) from athletes where not (town = 'Nowhere' and medals > 40)",
  ]
  const counts: number[] = []
  for (const sql of questions) {
    const { reason, rows } = await attackedSite.asker().ask(sql)
    assert.equal(reason, 'approved')
    counts.push(countBehind(rows[0]?.[0]))
  }
  // With a history for each column both would be told, and that the target has more than forty medals.
  assert.deepEqual(counts, [GRANTED.length, GRANTED.length - 1])
  const asker = attackedSite.asker()
  const answers = []
  for (const sql of questions) answers.push(await asker.ask(sql))
  assert.match(answers[1]?.reason ?? '', /differencing/)
  requireNothingLearnt(asker, answers)
})
