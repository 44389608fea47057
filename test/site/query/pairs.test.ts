import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from './gate-data.ts'

/* Aggregates of two values: what they use, and which of the sums behind them may not be asked for. */

test('an aggregate of two values uses both columns, and collects every sum that it is computed from', () => {
  const checked = ask('select corr(height, weight) filter (where active) from athletes')
  assert.ok(checked.ok)
  const { query, uses } = checked.value
  assert.deepEqual(
    uses.filter(({ clause }) => clause === 'select').map(({ column, outputs }) => [column, outputs]),
    [
      ['height', [0]],
      ['weight', [0]],
    ],
  )
  assert.deepEqual(
    query.measures.map(({ kind }) => kind).filter((kind) => kind !== 'count'),
    ['stddev_pop', 'stddev_pop', 'avg', 'avg', 'covar_pop'],
  )
  const covariance = query.measures.find(({ kind }) => kind === 'covar_pop')
  assert.deepEqual(
    covariance?.margins?.map((margin) => query.measures[margin]?.kind),
    ['avg', 'avg'],
  )
  assert.ok(covariance?.margins?.every((margin) => covariance.tells.includes(margin)))
})

test('an aggregate of two values is declined where a sum behind it is, naming it and the place', () => {
  for (const [sql, code, detail] of [
    ['select corr(height) from athletes', 'declined.sql_function', /corr.* of 1 arguments, at character 8/],
    ['select corr(height, sex) from athletes', 'declined.sql_function', /corr.* of text/],
    ['select corr(distinct height, weight) from athletes', 'declined.sql_function', /distinct/],
    ['select corr(height, weight / gold) from athletes', 'declined.column', /bounded|bounds/],
    [
      'select covar_pop(height * weight, gold * weight) from athletes',
      'declined.sql_not_supported',
      /products/,
    ],
    [
      'select regr_slope(s.minutes, a.height) from athletes a join sessions s using (id)',
      'declined.sql_not_supported',
      /repeats/,
    ],
  ] as const) {
    const checked = ask(sql)
    assert.ok(!checked.ok, sql)
    assert.equal(checked.error.code, code, sql)
    assert.match(checked.error.detail ?? '', detail, sql)
  }
})
