import { innermost } from './bound/bound-query.ts'
import type {
  Call,
  Case,
  ColumnRef,
  Expr,
  PerPersonFunction,
  PerPersonSource,
  RowsSource,
  Source,
  WindowCall,
} from './bound/bound-query.ts'
import type { CallId } from './catalogue/catalogue.ts'
import { definitionOf } from './bound/derived-column.ts'
import { partsOf } from './bound/same-expression.ts'
import { notSupported } from './text/refusal.ts'

/** Most factors of a product, and most times one and the same. */
const FACTORS_MAX = 3
const POWER_MAX = 2

/**
 * Requires that what an exact answer sums, averages or takes a variance of is a *fixed quantity of the person*:
 * columns, their products and quotients. A condition may only choose whose quantity counts (FILTER,
 * or one CASE around all of it), because then it is a set of people that the guard sees.
 *
 * Anything else looks the same to the guard and is not: `sum(height + case when born = '1990-01-01' then 1000 else 0
 * end)` stands on everybody, and minus `sum(height)` it is about one person. For the same reason no function with a
 * constant to choose (`floor`, `exp`): each constant would be another equation about the same people. What conditions decide (`abs(height - 2.03)`, `greatest`, a CASE of
 * several) never comes here as it is: it is taken apart into sums and counts with a FILTER (`bind/aggregate/sum-of-branches.ts`). See `docs/explanation/why-answers-cannot-be-combined.md`. Noise hides one person in any sum, so `private` needs none
 * of this. Throws a `Refusal`.
 */
export function requireQuantity(expr: Expr, sources: readonly Source[]): void {
  const quantity = quantityOf(expr, sources)
  if (quantity === undefined) {
    throw notSupported(
      `a sum, average or variance of anything but columns, their products and quotients; ${hasAge(expr) ? "of ages take the days, as in avg((date '2026-01-31' - born) / 365.25)" : 'put conditions into FILTER, and functions around the result; with noise, mode private takes any expression with bounds'}`,
    )
  }
  if (!isOneTerm(quantity)) {
    throw notSupported(
      'a product or variance of a sum, or a sum, average or variance of what a sub-query added up; add the results instead, as in avg(x) + avg(y), or sum(x * x) - 2 * c * sum(x) + c * c * count(x)',
    )
  }
}

/** Whether it would be taken. */
export function isQuantity(expr: Expr, sources: readonly Source[]): boolean {
  const quantity = quantityOf(expr, sources)
  return quantity !== undefined && isOneTerm(quantity)
}

/** Whole years since a day tell of every birthday; the days to it are one quantity, whichever day it is. */
function hasAge(expr: Expr): boolean {
  return [...partsOf(expr)].some((part) => part.kind === 'call' && part.call === 'age_years')
}

/**
 * One product only. With something added nobody's value is 0, so everybody would seem to contribute, and taking the
 * addition off again outside (`sum(x + 1) - count(*)`) would leave the sum of the few who do.
 */
function isOneTerm({ terms }: Quantity): boolean {
  return terms.length === 1
}

/** A product of atoms, each with its power; the constant factor does not matter. */
type Term = ReadonlyMap<string, number>

interface Quantity {
  readonly terms: readonly Term[]
  /** Whether a condition chooses whose it is: then it may be multiplied, but nothing may be added. */
  readonly isChosen: boolean
}

const CONSTANT: Quantity = { terms: [new Map()], isChosen: false }

/** `undefined`: not a quantity. */
function quantityOf(expr: Expr, sources: readonly Source[]): Quantity | undefined {
  switch (expr.kind) {
    case 'literal':
      return CONSTANT
    case 'column':
      return quantityOfColumn(expr, sources)
    case 'call':
      return quantityOfCall(expr, sources)
    case 'case':
      return quantityOfCase(expr, sources)
    case 'window':
      return isNeighbour(expr) && expr.args[0] ? quantityOf(expr.args[0], sources) : undefined
    case 'person':
    case 'key':
    case 'measure':
      return undefined
  }
}

