import type { BoundQuery, Expr, Literal, SortKey, WindowCall } from '../bound/bound-query.ts'
import type { ExprType, Span } from '../catalogue/expression-type.ts'
import { catalogueRow } from '../catalogue/catalogue.ts'
import type { Dialect } from '../catalogue/catalogue-row.ts'
import {
  duckdbDouble,
  duckdbFinite,
  duckdbSpan,
  postgresDouble,
  postgresFinite,
  postgresSpan,
} from '../catalogue/forms.ts'
import type { Text } from '../catalogue/forms.ts'
import { sourcesOf } from '../bound/joined-level.ts'
import { isSpreadOf, SPREADS } from '../bound/spread.ts'
import type { Spread } from '../bound/spread.ts'
import { printFrame } from '../bind/expression/window-frame.ts'
import type { VaultParameter } from '../../vault/vault.ts'

/**
 * Prints bound expressions as an engine's text. Names are always quoted, texts always bound, and everything else is
 * written from values of known types: nothing of the sent text is copied.
 */
export interface Printing {
  readonly dialect: Dialect
  /** Texts of the question, bound as `$1`, `$2`, … in the order in which they are printed. */
  readonly parameters: VaultParameter[]
  /** What a column, key or measure is called where this is printed. */
  readonly column: (source: number, column: string) => Text
  readonly key: (key: number) => Text
  readonly measure: (measure: number) => Text
}

/** A name, quoted. */
export function quoted(name: string): Text {
  return `"${name.replaceAll('"', '""')}"`
}

const TYPES: Readonly<Record<Dialect, Readonly<Record<ExprType, Text>>>> = {
  duckdb: {
    boolean: 'boolean',
    integer: 'bigint',
    number: 'double',
    text: 'varchar',
    date: 'date',
    timestamp: 'timestamp',
    json: 'varchar',
    'boolean[]': 'boolean[]',
    'integer[]': 'bigint[]',
    'number[]': 'double[]',
    'text[]': 'varchar[]',
    interval: 'interval',
    person: 'integer',
  },
  postgres: {
    boolean: 'boolean',
    integer: 'bigint',
    number: 'float8',
    text: 'text',
    date: 'date',
    timestamp: 'timestamp',
    json: 'json',
    'boolean[]': 'boolean[]',
    'integer[]': 'bigint[]',
    'number[]': 'float8[]',
    'text[]': 'text[]',
    interval: 'interval',
    person: 'integer',
  },
}

/** A type's name in a dialect. */
function typeText(type: ExprType, dialect: Dialect): Text {
  return TYPES[dialect][type]
}

/** An expression as text. */
export function printExpression(expr: Expr, printing: Printing): Text {
  switch (expr.kind) {
    case 'literal':
      return printLiteral(expr, printing)
    case 'column':
      return printing.column(expr.source, expr.column)
    case 'person': {
      const [first = '', ...others] = sourcesOf(expr).map((source) => printing.column(source, '_p'))
      return others.length === 0 ? first : `coalesce(${[first, ...others].join(', ')})`
    }
    case 'key':
      return printing.key(expr.key)
    case 'measure':
      return printing.measure(expr.measure)
    case 'call': {
      const all = expr.args.map((arg) => printExpression(arg, printing))
      const [a = '', b = '', c = ''] = all
      return catalogueRow(expr.call)[printing.dialect]({ a, b, c, all, constants: expr.constants })
    }
    case 'window':
      return printWindow(expr, printing)
    case 'case': {
      const whens = expr.whens.map(
        ({ when, value }) =>
          `when ${printExpression(when, printing)} then ${printExpression(value, printing)}`,
      )
      const otherwise = expr.otherwise ? ` else ${printExpression(expr.otherwise, printing)}` : ''
      return `case ${whens.join(' ')}${otherwise} end`
    }
  }
}

function printWindow(expr: WindowCall, printing: Printing): Text {
  const { function: made, args, offset, partition, order, ties, person, frame } = expr
  const list = args.map((arg) => printExpression(arg, printing))
  if (made === 'lag' || made === 'lead' || made === 'nth_value' || made === 'ntile')
    list.splice(1, 0, String(offset))
  if (made === 'count' && args.length === 0) list.push('*')
  const by = [...(person ? [person] : []), ...partition].map((part) => printExpression(part, printing))
  const sorted = [
    ...order.map((key) => printSortKey(key, printing)),
    ...ties.map((tie) => printExpression(tie, printing)),
  ]
  const window = [
    ...(by.length === 0 ? [] : [`partition by ${by.join(', ')}`]),
    ...(sorted.length === 0 ? [] : [`order by ${sorted.join(', ')}`]),
  ]
  const over = `(${list.join(', ')}) over (${window.join(' ')}${frame ? printFrame(frame, printing.dialect) : ''})`
  if (isSpreadOf(made)) return printSpread(made, (name) => `${name}${over}`, printing.dialect)
  const text = `${made}${over}`
  if (made !== 'sum' && made !== 'avg') return text
  return printing.dialect === 'duckdb'
    ? duckdbFinite(duckdbDouble(text))
    : postgresFinite(postgresDouble(text))
}

