import type {
  A_Const,
  CaseExpr,
  FuncCall,
  GroupingFunc,
  Node,
  NullTest,
  SubLink,
  TypeCast,
} from '@pgsql/types'
import { REFUSED_NAMES } from '../../text/allowed-nodes.ts'
import { castTo } from './bind-cast.ts'
import { bindOperator } from './bind-operator.ts'
import type { Expr, PersonRef } from '../../bound/bound-query.ts'
import { asText, isJoined } from './join-texts.ts'
import { bindBuckets } from './bind-buckets.ts'
import { bindFormat } from './bind-format.ts'
import { bindOverlaps } from './bind-overlaps.ts'
import { bindZone } from './bind-zone.ts'
import { call, caseOf, coerce, commonType, literal, resolveCall } from './build-expression.ts'
import type { Place, Term } from './build-expression.ts'
import { asNumber, asSpan, isSpan, resolveTerm, secondsOfAll } from './spans.ts'
import { readInteger, readLiteral, readNumber } from '../../bound/literals.ts'
import { offsetOf, textsOf } from '../../text/nodes.ts'
import type { OuterNames } from './outer-names.ts'
import { callsNamed } from '../../catalogue/catalogue.ts'
import { whyDeclined } from '../../catalogue/declined-functions.ts'
import { atNode, notAllowed, notSupported, spoken, wrongColumn } from '../../text/refusal.ts'
import { findColumn } from './scope.ts'
import type { Binding, Scope } from './scope.ts'
import { countedParts, partAt, PARTS } from '../../catalogue/text-parts.ts'

/** Where an expression stands: what its names mean, and what becomes of an aggregate. */
export interface Frame {
  readonly binding: Binding
  readonly scope: Scope
  /** The names around it, within a sub-query of an expression. */
  readonly outer?: OuterNames | undefined
  /** Whether a person key can be null here, because of an outer join. */
  readonly isNullable?: (person: PersonRef) => boolean
  /** Binds a sub-query. Absent where none may stand. */
  readonly bindSubLink?: (node: SubLink, frame: Frame) => Expr
  /** Binds GROUPING. Absent where there are no sets of groups. */
  readonly bindGrouping?: (node: GroupingFunc) => Expr
  /** Binds a window function. Absent where none may stand. */
  readonly bindWindow?: (node: FuncCall, name: string) => Expr
  /** Binds an aggregate, or gives `undefined` when the function is none. Absent where aggregates may not stand. */
  readonly bindAggregate?: (node: FuncCall, name: string) => Expr | undefined
}

/** Binds an expression that must have a value of one type. An untyped text becomes `text`. */
export function bindValue(node: Node | undefined, frame: Frame): Expr {
  const term = bindTerm(node, frame)
  return term.kind === 'untyped' ? coerce(term, 'text', { offset: undefined, name: 'text' }) : term
}

/** Binds a condition. */
export function bindCondition(node: Node | undefined, frame: Frame): Expr {
  return coerce(bindOperand(node, frame), 'boolean', { offset: offsetOf(node), name: 'a condition' })
}

/** An operand of something: the person behind a row is none. */
function bindOperand(node: Node | undefined, frame: Frame): Term {
  const term = bindTerm(node, frame)
  if (term.kind !== 'untyped' && term.type === 'person') throw personRefusal(offsetOf(node))
  return term
}

/** Why a person key cannot be compared, computed with, ordered or grouped by. */
export function personRefusal(offset: number | undefined): Error {
  return wrongColumn('The person key may only be counted, joined on and, in mode rows, shown', offset)
}

/** Binds any expression of the allowed grammar. The tree was checked, so only what is listed there arrives. */
export function bindTerm(node: Node | undefined, frame: Frame): Term {
  if (node === undefined) throw notSupported('an empty place')
  return atNode(node, () => bindNode(node, frame))
}

function bindNode(node: Node, frame: Frame): Term {
  if ('ColumnRef' in node) return bindColumn(node.ColumnRef.fields ?? [], frame, node.ColumnRef.location)
  if ('A_Const' in node) return bindConstant(node.A_Const)
  if ('ParamRef' in node) return bindParameter(node.ParamRef.number ?? 0, frame, node.ParamRef.location)
  if ('A_Expr' in node) return bindOperator(node.A_Expr, (operand) => bindOperand(operand, frame))
  if ('FuncCall' in node) return bindFunction(node.FuncCall, frame)
  if ('TypeCast' in node) return bindCast(node.TypeCast, frame)
  if ('CaseExpr' in node) return bindCase(node.CaseExpr, frame)
  return bindSyntax(node, frame)
}

