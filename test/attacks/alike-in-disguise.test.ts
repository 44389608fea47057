import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite, requireNothingLearnt } from './attack-chains.ts'
import type { GuardedAsker, Told } from './guarded-asker.ts'
import { GRANTED, TARGET } from './worlds.ts'

/*
 * Everybody else made alike, as in `everybody-alike.test.ts`, by forms in which nothing is asked by two things, or by nothing that has
 * a name. Each must fail, and each comes through where it is not asked that people are alike: else it would prove nothing.
 */

const MONTH = 'extract(month from born)'
const SUM = `select count(*), sum(${MONTH}) from athletes`
const ITEMS = 'select count(*), sum(cardinality(tags)) from athletes'
/** How many rows somebody has. */
const ROWS = '(select id, count(*) as n from sessions group by id)'
const ROWS_OF_SOME = 'select count(*) from sessions s join athletes a using (id)'
const SUM_OF_ROWS = `select count(*), sum(n) from ${ROWS} s join athletes a using (id)`

/** Those who were not born in September, and the target. */
const LAST_OF_SEPTEMBER = GRANTED.filter((person) => person === TARGET || person % 9 !== 8)
/** The same, and nobody born before March. */
const SINCE_MARCH = LAST_OF_SEPTEMBER.filter((person) => person === TARGET || person % 9 > 1)

interface Attack {
  readonly name: string
  readonly question: string
  readonly people?: readonly number[]
}

const ATTACKS: readonly Attack[] = [
  {
    name: 'a field of the lesser of two days',
    question: `${SUM} where extract(month from least(born, date '1995-03-01')) = 3`,
  },
  {
    name: 'a field of the lesser of two days, per person',
    question: `select count(*), sum(m) from (select id, max(${MONTH}) as m, max(least(born, date '1995-03-01')) as z from athletes group by id) v where extract(month from z) = 3`,
  },
  {
    name: 'in the place of a logarithm that is none',
    people: LAST_OF_SEPTEMBER,
    question: `${SUM} where coalesce(ln(9 - ${MONTH}), ln(6)) = ln(6)`,
  },
  {
    name: 'in the place of a root that is none',
    people: LAST_OF_SEPTEMBER,
    question: `${SUM} where coalesce(sqrt(8 - ${MONTH}), sqrt(5)) = sqrt(5)`,
  },
  {
    name: 'the least of what is there',
    people: SINCE_MARCH,
    question: `${SUM} where least(sqrt(8 - ${MONTH}), sqrt(5)) = sqrt(5)`,
  },
  {
    name: 'what a sub-select left without a value',
    people: LAST_OF_SEPTEMBER,
    question: `select count(*), sum(m) from (select id, ${MONTH} as m, sqrt(8 - ${MONTH}) as z from athletes) v where coalesce(z, sqrt(5)) = sqrt(5)`,
  },
  {
    name: 'as a key in the place of a root',
    people: LAST_OF_SEPTEMBER,
    question: `select coalesce(sqrt(8 - ${MONTH}), sqrt(5)), sum(${MONTH}) from athletes group by 1`,
  },
  {
    name: 'a range that is not false',
    people: LAST_OF_SEPTEMBER,
    question: `${SUM} where (sqrt(8 - ${MONTH}) between 2.2 and 2.3) is not false`,
  },
  {
    name: 'a range that is not false, per person',
    people: LAST_OF_SEPTEMBER,
    question: `select count(*), sum(m) from (select id, max(${MONTH}) as m, max(sqrt(8 - ${MONTH})) as z from athletes group by id) v where (z between 2.2 and 2.3) is not false`,
  },
  { name: 'items of a list, any of two', question: `${ITEMS} where tags && array['b', 'lone']` },
  {
    name: 'items of a list, one of two',
    question: `${ITEMS} where coalesce(tags[2], tags[1]) in ('b', 'lone')`,
  },
  { name: 'how many rows', question: `${SUM_OF_ROWS} where n = 2 or a.town = 'Nowhere'` },
  {
    name: 'how many rows, counted',
    question: `${ROWS_OF_SOME} where a.town = 'Nowhere' or id in (select id from sessions group by id having count(*) = 2)`,
  },
  {
    name: 'how many rows, in the total of groups in which everybody is once',
    question: `select s.bin, count(*) from (select id, floor(load) as bin from sessions group by id, floor(load)) s join athletes a using (id) where a.town = 'Nowhere' or id in (select id from sessions group by id having count(*) = 2) group by rollup (s.bin)`,
  },
  {
    name: 'how many rows, numbered',
    question: `${SUM_OF_ROWS} where a.town = 'Nowhere' or id in (select id from (select id, row_number() over (partition by id order by at desc) as r from sessions) w where r = 4)`,
  },
  {
    name: 'how many rows, added up',
    question: `select count(*), sum(n) from (select id, sum(1) as n from sessions group by id) s join athletes a using (id) where n = 2 or a.town = 'Nowhere'`,
  },
  {
    name: 'how many rows, by a filter',
    question: `select count(*), sum(n) from (select id, count(*) filter (where place is not null) as n from sessions group by id) s join athletes a using (id) where n = 2 or a.town = 'Nowhere'`,
  },
  {
    name: 'how many rows, in pairs',
    question: `${ROWS_OF_SOME} where a.town = 'Nowhere' or not exists (select 1 from sessions b join sessions c using (id) where b.id = s.id and b.day < c.day)`,
  },
]

