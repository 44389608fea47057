import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Expr, Literal } from '../../../src/site/query/bound/bound-query.ts'
import { printLiteral } from '../../../src/site/query/plan/print.ts'
import { printLevel } from '../../../src/site/query/plan/print-sources.ts'
import { athletes } from '../../attacks/worlds.ts'

/* The second lock: what binding should never make is not printed either. */

const dialects = ['duckdb', 'postgres'] as const

test('a literal that has not the form of its type is not printed', () => {
  const literals: readonly Pick<Literal, 'type' | 'value'>[] = [
    { type: 'date', value: "2026-01-31' or '1" },
    { type: 'date', value: '2026-01-31 ' },
    { type: 'timestamp', value: "2026-01-31 00:00:00' --" },
    { type: 'integer', value: '1) or (1' },
    { type: 'integer', value: '12345678901234567890' },
    { type: 'number', value: Number.POSITIVE_INFINITY },
    { type: 'number', value: Number.NaN },
    { type: 'text', value: 1 },
  ]
  for (const dialect of dialects)
    for (const literal of literals)
      assert.throws(() => printLiteral(literal, { dialect, parameters: [] }), /Cannot print a literal/)
})

test('a column that may stand in no question is not printed, nor one that the data set has not', () => {
  const { dataSet } = athletes
  const relation = { table: 'ds_athletes', eligible: 'e_1', personCount: 10 }
  const print = (column: string, dialect: 'duckdb' | 'postgres'): string => {
    const read: Expr = { kind: 'column', source: 0, column, type: 'text', size: 1 }
    const printing = {
      dialect,
      parameters: [],
      relations: new Map([[String(dataSet), relation]]),
      manifests: new Map([[String(dataSet), athletes]]),
    }
    return printLevel({ sources: [{ kind: 'data-set', dataSet }], where: [], reads: [read] }, printing)
  }
  for (const dialect of dialects) {
    assert.match(print('town', dialect), /"t"\."town"/)
    for (const column of ['name', 'remark', 'nowhere', 'name as stored', 'remark as stored'])
      assert.throws(() => print(column, dialect), /may stand in no question/)
  }
})
