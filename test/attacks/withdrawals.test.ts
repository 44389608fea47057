import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite, requireNothingLearnt } from './attack-chains.ts'
import { K } from './guarded-asker.ts'
import { GRANTED, TARGET } from './worlds.ts'

/*
 * Longitudinal attacks: the same asked again after somebody took back a grant, or gave one (compliance reference 6.2,
 * number 10, and 6.4). Measure of success: two answers whose difference is about fewer than the minimum group, or an
 * answer with somebody in it who has taken back the grant.
 */

/** One meaning in many spellings, and others that are nearly the same. */
const AGAIN = [
  'select sum(score) from athletes',
  'SELECT sum(a.score) FROM athletes AS a',
  'select sum(score) from (select * from athletes) t',
  'select sum(score) from athletes where true',
  'select sum(score * 1) from athletes',
  'select sum(score), count(*) from athletes',
  "select sum(score) filter (where sex in ('f', 'm')) from athletes",
  'select avg(score) from athletes',
  'select count(*) from athletes',
  'select count(distinct id) from athletes',
]

for (const sql of AGAIN) {
  test(`nothing of the one who left: ${sql}`, async () => {
    const asker = attackedSite.asker()
    assert.equal((await asker.ask('select sum(score) from athletes')).reason, 'approved')
    asker.restrictTo(GRANTED.filter((person) => person !== TARGET))
    const after = await asker.ask(sql)
    assert.equal(after.reason, 'declined.differencing')
    requireNothingLearnt(asker, [after])
  })
}

test('nothing of the one who left by asking about a half of the people instead', async () => {
  const asker = attackedSite.asker()
  const first = await asker.ask('select sum(score) from athletes')
  asker.restrictTo(GRANTED.filter((person) => person !== TARGET))
  // The one is in neither new set: together with the other half, they are a class that is large enough.
  const men = await asker.ask("select sum(score) from athletes where sex = 'm'")
  const women = await asker.ask("select sum(score) from athletes where sex = 'f'")
  assert.equal(women.reason, 'declined.differencing')
  requireNothingLearnt(asker, [first, men, women])
})

test('nothing of those who leave one after the other, until a minimum group has left', async () => {
  const asker = attackedSite.asker()
  assert.equal((await asker.ask('select sum(score) from athletes')).reason, 'approved')
  for (let left = 1; left <= K; left += 1) {
    asker.restrictTo(GRANTED.slice(left))
    const { reason } = await asker.ask('select sum(score) from athletes')
    assert.equal(reason, left < K ? 'declined.differencing' : 'approved', `${left} left`)
    assert.ok(asker.smallestClass() >= K)
  }
})

test('nothing of the one who comes back, and nothing of the one who comes new', async () => {
  const without = GRANTED.filter((person) => person !== TARGET)
  const newcomer = attackedSite.asker(without)
  const first = await newcomer.ask('select sum(score) from athletes')
  newcomer.restrictTo(GRANTED)
  // Newcomers wait until they are a minimum group: the answer stays the same.
  assert.deepEqual(await newcomer.ask('select sum(score) from athletes'), first)
  const returning = attackedSite.asker()
  const all = await returning.ask('select sum(score) from athletes')
  returning.restrictTo(without)
  assert.equal((await returning.ask('select sum(score) from athletes')).reason, 'declined.differencing')
  returning.restrictTo(GRANTED)
  assert.deepEqual(await returning.ask('select sum(score) from athletes'), all)
})
