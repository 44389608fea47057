import type { A_Expr, Node, RowExpr } from '@pgsql/types'
import { elementType } from '../../../../protocol/data-set.ts'
import { bindDocumentOperator, bindOperandOrList } from './bind-document.ts'
import type { Expr } from '../../bound/bound-query.ts'
import { call, resolveCall } from './build-expression.ts'
import { resolveTerm } from './spans.ts'
import { asText, isJoined, isText } from './join-texts.ts'
import type { Term } from './build-expression.ts'
import type { BindOperand } from './compare-spans.ts'
import { LISTS } from '../../catalogue/catalogue-lists.ts'
import { textsOf } from '../../text/nodes.ts'
import { readArray } from './written-array.ts'
import { isSplit, PARTS, splitArguments } from '../../catalogue/text-parts.ts'
import { notAllowed, notSupported } from '../../text/refusal.ts'
import { compareSpans } from './compare-spans.ts'
import { similarAsRegular } from '../../catalogue/regular-expression.ts'

const OPERATOR_NAMES: Readonly<Record<string, string>> = {
  AEXPR_DISTINCT: 'IS DISTINCT FROM',
  AEXPR_NOT_DISTINCT: 'IS NOT DISTINCT FROM',
  AEXPR_NULLIF: 'NULLIF',
  AEXPR_BETWEEN: 'BETWEEN',
  AEXPR_NOT_BETWEEN: 'NOT BETWEEN',
}
const SIGNED_NAMES: Readonly<Record<string, string>> = {
  'AEXPR_IN =': 'IN',
  'AEXPR_IN <>': 'NOT IN',
  'AEXPR_LIKE ~~': 'LIKE',
  'AEXPR_LIKE !~~': 'NOT LIKE',
  'AEXPR_ILIKE ~~*': 'ILIKE',
  'AEXPR_ILIKE !~~*': 'NOT ILIKE',
}

