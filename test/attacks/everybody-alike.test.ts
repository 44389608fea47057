import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite, requireNothingLearnt } from './attack-chains.ts'
import type { Told } from './guarded-asker.ts'
import { GRANTED, TARGET } from './worlds.ts'

/*
 * Everybody else made alike: a condition sees to it that the values of all but one are known, and their sum tells that one's
 * (`docs/decisions/0033-alike-in-what-was-asked.md`). k people and more stand behind every cell. Measure of success: the last question is
 * answered, and the target is among whom it is about.
 */

const MONTH = 'extract(month from born)'
const SUM = `select count(*), sum(${MONTH}) from athletes`
const EITHER = `${MONTH} = 3 or town = 'Nowhere'`
/** The fifteenths of March of all years, and the target's birthday. */
const DAY_LIST = [...Array.from({ length: 20 }, (_, year) => `${1970 + year}-03-15`), '1999-09-09']
const DAYS = DAY_LIST.map((day) => `'${day}'`).join(', ')
const DAY_NUMBERS = DAY_LIST.map((day) => Date.parse(day) / 86_400_000).join(', ')
const DAY_NUMBER = "(born - date '1970-01-01')"

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
    questions: [`select sum(2 * ${MONTH} + ${MONTH} * cast(${EITHER} as integer)) from athletes`],
  },
  {
    name: 'as one of several branches',
    questions: [
      `select sum(case when ${EITHER} then ${MONTH} when score > 50 then 1 else 2 end) from athletes`,
    ],
  },
  {
    name: 'as the greatest of two that are chosen',
    questions: [`select avg(greatest(case when ${EITHER} then ${MONTH} else 0 end, 0.5)) from athletes`],
  },
  {
    name: 'as a sign to multiply by',
    questions: [`select sum(${MONTH} * sign(case when ${EITHER} then 1 else 0 end)) from athletes`],
  },
  {
    name: 'as what stands for nothing',
    questions: [`select sum(coalesce(case when ${EITHER} then ${MONTH} end, 1)) from athletes`],
  },
  {
    name: 'as the spread of a difference',
    questions: [`select var_pop(${MONTH} - height) from athletes where ${EITHER}`],
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
    name: 'as one day or another',
    questions: [`${SUM} where ${DAY_LIST.map((day) => `born = '${day}'`).join(' or ')}`],
  },
  {
    name: 'as a choice of days',
    questions: [
      `${SUM} where case born ${DAY_LIST.map((day) => `when '${day}' then true`).join(' ')} else false end`,
    ],
  },
  { name: 'as a list of numbers of days', questions: [`${SUM} where ${DAY_NUMBER} in (${DAY_NUMBERS})`] },
  {
    name: 'as such a list of several things that is of one',
    questions: [`${SUM} where ${DAY_NUMBER} + 0 * score in (${DAY_NUMBERS})`],
  },
  {
    name: 'as a list of texts of days',
    questions: [`${SUM} where to_char(born, 'YYYY-MM-DD') in (${DAYS})`],
  },
  { name: 'as a pattern of days', questions: [`${SUM} where cast(born as text) ~ '03-15|1999'`] },
  {
    name: 'as a text of a sub-select',
    questions: [
      `select count(*), sum(m) from (select id, ${MONTH} as m, to_char(born, 'YYYY-MM-DD') as z from athletes) v where z in (${DAYS})`,
    ],
  },
  {
    name: 'as what is not null',
    questions: [`${SUM} where nullif(${MONTH}, 3) is null or town = 'Nowhere'`],
  },
  {
    name: 'as a choice that is not null',
    questions: [`${SUM} where (case when ${MONTH} = 3 then 1 end) is not null or town = 'Nowhere'`],
  },
  {
    name: 'as a column of a sub-select that is not null',
    questions: [
      `select count(*), sum(m) from (select id, ${MONTH} as m, town, nullif(${MONTH}, 3) as z from athletes) v where z is null or town = 'Nowhere'`,
    ],
  },
  {
    name: 'with a sum that is chosen',
    questions: [
      `select count(*), sum(case when sex is not null then ${MONTH} end) from athletes where ${EITHER}`,
    ],
  },
  {
    name: 'with a sum that a sub-select chooses',
    questions: [
      `select count(*), sum(m) from (select id, town, born, case when sex is not null then ${MONTH} end as m from athletes) v where ${EITHER}`,
    ],
  },
  {
    name: 'as a product that is chosen',
    questions: [`${SUM} where (case when sex is not null then (${MONTH} - 3) * (score - 100) end) = 0`],
  },
  {
    name: 'by a value of which there are few, chosen',
    questions: [
      'select sum(height) from athletes',
      `select sum(case when sex is not null then height * ${MONTH} end) from athletes`,
    ],
  },
  {
    name: 'in the row around a sub-query',
    questions: [
      `select count(*), sum(m) from (select id, sum(${MONTH}) as m, sum((${MONTH} - 3) * (score - 100)) as z from athletes group by id) v where exists (select 1 from athletes b where b.id = v.id and v.z = 0)`,
    ],
  },
  {
    name: 'as people of two sets',
    questions: [
      `${SUM} where id in (select id from athletes where ${MONTH} = 3 union select id from athletes where town = 'Nowhere')`,
    ],
  },
  {
    name: 'as two rows that are compared',
    questions: [`${SUM} where (${MONTH}, town) = (3, town) or (town, sex) = ('Nowhere', sex)`],
  },
  {
    name: 'as a pattern of two things',
    questions: [`${SUM} where concat(${MONTH}, '-', town) ~ '^3-|Nowhere'`],
  },
  {
    name: 'as a window over the rows of each',
    questions: [
      `select count(*), sum(m) from (select id, ${MONTH} as m, max(case when ${EITHER} then 1 else 0 end) over (partition by id) as z from athletes) v where z = 1`,
    ],
  },
  {
    name: 'as who was joined',
    questions: [
      `select count(*), sum(extract(month from a.born)) from athletes a left join (select id from athletes where ${MONTH} = 3) b on a.id = b.id where b.id is not null or a.town = 'Nowhere'`,
    ],
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

/** Everybody but the target. */
const OTHERS = GRANTED.filter((person) => person !== TARGET)
const UNLIKE = `${SUM} where ${MONTH} <> 3`

test('fails: everybody, and without whoever took back what they allowed those who are not alike', async () => {
  const asker = attackedSite.asker()
  assert.equal((await asker.ask(SUM)).reason, 'approved')
  asker.restrictTo(OTHERS)
  // Beside everybody it would be about those of March and the one who left.
  assert.equal((await asker.ask(UNLIKE)).reason, 'declined.differencing')
})

test('fails: those who are not alike, and with whoever allows it since everybody', async () => {
  const asker = attackedSite.asker(OTHERS)
  assert.equal((await asker.ask(UNLIKE)).reason, 'approved')
  asker.restrictTo(GRANTED)
  const before = asker.sets.length
  assert.equal((await asker.ask(SUM)).reason, 'partial.differencing')
  assert.ok(!asker.sets.slice(before).some((set) => set.includes(TARGET)))
})

/** Who has no height, and is the only one of those who allow it. */
const LACKING = 4
const BUT_FOR_ONE = GRANTED.filter((person) => person % 16 !== 4 || person === LACKING)

/** Attacks by a value that one has not, and nothing is asked of but whether it is there. */
const BY_LACK: readonly string[] = [
  `${SUM} where ${MONTH} = 3 or height is null`,
  `select count(*), sum(extract(month from a.born)) from athletes a left join (select id from athletes where height is not null) b on a.id = b.id where extract(month from a.born) = 3 or b.id is null`,
]

for (const sql of BY_LACK)
  test(`fails: ${sql}`, async () => {
    const asker = attackedSite.asker(BUT_FOR_ONE)
    const { reason } = await asker.ask(sql)
    assert.ok(!asker.sets.some((set) => set.includes(LACKING)), reason)
  })

test('fails: everybody, and those who are not alike and have a value', async () => {
  for (const having of [
    'where height is not null',
    'join (select id from athletes where height > 0) b using (id) where true',
  ]) {
    const asker = attackedSite.asker(BUT_FOR_ONE)
    assert.equal((await asker.ask(SUM)).reason, 'approved')
    const asked = `select count(*), sum(${MONTH}) from athletes ${having} and ${MONTH} <> 3`
    assert.equal((await asker.ask(asked)).reason, 'declined.differencing', asked)
  }
})

test('fails: more things than can be told, and then a sum of what they are about', async () => {
  const asker = attackedSite.asker()
  const scores = Array.from({ length: 101 }, (_, score) => `score = ${score}`).join(' or ')
  assert.equal((await asker.ask(`select count(*) from athletes where ${scores}`)).reason, 'approved')
  assert.equal((await asker.ask('select sum(score) from athletes')).reason, 'declined.differencing')
  assert.equal((await asker.ask('select count(*) from athletes')).reason, 'approved')
})
