import { isLiteral } from '../bound/bound-query.ts'
import type { Call, Case, Expr } from '../bound/bound-query.ts'
import { literal } from '../bind/expression/build-expression.ts'
import type { CallId } from '../catalogue/catalogue.ts'
import { isInOrder, isOneThing, orderedPart } from './in-order.ts'
import { asksForValue, isDecision, readingsOf } from './readings.ts'

/*
 * What tells rows apart by a decision, as values to group by: rows with the same values went the same way through it. What is
 * not looked at, because something before it has decided, is null: of `a and b` nobody asks for b where a does not hold.
 */

/** Tests of a condition, and whether they take one that is unknown for one that does not hold. */
const TESTS_OF_CONDITION: ReadonlyMap<CallId, Unknown> = new Map([
  ['not', 'as it is'],
  ['is_true', 'as false'],
  ['is_not_true', 'as false'],
  ['is_false', 'as it is'],
  ['is_not_false', 'as it is'],
])

/** What comes of a condition that is neither true nor false: rows are chosen by it as if it were false. */
type Unknown = 'as false' | 'as it is'

/** What a condition that chooses rows tells of those for which `where` holds. */
export function tellsOfCondition(expr: Expr, where?: Expr, unknown: Unknown = 'as false'): readonly Expr[] {
  if (expr.kind === 'case') return tellsOfCase(expr, where, unknown)
  if (expr.kind !== 'call') return tellsOfComparison(expr, where)
  if (expr.call === 'and')
    return tellsInTurn(expr.args, {
      before: unknown === 'as false' ? 'is_true' : 'is_not_false',
      where,
      unknown,
    })
  if (expr.call === 'or') return tellsInTurn(expr.args, { before: 'is_not_true', where, unknown })
  const unknownOfTest = TESTS_OF_CONDITION.get(expr.call)
  return unknownOfTest
    ? expr.args.flatMap((arg) => tellsOfCondition(arg, where, unknownOfTest))
    : tellsOfComparison(expr, where)
}

/** What a value tells by the decisions in it. */
export function tellsOfValue(expr: Expr, where?: Expr): readonly Expr[] {
  if (isDecision(expr)) return tellsOfCondition(expr, where, 'as it is')
  return expr.kind === 'call' ? expr.args.flatMap((arg) => tellsOfValue(arg, where)) : []
}

/** What grouping by a value tells beside who is in which group. */
export function tellsOfKey(expr: Expr, where?: Expr): readonly Expr[] {
  return [...tellsOfValue(expr, where), ...toldReadings([expr]).map((reading) => onlyWhere(reading, where))]
}

/** The condition that all of some conditions hold. */
export function allOf(conditions: readonly (Expr | undefined)[]): Expr | undefined {
  const given = conditions.filter((one) => one !== undefined)
  return given.length > 1 ? condition('and', given) : given[0]
}

/** Of conditions whatever their size: what comes of it is looked at as a whole (`decisions.ts`). */
function condition(id: CallId, args: readonly Expr[]): Call {
  return { kind: 'call', call: id, args, constants: [], type: 'boolean', size: sizeOf(args) }
}

function sizeOf(parts: readonly Expr[]): number {
  return parts.reduce((sum, { size }) => sum + size, 1)
}

/** A value where a condition holds, else null. */
export function onlyWhere(value: Expr, where: Expr | undefined): Expr {
  if (where === undefined) return value
  return { kind: 'case', type: value.type, size: sizeOf([value, where]), whens: [{ when: where, value }] }
}

/** Of conditions one after another, of which each is looked at only where those before it came out so. */
function tellsInTurn(
  conditions: readonly Expr[],
  { before, where, unknown }: { before: CallId; where: Expr | undefined; unknown: Unknown },
): readonly Expr[] {
  const tells: Expr[] = []
  let seen = where
  for (const one of conditions) {
    tells.push(...tellsOfCondition(one, seen, unknown))
    seen = allOf([seen, condition(before, [one])])
  }
  return tells
}

