import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, verdictOf } from './bin-verdicts.ts'

/* Whether somebody has a row, or a value, tells no more than a key may. */

const NARROW = 'height > 1.83 and height < 1.84'

test('whether there is something tells no more than the condition that it was made by', () => {
  for (const made of ['nullif(height, 1.83)', `case when ${NARROW} then 1 end`]) {
    const from = `from (select distinct id, ${made} as k from people) t group by 1`
    for (const key of ['k is null', 'num_nulls(k, id)'])
      assert.equal(codeOf(`select ${key}, count(*) ${from}`), 'declined.column', `${key} ${from}`)
  }
  assert.match(verdictOf(`case when ${NARROW} then 'a' else 'b' end = any(tags)`), /^declined\.column/)
  assert.equal(verdictOf('town = any(tags)'), 'approved')
})

test('who has no row behind an outer join or in a sub-query is told apart as a comparison in a key would', () => {
  const joined = (on: string): string => `people a left join people b on a.id = b.id and ${on}`
  const chosen = (where: string): string => `(select id, town from people where ${where})`
  const told = (where: string): readonly string[] => [
    `select b.id is null, count(*) from ${joined(where.replaceAll('height', 'b.height'))} group by 1`,
    `select b.town, count(*) from ${joined(where.replaceAll('height', 'b.height'))} group by 1`,
    `select b.town, count(*) from people a left join ${chosen(where)} b using (id) group by 1`,
    `select a.id is null, count(*) from ${chosen(where)} a right join people b using (id) group by 1`,
    `select (select count(*) from people b where b.id = a.id and ${where.replaceAll('height', 'b.height')}), count(*) from people a group by 1`,
    `select exists (select 1 from people b where b.id = a.id and ${where.replaceAll('height', 'b.height')}), count(*) from people a group by 1`,
    `select a.id in (select id from ${chosen(where)} b), count(*) from people a group by 1`,
    `select b.n, count(*) from people a, lateral (select count(*) as n from people c where c.id = a.id and ${where.replaceAll('height', 'c.height')}) b group by 1`,
  ]
  for (const sql of told(NARROW)) assert.equal(codeOf(sql), 'declined.column', sql)
  for (const sql of told('height > 1.8')) assert.equal(codeOf(sql), 'approved', sql)
  for (const sql of told('height > 1.85').filter((one) => one.includes('people a')))
    assert.equal(
      codeOf(
        sql
          .replace(' group by 1', ' group by 1, 3')
          .replace(', count(*) from', ', count(*), floor(a.height / 0.1) from'),
      ),
      'declined.column',
      sql,
    )
  assert.equal(codeOf(`select town, count(*) from people where ${NARROW} group by 1`), 'approved')
  assert.equal(
    codeOf(`select b.town, count(*) from people a join ${chosen(NARROW)} b using (id) group by 1`),
    'approved',
  )
})
