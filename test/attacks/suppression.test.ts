import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite } from './attack-chains.ts'
import { K } from './guarded-asker.ts'
import { GRANTED, TARGET } from './worlds.ts'

/*
 * Suppression as a channel: a row that is missing says that few people are behind it (compliance reference 6.2, number
 * 12). Measure of success: two first answers that differ although only people in suppressed groups do.
 */

const QUESTIONS = [
  'select town, count(*) from athletes group by town',
  'select town, sum(score), avg(height) from athletes group by town',
  "select born, count(*) from athletes where town = 'Nowhere' group by born",
  'select town, count(*) from athletes group by town having count(*) < 5',
  'select town, count(*) from athletes group by town order by count(*) limit 1',
  'select town, count(*) from athletes group by town order by 2 fetch first 2 rows with ties',
  'select town, sum(count(*)) over (), rank() over (order by count(*)), lag(town) over (order by town) from athletes group by town',
  'select * from (select town, count(*) as n, row_number() over (order by count(*)) as r from athletes group by town) t where r <= 2',
  "select count(*) from athletes where town = 'Nowhere'",
  "select place, count(distinct id) from sessions where place = 'vault' group by place",
]

for (const sql of QUESTIONS) {
  test(`the same with and without the one whose group is suppressed: ${sql}`, async () => {
    const withTarget = await attackedSite.asker().ask(sql)
    const without = await attackedSite.asker(GRANTED.filter((person) => person !== TARGET)).ask(sql)
    assert.deepEqual(withTarget, without)
  })
}

test('none, one and all but one of a minimum group are told in the same words', async () => {
  const sligo = GRANTED.filter((person) => person % 3 === 2 && person !== TARGET)
  const others = GRANTED.filter((person) => !sligo.includes(person))
  const told = new Set<string>()
  for (const count of [0, 1, K - 1]) {
    const asker = attackedSite.asker([...others, ...sligo.slice(0, count)].toSorted((a, b) => a - b))
    told.add(
      JSON.stringify(await asker.ask("select avg(height), count(*) from athletes where town = 'Sligo'")),
    )
    told.add(
      JSON.stringify(
        await asker.ask("select town, count(*) from athletes where town = 'Sligo' group by town"),
      ),
    )
  }
  assert.equal(told.size, 1, [...told].join('\n'))
})