/** The value of the row before or after, by the order of columns as they are: nothing of it is the asker's to choose. */
function isNeighbour({ function: made, args, offset, partition, order }: WindowCall): boolean {
  return (
    (made === 'lag' || made === 'lead') &&
    offset === 1 &&
    // Another value for the first row would be the asker's to choose.
    args.length === 1 &&
    partition.length === 0 &&
    [...args, ...order.map(({ expr }) => expr)].every(({ kind }) => kind === 'column')
  )
}

function quantityOfColumn(
  { source: index, column }: Extract<Expr, { kind: 'column' }>,
  sources: readonly Source[],
): Quantity | undefined {
  const found = sources[index]
  const source = found && innermost(found)
  const atom: Quantity = { terms: [new Map([[`${index}.${column}`, 1]])], isChosen: false }
  return source?.kind === 'per-person' || source?.kind === 'rows'
    ? quantityOfPerson(source, { column, atom })
    : atom
}

/**
 * What was made of a person's own rows before is a quantity if what it was made of is one. What a column of a sub-select
 * is made of is found once, however often it is named: in a chain of sub-selects each may name the one before twice.
 */
function quantityOfPerson(
  source: PerPersonSource | RowsSource,
  { column, atom }: { column: string; atom: Quantity },
): Quantity | undefined {
  const known = foundChoices.get(source) ?? new Map<string, Choice>()
  foundChoices.set(source, known)
  const choice = known.get(column) ?? choiceOfPerson(source, column)
  known.set(column, choice)
  return choice === 'no quantity' ? undefined : { ...atom, isChosen: choice === 'chosen' }
}

/** Whether a condition chooses whose quantity a column of a sub-select is, if it is one. */
type Choice = 'chosen' | 'everybody' | 'no quantity'

/** By source, which never changes, and column. */
const foundChoices = new WeakMap<PerPersonSource | RowsSource, Map<string, Choice>>()

function choiceOfPerson(source: PerPersonSource | RowsSource, column: string): Choice {
  const { sources } = source
  const { expr, aggregate } = definitionOf(source, column)
  if (expr) {
    const made = quantityOf(expr, sources)
    return made && isOneTerm(made) ? choiceOf(made.isChosen) : 'no quantity'
  }
  if (aggregate === undefined) return 'no quantity'
  const { argument, filter } = aggregate
  // A count only asks whether there is a value; that, too, is a choice.
  if (aggregate.function === 'count') {
    const isPlain = argument === undefined || argument.kind === 'column' || argument.kind === 'literal'
    return choiceOf(filter !== undefined || !isPlain)
  }
  const inner = argument && quantityOf(argument, sources)
  if (inner === undefined || !isOneTerm(inner)) return 'no quantity'
  // The greatest of (x - c)² over a person's rows is another function of them for every c, and so is another quantile for
  // every fraction but the middle.
  if (!LINEAR.has(aggregate.function) && !isSingle(inner)) return 'no quantity'
  if ((aggregate.quantileMicro ?? MIDDLE) !== MIDDLE) return 'no quantity'
  return choiceOf(inner.isChosen || filter !== undefined)
}

/** In millionths. */
const MIDDLE = 500_000

/** Aggregates of a person's rows that are a sum of them, or a share of it. */
const LINEAR: ReadonlySet<PerPersonFunction> = new Set(['sum', 'avg'])

function choiceOf(isChosen: boolean): Choice {
  return isChosen ? 'chosen' : 'everybody'
}

/** One atom, as it is. */
function isSingle({ terms }: Quantity): boolean {
  const [term, more] = terms
  return more === undefined && term?.size === 1 && [...term.values()][0] === 1
}

