import type { Alias, FuncCall, Node, RangeFunction, SelectStmt } from '@pgsql/types'
import { LIMITS } from '../../../kernel/limits.ts'
import { addSpan } from '../bound/add-span.ts'
import { readLiteral } from '../bound/literals.ts'
import type { Span } from '../catalogue/expression-type.ts'
import { locationOf, textsOf } from './nodes.ts'
import { tooLarge } from './refusal.ts'

/** Whether a function in FROM is `generate_series(…)` of whole numbers, days or times that are written out. Throws a `Refusal`. */
export function isWrittenSeries(body: unknown): boolean {
  return seriesOf(body as RangeFunction) !== undefined
}

/** The same tree, which was checked, with each of these as the VALUES that it stands for. */
export function withWrittenSeries(select: SelectStmt): SelectStmt {
  return replaced(select) as SelectStmt
}

function replaced(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(replaced)
  if (typeof value !== 'object' || value === null) return value
  if ('RangeFunction' in value) return seriesOf(value.RangeFunction as RangeFunction) ?? value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, replaced(part)]))
}

function seriesOf({
  functions = [],
  alias,
  lateral,
  ordinality,
  coldeflist,
}: RangeFunction): Node | undefined {
  const [list, another] = functions
  const [call] = list && 'List' in list ? (list.List.items ?? []) : []
  if (another || lateral || ordinality || coldeflist || !call || !('FuncCall' in call)) return undefined
  if (textsOf(call.FuncCall.funcname ?? [])?.at(-1) !== 'generate_series') return undefined
  const values = valuesOf(call.FuncCall)
  if (values === undefined || values.length === 0) return undefined
  const valuesLists = values.map((item): Node => ({ List: { items: [item] } }))
  return {
    RangeSubselect: {
      subquery: { SelectStmt: { valuesLists, limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' } },
      alias: namedAlias(alias),
    },
  }
}

/** The one column of a function is called as the function is, or as what it is called in FROM. */
function namedAlias(alias: Alias | undefined): Alias {
  const name = alias?.aliasname ?? 'generate_series'
  const colnames = alias?.colnames ?? [{ String: { sval: name } }]
  return { aliasname: name, colnames }
}

function valuesOf({ args = [], location }: FuncCall): readonly Node[] | undefined {
  const [start, end, step, more] = args.map(readArgument)
  if (start === undefined || end === undefined || more !== undefined || args.length > 3) return undefined
  if (args.length === 3 && step === undefined) return undefined
  const at = locationOf({ location })
  if (typeof start === 'number' && typeof end === 'number' && typeof (step ?? 1) === 'number') {
    const by = typeof step === 'number' ? step : 1
    return by === 0
      ? undefined
      : counted(
          { start, next: (one) => one + by, isPast: (one) => (by > 0 ? one > end : one < end) },
          at,
        ).map((one) => number(one, at))
  }
  if (typeof start !== 'string' || typeof end !== 'string' || typeof step !== 'object') return undefined
  // The order of texts is that of times. A step that does not lead on would have no end.
  const second = addSpan(start, step, 1)
  if (second === undefined || second <= start) return undefined
  return counted({ start, next: (one) => addSpan(one, step, 1), isPast: (one) => one > end }, at).map((one) =>
    time(one, at),
  )
}

interface Counting<T> {
  readonly start: T
  readonly next: (one: T) => T | undefined
  readonly isPast: (one: T) => boolean
}

function counted<T>({ start, next, isPast }: Counting<T>, at: number | undefined): readonly T[] {
  const values: T[] = []
  for (let one: T | undefined = start; one !== undefined && !isPast(one); one = next(one)) {
    values.push(one)
    if (values.length > LIMITS.queryWrittenRowsMax)
      throw tooLarge(`The question writes out a relation of more than ${LIMITS.queryWrittenRowsMax} rows`, at)
  }
  return values
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
