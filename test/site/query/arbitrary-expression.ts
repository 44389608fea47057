import fc from 'fast-check'
import { elementType, isScalarType, LIST_TYPES, SCALAR_TYPES } from '../../../src/protocol/data-set.ts'
import type { ColumnType, ListType, ScalarType } from '../../../src/protocol/data-set.ts'
import type { Expr } from '../../../src/site/query/bound/bound-query.ts'
import { call, caseOf, literal } from '../../../src/site/query/bind/expression/build-expression.ts'
import { CALL_IDS, catalogueRow } from '../../../src/site/query/catalogue/catalogue.ts'
import type { CallId } from '../../../src/site/query/catalogue/catalogue.ts'
import {
  DATE_FIELDS,
  DATE_UNITS,
  TIMESTAMP_FIELDS,
  TIMESTAMP_UNITS,
} from '../../../src/site/query/catalogue/catalogue-row.ts'
import type { ConstantKind, Parameter } from '../../../src/site/query/catalogue/catalogue-row.ts'
import {
  readInEitherCase,
  readRegularExpression,
} from '../../../src/site/query/catalogue/regular-expression.ts'
import { readFound, readSearched } from '../../../src/site/query/catalogue/searched-expression.ts'
import { arbitraryPattern, arbitrarySearched } from './arbitrary-pattern.ts'
import { DATE_PATTERNS, NUMBER_PATTERNS } from './written-patterns.ts'
import type { Cell, TestDataSet } from './two-engines.ts'
import { testManifest } from './two-engines.ts'

const TYPES = [
  'boolean',
  'integer',
  'number',
  'text',
  'date',
  'timestamp',
  'json',
  'boolean[]',
  'integer[]',
  'number[]',
  'text[]',
] as const satisfies readonly ColumnType[]

/** Values at which something might break, for two columns of each type. */
const EDGES: Readonly<Record<ScalarType, readonly Cell[]>> = {
  boolean: [true, false, null],
  integer: [
    '-9223372036854775808',
    '9223372036854775807',
    '9007199254740993',
    '-9007199254740992',
    0,
    1,
    -1,
    2,
    7,
    -13,
    1000,
    4_000_001,
    null,
  ],
  number: [
    'nan',
    'infinity',
    '-infinity',
    '-0',
    0,
    1e-320,
    -5e-324,
    1.5,
    -2.5,
    0.5,
    -0.5,
    0.49999999999999994,
    2.675,
    1e15,
    4503599627370495.5,
    1e149,
    -1e149,
    1e308,
    -1e200,
    1e-160,
    346.5,
    -745,
    3,
    null,
  ],
  text: [
    '',
    ' ',
    '  a b ',
    'Hé🦆',
    'É',
    'straße',
    "it's; --",
    '100%',
    'a_b\\c',
    'İ',
    'ﬁ',
    'zZ',
    '\u00e9',
    'e\u0301',
    '-5',
    '2020-01-01',
    ' 2021-02-29 ',
    '0000-01-01',
    '9999-12-30',
    ' +007 ',
    '-12.50',
    '1e5',
    '999999999999999.999999999999999',
    'NaN',
    null,
  ],
  date: [
    '0001-01-01',
    '0001-01-02',
    '1969-12-31',
    '2020-02-29',
    '2021-01-03',
    '2000-12-31',
    '9999-12-30',
    '9999-12-31',
    'infinity',
    '-infinity',
    null,
  ],
  timestamp: [
    '0001-01-01 00:00:00',
    '0001-01-01 00:00:00.000001',
    '1969-12-31 23:59:59.999999',
    '2020-02-29 12:30:15.5',
    '2021-01-03 00:00:00',
    '9999-12-30 23:59:59',
    'infinity',
    '-infinity',
    null,
  ],
}