function bindCast({ typeName, arg, location }: TypeCast, frame: Frame): Expr {
  const term = bindOperand(arg, frame)
  if (!isSpan(term)) return castTo(typeName, term)
  if (textsOf(typeName?.names ?? [])?.at(-1) === 'interval' && !typeName?.typmods) return term
  throw notAllowed(
    'the cast of a span of time; take its seconds, as in extract(epoch from a - b)',
    typeName?.location ?? location,
  )
}

function bindSyntax(node: Node, frame: Frame): Term {
  if ('SubLink' in node) {
    if (frame.bindSubLink === undefined) throw notSupported('a sub-query here', node.SubLink.location)
    return frame.bindSubLink(node.SubLink, frame)
  }
  if ('A_Indirection' in node) {
    const { name, args } = partAt(node.A_Indirection)
    return bindNamed(name, args, frame, offsetOf(node.A_Indirection.arg))
  }
  if ('GroupingFunc' in node) {
    if (frame.bindGrouping === undefined) throw notSupported('GROUPING here', node.GroupingFunc.location)
    return frame.bindGrouping(node.GroupingFunc)
  }
  if ('BoolExpr' in node) {
    const { boolop, args = [], location } = node.BoolExpr
    return bindNamed(
      { AND_EXPR: 'AND', OR_EXPR: 'OR', NOT_EXPR: 'NOT' }[boolop ?? 'AND_EXPR'],
      args,
      frame,
      location,
    )
  }
  if ('NullTest' in node) return bindNullTest(node.NullTest, frame)
  if ('BooleanTest' in node) {
    const { booltesttype = 'IS_TRUE', arg, location } = node.BooleanTest
    const name = {
      IS_TRUE: 'IS TRUE',
      IS_NOT_TRUE: 'IS NOT TRUE',
      IS_FALSE: 'IS FALSE',
      IS_NOT_FALSE: 'IS NOT FALSE',
      IS_UNKNOWN: 'IS NULL',
      IS_NOT_UNKNOWN: 'IS NOT NULL',
    }[booltesttype]
    return resolveCall([coerce(bindOperand(arg, frame), 'boolean', { offset: location, name })], {
      offset: location,
      name,
    })
  }
  if ('CoalesceExpr' in node)
    return bindNamed('COALESCE', node.CoalesceExpr.args ?? [], frame, node.CoalesceExpr.location)
  if ('MinMaxExpr' in node)
    return bindNamed(
      node.MinMaxExpr.op === 'IS_LEAST' ? 'LEAST' : 'GREATEST',
      node.MinMaxExpr.args ?? [],
      frame,
      node.MinMaxExpr.location,
    )
  const [kind = 'something'] = Object.keys(node)
  throw notSupported(`${REFUSED_NAMES[kind] ?? kind} here`, offsetOf(node))
}

/** The only test of a person key: an outer join may leave it out. */
function bindNullTest({ arg, nulltesttype, location }: NullTest, frame: Frame): Term {
  const isNull = nulltesttype === 'IS_NULL'
  const term = bindTerm(arg, frame)
  if (term.kind === 'person') {
    if (!frame.isNullable?.(term)) return literal('boolean', !isNull)
    return call(isNull ? 'is_null' : 'is_not_null', [term])
  }
  return resolveTerm([term], { offset: location, name: isNull ? 'IS NULL' : 'IS NOT NULL' })
}

function bindNamed(
  name: string,
  args: readonly (Node | undefined)[],
  frame: Frame,
  offset: number | undefined,
): Expr {
  return resolveTerm(
    args.map((arg) => bindOperand(arg, frame)),
    { offset, name },
  )
}

function bindColumn(fields: readonly Node[], frame: Frame, offset: number | undefined): Expr {
  const names = textsOf(fields)
  if (names === undefined) throw notSupported('* in an expression', offset)
  const [first = '', second] = names
  if (names.length > 2) throw notSupported('a name with a schema; data sets have plain names', offset)
  const around = frame.outer?.look(names, frame.scope, offset)
  if (around && frame.outer) return frame.outer.take(around)
  return second === undefined
    ? findColumn(frame.scope, { name: first }, offset)
    : findColumn(frame.scope, { relation: first, name: second }, offset)
}