/** Binds an operator with its operands, among them rows of values and arrays that are written out. */
export function bindOperator(node: A_Expr, bind: BindOperand): Expr {
  const { kind = 'AEXPR_OP', lexpr } = node
  if (kind === 'AEXPR_SIMILAR') return bindSimilar(node, bind)
  if (kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL') return bindAmong(node, bind)
  if (kind === 'AEXPR_BETWEEN_SYM' || kind === 'AEXPR_NOT_BETWEEN_SYM') return bindSymmetric(node, bind)
  if (lexpr && 'RowExpr' in lexpr) return bindRowComparison(node, lexpr.RowExpr, bind)
  return compareSpans(node, bind) ?? bindSigned(node, bind)
}

function bindSigned(
  { kind = 'AEXPR_OP', name = [], lexpr, rexpr, location }: A_Expr,
  bind: BindOperand,
): Expr {
  const sign = signOf(name, location)
  const operands = (lexpr ? [lexpr] : []).concat(rexpr ? itemsOf(rexpr) : [])
  const place = { offset: location, name: OPERATOR_NAMES[kind] ?? SIGNED_NAMES[`${kind} ${sign}`] ?? sign }
  if (kind !== 'AEXPR_OP') return resolveTerm(operands.map(bind), place)
  const bound = operands.map((operand) => bindOperandOrList(operand, bind))
  const terms = bound.filter((operand) => operand.kind !== 'written list')
  const made = bindDocumentOperator(sign, bound, location)
  if (made === undefined && terms.length < bound.length)
    throw notSupported('ARRAY[…] but after ANY and ALL and beside a column that is a list', location)
  return made ?? resolveTerm(isJoined(sign) && terms.some(isText) ? terms.map(asText) : terms, place)
}

function signOf(name: readonly Node[] | undefined, location: number | undefined): string {
  const signs = textsOf(name ?? [])
  const [sign] = signs ?? []
  if (sign === undefined || signs?.length !== 1) throw notAllowed('an operator with a schema', location)
  return sign
}

function itemsOf(node: Node): readonly Node[] {
  return 'List' in node ? (node.List.items ?? []) : [node]
}

/** `x similar to 'a|b%'` is a regular expression over the whole text. */
function bindSimilar({ name, lexpr, rexpr, location }: A_Expr, bind: BindOperand): Expr {
  const [pattern, escape] = rexpr && 'FuncCall' in rexpr ? (rexpr.FuncCall.args ?? []) : []
  const written = pattern && bind(pattern)
  const text = written?.kind === 'untyped' || written?.kind === 'literal' ? written.value : undefined
  const regular = typeof text === 'string' ? similarAsRegular(text) : undefined
  if (escape || regular === undefined)
    throw notSupported('SIMILAR TO of what is not written out, or with ESCAPE', location)
  const place = { offset: location, name: signOf(name, location) }
  return resolveCall([bind(lexpr), { kind: 'untyped', value: regular }], place)
}

/** `x > any (array[…])` holds for one of them, `x > all (array[…])` for all; `= any` is IN and `<> all` NOT IN. */
function bindAmong(node: A_Expr, bind: BindOperand): Expr {
  const { kind, name, lexpr, rexpr, location } = node
  const sign = signOf(name, location)
  const value = bind(lexpr)
  if (rexpr && isSplit(rexpr)) return bindAmongParts({ value, rexpr, kind, sign, location }, bind)
  if (rexpr === undefined) throw notSupported('ANY and ALL of nothing', location)
  const isAny = kind === 'AEXPR_OP_ANY'
  const among = { isAny, sign, location }
  if ('A_ArrayExpr' in rexpr)
    return bindAmongElements(value, (rexpr.A_ArrayExpr.elements ?? []).map(bind), among)
  const list = bind(arrayText(rexpr))
  const written = list.kind === 'untyped' ? readArray(list.value ?? '') : undefined
  return written ? bindAmongElements(value, written, among) : bindAmongList(value, list, among)
}

/** The text of `'{a,b}'::text[]`: the elements have the type of what they are compared with. */
function arrayText(node: Node): Node {
  const { arg, typeName } = 'TypeCast' in node ? node.TypeCast : {}
  return arg && typeName?.arrayBounds && ('A_Const' in arg || 'ParamRef' in arg) ? arg : node
}

interface Among {
  readonly isAny: boolean
  readonly sign: string
  readonly location: number | undefined
}

function bindAmongElements(value: Term, elements: readonly Term[], { isAny, sign, location }: Among): Expr {
  const name = isAny && sign === '=' ? 'IN' : !isAny && sign === '<>' ? 'NOT IN' : undefined
  if (name !== undefined) return resolveTerm([value, ...elements], { offset: location, name })
  const compared = elements.map((element) =>
    conditionOf(resolveTerm([value, element], { offset: location, name: sign }), location),
  )
  return isAny ? anyOf(compared, location) : allOf(compared, location)
}

/** `x = any (list)`, and `<> all`. */
function bindAmongList(value: Term, list: Term, { isAny, sign, location }: Among): Expr {
  if (list.kind === 'untyped' || elementType(list.type) === undefined)
    throw notSupported(
      "ANY and ALL of anything but ARRAY[…], '{a,b}', a column that is a list, or a sub-query",
      location,
    )
  if (sign !== (isAny ? '=' : '<>'))
    throw notSupported('ANY and ALL of a column but with = ANY and <> ALL', location)
  const has = resolveCall([value, list], { offset: location, name: LISTS.has })
  return isAny ? has : call('not', [has])
}

interface AmongParts {
  readonly value: Term
  readonly rexpr: Node
  readonly kind: A_Expr['kind']
  readonly sign: string
  readonly location: number | undefined
}

/** `x = any (string_to_array(a, ','))`, and `<> all`. */
function bindAmongParts({ value, rexpr, kind, sign, location }: AmongParts, bind: BindOperand): Expr {
  const isAny = kind === 'AEXPR_OP_ANY' && sign === '='
  if (!isAny && (kind !== 'AEXPR_OP_ALL' || sign !== '<>'))
    throw notSupported('ANY and ALL of string_to_array but with = ANY and <> ALL', location)
  const has = resolveCall([value, ...splitArguments(rexpr).map(bind)], { offset: location, name: PARTS.has })
  return isAny ? has : call('not', [has])
}

/** Between the two whichever is the lesser. */
function bindSymmetric({ kind, lexpr, rexpr, location }: A_Expr, bind: BindOperand): Expr {
  const [low, high] = rexpr ? itemsOf(rexpr).map(bind) : []
  if (low === undefined || high === undefined) throw notSupported('this BETWEEN', location)
  const place = { offset: location, name: 'BETWEEN' }
  const value = bind(lexpr)
  const within = anyOf(
    [resolveCall([value, low, high], place), resolveCall([value, high, low], place)],
    location,
  )
  return kind === 'AEXPR_BETWEEN_SYM' ? within : call('not', [within])
}

/** `(a, b) = (c, d)`, `<>`, IN and NOT IN: member by member. */
function bindRowComparison(node: A_Expr, row: RowExpr, bind: BindOperand): Expr {
  const { kind, name, rexpr, location } = node
  const sign = signOf(name, location)
  const isList = kind === 'AEXPR_IN'
  if ((kind !== 'AEXPR_OP' && !isList) || (sign !== '=' && sign !== '<>') || rexpr === undefined)
    throw notSupported('a row value but with =, <>, IN and NOT IN', location)
  const values = (row.args ?? []).map(bind)
  const equals = itemsOf(rexpr).map((item) => equalRows(values, item, { bind, location }))
  const isEqual = anyOf(equals, location)
  return sign === '=' ? isEqual : call('not', [isEqual])
}

function equalRows(
  values: readonly Term[],
  item: Node,
  { bind, location }: { readonly bind: BindOperand; readonly location: number | undefined },
): Expr {
  const others = 'RowExpr' in item ? (item.RowExpr.args ?? []) : []
  if (others.length !== values.length) throw notSupported('row values of different lengths', location)
  const place = { offset: location, name: '=' }
  return allOf(
    values.map((value, index) => resolveCall([value, bind(others[index])], place)),
    location,
  )
}

function conditionOf(expr: Expr, offset: number | undefined): Expr {
  if (expr.type !== 'boolean') throw notSupported('ANY and ALL with what is no comparison', offset)
  return expr
}

function anyOf(exprs: readonly Expr[], offset: number | undefined): Expr {
  return joined('or', exprs, offset)
}

function allOf(exprs: readonly Expr[], offset: number | undefined): Expr {
  return joined('and', exprs, offset)
}

function joined(by: 'or' | 'and', exprs: readonly Expr[], offset: number | undefined): Expr {
  const [first, second] = exprs
  if (first === undefined) throw notSupported('an empty list', offset)
  return second === undefined ? first : call(by, exprs)
}