/** Documents and lists, as JSON texts. */
const DOCUMENTS: Readonly<Record<Exclude<ColumnType, ScalarType>, readonly Cell[]>> = {
  json: [
    '{"a": 1, "b": {"c": [1, "x", null, true, 2.50, {"d": "e"}]}, "0": "zero", "a/b~c": "slash", "": "none"}',
    '{"a": "1", "a": "12.5", "b": null, "x": "2020-02-29"}',
    '{"b": {"c": {"0": 5, "a": [2]}}, "a": "true"}',
    '[1, 2, "a", "b", null, false, 1.0, 1e3, [1], {"a": 1}, -0.0]',
    '[]',
    '{}',
    '"a"',
    '"Hé🦆\\u001f\\n\\"/\\\\"',
    '17',
    '-0.1',
    '1e22',
    '1e-7',
    '1.5e-300',
    '123456789012345678901234567890',
    '0.1234567890123456789',
    'true',
    'false',
    'null',
    '{"a": {"a": {"a": [[["deep"]]]}}, "b": 1e149}',
    '{"a": [10, 20, 30], "b": ["a", "1"], "__proto__": 1, "x": " yes "}',
    null,
  ],
  'boolean[]': ['[true, false]', '[]', '[true]', '[false, false]', null],
  'integer[]': ['[1, 2, 3]', '[]', '[0]', '[-9007199254740991, 9007199254740991]', '[7, 7]', null],
  'number[]': ['[1.5, 2]', '[]', '[-0.0, 0.1]', '[1e149, -1e149, 1e-287]', '[2.5, 0, 0.5]', null],
  'text[]': ['["a", "b", "é"]', '[]', '["", " ", "null", "{}"]', '["ab", "Hé🦆"]', '["a"]', null],
}

/** Values at which something might break. */
const CELLS: Readonly<Record<ColumnType, readonly Cell[]>> = { ...EDGES, ...DOCUMENTS }

function columnOf(type: ColumnType, side: 'a' | 'b'): string {
  return `${type.replace('[]', '_list')}_${side}`
}

/** A data set of edge values: columns `boolean_a`, `boolean_b`, `integer_a`, … in rows that mix them. */
export function edgeDataSet(): TestDataSet {
  const columns = TYPES.flatMap((type) => [
    { name: columnOf(type, 'a'), type },
    { name: columnOf(type, 'b'), type },
  ])
  const rows = Array.from({ length: 150 }, (_, row) => {
    const cells = TYPES.flatMap((type) => [
      CELLS[type][row % CELLS[type].length] ?? null,
      CELLS[type][(row * 7 + Math.floor(row / CELLS[type].length)) % CELLS[type].length] ?? null,
    ])
    return [row, ...cells] as const
  })
  return { manifest: testManifest('edges', { columns, rowsMax: 1 }), rows }
}

const constants: Readonly<Record<ConstantKind, fc.Arbitrary<string | number>>> = {
  'date unit': fc.constantFrom(...DATE_UNITS),
  'timestamp unit': fc.constantFrom(...TIMESTAMP_UNITS),
  'date field': fc.constantFrom(...DATE_FIELDS),
  'timestamp field': fc.constantFrom(...TIMESTAMP_FIELDS),
  second: fc.constant('second'),
  epoch: fc.constant('epoch'),
  digits: fc.integer({ min: -15, max: 15 }),
  from: fc.constantFrom(1, 2, 3, 100),
  'json index': fc.constantFrom(0, 1, 5, -1, -2, 100),
  dimension: fc.constant(1),
  length: fc.constantFrom(0, 1, 2, 100),
  'length or but': fc.constantFrom(0, 1, 2, 100, -1, -2, -100),
  place: fc.constantFrom(1, 2, 100, -1, -2, -100),
  'day pattern': fc.constantFrom('YYYY-MM-DD', 'DD/MM/YYYY', 'YYYYMMDD', 'MM.DD. YYYY'),
  buckets: fc.constantFrom(1, 3, 10, 10_000),
  repeats: fc.constantFrom(0, 1, 2, 7),
  width: fc.constantFrom(0, 1, 2, 3, 5, 9),
  'each match': fc.constant('g'),
  'either case': fc.constant('i'),
  'each in either case': fc.constantFrom('gi', 'ig'),
  'date pattern': fc.constantFrom(...DATE_PATTERNS),
  'number pattern': fc.constantFrom(...NUMBER_PATTERNS),
  bound: fc.constantFrom(-100, 0, 1, 100),
  edge: fc.constantFrom(0, 1, 2.5, 100),
}

