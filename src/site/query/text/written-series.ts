import type { Alias, Node, RangeFunction, SelectStmt, TypeCast, TypeName } from '@pgsql/types'
import { LIMITS } from '../../../kernel/limits.ts'
import { addSpan } from '../bound/add-span.ts'
import { readLiteral } from '../bound/literals.ts'
import type { Span } from '../catalogue/expression-type.ts'
import { locationOf, textsOf } from './nodes.ts'
import { tooLarge } from './refusal.ts'

/** Whether a function in FROM is `generate_series(…)` of whole numbers, days or times that are written out. */
export function isWrittenSeries(body: unknown): boolean {
  return seriesOf(body as RangeFunction) !== undefined
}

/** The same tree, which was checked, with each of these as the VALUES that it stands for. Throws a `Refusal`. */
export function withWrittenSeries(select: SelectStmt): SelectStmt {
  return replaced(select, { rows: 0 }) as SelectStmt
}

/** What was written out so far: few signs become many rows, so there is a bound for all of them together. */
interface Written {
  rows: number
}

function replaced(value: unknown, written: Written): unknown {
  if (Array.isArray(value)) return value.map((part) => replaced(part, written))
  if (typeof value !== 'object' || value === null) return value
  const shown = 'SelectStmt' in value ? inFrom(value.SelectStmt as SelectStmt, written) : undefined
  if (shown) return { SelectStmt: shown }
  const series = 'RangeFunction' in value ? seriesOf(value.RangeFunction as RangeFunction) : undefined
  if (series) return valuesFor(series, written)
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, replaced(part, written)]))
}

/**
 * `select generate_series(…)::date as day`, as a calendar is often written: a SELECT of nothing but a series is one from its values. Undefined of
 * any other.
 */
function inFrom(select: SelectStmt, written: Written): SelectStmt | undefined {
  const [target, another] = select.targetList ?? []
  const { fromClause, whereClause, groupClause, havingClause, distinctClause, valuesLists, larg } = select
  const others = [fromClause, whereClause, groupClause, havingClause, distinctClause, valuesLists, larg]
  if (!target || another || !('ResTarget' in target) || others.some((clause) => clause !== undefined))
    return undefined
  const { val, name = SERIES } = target.ResTarget
  const { arg, ...cast } = val && 'TypeCast' in val ? val.TypeCast : { arg: val }
  const series = arg && seriesOf({ functions: [{ List: { items: [arg] } }], alias: { aliasname: name } })
  if (!series) return undefined
  const values = 'typeName' in cast ? casted(series, cast) : series
  if (!values) return undefined
  const column: Node = { ColumnRef: { fields: [{ String: { sval: name } }] } }
  return {
    ...select,
    targetList: [{ ResTarget: { name, val: column } }],
    fromClause: [valuesFor(values, written)],
  }
}

/** The same with each of its times as the day it is of, which is what it is cast to; undefined of another cast. */
function casted(series: Series, { typeName }: Omit<TypeCast, 'arg'>): Series | undefined {
  if (typeName === undefined || textsOf(typeName.names ?? [])?.at(-1) !== 'date') return undefined
  return {
    ...series,
    *values() {
      for (const value of series.values()) yield dayOf(value, typeName)
    },
  }
}

const DAY_CHARACTERS = 'YYYY-MM-DD'.length

function dayOf(value: Node, typeName: TypeName): Node {
  const { arg } = 'TypeCast' in value ? value.TypeCast : {}
  const text = arg && 'A_Const' in arg ? arg.A_Const.sval?.sval : undefined
  if (text === undefined) return { TypeCast: { arg: value, typeName } }
  return { TypeCast: { arg: { A_Const: { sval: { sval: text.slice(0, DAY_CHARACTERS) } } }, typeName } }
}

const SERIES = 'generate_series'

/** A series that has at least one value: the place and the name of it, and its values one after the other. */
interface Series {
  readonly alias: Alias | undefined
  readonly at: number | undefined
  readonly values: () => Iterable<Node>
}

function seriesOf({
  functions = [],
  alias,
  lateral,
  ordinality,
  coldeflist,
}: RangeFunction): Series | undefined {
  const [list, another] = functions
  const [call] = list && 'List' in list ? (list.List.items ?? []) : []
  if (another || lateral || ordinality || coldeflist || !call || !('FuncCall' in call)) return undefined
  // Whatever else a call may have (DISTINCT, ORDER BY, FILTER, OVER, VARIADIC) no series has.
  if (!Object.keys(call.FuncCall).every((field) => OF_PLAIN_CALL.has(field))) return undefined
  const { funcname = [], args = [], location } = call.FuncCall
  if (textsOf(funcname)?.join('.') !== SERIES) return undefined
  const at = locationOf({ location })
  const values = valuesOf(args, at)
  return values && { alias, at, values }
}