/** Calls that give their argument's number, perhaps with another sign, or kept to its declared bounds. */
const UNCHANGED: ReadonlySet<CallId> = new Set([
  'neg_integer',
  'neg_number',
  'plus_integer',
  'plus_number',
  'cast_integer_number',
  'clamp_integer',
  'clamp_number',
])
const ADDED: ReadonlySet<CallId> = new Set(['add_integer', 'add_number', 'sub_integer', 'sub_number'])
const MULTIPLIED: ReadonlySet<CallId> = new Set(['mul_integer', 'mul_number'])
/** Numbers that columns of other types have, without a constant to choose but the name of a field. */
const ATOMS: ReadonlySet<CallId> = new Set([
  'cast_boolean_integer',
  'extract_date',
  'extract_timestamp',
  'extract_second',
  'extract_epoch',
  'epoch_between',
  'sub_dates',
  'list_length',
  'list_length_of_dimension',
])

/** Calls that come to one of a few values by a condition: a sum of them is taken apart (`bind/aggregate/branches.ts`). */
const DECIDED: ReadonlySet<CallId> = new Set([
  'coalesce',
  'nullif',
  'least',
  'greatest',
  'abs_integer',
  'abs_number',
  'sign',
])

/** What a call may be in an exact sum: it gives its argument's number, a product, a number that a column of another type has, or none. */
export type SumRole = 'unchanged' | 'added' | 'product' | 'quotient' | 'power' | 'atom' | 'decided' | 'none'

/** The same rules by the row of the catalogue alone. */
export function sumRoleOf(call: CallId): SumRole {
  if (UNCHANGED.has(call)) return 'unchanged'
  if (ADDED.has(call)) return 'added'
  if (MULTIPLIED.has(call)) return 'product'
  if (ATOMS.has(call)) return 'atom'
  if (call === 'div_number') return 'quotient'
  if (call === 'power') return 'power'
  return DECIDED.has(call) ? 'decided' : 'none'
}

function quantityOfCall(expr: Call, sources: readonly Source[]): Quantity | undefined {
  const { call, args } = expr
  if (ATOMS.has(call)) return atomOf(expr, sources)
  if (call === 'coalesce') return quantityOfCoalesce(expr, sources)
  if (call === 'power') return quantityOfPower(expr, sources)
  const [dividend, divisor] = args
  const operands = call === 'div_number' && dividend && divisor ? [dividend, withoutZero(divisor)] : args
  const [left, right] = operands.map((arg) => quantityOf(arg, sources))
  if (left === undefined) return undefined
  if (UNCHANGED.has(call)) return left
  if (right === undefined) return undefined
  if (ADDED.has(call)) return added(left, right)
  if (MULTIPLIED.has(call)) return multiplied(left, right)
  return call === 'div_number' ? divided(left, right) : undefined
}

/** `power(x, 2)` is the product that it stands for. */
function quantityOfPower({ args: [base, exponent] }: Call, sources: readonly Source[]): Quantity | undefined {
  const times = exponent?.kind === 'literal' ? exponent.value : undefined
  const one = base && (times === 1 || times === POWER_MAX) ? quantityOf(base, sources) : undefined
  return one && times === POWER_MAX ? multiplied(one, one) : one
}

/** `nullif(x, 0)` as a divisor is x: what is divided by 0 is null either way. */
function withoutZero(divisor: Expr): Expr {
  if (divisor.kind !== 'call') return divisor
  const [inner, zero] = divisor.args
  if (inner && UNCHANGED.has(divisor.call)) return withoutZero(inner)
  return divisor.call === 'nullif' && inner && zero && zero.kind === 'literal' && zero.value === 0
    ? withoutZero(inner)
    : divisor
}

/** Of columns as they are: anything computed inside could choose. */
function atomOf({ call, args, constants }: Call, sources: readonly Source[]): Quantity | undefined {
  const names = args.map((arg) => {
    if (arg.kind === 'column')
      return call === 'cast_boolean_integer' || isPlain(arg, sources)
        ? `${arg.source}.${arg.column}`
        : undefined
    return arg.kind === 'literal' && call !== 'cast_boolean_integer' ? 'constant' : undefined
  })
  if (names.includes(undefined)) return undefined
  return {
    terms: [new Map([[`${call}(${[...names, ...constants].join()})`, 1]])],
    isChosen: call === 'cast_boolean_integer' && args.some((arg) => isDecided(arg, sources)),
  }
}