for (const { name, question, people = GRANTED } of ATTACKS)
  test(`fails: ${name}`, async () => {
    const told = await tellsOfTarget(attackedSite.unlikeAsker(people), question)
    assert.ok(told.isAbout, `would not come through: ${told.answer.reason}`)
    const asker = attackedSite.asker(people)
    const { answer, isAbout } = await tellsOfTarget(asker, question)
    assert.ok(!isAbout, answer.reason)
    requireNothingLearnt(asker, [answer])
  })

/** Whether a question is answered, and the target is among whom its answer is about. */
async function tellsOfTarget(
  asker: GuardedAsker,
  question: string,
): Promise<{ readonly answer: Told; readonly isAbout: boolean }> {
  const before = asker.sets.length
  const answer = await asker.ask(question)
  return { answer, isAbout: asker.sets.slice(before).some((set) => set.includes(TARGET)) }
}

/** Rows of all who are not alike, and not of the target: of the others the acquirer knows that they are of March, or the target. */
const UNLIKE_ROWS = `select id, born from athletes where ${MONTH} <> 3 and town <> 'Nowhere'`
const LAST_ROWS = `select id, born from athletes order by abs(${MONTH} - 3) * (100 - score) desc limit ${GRANTED.length - 28}`

for (const rows of [UNLIKE_ROWS, LAST_ROWS]) {
  test(`fails: who is not in rows, and then the sum of all: ${rows}`, async () => {
    for (const asker of [attackedSite.unlikeAsker(), attackedSite.asker()]) {
      assert.equal((await asker.ask(rows, 'rows')).reason, 'approved')
      const { answer, isAbout } = await tellsOfTarget(asker, SUM)
      assert.equal(isAbout, asker.isOfCellsAlone, answer.reason)
    }
  })

  test(`fails: the sum of all, and then who is not in rows: ${rows}`, async () => {
    for (const asker of [attackedSite.unlikeAsker(), attackedSite.asker()]) {
      assert.equal((await asker.ask(SUM)).reason, 'approved')
      const { reason } = await asker.ask(rows, 'rows')
      assert.equal(reason, asker.isOfCellsAlone ? 'approved' : 'declined.differencing')
    }
  })
}

test('rows whose others are alike are given beside a sum, before it and after', async () => {
  const alike = `select id, born from athletes where ${MONTH} <> 4`
  const [first, second] = [attackedSite.asker(), attackedSite.asker()]
  assert.equal((await first.ask(alike, 'rows')).reason, 'approved')
  assert.equal((await first.ask(SUM)).reason, 'approved')
  assert.equal((await second.ask(SUM)).reason, 'approved')
  assert.equal((await second.ask(alike, 'rows')).reason, 'approved')
})