const literals: Readonly<Record<ScalarType | 'interval' | 'person', fc.Arbitrary<Expr>>> = {
  boolean: fc.constantFrom(true, false, null).map((value) => literal('boolean', value)),
  integer: fc
    .oneof(
      fc.integer({ min: -20, max: 20 }),
      fc.maxSafeInteger(),
      fc.constantFrom('9223372036854775807', '-9223372036854775807', null),
    )
    .map((value) => literal('integer', Object.is(value, -0) ? 0 : value)),
  number: fc
    .oneof(
      fc.constantFrom(0, 1, -1, 0.5, 2.5, 1e149, -1e149, 1e-100, 10),
      fc
        .double({ noNaN: true, noDefaultInfinity: true, min: -1e149, max: 1e149 })
        .filter((value) => Math.abs(value) > 1e-200 || value === 0),
    )
    .map((value) => literal('number', value === 0 ? 0 : value)),
  text: fc
    .oneof(
      fc.constantFrom('', 'a', "'", 'É', '\\', '%'),
      fc
        .string({ unit: 'grapheme', maxLength: 6 })
        .filter((text) => text.isWellFormed() && !text.includes('\0')),
    )
    .map((value) => literal('text', value)),
  date: fc
    .constantFrom('0001-01-01', '2020-02-29', '1999-12-31', '9999-12-31')
    .map((value) => literal('date', value)),
  timestamp: fc
    .constantFrom('2020-02-29 12:00:00', '1969-12-31 23:59:59.999999', '9999-12-30 00:00:00')
    .map((value) => literal('timestamp', value)),
  interval: fc
    .record({
      months: fc.integer({ min: -24_000, max: 24_000 }),
      days: fc.integer({ min: -40_000, max: 40_000 }),
      microseconds: fc.integer({ min: -86_400_000_000, max: 86_400_000_000 }),
    })
    .map((span) => literal('interval', span)),
  person: fc.constant({ kind: 'person', source: 0, type: 'person', size: 1 } as const),
}

const patterns = fc
  .constantFrom('%', 'a%', '_', '%\\%', '%\\\\%', 'É%', '%s', '')
  .map((value) => literal('text', value))

/** As they are once read: those that are not read stand in no expression. */
const regularExpressions = arbitraryPattern.map((text) =>
  literal('text', readRegularExpression(text) ?? null),
)

const foldedExpressions = arbitraryPattern.map((text) => literal('text', readInEitherCase(text) ?? null))

/** Patterns of which it matters what they find, and what may be put in for any of them. */
const SEARCHED: Readonly<Record<string, fc.Arbitrary<Expr>>> = {
  'searched expression': searchedBy((text) => readSearched(text)?.text),
  'folded searched expression': searchedBy((text) => readSearched(text, readInEitherCase)?.text),
  'found expression': searchedBy(readFound),
  replacement: fc.constantFrom('', '&', '$').map((value) => literal('text', value)),
}

function searchedBy(read: (pattern: string) => string | undefined): fc.Arbitrary<Expr> {
  return arbitrarySearched.map((text) => literal('text', read(text) ?? read('a') ?? null))
}

const writtenTexts = fc
  .constantFrom('ab', '--', '  ', 'é\u{1F986}', null)
  .map((value) => literal('text', value))
const strides = fc
  .constantFrom(
    { months: 0, days: 7, microseconds: 0 },
    { months: 0, days: 0, microseconds: 900_000_000 },
    { months: 0, days: 1, microseconds: 1 },
    { months: 0, days: 36_525, microseconds: 0 },
  )
  .map((value) => literal('interval', value))
const shorterTexts = fc.constantFrom('', 'x', 'é', null).map((value) => literal('text', value))

function leaf(type: ColumnType): fc.Arbitrary<Expr> {
  const column = fc
    .constantFrom('a', 'b')
    .map((side): Expr => ({ kind: 'column', source: 0, column: columnOf(type, side), type, size: 1 }))
  if (type === 'json') return column
  if (!isScalarType(type))
    return fc.oneof({ weight: 3, arbitrary: column }, { weight: 1, arbitrary: writtenList(type) })
  return fc.oneof({ weight: 3, arbitrary: column }, { weight: 1, arbitrary: literals[type] })
}

const LIST_OF = {
  'boolean[]': 'list_of_booleans',
  'integer[]': 'list_of_integers',
  'number[]': 'list_of_numbers',
  'text[]': 'list_of_texts',
} as const satisfies Readonly<Record<ListType, CallId>>

/** Of values that are written out, as a list always is. */
function writtenList(type: ListType): fc.Arbitrary<Expr> {
  const values = literals[elementType(type) ?? 'text'].filter(
    (expr) => expr.kind === 'literal' && expr.value !== null,
  )
  return fc.array(values, { minLength: 1, maxLength: 3 }).map((items) => call(LIST_OF[type], items))
}

/** Expressions of a type, made of rows of the catalogue, CASE, columns of `edgeDataSet` and literals. */
export function expressionOf(type: ColumnType, depth: number): fc.Arbitrary<Expr> {
  if (depth === 0) return leaf(type)
  const calls = callsGiving(type)
  if (calls.length === 0) return leaf(type)
  const cases = fc
    .tuple(
      expressionOf('boolean', depth - 1),
      expressionOf(type, depth - 1),
      fc.option(expressionOf(type, depth - 1), { nil: undefined }),
    )
    .map(([when, value, otherwise]) => caseOf([{ when, value }], otherwise))
  return fc.oneof(
    { weight: 2, arbitrary: leaf(type) },
    { weight: 6, arbitrary: fc.constantFrom(...calls).chain((id) => callOf(id, { type, depth })) },
    { weight: 1, arbitrary: cases },
  )
}