function bindConstant({ ival, fval, boolval, sval, isnull, location }: A_Const): Term {
  if (isnull) return { kind: 'untyped', value: null }
  if (sval) return { kind: 'untyped', value: sval.sval ?? '' }
  if (boolval) return literal('boolean', boolval.boolval ?? false)
  if (ival) return literal('integer', ival.ival ?? 0)
  return bindNumeral(fval?.fval ?? '', location)
}

function bindNumeral(text: string, offset: number | undefined): Expr {
  const whole = readInteger(text)
  if (whole !== undefined) return literal('integer', whole)
  const number = readNumber(text)
  if (number === undefined)
    throw notSupported('a number past ±1e150, or written in another base or with underscores', offset)
  return literal('number', number)
}

function bindParameter(number: number, frame: Frame, offset: number | undefined): Term {
  const value = frame.binding.parameters[number - 1]
  if (value === undefined) throw notSupported(`$${number} without a parameter`, offset)
  return value
}

function bindFunction(node: FuncCall, frame: Frame): Expr {
  const name = functionName(node)
  if (node.over) {
    if (!frame.bindWindow)
      throw notSupported('a window function (OVER) here; put it into a sub-select', node.location)
    return frame.bindWindow(node, name)
  }
  const aggregate = frame.bindAggregate?.(node, name)
  if (aggregate) return aggregate
  const why = whyDeclined(name)
  if (node.agg_order || node.agg_within_group)
    throw notSupported(
      `${node.agg_within_group ? 'WITHIN GROUP' : 'ORDER BY in an aggregate'}${why}`,
      node.location,
    )
  if (why !== '' && (node.agg_star || node.agg_filter || node.agg_distinct))
    throw notAllowed(`${spoken(name)}${why}`, node.location)
  if (node.agg_star || node.agg_filter || node.agg_distinct)
    throw notAllowed(
      `the aggregate "${name}" ${frame.bindAggregate ? `in mode ${frame.binding.mode}` : 'here'}`,
      node.location,
    )
  const args = node.args ?? []
  const [only, another] = args
  // PostgreSQL takes the name of a type for the cast to it.
  if (name === 'date' && only && !another) return bindCast(asDate(only, node.location), frame)
  const buckets = bindBuckets(node, name, (arg) => bindOperand(arg, frame))
  if (buckets) return buckets
  const moment = name === 'to_timestamp' ? bindMoment(args, frame) : undefined
  if (moment) return moment
  const counted = countedParts(node)
  if (counted) return bindNamed(PARTS.count, counted, frame, node.location)
  const special = name === 'extract' || name === 'date_part' ? bindExtract(args, frame) : undefined
  if (special) return special
  // Before its arguments: in another dialect the day of datediff(day, a, b) is no column.
  if (why !== '' && callsNamed(name).length === 0) throw notAllowed(`${spoken(name)}${why}`, node.location)
  const terms = args.map((arg) => bindOperand(arg, frame))
  const place = { offset: node.location, name }
  const seconds = name === 'extract' || name === 'date_part' ? secondsIn(terms, place) : undefined
  if (seconds) return seconds
  if (name === 'timezone') return bindZone(terms, place)
  if (name === 'overlaps') return bindOverlaps(terms, place)
  if (name === 'format') return bindFormat(terms, place)
  return resolveTerm(isJoined(name) ? terms.map(asText) : terms, place)
}

function asDate(arg: Node, offset: number | undefined): TypeCast {
  const place = offset === undefined ? {} : { location: offset }
  return { arg, typeName: { names: [{ String: { sval: 'date' } }], typemod: -1, ...place }, ...place }
}

/** `extract(epoch from avg(a - b))`: what is computed of spans is in seconds already. */
function secondsIn([field, span]: readonly Term[], place: Place): Expr | undefined {
  if (!isSpan(span)) return undefined
  if (field?.kind === 'untyped' && field.value?.toLowerCase() === 'epoch') return asNumber(span)
  throw notAllowed(
    'a field of a span of time but epoch; divide its seconds, as in extract(epoch from a - b) / 3600',
    place.offset,
  )
}

/** `to_timestamp('2021-06-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')`, as tools write a moment: of two texts that are written out. */
function bindMoment(args: readonly Node[], frame: Frame): Expr | undefined {
  const [text, pattern, another] = args.map((arg) => bindOperand(arg, frame))
  if (text?.kind !== 'untyped' || pattern?.kind !== 'untyped' || another) return undefined
  const form = MOMENTS[pattern.value ?? '']
  const value = form?.test(text.value ?? '') ? readLiteral(text.value ?? '', 'timestamp') : undefined
  return value === undefined ? undefined : literal('timestamp', value)
}

