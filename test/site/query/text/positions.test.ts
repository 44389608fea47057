import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkQuestion } from '../../../../src/site/query/check-question.ts'
import { LIMITS } from '../../../../src/kernel/limits.ts'
import { arbitrarySelect } from '../../../attacks/arbitrary-select.ts'
import { ask, gateManifests } from '../gate-data.ts'

/* Whoever is declined is told where: each decline of a text has a position in it, and at the word that is wrong. */

type Case = readonly [sql: string, at: string, mode?: 'aggregate' | 'private' | 'rows']

/** What is declined, and how the text goes on where the position says. */
const CASES: readonly Case[] = [
  ['  /* new */ insert into athletes values (1)', 'insert into'],
  ['delete from athletes', 'delete'],
  ['-- a note\nupdate athletes set gold = 1', 'update'],
  ['explain select count(*) from athletes', 'explain'],
  ['create table x as select 1 from athletes', 'create'],
  ['with d as (delete from athletes returning id) select count(*) from d', 'd as (delete'],
  ['select count(*) from athletes; /* and */ select 2', 'select 2'],
  ['select count(*) from athletes for update', 'for update'],
  [
    'select count(*) from (select substring(sex for 2) from athletes FOR NO KEY UPDATE of athletes) t',
    'FOR NO',
  ],
  ['select count(*) into x from athletes', 'x from'],
  ['values (1), (2)', '1), (2)'],
  ['select 1', '1'],
  ['select from athletes', 'athletes'],
  ['select distinct on (sex) sex, height from athletes', 'sex) sex', 'rows'],
  ['select distinct sex from athletes', 'sex from', 'rows'],
  ['select sex from athletes group by sex', 'sex', 'rows'],
  ['select sex from athletes having true', 'true', 'rows'],
  ['select count(*) from (select id from athletes union all select id from sessions) u', 'id from sessions'],
  ['select count(*) from (select id from athletes intersect select id from sessions limit 3) u', '3) u'],
  ['select count(*) from (select id from athletes limit 5) t', '5) t'],
  ['select count(*) from athletes where id in (select id from sessions offset 2)', '2)'],
  ['select sex, avg(floor(height)) from athletes group by sex', 'avg('],
  ['select var_pop(height * height + round(gold)) from athletes', 'var_pop('],
  ['select height, count(*) from athletes group by height', 'height', 'aggregate'],
  ['select sex, born, count(*) from athletes group by 1, 2', 'born, count'],
  ['select floor(height * 10), ceil(height * 10 + 0.5), count(*) from athletes group by 1, 2', 'floor'],
  ['select sex, active, gold, count(*) from athletes group by 1, 2, 3', 'gold, count'],
  ['select count(*) from athletes a join wages w using (id)', 'athletes a join'],
  ['select count(*) from athletes, sessions', 'sessions'],
  [
    'select count(*) from athletes a, lateral (select distinct id from sessions s where s.id = a.id) x',
    'id from',
  ],
  ['select count(*) from athletes where height > $1', '$1'],
  ['select count(*) from athletes where exists (select 1 from sessions)', 'exists'],
  ['select count(*) from other.athletes', 'other.athletes'],
  ['select 👍.gold from athletes', '👍'],
  ['select count(*) from athletes where sex = $$f', '$$f'],
]

for (const [sql, at, mode = 'aggregate'] of CASES) {
  test(`the position of a decline is at "${at}": ${sql}`, () => {
    const checked = ask(sql, mode)
    assert.ok(!checked.ok)
    const { position = 0, detail } = checked.error
    assert.equal(
      Array.from(sql)
        .slice(position - 1)
        .join('')
        .slice(0, at.length),
      at,
      `${position}: ${detail}`,
    )
  })
}

test('a parameter that will not do is declined where it stands', () => {
  const declined = ask(
    'select count(*) from athletes where gold > $1 and height > $2',
    'aggregate',
    [1, 1e200],
  )
  assert.ok(!declined.ok)
  assert.equal(declined.error.position, 60)
})

test('what is about all of a text is declined where it begins to be too much', () => {
  const long = `select count(*) from athletes where sex = '${'x'.repeat(LIMITS.queryTextBytesMax)}'`
  const deep = `select ${'('.repeat(9_000)}1${')'.repeat(9_000)} from athletes`
  for (const text of [
    '',
    '   ',
    ';',
    'select \uD800',
    long,
    deep,
    `select ${'1, '.repeat(64)} 1 from athletes`,
  ]) {
    const declined = ask(text)
    assert.ok(!declined.ok)
    assert.ok((declined.error.position ?? 0) >= 1, `${declined.error.detail}: ${text.slice(0, 40)}`)
  }
})

const dataSets = new Map(gateManifests.map((manifest) => [manifest.dataSet, manifest]))

test('every decline of a random text has a position within it', () => {
  let declines = 0
  fc.assert(
    fc.property(arbitrarySelect, fc.constantFrom('aggregate', 'private', 'rows'), ({ sql }, mode) => {
      const checked = checkQuestion(sql, { mode, dataSets })
      if (checked.ok) return
      declines += 1
      const { position = 0 } = checked.error
      assert.ok(position >= 1 && position <= Array.from(sql).length + 1, `${checked.error.detail} in ${sql}`)
    }),
    { numRuns: 1_000, seed: 20_261_127 },
  )
  assert.ok(declines > 100, `${declines}`)
})