/**
 * A variance or deviation of doubles. Of equal values exactly 0, which engines that add up in another way would else miss by a
 * last digit.
 */
export function printSpread(made: Spread, aggregate: (name: string) => Text, dialect: Dialect): Text {
  const variance = SPREADS[made]
  const least = variance === 'var_samp' ? '1' : '0'
  const text = `case when ${aggregate('count')} > ${least} then case when ${aggregate('min')} = ${aggregate('max')} then 0 else greatest(${aggregate(variance)}, 0) end end`
  const double = dialect === 'duckdb' ? duckdbDouble(text) : postgresDouble(text)
  const value = made === variance ? double : `sqrt(${double})`
  return dialect === 'duckdb' ? duckdbFinite(value) : postgresFinite(value)
}

/** One item of an ORDER BY, with nulls where they were asked for. */
export function printSortKey({ expr, isDescending, nullsFirst }: SortKey, printing: Printing): Text {
  return `${printExpression(expr, printing)} ${isDescending ? 'desc' : 'asc'} nulls ${nullsFirst ? 'first' : 'last'}`
}

/** A value of a known type. */
export function printLiteral(
  { type, value }: Pick<Literal, 'type' | 'value'>,
  { dialect, parameters }: Pick<Printing, 'dialect' | 'parameters'>,
): Text {
  if (value === null) return `cast(null as ${typeText(type, dialect)})`
  switch (type) {
    case 'boolean':
      return value === true ? 'true' : 'false'
    case 'integer':
      return `cast(${wholeText(value)} as bigint)`
    case 'number':
      return dialect === 'duckdb' ? `(${numberText(value)})` : `cast(${numberText(value)} as float8)`
    case 'text':
      parameters.push({ type: 'text', value: textOf(value) })
      return `cast($${parameters.length} as ${typeText('text', dialect)})`
    case 'date':
      return `date '${checked(textOf(value), /^\d{4}-\d{2}-\d{2}$/)}'`
    case 'timestamp':
      return `timestamp '${checked(textOf(value), /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?$/)}'`
    case 'interval':
      return printSpan(value, dialect)
    case 'person':
    case 'json':
    case 'boolean[]':
    case 'integer[]':
    case 'number[]':
    case 'text[]':
      throw new Error(`Cannot print a literal: none is of type ${type}`)
  }
}

function textOf(value: Literal['value']): string {
  if (typeof value !== 'string') throw new Error('Cannot print a literal: it is no text')
  return value
}

function wholeText(value: Literal['value']): Text {
  return checked(typeof value === 'number' ? BigInt(value).toString() : textOf(value), /^-?\d{1,19}$/)
}

/** Infinity and NaN are names to an engine. */
function numberText(value: Literal['value']): Text {
  return checked(Number(value).toExponential(), /^-?\d(\.\d+)?e[+-]\d{1,3}$/)
}

function printSpan(value: Literal['value'], dialect: Dialect): Text {
  if (typeof value !== 'object' || value === null)
    throw new Error('Cannot print a span of time: the literal is none')
  const { months, days, microseconds }: Span = value
  const span = { months: Number(months), days: Number(days), microseconds: Number(microseconds) }
  return dialect === 'duckdb' ? duckdbSpan(span) : postgresSpan(span)
}

/** The second lock on what is not bound: what binding made must look as it must. */
function checked(text: Text, form: RegExp): Text {
  if (!form.test(text)) throw new Error('Cannot print a literal: it is not in the form of its type')
  return text
}

/** A value as it leaves: dates, times and documents as texts, so that no driver's own form comes in between. */
export function printReleased(type: ExprType, text: Text, dialect: Dialect): Text {
  if (type === 'date')
    return dialect === 'duckdb' ? `strftime(${text}, '%Y-%m-%d')` : `to_char(${text}, 'YYYY-MM-DD')`
  if (type === 'json') return dialect === 'duckdb' ? text : `cast(${text} as text)`
  if (type === 'timestamp')
    return dialect === 'duckdb'
      ? `strftime(${text}, '%Y-%m-%dT%H:%M:%S.%fZ')`
      : `to_char(${text}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
  return text
}

/** `order by … limit … offset …` of what there is. */
export function printTail(
  order: readonly Text[],
  { limit, offset }: Pick<BoundQuery, 'limit' | 'offset'>,
): Text {
  return [
    order.length === 0 ? '' : `\norder by ${order.join(', ')}`,
    limit === undefined ? '' : `\nlimit ${limit}`,
    offset === undefined ? '' : `\noffset ${offset}`,
  ].join('')
}