const OF_PLAIN_CALL: ReadonlySet<string> = new Set(['funcname', 'args', 'funcformat', 'location'])

function valuesFor({ alias, at, values }: Series, written: Written): Node {
  const valuesLists: Node[] = []
  for (const item of values()) {
    valuesLists.push({ List: { items: [item] } })
    written.rows += 1
    if (valuesLists.length > LIMITS.queryWrittenRowsMax)
      throw tooLarge(`The question writes out a relation of more than ${LIMITS.queryWrittenRowsMax} rows`, at)
    if (written.rows > LIMITS.querySeriesRowsMax)
      throw tooLarge(`The question writes out series of more than ${LIMITS.querySeriesRowsMax} rows`, at)
  }
  return {
    RangeSubselect: {
      subquery: { SelectStmt: { valuesLists, limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' } },
      alias: namedAlias(alias),
    },
  }
}

/** The one column of a function is called as the function is, or as what it is called in FROM. */
function namedAlias(alias: Alias | undefined): Alias {
  const name = alias?.aliasname ?? SERIES
  const colnames = alias?.colnames ?? [{ String: { sval: name } }]
  return { aliasname: name, colnames }
}

function valuesOf(args: readonly Node[], at: number | undefined): Series['values'] | undefined {
  const [start, end, step, more] = args.map(readArgument)
  if (start === undefined || end === undefined || more !== undefined || args.length > 3) return undefined
  if (args.length === 3 && step === undefined) return undefined
  if (typeof start === 'number' && typeof end === 'number' && typeof (step ?? 1) === 'number') {
    const by = typeof step === 'number' ? step : 1
    const isPast = (one: number): boolean => (by > 0 ? one > end : one < end)
    if (by === 0 || isPast(start)) return undefined
    return () => counted({ start, next: (one) => one + by, isPast, write: (one) => number(one, at) })
  }
  if (typeof start !== 'string' || typeof end !== 'string' || typeof step !== 'object') return undefined
  // The order of texts is that of times. A step that does not lead on would have no end.
  const second = addSpan(start, step, 1)
  const isPast = (one: string): boolean => one > end
  if (second === undefined || second <= start || isPast(start)) return undefined
  return () => counted({ start, next: (one) => addSpan(one, step, 1), isPast, write: (one) => time(one, at) })
}

interface Counting<T> {
  readonly start: T
  readonly next: (one: T) => T | undefined
  readonly isPast: (one: T) => boolean
  readonly write: (one: T) => Node
}

function* counted<T>({ start, next, isPast, write }: Counting<T>): Iterable<Node> {
  for (let one: T | undefined = start; one !== undefined && !isPast(one); one = next(one)) yield write(one)
}

/** A whole number, a time as its text, or a span; `undefined` of anything that is not written out. */
function readArgument(node: Node): number | string | Span | undefined {
  if ('A_Const' in node) {
    if (node.A_Const.ival) return node.A_Const.ival.ival ?? 0
    const text = node.A_Const.sval?.sval
    return text === undefined ? undefined : timeOf(text)
  }
  if (
    'A_Expr' in node &&
    textsOf(node.A_Expr.name ?? [])?.join() === '-' &&
    node.A_Expr.lexpr === undefined
  ) {
    const value = node.A_Expr.rexpr && readArgument(node.A_Expr.rexpr)
    return typeof value === 'number' ? -value : undefined
  }
  if (!('TypeCast' in node)) return undefined
  const { arg, typeName } = node.TypeCast
  const type = textsOf(typeName?.names ?? [])?.at(-1)
  const text = arg && 'A_Const' in arg ? arg.A_Const.sval?.sval : undefined
  if (text === undefined)
    return arg && (type === 'timestamp' || type === 'date') ? timeOnly(readArgument(arg)) : undefined
  if (type === 'interval') {
    const span = readLiteral(text, 'interval')
    return typeof span === 'object' && span !== null ? span : undefined
  }
  return type === 'timestamp' || type === 'date' ? timeOf(text) : undefined
}

function timeOnly(value: number | string | Span | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function timeOf(text: string): string | undefined {
  const value = readLiteral(text, 'timestamp') ?? undefined
  return typeof value === 'string' ? value : undefined
}

function number(value: number, location: number | undefined): Node {
  return { A_Const: { ival: { ival: value }, ...(location === undefined ? {} : { location }) } }
}

function time(value: string, location: number | undefined): Node {
  const place = location === undefined ? {} : { location }
  return {
    TypeCast: {
      arg: { A_Const: { sval: { sval: value }, ...place } },
      typeName: { names: [{ String: { sval: 'timestamp' } }], typemod: -1, ...place },
      ...place,
    },
  }
}