/** Patterns of a moment, with the texts that they read whole. */
const MOMENTS: Readonly<Record<string, RegExp>> = {
  'YYYY-MM-DD': /^\d{4}-\d\d-\d\d$/,
  'YYYY-MM-DD HH24:MI:SS': /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
  'YYYY-MM-DD HH24:MI:SS.MS': /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/,
  'YYYY-MM-DD HH24:MI:SS.US': /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/,
}

/** The plain name of a function. SQL's own syntax (`extract(… from …)`) arrives under `pg_catalog`. */
function functionName({ funcname = [], funcformat, location }: FuncCall): string {
  const names = textsOf(funcname) ?? []
  const plain = funcformat === 'COERCE_SQL_SYNTAX' && names[0] === 'pg_catalog' ? names.slice(1) : names
  const [name] = plain
  if (name === undefined || plain.length !== 1)
    throw notAllowed(`a function with a schema ("${names.join('.')}")`, location)
  return name
}

/** A field of a span of time between two values: the span has no type of its own here. */
function bindExtract([field, span]: readonly Node[], frame: Frame): Expr | undefined {
  const name = field && 'A_Const' in field ? field.A_Const.sval?.sval?.toLowerCase() : undefined
  if (span === undefined) return undefined
  if (name === 'epoch') return bindEpochBetween(span, frame)
  return name === 'year' || name === 'month' ? bindAge(name, span, frame) : undefined
}

/** `extract(year from age(a, b))`, and the months beyond. */
function bindAge(field: 'year' | 'month', span: Node, frame: Frame): Expr | undefined {
  if (!('FuncCall' in span) || functionName(span.FuncCall) !== 'age') return undefined
  const [until, since, another] = span.FuncCall.args ?? []
  if (!until || !since || another) return undefined
  return resolveCall([bindOperand(until, frame), bindOperand(since, frame)], {
    offset: span.FuncCall.location,
    name: `extract(${field} from age(a, b))`,
  })
}

/** `extract(epoch from a - b)` of two timestamps. */
function bindEpochBetween(span: Node, frame: Frame): Expr | undefined {
  if (!('A_Expr' in span)) return undefined
  const { lexpr, rexpr, name = [], kind } = span.A_Expr
  if (kind !== 'AEXPR_OP' || textsOf(name)?.join() !== '-' || lexpr === undefined) return undefined
  const [left, right] = [bindOperand(lexpr, frame), bindOperand(rexpr, frame)]
  const isMoment = (term: Term): boolean => term.kind !== 'untyped' && term.type === 'timestamp'
  // Days between dates are a number, not a span. What was bound is not bound again: extracts may stand within each other.
  if (!isMoment(left) && !isMoment(right)) {
    const difference = resolveCall([left, right], { offset: span.A_Expr.location, name: '-' })
    return resolveCall([{ kind: 'untyped', value: 'epoch' }, difference], {
      offset: span.A_Expr.location,
      name: 'extract',
    })
  }
  return resolveCall([left, right], {
    offset: span.A_Expr.location,
    name: 'extract(epoch from a - b)',
  })
}

function bindCase({ arg, args = [], defresult, location }: CaseExpr, frame: Frame): Expr {
  const subject = arg && bindOperand(arg, frame)
  const whens = args.map((node) => {
    if (!('CaseWhen' in node)) throw notSupported('this CASE', location)
    const { expr, result } = node.CaseWhen
    const when = subject
      ? resolveTerm([subject, bindOperand(expr, frame)], { offset: location, name: '=' })
      : bindCondition(expr, frame)
    return { when, value: bindOperand(result, frame) }
  })
  const otherwise = defresult && bindOperand(defresult, frame)
  const place = { offset: location, name: 'CASE' }
  const written = [...whens.map(({ value }) => value), ...(otherwise ? [otherwise] : [])]
  const areSpans = written.some(isSpan)
  const results = areSpans ? secondsOfAll(written, place) : written
  const type = commonType(results)
  if (type === undefined) throw notAllowed('CASE with results of different types', location)
  const made = caseOf(
    whens.map(({ when, value }, index) => ({ when, value: coerce(results[index] ?? value, type, place) })),
    otherwise && coerce(results.at(-1) ?? otherwise, type, place),
  )
  return areSpans ? asSpan(made) : made
}
