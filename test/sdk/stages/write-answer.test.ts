import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { CompiledQuery } from 'kysely'
import type { ReleaseValue } from '../../../src/protocol/release.ts'
import { parseSelect } from '../../../src/sdk/stages/read-text.ts'
import type { AnswerForm } from '../../../src/sdk/stages/template.ts'
import { quoteName, writeAnswer, writeConstant } from '../../../src/sdk/stages/write-answer.ts'
import { parseQuestion } from '../../../src/site/query/text/parse-question.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

/* Whatever a site answers, what is written out is that value and nothing else: held against PostgreSQL's grammar and PostgreSQL itself. */

const oracle = await testPostgres()
after(() => oracle[Symbol.asyncDispose]())

const SIGNS = [
  "'",
  '"',
  '\\',
  '$$',
  '--',
  '/*',
  '*/',
  ';',
  ')',
  "'; drop table x --",
  '\u202E',
  '\u200F',
  '\n',
  '::',
  "U&'",
  '\\202e',
  '%',
  'é',
  '😀',
]

const textValue = fc
  .array(fc.oneof(fc.constantFrom(...SIGNS), fc.string({ unit: 'grapheme' })), { maxLength: 8 })
  .map((parts) => parts.join('').replaceAll('\0', ''))
  .filter((text) => text.isWellFormed())

const numberValue = fc
  .double({ noNaN: true, noDefaultInfinity: true, min: -1e149, max: 1e149 })
  .map((value) => value + 0)

const integerValue = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }).map(String),
)

const dateValue = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString())

const typed: fc.Arbitrary<readonly [string, ReleaseValue]> = fc.oneof(
  textValue.map((value) => ['text', value] as const),
  numberValue.map((value) => ['number', value] as const),
  integerValue.map((value) => ['integer', value] as const),
  fc.boolean().map((value) => ['boolean', value] as const),
  dateValue.map((value) => ['date', value.slice(0, 10)] as const),
  dateValue.map((value) => ['timestamp', value.replace(/\.?0*Z$/, 'Z')] as const),
)

/** The only constant of `select CONSTANT::type`, as the grammar reads it. */
async function readBack(constant: string): Promise<unknown> {
  const select = await parseSelect(`select ${constant}`)
  assert.ok(select, constant)
  const { targetList, ...rest } = select
  assert.deepEqual(Object.keys(rest).toSorted(), ['limitOption', 'op'], constant)
  const [target, another] = targetList ?? []
  assert.equal(another, undefined, constant)
  const cast = target && 'ResTarget' in target ? target.ResTarget.val : undefined
  const inner = cast && 'TypeCast' in cast ? cast.TypeCast.arg : undefined
  assert.ok(inner && 'A_Const' in inner, constant)
  return inner.A_Const.sval?.sval ?? ''
}

test('a value is written as that one constant, and the gate reads it', async () => {
  await fc.assert(
    fc.asyncProperty(typed, async ([type, value]) => {
      const constant = writeConstant(value, type)
      assert.ok(constant !== undefined)
      assert.equal(await readBack(constant), String(value))
      parseQuestion(`select count(*) from athletes where x = (${constant})`)
    }),
    { seed: 20_261_127, numRuns: 500 },
  )
})

test('PostgreSQL has the same value of it, to the last bit', async () => {
  await fc.assert(
    fc.asyncProperty(typed, async ([type, value]) => {
      const shown =
        type === 'timestamp'
          ? `to_char(${writeConstant(value, type)}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
          : `(${writeConstant(value, type)})::text`
      const { rows } = await oracle.db.executeQuery<{ v: string }>(CompiledQuery.raw(`select ${shown} as v`))
      const v = rows[0]?.v ?? ''
      if (type === 'number') assert.ok(Object.is(Number(v) + 0, value), `${v} is not ${String(value)}`)
      else if (type === 'timestamp') assert.equal(v.replace(/\.?0*Z$/, 'Z'), String(value))
      else assert.equal(v, String(value))
    }),
    { seed: 20_261_127, numRuns: 300 },
  )
})

test('a name is written as that one name', async () => {
  await fc.assert(
    fc.asyncProperty(
      textValue.filter((name) => name !== ''),
      async (name) => {
        const select = await parseSelect(`select ${quoteName(name)}`)
        const [target] = select?.targetList ?? []
        const column = target && 'ResTarget' in target ? target.ResTarget.val : undefined
        const [field] = (column && 'ColumnRef' in column ? column.ColumnRef.fields : undefined) ?? []
        // Names are cut at 63 bytes.
        assert.ok(field && 'String' in field && name.startsWith(field.String.sval ?? '?'))
      },
    ),
    { seed: 20_261_127, numRuns: 300 },
  )
})

test('what is no value of its type is not written', () => {
  const none: readonly (readonly [ReleaseValue, string])[] = [
    ["1'; drop", 'integer'],
    ['x', 'number'],
    ['NaN', 'number'],
    [Number.NaN, 'number'],
    [Number.POSITIVE_INFINITY, 'number'],
    [1.5, 'integer'],
    ['yes', 'boolean'],
    ['2026-01-01; --', 'date'],
    ['2026-01-01', 'timestamp'],
    ['a\0b', 'text'],
    ['\uD800', 'text'],
    ['[1]', 'integer[]'],
    ['{}', 'json'],
    [null, 'json'],
    [1, 'interval'],
  ]
  for (const [value, type] of none)
    assert.equal(writeConstant(value, type), undefined, `${String(value)} ${type}`)
})

const columns = [
  { name: 'sport', type: 'text' },
  { name: 'n', type: 'integer' },
]

test('an answer is written in the form of its place, the remainder never', () => {
  const told = (rows: ReleaseValue[][], form: AnswerForm, width = 2) => {
    const written = writeAnswer({ columns: columns.slice(0, width), rows }, { form })
    return written.ok ? written.value : `not: ${written.error}`
  }
  assert.equal(told([['judo']], 'value', 1), "'judo'::text")
  assert.equal(told([], 'value', 1), 'null::text')
  assert.match(told([['a'], ['b']], 'value', 1), /not: it has several rows/)
  assert.match(told([['a', 1]], 'value'), /not: it has several columns/)
  assert.equal(told([['a'], [null]], 'items', 1), "'a'::text, null::text")
  assert.equal(
    told(
      [
        ['a', 1],
        ['b', 2],
      ],
      'items',
    ),
    "('a'::text, '1'::int8), ('b'::text, '2'::int8)",
  )
  assert.equal(told([], 'items', 1), 'values (null::text) except values (null::text)')
  assert.match(told([], 'items'), /not: it has no rows/)
  assert.equal(told([['a'], ['b']], 'array', 1), "array['a'::text, 'b'::text]")
  assert.match(told([], 'array', 1), /not: it has no rows/)
  assert.equal(
    told([['a', 1]], 'relation'),
    `select * from (values ('a'::text, '1'::int8)) as "answer" ("sport", "n")`,
  )
  assert.match(told([], 'relation'), /not: it has no rows/)
  assert.match(
    told(
      Array.from({ length: 201 }, () => ['a', 1]),
      'relation',
    ),
    /not: it has 201 rows, and at most 200/,
  )
})
