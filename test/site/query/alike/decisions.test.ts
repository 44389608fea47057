import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STORED } from '../../../../src/site/query/bound/bound-query.ts'
import { checkQuestion } from '../../../../src/site/query/check-question.ts'
import { decisionsOf } from '../../../../src/site/query/alike/decisions.ts'
import { printExpression } from '../../../../src/site/query/plan/print.ts'
import { athletes, sessions } from '../../../attacks/worlds.ts'

const dataSets = new Map([athletes, sessions].map((manifest) => [manifest.dataSet, manifest]))

function decisions(sql: string) {
  const checked = checkQuestion(sql, { mode: 'aggregate', dataSets })
  assert.ok(checked.ok, `${sql}: ${checked.ok ? '' : checked.error.detail}`)
  return decisionsOf(checked.value.query, checked.value.manifests)
}

/** What a question tells people apart by, at all levels, as the vault is asked for it. */
function told(sql: string): readonly string[] {
  const printing = {
    dialect: 'duckdb' as const,
    parameters: [],
    column: (_source: number, column: string) => column,
    key: String,
    measure: String,
  }
  return decisions(sql).levels.flatMap(({ tells }) => tells.map((tell) => printExpression(tell, printing)))
}

/** A table: what follows FROM, and how many things it tells. */
const COUNTS: readonly (readonly [string, number])[] = [
  ['athletes', 0],
  ['athletes where medals = 1', 1],
  ['athletes where medals = 1 and score > 5', 2],
  ['athletes where not (medals = 1 or score > 5)', 2],
  ['athletes where medals is null', 1],
  ['athletes where medals = 1 or height is null', 2],
  // On which side of a range, and whether that can be said at all; so of a list.
  ['athletes where medals between 1 and 3', 2],
  ['athletes where medals in (1, 3)', 2],
  // The medals as well: whoever knows them knows what the whole says of the score.
  ['athletes where medals + score > 5', 2],
  ['athletes where least(medals, score, 7) = 5', 2],
  // What is not in order is an *or*: what it is of is told as well.
  ['athletes where round(height * 2) > 3', 1],
  ['athletes where abs(score - 50) > 45', 2],
  ["athletes where to_char(born, 'MM') = '03'", 2],
  ["athletes where upper(town) = 'CORK'", 1],
  ['athletes where abs(medals - score) > 5', 3],
  ['athletes where nullif(medals, 3) is null', 2],
  ['athletes where coalesce(medals, 3) = 3', 1],
  ['athletes where coalesce(sqrt(3 - medals), 3) = 3', 2],
  ['athletes where extract(month from born) = 3', 1],
  ["athletes where extract(month from least(born, date '1995-03-01')) = 3", 2],
  ['(select id, max(born) as z from athletes group by id) v where extract(month from z) = 3', 1],
  [
    "(select id, max(least(born, date '1995-03-01')) as z from athletes group by id) v where extract(month from z) = 3",
    2,
  ],
  // Where the first is unknown, whether both do not hold depends on the second.
  ['athletes where not (medals = 1 and score > 5)', 2],
  ['athletes where (case when smokes then medals * score end) = 5', 3],
  ['athletes where case when medals = 1 then score = 2 else height > 2 end', 3],
  ['(select id from athletes where medals = 1 and score > 5) v', 2],
  ['(select id, medals * score as x from athletes) v where x = 6', 2],
  ['(select id, sum(medals * score) as x from athletes group by id) v where x = 6', 2],
  ['athletes a where exists (select 1 from sessions s where s.id = a.id and s.minutes = 5)', 2],
]

for (const [from, count] of COUNTS)
  test(`told apart by ${count}: ${from}`, () => {
    assert.equal(told(`select count(*) from ${from}`).length, count)
  })

test('what is counted is asked for a value, but for a column', () => {
  const ofCount = (value: string) => told(`select count(${value}) from athletes`).length
  assert.equal(ofCount('score'), 0)
  assert.equal(ofCount('nullif(score * medals, 6)'), 3)
  assert.equal(
    told('select count(z) from (select id, nullif(score * medals, 6) as z from athletes) v').length,
    3,
  )
})

test('where rows are counted it is decided by how many there are, once a sub-select chooses by them', () => {
  const rowsOf = (sql: string) => {
    const { decided, summed } = decisions(sql)
    return [decided, summed].map((columns) => columns.some(({ column }) => column === STORED))
  }
  assert.deepEqual(rowsOf('select count(*) from sessions'), [false, true])
  assert.deepEqual(rowsOf('select avg(minutes) from sessions'), [false, true])
  assert.deepEqual(rowsOf('select sum(minutes), count(distinct id) from sessions'), [false, false])
  assert.deepEqual(rowsOf('select count(*) from athletes where medals = 1'), [false, false])
  const ofTwo = 'id in (select id from sessions group by id having count(*) = 2)'
  assert.deepEqual(rowsOf(`select count(*) from athletes where ${ofTwo}`), [true, false])
  assert.deepEqual(rowsOf(`select count(*) from sessions where ${ofTwo}`), [true, true])
  // Whoever is in a group of a sub-select's own is in it once.
  const back = "exists (select 1 from sessions s where s.id = f.id and s.at >= f.t0 + interval '7 days')"
  const first = '(select id, place, min(at) as t0 from sessions group by id, place) f'
  const counted = `count(*), count(*) filter (where ${back}) from ${first}`
  assert.deepEqual(rowsOf(`select place, ${counted} group by place`), [true, false])
  assert.deepEqual(rowsOf(`select place, ${counted} group by rollup (place)`), [true, true])
  assert.deepEqual(rowsOf(`select ${counted}`), [true, true])
})

test('of two conditions the second is asked only of those for whom the first holds, or does not', () => {
  const [, ofAnd = ''] = told('select count(*) from athletes where medals = 1 and score > 5')
  assert.match(ofAnd, /^case when .*medals = .* is not distinct from true.* then .*score > .* end$/)
  const [, ofOr = ''] = told('select count(*) from athletes where medals = 1 or score > 5')
  assert.match(ofOr, /^case when .*medals = .* is distinct from true.* then .*score > .* end$/)
})

test('of a list of numbers it is told which of them it is, of a list of texts whether it is one', () => {
  const [ofNumbers = ''] = told('select count(*) from athletes where score in (1, 2)')
  assert.match(ofNumbers, /then score end$/)
  assert.doesNotMatch(told("select count(*) from athletes where town in ('Cork', 'Sligo')").join(), /then/)
})

test('a factor of few values is told, in a product only', () => {
  const ofValues = (measure: string) => decisions(`select ${measure} from athletes`).values.tells.length
  assert.equal(ofValues('sum(height)'), 0)
  assert.equal(ofValues('sum(medals)'), 0)
  assert.equal(ofValues('sum(height * medals)'), 1)
  assert.equal(ofValues('sum(height * extract(day from born))'), 1)
  assert.equal(ofValues('sum(height * extract(year from born))'), 0)
  assert.equal(ofValues('sum(score + medals)'), 0)
  assert.equal(ofValues("sum(case when town = 'Cork' then height * medals end)"), 2)
})