/** Rows that give a type; lists that are written out are leaves. */
function callsGiving(type: ColumnType): readonly CallId[] {
  const isElement = LIST_TYPES.some((list) => elementType(list) === type)
  return CALL_IDS.filter((id) => {
    const { gives } = catalogueRow(id)
    return gives === 'any'
      ? isScalarType(type)
      : gives === 'item'
        ? isElement
        : gives === type && isScalarOrJson(type)
  })
}

function isScalarOrJson(type: ColumnType): boolean {
  return type === 'json' || isScalarType(type)
}

/** A call of one row of the catalogue. */
export function callOf(
  id: CallId,
  { type, depth }: { readonly type: ColumnType; readonly depth: number },
): fc.Arbitrary<Expr> {
  const row = catalogueRow(id)
  const takes: readonly Parameter[] = row.isVariadic ? [...row.takes, ...row.takes.slice(-1)] : row.takes
  const written = Object.entries(LIST_OF).find(([, made]) => made === id)
  if (written) return writtenList(LIST_TYPES.find((list) => list === written[0]) ?? 'text[]')
  const any = row.gives === 'any' && isScalarType(type) ? fc.constant(type) : fc.constantFrom(...SCALAR_TYPES)
  const lists = LIST_TYPES.filter((list) => row.gives !== 'item' || elementType(list) === type)
  const types = fc.record({ any, list: fc.constantFrom(...(lists.length > 0 ? lists : LIST_TYPES)) })
  return types.chain((chosen) => {
    const places = takes
      .filter((parameter) => typeof parameter !== 'object')
      .map((parameter) => argument(parameter, { ...chosen, depth: depth - 1 }))
    const words = takes.flatMap((parameter) =>
      typeof parameter === 'object' ? [constants[parameter.constant]] : [],
    )
    return fc
      .tuple(fc.tuple(...places), fc.tuple(...words))
      .map(([args, values]) => call(id, args, risingEdges(values, id)))
  })
}

/** The edges of `width_bucket` must rise. */
function risingEdges(values: readonly (string | number)[], id: CallId): readonly (string | number)[] {
  if (id !== 'width_bucket') return values
  const [low = 0, high = 0, count = 1] = values
  return low < high ? values : [high, Number(low) + 1, count]
}

/** What is written out beside a document. */
const NAMES: Readonly<Record<string, fc.Arbitrary<Expr>>> = Object.fromEntries(
  Object.entries({
    'member name': ['a', 'b', 'c', 'x', '', 'a/b~c', '__proto__', '-', '01', '2x', ' 0', '$.a', '*'],
    'member name of digits': ['0', '1', '17'],
    'path step': ['a', 'b', 'c', '0', '1', '5', '', '-', 'x y'],
    'json value': ['1', '"a"', 'null', 'true', '2.5', '"x"', '1000', '0'],
  }).map(([name, texts]) => [name, fc.constantFrom(...texts).map((text) => literal('text', text))]),
)

function argument(
  parameter: Exclude<Parameter, object>,
  { any, list, depth }: { readonly any: ScalarType; readonly list: ListType; readonly depth: number },
): fc.Arbitrary<Expr> {
  if (parameter === 'any') return expressionOf(any, Math.max(0, depth))
  if (parameter === 'anything')
    return fc.constantFrom(...TYPES).chain((type) => expressionOf(type, Math.max(0, depth)))
  if (parameter === 'list') return leaf(list)
  if (parameter === 'item') return expressionOf(elementType(list) ?? 'text', Math.max(0, depth))
  const names = NAMES[parameter]
  if (names) return names
  if (parameter === 'pattern') return patterns
  if (parameter === 'regular expression') return regularExpressions
  if (parameter === 'folded expression') return foldedExpressions
  const searched = SEARCHED[parameter]
  if (searched) return searched
  if (parameter === 'written text') return writtenTexts
  if (parameter === 'shorter text') return shorterTexts
  if (parameter === 'stride') return strides
  if (parameter === 'interval' || parameter === 'person') return literals[parameter]
  const type = TYPES.find((known) => known === parameter)
  return type ? expressionOf(type, Math.max(0, depth)) : writtenTexts
}
