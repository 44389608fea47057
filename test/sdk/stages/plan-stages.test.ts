import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planStages } from '../../../src/sdk/stages/plan-stages.ts'
import { fill } from '../../../src/sdk/stages/template.ts'
import type { Template } from '../../../src/sdk/stages/template.ts'

type Offers = Parameters<typeof planStages>[1]

function offer(dataSet: string, names: readonly string[]): Offers[number] {
  return {
    dataSet,
    person: { key: 'id', rowsMax: 1 },
    columns: names.map((name) => ({
      name,
      type: 'text' as const,
      sensitivity: 'ordinary' as const,
      isRequired: false,
    })),
  } as Offers[number]
}

const OFFERS: Offers = [
  offer('athletes', ['id', 'sport', 'sex', 'height', 'weight', 'gold']),
  offer('sessions', ['id', 'minutes', 'place']),
]

function shown(template: Template): string {
  return fill(template, ({ stage, form, keys = [] }) => `‹${[stage, form, ...keys].join(' ')}›`)
}

/** The texts of a plan: stages, those of groups with a star, and what is asked last. */
async function planOf(sql: string): Promise<readonly string[]> {
  const plan = await planStages(sql, OFFERS)
  if (!plan.ok) return [`${plan.error.why} @${plan.error.position ?? ''}`]
  const { stages, question } = plan.value
  return [
    ...stages.map(({ template, isGrouped }) => `${isGrouped ? '* ' : ''}${shown(template)}`),
    shown(question),
  ]
}

const MEAN = 'select avg(height) from athletes'

const PLANS: readonly (readonly [name: string, sql: string, ...texts: readonly string[]])[] = [
  [
    'a value',
    `select count(*) from athletes where height > (${MEAN})`,
    MEAN,
    'select count(*) from athletes where height > (‹1 value›)',
  ],
  [
    'a set of groups',
    'select count(*) from athletes where sport in (select sport from athletes group by sport having count(*) > 100)',
    '* select sport from athletes group by sport having count(*) > 100',
    'select count(*) from athletes where sport in (‹1 items›)',
  ],
  [
    'a CTE that is joined',
    'with b as (select sport, avg(weight) w from athletes group by sport) select count(*) from athletes a join b on a.sport = b.sport where a.weight > b.w',
    '* select sport, avg(weight) w from athletes group by sport',
    'with b as (‹1 relation›) select count(*) from athletes a join b on a.sport = b.sport where a.weight > b.w',
  ],
  [
    'values of rows, of which each different one is wanted once',
    "select count(*) from athletes where sport in (select sport from athletes where sex = 'f')",
    "* select distinct sport from athletes where sex = 'f'",
    'select count(*) from athletes where sport in (‹1 items›)',
  ],
  [
    'any of several',
    'select count(*) from athletes where height > any (select avg(height) from athletes group by sport)',
    '* select avg(height) from athletes group by sport',
    'select count(*) from athletes where height > any (‹1 array›)',
  ],
  [
    'the same sub-query twice, whatever its layout',
    `select count(*) from athletes where height > (${MEAN}) or height < 0.8 * (select  AVG( height ) /* ) */ from athletes)`,
    MEAN,
    'select count(*) from athletes where height > (‹1 value›) or height < 0.8 * (‹1 value›)',
  ],
  [
    'stages that wait for each other',
    `select count(*) from athletes where sport in (select sport from athletes where height > (${MEAN}) group by sport having count(*) > 9)`,
    MEAN,
    '* select sport from athletes where height > (‹1 value›) group by sport having count(*) > 9',
    'select count(*) from athletes where sport in (‹2 items›)',
  ],
  [
    'CTEs of people go along, those of answers with them',
    `with m as (${MEAN}), tall as (select * from athletes where height > (select avg from m)) select sport, count(*) from tall where weight > (select avg(weight) from tall) group by sport`,
    MEAN,
    'with m as (‹1 relation›), tall as (select * from athletes where height > (select avg from m)) select avg(weight) from tall',
    'with m as (‹1 relation›), tall as (select * from athletes where height > (select avg from m)) select sport, count(*) from tall where weight > (‹2 value›) group by sport',
  ],
  [
    'a stage with a WITH of its own',
    'with f as (select * from athletes where gold > 0) select count(*) from f where height > (with g as (select * from f) select avg(height) from g)',
    'with f as (select * from athletes where gold > 0), g as (select * from f) select avg(height) from g',
    'with f as (select * from athletes where gold > 0) select count(*) from f where height > (‹1 value›)',
  ],
  [
    'names with letters of two bytes before it',
    `select count(*) as "é" from athletes where height > (${MEAN})`,
    MEAN,
    'select count(*) as "é" from athletes where height > (‹1 value›)',
  ],
  [
    'a value of the group of a row',
    "select count(*) from athletes a where height > (select 1.1 * avg(b.height) from athletes b where b.sport = a.sport and b.sex = 'f')",
    "* select b.sport, 1.1 * avg(b.height) from athletes b where b.sport = b.sport and b.sex = 'f' group by b.sport",
    'select count(*) from athletes a where height > (‹1 of group a.sport›)',
  ],
  [
    'a value of the group of a row by several columns, turned round by nothing',
    'select sex, count(*) from athletes a where not (height - 0.1 < (select avg(b.height) from athletes as b where a . "sport" = b.sport and a.sex = b.sex)) group by sex',
    '* select b.sport, b.sex, avg(b.height) from athletes as b where b.sport = b.sport and b.sex = b.sex group by b.sport, b.sex',
    'select sex, count(*) from athletes a where not (height - 0.1 < (‹1 of group a . "sport" a.sex›)) group by sex',
  ],
  [
    'within a sub-query of the person',
    'select count(*) from athletes a where exists (select 1 from sessions s where s.id = a.id and s.minutes > (select avg(minutes) from sessions))',
    'select avg(minutes) from sessions',
    'select count(*) from athletes a where exists (select 1 from sessions s where s.id = a.id and s.minutes > (‹1 value›))',
  ],
]

