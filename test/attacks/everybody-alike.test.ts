import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite, requireNothingLearnt } from './attack-chains.ts'
import type { Told } from './guarded-asker.ts'
import { TARGET } from './worlds.ts'

/*
 * Everybody else made alike: a condition sees to it that the values of all but one are known, and their sum tells that one's
 * (`docs/decisions/0033-alike-in-what-was-asked.md`). k people and more stand behind every cell. Measure of success: the last question is
 * answered, and the target is among whom it is about.
 */

const MONTH = 'extract(month from born)'
const SUM = `select count(*), sum(${MONTH}) from athletes`
const EITHER = `${MONTH} = 3 or town = 'Nowhere'`
/** The fifteenths of March of all years, and the target's birthday. */
const DAYS = [...Array.from({ length: 20 }, (_, year) => `'${1970 + year}-03-15'`), "'1999-09-09'"].join(', ')

/** Attacks by name: the questions of one acquirer, all of which but the last must be answered as they are. */
const ATTACKS: readonly { readonly name: string; readonly questions: readonly string[] }[] = [
  { name: 'whoever is alike, or is the target', questions: [`${SUM} where ${EITHER}`] },
  {
    name: 'everybody but these',
    questions: [SUM, `${SUM} where ${MONTH} <> 3 and town <> 'Nowhere'`],
  },
  {
    name: 'all but these, and then everybody',
    questions: [`${SUM} where ${MONTH} <> 3 and town <> 'Nowhere'`, SUM],
  },
  {
    name: 'the same, the other way round',
    questions: [`${SUM} where not (${MONTH} <> 3 and town <> 'Nowhere')`],
  },
  {
    name: 'first who they are, then their sum',
    questions: [`select count(*) from athletes where ${EITHER}`, `${SUM} where ${EITHER}`],
  },
  {
    name: 'as a filter',
    questions: [`select count(*), sum(${MONTH}) filter (where ${EITHER}) from athletes`],
  },
  { name: 'as a key', questions: [`select ${EITHER}, sum(${MONTH}) from athletes group by 1`] },
  {
    name: 'as a key that chooses',
    questions: [
      `select case when ${MONTH} = 3 then 1 when town = 'Nowhere' then 1 else 0 end, sum(${MONTH}) from athletes group by 1`,
    ],
  },
  {
    name: 'as a product that is nothing',
    questions: [`${SUM} where (${MONTH} - 3) * (score - 100) = 0`],
  },
  { name: 'as the least of two', questions: [`${SUM} where least(abs(${MONTH} - 3), 100 - score) = 0`] },
  { name: 'as a list of days', questions: [`${SUM} where born in (${DAYS})`] },
  {
    name: 'as two readings of one column',
    questions: [`${SUM} where ${MONTH} = 3 or extract(year from born) = 1999`],
  },
  {
    name: 'as a value that is counted',
    questions: [
      `select count(case when ${EITHER} then 1 end), sum(case when ${EITHER} then ${MONTH} end) from athletes`,
    ],
  },
  {
    name: 'as a value that is summed',
    questions: [
      `select sum(case when ${MONTH} = 3 then 1 when town = 'Nowhere' then 7 else 2 end) from athletes`,
    ],
  },
  {
    name: 'as a value with a condition in it',
    questions: [`select sum(2 + cast(${EITHER} as integer)) from athletes`],
  },
  {
    name: 'in a sub-select',
    questions: [`select count(*), sum(m) from (select id, ${MONTH} as m from athletes where ${EITHER}) v`],
  },
  {
    name: 'as a column of a sub-select',
    questions: [
      `select count(*), sum(m) from (select id, ${MONTH} as m, (${MONTH} - 3) * (score - 100) as z from athletes) v where z = 0`,
    ],
  },
  {
    name: 'as an aggregate per person',
    questions: [
      `select count(*), sum(m) from (select id, sum(${MONTH}) as m, sum((${MONTH} - 3) * (score - 100)) as z from athletes group by id) v where z = 0`,
    ],
  },
  {
    name: 'as somebody who exists',
    questions: [
      `${SUM} a where exists (select 1 from athletes b where b.id = a.id and (${EITHER.replace(MONTH, 'extract(month from b.born)')}))`,
    ],
  },
  {
    name: 'as two who exist',
    questions: [`${SUM} a where ${MONTH} = 3 or a.id in (select id from athletes where town = 'Nowhere')`],
  },
  {
    name: 'through a join',
    questions: [
      `select count(*), sum(extract(month from a.born)) from athletes a join athletes b on a.id = b.id and (extract(month from a.born) = 3 or b.town = 'Nowhere')`,
    ],
  },
  {
    name: 'as what remains of small groups',
    questions: [
      `select ${MONTH}, town = 'Nowhere', sum(${MONTH}) from athletes where ${MONTH} = 3 or town = 'Nowhere' group by 1, 2`,
    ],
  },
  {
    name: 'by a value of which there are few',
    questions: [`select sum(height), sum(height * ${MONTH}) from athletes where ${EITHER}`],
  },
  {
    name: 'by data that are such by themselves',
    questions: ['select sum(height), sum(height * extract(day from born)) from athletes'],
  },
]

for (const { name, questions } of ATTACKS) {
  test(`fails: ${name}`, async () => {
    const asker = attackedSite.asker()
    const answers: Told[] = []
    for (const [index, sql] of questions.entries()) {
      const before = asker.sets.length
      const told = await asker.ask(sql)
      answers.push(told)
      if (index < questions.length - 1) assert.equal(told.reason, 'approved', sql)
      else assert.ok(!asker.sets.slice(before).some((set) => set.includes(TARGET)), `${told.reason}: ${sql}`)
    }
    requireNothingLearnt(asker, answers)
  })
}