/** A column as it is stored, or a person's least, greatest or most frequent of one, or its neighbour: nothing written made it. */
export function isPlain(column: ColumnRef, sources: readonly Source[]): boolean {
  const found = sources[column.source]
  const source = found && innermost(found)
  if (source === undefined || source.kind === 'outer') return false
  if (source.kind === 'data-set') return true
  const { expr, aggregate } = definitionOf(source, column.column)
  if (aggregate && (aggregate.filter || aggregate.function === 'count')) return false
  if (aggregate?.quantileMicro !== undefined) return false
  const made = expr?.kind === 'window' && isNeighbour(expr) ? expr.args[0] : (expr ?? aggregate?.argument)
  return made?.kind === 'column' && isPlain(made, source.sources)
}

/** A truth that was computed person by person: a condition chose it. */
function isDecided(expr: Expr, sources: readonly Source[]): boolean {
  const source = expr.kind === 'column' ? sources[expr.source] : undefined
  return source !== undefined && innermost(source).kind !== 'data-set'
}

/** With 0 for those without a value, which adds nothing of anybody. */
function quantityOfCoalesce({ args }: Call, sources: readonly Source[]): Quantity | undefined {
  const [first, second, third] = args
  return first && second && third === undefined && isNothing(second) ? quantityOf(first, sources) : undefined
}

function quantityOfCase({ whens, otherwise }: Case, sources: readonly Source[]): Quantity | undefined {
  const [first, second] = whens
  if (first === undefined || second !== undefined) return undefined
  const isElseNothing = otherwise === undefined || isNothing(otherwise)
  const value = isElseNothing ? first.value : isNothing(first.value) ? otherwise : undefined
  const chosen = value && quantityOf(value, sources)
  return chosen && { terms: chosen.terms, isChosen: true }
}

/** Null or 0. */
function isNothing(expr: Expr): boolean {
  if (expr.kind === 'call' && UNCHANGED.has(expr.call)) return expr.args.every(isNothing)
  return expr.kind === 'literal' && (expr.value === null || expr.value === 0)
}

function added(left: Quantity, right: Quantity): Quantity | undefined {
  if (left.isChosen || right.isChosen) return undefined
  return { terms: [...left.terms, ...right.terms], isChosen: false }
}

function multiplied(left: Quantity, right: Quantity): Quantity | undefined {
  const terms = left.terms.flatMap((one) => right.terms.map((other) => product(one, other, 1)))
  return bounded({ terms, isChosen: left.isChosen || right.isChosen })
}

/** Only by a single product: a divisor with a constant added would choose by how near it is to 0. */
function divided(left: Quantity, right: Quantity): Quantity | undefined {
  const [divisor, more] = right.terms
  if (divisor === undefined || more !== undefined || right.isChosen) return undefined
  return bounded({ terms: left.terms.map((term) => product(term, divisor, -1)), isChosen: left.isChosen })
}

function product(one: Term, other: Term, sign: 1 | -1): Term {
  const powers = new Map(one)
  for (const [atom, power] of other) powers.set(atom, (powers.get(atom) ?? 0) + sign * power)
  return new Map([...powers].filter(([, power]) => power !== 0))
}

function bounded(quantity: Quantity): Quantity | undefined {
  const areSmall = quantity.terms.every((term) => {
    const powers = [...term.values()].map((power) => Math.abs(power))
    return (
      powers.every((power) => power <= POWER_MAX) &&
      powers.reduce((sum, power) => sum + power, 0) <= FACTORS_MAX
    )
  })
  return areSmall ? quantity : undefined
}