for (const [name, sql, ...texts] of PLANS)
  test(`planStages() takes apart ${name}`, async () => {
    assert.deepEqual(await planOf(sql), texts)
  })

const AS_IT_IS: readonly (readonly [name: string, sql: string])[] = [
  [
    'people by their keys',
    'select count(*) from athletes where id in (select id from sessions group by id having count(*) > 3)',
  ],
  [
    'people by a set of keys',
    'select count(*) from athletes where id in (select id from sessions where minutes > 9)',
  ],
  ['values of each person', 'select avg(n) from (select id, count(*) n from sessions group by id) t'],
  [
    'values of each person by the place of the key',
    'select avg(n) from (select id as who, count(*) n from sessions group by 1) t',
  ],
  [
    'a sub-query of the person',
    'select count(*) from athletes a where (select count(*) from sessions s where s.id = a.id) > 3',
  ],
  [
    'a sub-query that looks at the row around it by more than equal columns',
    'select count(*) from athletes a where height > (select avg(height) from athletes b where b.sport = a.sport and b.weight < a.weight)',
  ],
  [
    'a count of the group of a row, which is 0 where nobody is and not missing',
    'select count(*) from athletes a where gold > (select count(*) from athletes b where b.sport = a.sport)',
  ],
  [
    'a value of the group of a row that says something of null',
    'select count(*) from athletes a where gold > (select coalesce(avg(b.gold), 0) from athletes b where b.sport = a.sport)',
  ],
  [
    'a sub-query of the person and more',
    'select count(*) from athletes a where gold > (select avg(s.minutes) from sessions s where s.id = a.id and s.place = a.sport)',
  ],
  [
    'a window over each person',
    'select count(*) from (select id, row_number() over (partition by id) n from sessions) t where n = 2',
  ],
  [
    'the first rows of somebody',
    'select count(*) from athletes where sport in (select sport from athletes order by height limit 3)',
  ],
  ['written values', 'select count(*) from athletes where sport in (select s from (values (1)) v(s))'],
  ['a CTE that nobody names', `with m as (${MEAN}) select count(*) from athletes`],
  ['what cannot be read', 'select count(* from athletes'],
  ['two statements', `select 1; ${MEAN}`],
  ['a zero character', `select count(*) from athletes where height > (${MEAN})\0`],
  [
    'a data set that is not offered',
    'select count(*) from athletes where height > (select avg(height) from nobody)',
  ],
]