function tellsOfCase(
  { whens, otherwise, type }: Case,
  where: Expr | undefined,
  unknown: Unknown,
): readonly Expr[] {
  const tellsOfChosen = (value: Expr, seen: Expr | undefined) =>
    type === 'boolean' ? tellsOfCondition(value, seen, unknown) : tellsOfValue(value, seen)
  const tells: Expr[] = []
  let seen = where
  for (const { when, value } of whens) {
    tells.push(
      ...tellsOfCondition(when, seen),
      ...tellsOfChosen(value, allOf([seen, condition('is_true', [when])])),
    )
    seen = allOf([seen, condition('is_not_true', [when])])
  }
  return otherwise ? [...tells, ...tellsOfChosen(otherwise, seen)] : tells
}

/** What a comparison tells: whether it holds, and what else is told so that this is about one thing. */
function tellsOfComparison(expr: Expr, where: Expr | undefined): readonly Expr[] {
  const args = expr.kind === 'call' ? expr.args : []
  const inside = args.flatMap((arg) => tellsOfValue(arg, where))
  if (isLiteral(expr)) return inside
  if (asksForValue(expr)) return [onlyWhere(expr, where)]
  const own = [...toldReadings(args), ...(tellsOfList(expr) ?? tellsOfRange(expr) ?? [expr])]
  return [...inside, ...own.map((one) => onlyWhere(one, where))]
}

/**
 * What has to be told of a value that is decided by. Of several columns, or of one in several ways, it could be an *or* in disguise,
 * as `(medals - 1) * (day - 9) = 0` is. So all of them but one are told: then it says the same of everybody about that one, if that
 * is only how great it is. `abs(score - 50) > 45` is an *or* as well, and so is a pattern of a date: of these all are told.
 */
function toldReadings(values: readonly Expr[]): readonly Expr[] {
  const readings = finestLast(values.flatMap(readingsOf))
  const last = readings.at(-1)
  const isOfOne = last !== undefined && (isOneThing(last) || values.every(isInOrder))
  return (isOfOne ? readings.slice(0, -1) : readings).map(orderedPart)
}

/** What has most values stands last, a text after numbers and dates. */
function finestLast(readings: readonly Expr[]): readonly Expr[] {
  const widthOf = (reading: Expr): number => {
    if (reading.type === 'boolean') return 1
    if (isOneThing(reading)) return Number.POSITIVE_INFINITY
    const { type, range } = reading
    return type !== 'integer' || range === undefined ? Number.MAX_VALUE : range.greatest - range.least
  }
  return readings.toSorted((one, other) =>
    widthOf(one) < widthOf(other) ? -1 : widthOf(one) > widthOf(other) ? 1 : 0,
  )
}

/** Of a list of numbers or dates, which of them it is, or that it is none: such a list can be any set of people at all. */
function tellsOfList(expr: Expr): readonly Expr[] | undefined {
  if (expr.kind !== 'call' || (expr.call !== 'in' && expr.call !== 'not_in')) return undefined
  const [value, ...items] = expr.args
  if (value === undefined || value.type === 'text' || !items.every(isLiteral)) return undefined
  const isAnyOfThem = expr.call === 'in' ? expr : condition('not', [expr])
  return [onlyWhere(value, isAnyOfThem), condition('is_null', [value])]
}

/** Of a range, on which side of it, or whether that can be said. */
function tellsOfRange(expr: Expr): readonly Expr[] | undefined {
  if (expr.kind !== 'call' || (expr.call !== 'between' && expr.call !== 'not_between')) return undefined
  const [value, least, greatest] = expr.args
  if (value === undefined || least === undefined || greatest === undefined) return undefined
  const whens = [
    { when: condition('lt', [value, least]), value: literal('integer', 0) },
    { when: condition('gt', [value, greatest]), value: literal('integer', 2) },
  ]
  const otherwise = literal('integer', 1)
  return [{ kind: 'case', type: 'integer', size: 2 * expr.size, whens, otherwise }, expr]
}
