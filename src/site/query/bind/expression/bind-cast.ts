import type { Node, TypeName } from '@pgsql/types'
import type { ScalarType } from '../../../../protocol/data-set.ts'
import type { Call, Expr } from '../../bound/bound-query.ts'
import { call, caseOf, coerce, describeTerm, literal } from './build-expression.ts'
import type { Term } from './build-expression.ts'
import { catalogueRow } from '../../catalogue/catalogue.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import type { ExprType } from '../../catalogue/expression-type.ts'
import { textsOf } from '../../text/nodes.ts'
import { notAllowed, notSupported, spoken } from '../../text/refusal.ts'

/** Types as they are named in a question. */
const TYPE_NAMES: Readonly<Record<string, ScalarType | 'interval'>> = {
  bool: 'boolean',
  boolean: 'boolean',
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  integer: 'integer',
  bigint: 'integer',
  smallint: 'integer',
  float8: 'number',
  numeric: 'number',
  decimal: 'number',
  number: 'number',
  text: 'text',
  varchar: 'text',
  date: 'date',
  timestamp: 'timestamp',
  interval: 'interval',
}

/** What to write instead of a type. */
const OF_A_DAY = "; take extract(hour from t) or to_char(t, 'HH24:MI')"
const OF_A_ZONE = '; times stand as the data set has them: write timestamp'
const INSTEAD: Readonly<Partial<Record<string, string>>> = {
  time: OF_A_DAY,
  timetz: OF_A_DAY,
  timestamptz: OF_A_ZONE,
  json: '; a document is read, not made',
  jsonb: '; a document is read, not made',
  float4: '; write float8 or numeric',
  money: '; write numeric',
}

/** Most digits of a `numeric(p, s)`: what a double holds. */
const DIGITS_MAX = 15

/** Casts a term to a type as it is written. What has no counterpart in the type becomes null. */
export function castTo(typeName: TypeName | undefined, term: Term): Expr {
  const offset = typeName?.location
  if (typeName?.arrayBounds)
    throw notSupported(
      "an array type, but of a written list after ANY and ALL, as in = any ('{a,b}'::text[])",
      offset,
    )
  const { name, type } = typeOf(typeName)
  const sizes = typeName?.typmods?.map((node) => sizeOf(node, offset))
  const expr = castTerm(term, type, offset)
  return sizes ? sized(expr, { name, sizes, offset }) : expr
}

function typeOf(typeName: TypeName | undefined): {
  readonly name: string
  readonly type: ScalarType | 'interval'
} {
  const names = textsOf(typeName?.names ?? []) ?? []
  const plain = names[0] === 'pg_catalog' ? names.slice(1) : names
  const [name = ''] = plain
  const type = plain.length === 1 && Object.hasOwn(TYPE_NAMES, name) ? TYPE_NAMES[name] : undefined
  if (type === undefined)
    throw notAllowed(`the type ${spoken(plain.join('.'))}${INSTEAD[name] ?? ''}`, typeName?.location)
  return { name, type }
}

function castTerm(term: Term, type: ScalarType | 'interval', offset: number | undefined): Expr {
  if (term.kind === 'untyped') return coerce(term, type, { offset, name: 'cast' })
  if (term.type === type) return term
  if (term.kind === 'call' && term.call === 'json_text') return castJsonText(term, type, offset)
  if (term.type === 'json' && type === 'integer')
    return call('cast_number_integer', [call('cast_json_number', [term])])
  const id = castId(term.type, type)
  if (id === undefined) throw notAllowed(`the cast from ${describeTerm(term)} to ${type}`, offset)
  return call(id, [term])
}

/** A number in a document is taken as it is, whatever its digits; a text there as any text. */
function castJsonText(text: Call, type: ScalarType | 'interval', offset: number | undefined): Expr {
  const id = castId('text', type)
  if (id === undefined) throw notAllowed(`the cast from ${describeTerm(text)} to ${type}`, offset)
  const [document] = text.args
  if (type !== 'number' || document === undefined) return call(id, [text])
  const isNumber = call('eq', [call('json_kind', [document]), literal('text', 'number')])
  return caseOf([{ when: isNumber, value: call('cast_json_number', [document]) }], call(id, [text]))
}

const CASTS = [
  'cast_integer_number',
  'cast_number_integer',
  'cast_boolean_integer',
  'cast_integer_boolean',
  'cast_integer_text',
  'cast_boolean_text',
  'cast_date_text',
  'cast_text_integer',
  'cast_text_number',
  'cast_text_date',
  'cast_text_boolean',
  'cast_json_number',
  'cast_json_boolean',
  'cast_date_timestamp',
  'cast_timestamp_date',
] as const

function castId(from: ExprType, to: ExprType): CallId | undefined {
  return CASTS.find((id) => catalogueRow(id).takes[0] === from && catalogueRow(id).gives === to)
}

function sizeOf(node: Node, offset: number | undefined): number {
  const value = 'A_Const' in node && node.A_Const.ival ? (node.A_Const.ival.ival ?? 0) : Number.NaN
  if (!Number.isSafeInteger(value)) throw notSupported('this length or precision of a type', offset)
  return value
}

interface Sized {
  readonly name: string
  readonly sizes: readonly number[]
  readonly offset: number | undefined
}

/** `varchar(n)` cuts, as in PostgreSQL; `numeric(p, s)` rounds, and is null past its digits, where PostgreSQL fails. */
function sized(expr: Expr, { name, sizes, offset }: Sized): Expr {
  const [first = 0, second = 0, more] = sizes
  if (name === 'varchar' && sizes.length === 1 && first >= 1 && first <= 1_000_000)
    return call('left', [expr], [first])
  if (
    name !== 'numeric' ||
    more !== undefined ||
    first < 1 ||
    first > DIGITS_MAX ||
    second < 0 ||
    second > first
  )
    throw notSupported(
      `a length or precision of a type but varchar(n) and numeric(p, s) of at most ${DIGITS_MAX} digits`,
      offset,
    )
  const rounded = call('round_digits', [expr], [second])
  const isWithin = call('lt', [call('abs_number', [rounded]), literal('number', 10 ** (first - second))])
  return caseOf([{ when: isWithin, value: rounded }], undefined)
}
