import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite, attacksFail } from './attack-chains.ts'

/*
 * A value that everybody has is added to one that hardly anybody has: then everybody contributes to the sum of both, and taking the
 * first off again leaves what the few have. Here medals are 0 for all but one person. Measure of success: their medals.
 */

const MEDALS = 50

const MADE: readonly (readonly [name: string, relation: string])[] = [
  ['as it is', 'select id, score + medals as k from athletes'],
  ['a key of groups', 'select id, score + medals as k from athletes group by id, score + medals'],
  ['of different rows', 'select distinct id, score + medals as k from athletes'],
  [
    'a key of groups of a sub-select',
    'select id, k from (select id, score + medals as k from athletes) q group by id, k',
  ],
  [
    'the first of each person',
    'select distinct on (id) id, score + medals as k from athletes order by id, born',
  ],
  ['the greatest of a person', 'select id, max(score + medals) as k from athletes group by id'],
  [
    'beside sums of each person',
    `select id, a + b as k from (select id, sum(score) as a, sum(medals) as b from athletes group by id) q
     group by id, a + b`,
  ],
  ['a lateral sub-query', 'select a.id, l.k from athletes a, lateral (select a.score + a.medals as k) l'],
]

for (const [name, relation] of MADE) {
  test(`what hardly anybody has does not hide behind what everybody has: ${name}`, async () => {
    for (const aggregate of ['sum', 'avg']) {
      const asker = attackedSite.asker()
      const plain = await asker.ask(`select ${aggregate}(score), count(score) from athletes`)
      assert.equal(plain.reason, 'approved')
      const both = await asker.ask(`select ${aggregate}(k), count(k) from (${relation}) t`)
      const totalOf = ([value, count]: readonly unknown[] = []) =>
        aggregate === 'sum' ? Number(value) : Math.round(Number(value) * Number(count))
      if (both.rows.length > 0) assert.notEqual(totalOf(both.rows[0]) - totalOf(plain.rows[0]), MEDALS)
      assert.match(both.reason, /^declined\./)
    }
  })
}

/* What conditions decide is taken apart into sums and counts, and each of these is guarded: thresholds, signs and squares choose nobody. */
attacksFail(
  (
    [
      ['a threshold that is one further', ['sum(least(score, 50))', 'sum(least(score, 51))']],
      ['a distance that is one further', ['sum(abs(score - 50))', 'sum(abs(score - 51))']],
      ['what is above, one further', ['avg(greatest(score - 50, 0))', 'avg(greatest(score - 51, 0))']],
      ['a sign of one', ['sum(score)', 'sum(score + sign(medals))']],
      ['a branch of one', ['sum(score)', 'sum(case when medals > 0 then medals else score end)']],
      ['one who is something', ['count(*)', 'avg((medals > 0)::int)']],
      ['a product with one', ['sum(score)', 'sum((score + 1) * (medals + 1))']],
      ['the spread of a sum with one', ['var_pop(score)', 'var_pop(score + medals)']],
      ['a value for nobody else', ['sum(score)', 'sum(coalesce(nullif(medals, 0), score))']],
    ] as const
  ).map(([name, measures]) => ({
    name,
    questions: measures.map((measure) => `select ${measure}, count(*) from athletes`),
    last: /^(declined|partial)/,
  })),
)