for (const [name, sql] of AS_IT_IS)
  test(`planStages() leaves as it is: ${name}`, async () => {
    assert.deepEqual(await planOf(sql), [sql])
  })

const GROUPS = 'select sport from athletes group by sport having count(*) > 9'

const PROBLEMS: readonly (readonly [name: string, sql: string, why: RegExp])[] = [
  ['NOT IN', `select count(*) from athletes where sport not in (${GROUPS})`, /under NOT.*@43$/],
  [
    'NOT around IN',
    `select count(*) from athletes where not (sex = 'f' and sport in (${GROUPS}))`,
    /under NOT/,
  ],
  [
    'ALL',
    'select count(*) from athletes where height > all (select avg(height) from athletes group by sport)',
    /ALL/,
  ],
  ['CASE', `select count(*) from athletes where case when sport in (${GROUPS}) then true end`, /CASE/],
  ['a group of those in it', `select sport in (${GROUPS}), count(*) from athletes group by 1`, /CASE/],
  [
    'a comparison with whether it is in it',
    `select count(*) from athletes where (sport in (${GROUPS})) = false`,
    /CASE/,
  ],
  [
    'an outer join',
    `select count(*) from athletes a left join (${GROUPS}) b on a.sport = b.sport`,
    /outer join/,
  ],
  [
    'a full join',
    `select count(*) from (${GROUPS}) b full join athletes a on a.sport = b.sport`,
    /outer join/,
  ],
  [
    'EXCEPT',
    `select count(*) from athletes where id in (select id from sessions except select id from athletes where sport in (${GROUPS}))`,
    /EXCEPT/,
  ],
  [
    'NOT EXISTS of people among groups',
    `with g as (${GROUPS}), p as (select a.id from athletes a join g on g.sport = a.sport) select count(*) from athletes where id not in (select id from p)`,
    /under NOT/,
  ],
  [
    'answers only',
    'select max(n) from (select sport, count(*) n from athletes group by sport) t',
    /reads answers only/,
  ],
  [
    'answers as they are',
    'select n from (select sport, count(*) n from athletes group by sport) t',
    /it would ask nobody/,
  ],
  ['a value without people', `select (${MEAN})`, /it would ask nobody/],
  [
    'a condition on an answer',
    'with b as (select sport, avg(height) h from athletes group by sport) select count(*) from athletes where sport in (select sport from b where h > 1.8)',
    /HAVING/,
  ],
  [
    'too many stages',
    `select count(*) from athletes where ${Array.from({ length: 9 }, (_, n) => `height > (select avg(height) from athletes where gold = ${n})`).join(' or ')}`,
    /more than 8 stages/,
  ],
]

for (const [name, sql, why] of PROBLEMS)
  test(`planStages() does not take apart ${name}, and says why`, async () => {
    const texts = await planOf(sql)
    assert.equal(texts.length, 1)
    assert.match(texts[0] ?? '', why)
  })

test('planStages() is no way to hurt whoever plans', async () => {
  const deep = `select count(*) from athletes where ${'('.repeat(5_000)}height${')'.repeat(5_000)} > 1`
  assert.deepEqual(await planOf(deep), [deep])
})
