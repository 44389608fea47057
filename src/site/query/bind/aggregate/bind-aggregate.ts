import type { FuncCall, Node } from '@pgsql/types'
import { LIMITS } from '../../../../kernel/limits.ts'
import type { MeasureKind } from '../../../guard/collected-group.ts'
import { spokenColumn } from '../../bound/bound-query.ts'
import type { Expr, Measure, MeasureRef, PersonRef, Source } from '../../bound/bound-query.ts'
import type { ExprType, Range } from '../../catalogue/expression-type.ts'
import { isMultiplied, optionalManySources, withinBounds } from './bounded-argument.ts'
import { bindCondition, bindTerm } from '../expression/bind-expression.ts'
import { PAIR_AGGREGATES, asFactor, bindPair } from './bind-pair.ts'
import type { PairSink, Side } from './bind-pair.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { call, coerce, requireScalar } from '../expression/build-expression.ts'
import { isQuantity, requireQuantity } from '../../check-quantities.ts'
import { asSpan, isSpan } from '../expression/spans.ts'
import { branchesOf } from './branches.ts'
import { spreadOfSum } from './spread-of-sum.ts'
import { aggregateOfBranches } from './sum-of-branches.ts'
import { aggregateOfSum, termsOf } from './sum-of-terms.ts'
import { atOffset, notAllowed, notSupported, tooLarge, wrongColumn } from '../../text/refusal.ts'
import { partsOf, sameOptional } from '../../bound/same-expression.ts'

/** A row of the list of aggregates, for the reference page. */
export interface AggregateRow {
  readonly kind: MeasureKind
  readonly says: string
}

/** A table: aggregates of mode `aggregate`. No least, greatest, median or listing: those are some person's value. */
export const AGGREGATES: Readonly<Record<string, AggregateRow>> = {
  count: {
    kind: 'count',
    says: 'rows; `count(x)` those where x is not null; `count(distinct <person key>)` people',
  },
  sum: {
    kind: 'sum',
    says: 'of values clamped to the declared bounds; of a sum of terms, as in `sum(x + 2 * y - 1)`, each term is a measure of its own, and so for `avg`; of what conditions decide, as in `sum(least(x, 8))`, `avg((x > 3)::int)`, `sum(case …)`, and of products of sums, as in `avg((x - 2) * (x - 2))`, each branch and each product is',
  },
  avg: { kind: 'avg', says: 'of values clamped to the declared bounds' },
  var_samp: { kind: 'var_samp', says: 'of values clamped to the declared bounds' },
  variance: { kind: 'var_samp', says: 'the same as var_samp' },
  var_pop: { kind: 'var_pop', says: 'of values clamped to the declared bounds' },
  stddev_samp: { kind: 'stddev_samp', says: 'of values clamped to the declared bounds' },
  stddev: { kind: 'stddev_samp', says: 'the same as stddev_samp' },
  stddev_pop: { kind: 'stddev_pop', says: 'of values clamped to the declared bounds' },
}

/** Whether a function is an aggregate of some mode, or one that is declined by name: no column is computed by it row by row. */
export function isAggregate(name: string): boolean {
  return Object.hasOwn(AGGREGATES, name) || Object.hasOwn(PAIR_AGGREGATES, name) || OTHER_AGGREGATES.has(name)
}

const OTHER_AGGREGATES: ReadonlySet<string> = new Set([
  'min',
  'max',
  'bool_or',
  'bool_and',
  'percentile_cont',
  'percentile_disc',
  'median',
  'mode',
  'every',
  'array_agg',
  'string_agg',
  'any_value',
])

/** An aggregate as it is written: what it is of, and which rows it takes. */
interface Written {
  readonly argument?: Expr | undefined
  readonly filter?: Expr | undefined
  readonly isOfPeople: boolean
  readonly isDistinct?: true
}

/** Collects the measures of a question over these sources; equal ones are collected once. */
export function measureSink(
  inner: Frame,
  sources: readonly Source[],
): { readonly measures: Measure[]; readonly bind: (node: FuncCall, name: string) => Expr | undefined } {
  const measures: Measure[] = []
  const bindAt = (node: FuncCall, name: string): Expr | undefined => {
    const summed: Summed = { inner, sources, offset: node.location, name }
    const row = Object.hasOwn(AGGREGATES, name) ? AGGREGATES[name] : undefined
    if (row === undefined) return bindPair(node, { name, inner, sink: pairSink(measures, summed) })
    const written = readAggregate(node, name, inner)
    if (row.kind === 'count')
      return addCount(measures, written, optionalManySources(sources, inner.binding.dataSets))
    const made = addTerms(measures, row.kind, { ...summed, written })
    return ofSpans(made, row.kind, written.argument)
  }
  return { measures, bind: (node, name) => atOffset(node.location, () => bindAt(node, name)) }
}

/** A sum, average or deviation of spans of time is one; a variance would be in squares of them. */
export function ofSpans(made: Expr, kind: MeasureKind, argument: Expr | undefined): Expr {
  return isSpan(argument) && kind !== 'var_samp' && kind !== 'var_pop' ? asSpan(made) : made
}

/** A pair's figures are collected as those of one value are; a covariance tells of the averages of both sides, too. */
function pairSink(measures: Measure[], summed: Summed): PairSink {
  const written = ({ value, filter }: Side): Written => ({ argument: value, filter, isOfPeople: false })
  const { sources, inner, name } = summed
  const spread: PairSink['spread'] = (kind, side) =>
    addSum(measures, kind, { ...summed, written: written(side) })
  return {
    count: (side) => addCount(measures, written(side), optionalManySources(sources, inner.binding.dataSets)),
    spread,
    covariance: ({ y, x, filter }) => {
      const margins = [spread('avg', y).measure, spread('avg', x).measure] as const
      const argument = call('mul_number', [asFactor(y, name), asFactor(x, name)])
      return addSum(measures, 'covar_pop', {
        ...summed,
        written: { argument, filter, isOfPeople: false },
        margins,
      })
    },
  }
}

/** Reads an aggregate of one argument, of rows or of people. */
export function readAggregate(
  node: FuncCall,
  name: string,
  inner: Frame & { readonly isPerPerson?: true },
): Written {
  const args = node.args ?? []
  if (node.agg_order || node.agg_within_group)
    throw notSupported(node.agg_within_group ? 'WITHIN GROUP' : 'ORDER BY in an aggregate', node.location)
  const filter = node.agg_filter && bindCondition(node.agg_filter, inner)
  if (node.agg_star) {
    if (name !== 'count') throw notAllowed(`"${name}" of *`, node.location)
    return { filter, isOfPeople: false }
  }
  if (args.length !== 1) throw notAllowed(`"${name}" of ${args.length} arguments`, node.location)
  const chosen = name === 'count' ? chosenPerson(args[0], inner) : undefined
  if (chosen) return ofPeople(chosen.person, { filter: bothOf(filter, chosen.when), node, inner })
  const argument = aggregated(args[0], name, inner)
  const isPerson = argument.type === 'person'
  if (isPerson && name !== 'count')
    throw wrongColumn(`The person key may not stand in "${name}"`, node.location)
  if (node.agg_distinct) requireScalar(argument, node.location)
  if (node.agg_distinct && !isPerson && !(inner.isPerPerson && name === 'count'))
    throw notAllowed(
      `"${name}" of distinct values of anything but the person key${name === 'count' ? '; count the groups, as in select count(*) from (select distinct x from …) t' : ''}`,
      node.location,
    )
  if (argument.kind !== 'person')
    return { argument, filter, isOfPeople: false, ...(node.agg_distinct ? { isDistinct: true } : {}) }
  return ofPeople(argument, { filter, node, inner })
}

interface OfPeople {
  readonly filter: Expr | undefined
  readonly node: FuncCall
  readonly inner: Frame
}

/** Where the person key is never null, counting it is counting rows. */
function ofPeople(person: PersonRef, { filter, node, inner }: OfPeople): Written {
  const isThere = inner.isNullable?.(person) ? call('is_not_null', [person]) : undefined
  return { filter: bothOf(filter, isThere), isOfPeople: node.agg_distinct ?? false }
}

function bothOf(one: Expr | undefined, other: Expr | undefined): Expr | undefined {
  return one && other ? call('and', [one, other]) : (one ?? other)
}

/** `case when … then <person key> end`: FILTER, as it was written before there was one. */
function chosenPerson(
  node: Node | undefined,
  inner: Frame,
): { readonly person: PersonRef; readonly when: Expr } | undefined {
  if (node === undefined || !('CaseExpr' in node)) return undefined
  const { arg, args = [], defresult } = node.CaseExpr
  const [first, another] = args
  if (arg || another || first === undefined || !('CaseWhen' in first) || !isNull(defresult)) return undefined
  const { expr, result } = first.CaseWhen
  if (result === undefined || !('ColumnRef' in result)) return undefined
  const person = bindTerm(result, inner)
  return person.kind === 'person' ? { person, when: bindCondition(expr, inner) } : undefined
}

function isNull(node: Node | undefined): boolean {
  return node === undefined || ('A_Const' in node && node.A_Const.isnull === true)
}

function aggregated(node: Node | undefined, name: string, inner: Frame): Expr {
  const term = bindTerm(node, inner)
  return term.kind === 'untyped' ? coerce(term, 'text', { offset: undefined, name }) : term
}

/**
 * Rows of an outer join are a person's rows, or one without values where it found none: so a count also tells for whom
 * it found some, which is a set of its own. `optional` are the sources that it looked for.
 */
function addCount(
  measures: Measure[],
  { argument, filter, isOfPeople }: Written,
  optional: readonly number[],
): Expr {
  const counted = countedArgument(argument)
  const tells = optional.map((source) => {
    const isThere = call('is_not_null', [{ kind: 'person', source, type: 'person', size: 1 }])
    const found = filter ? call('and', [filter, isThere]) : isThere
    return addMeasure(measures, { kind: 'count', argument: counted, filter: found, tells: [] })
  })
  const measure: Measure = isOfPeople
    ? { kind: 'people', filter, tells: [] }
    : { kind: 'count', argument: counted, filter, tells }
  return measureRef(addMeasure(measures, measure), 'integer', undefined)
}

/** A literal that is not null stands in every row. */
export function countedArgument(argument: Expr | undefined): Expr | undefined {
  return argument?.kind === 'literal' && argument.value !== null ? undefined : argument
}

/** An aggregate of values: over which sources it stands, and how it is called where. */
interface Summed {
  readonly inner: Frame
  readonly sources: readonly Source[]
  readonly offset: number | undefined
  readonly name: string
}

/** A sum of terms is guarded term by term, and what conditions decide branch by branch. */
function addTerms(measures: Measure[], kind: MeasureKind, facts: SumFacts): Expr {
  const { written } = facts
  const decided = addBranches(measures, kind, facts) ?? addSpread(measures, kind, facts)
  if (decided) return decided
  const made = aggregateOfSum(kind, written, {
    add: (argument, filter) =>
      addSum(measures, kind, { ...facts, written: { ...written, argument, filter } }),
    count: () => {
      const argument = written.argument && withinBounds(written.argument)
      const { sources, inner } = facts
      return addCount(
        measures,
        { ...written, argument },
        optionalManySources(sources, inner.binding.dataSets),
      )
    },
  })
  return made ?? addSum(measures, kind, facts)
}

/** Undefined of what is a sum of quantities as it is, or is none that could be taken apart. */
function addBranches(measures: Measure[], kind: MeasureKind, facts: SumFacts): Expr | undefined {
  const { written, sources, inner } = facts
  const { argument, filter } = written
  if ((kind !== 'sum' && kind !== 'avg') || argument === undefined || argument.isSpan) return undefined
  if (argument.type !== 'integer' && argument.type !== 'number') return undefined
  const isTaken = (expr: Expr): boolean => isQuantity(withinBounds(expr), sources)
  if (termsOf(argument).every(({ expr }) => isTaken(expr))) return undefined
  const branches = branchesOf(argument, (expr) => expr.kind !== 'call' && isTaken(expr))
  const optional = optionalManySources(sources, inner.binding.dataSets)
  return (
    branches &&
    aggregateOfBranches(kind, branches, {
      filter,
      sink: {
        sum: (value, where) =>
          addSum(measures, 'sum', { ...facts, written: { ...written, argument: value, filter: where } }),
        count: (where) => addCount(measures, { filter: where, isOfPeople: false }, optional),
      },
    })
  )
}

/** Of a sum of several terms. */
function addSpread(measures: Measure[], kind: MeasureKind, facts: SumFacts): Expr | undefined {
  const { argument, filter } = facts.written
  const sum = argument && { terms: termsOf(argument), filter }
  return sum && spreadOfSum(kind, sum, pairSink(measures, facts))
}

interface SumFacts extends Summed {
  readonly written: Written
  readonly margins?: Measure['margins']
}

function addSum(measures: Measure[], kind: MeasureKind, facts: SumFacts): MeasureRef {
  const { written, offset, name, margins } = facts
  const { argument, filter } = written
  if (argument === undefined || (argument.type !== 'integer' && argument.type !== 'number'))
    throw notAllowed(`"${name}" of ${argument?.type ?? 'nothing'}`, offset)
  const clamp = boundsOf(argument, facts)
  checkMultiplied(argument, facts)
  const bounded = withinBounds(argument)
  atOffset(offset, () => requireQuantity(bounded, facts.sources))
  const counted = addMeasure(measures, {
    kind: 'count',
    argument: countedArgument(bounded),
    filter,
    tells: [],
  })
  const measure: Measure = {
    kind,
    argument: bounded,
    filter,
    clamp,
    margins,
    tells: [counted, ...(margins ?? [])],
  }
  // As in PostgreSQL, where the sum of 64-bit integers is a numeric, so that dividing it keeps the fraction.
  return measureRef(addMeasure(measures, measure), 'number', kind === 'avg' ? clamp : undefined)
}

/** Refuses to aggregate a value that a join repeats. */
export function checkMultiplied(argument: Expr, { inner, sources, name, offset }: Summed): void {
  if (!isMultiplied(argument, sources, inner.binding.dataSets)) return
  throw notSupported(
    `"${name}" of a value that the join repeats for each row of another data set; add up the rows of each person in a CTE first`,
    offset,
  )
}

function boundsOf(argument: Expr, { name, offset }: SumFacts): Range {
  if (argument.range === undefined) throw wrongColumn(whyUnbounded(argument, name), offset)
  return argument.range
}

/** Why an argument has no bounds, naming the column. */
export function whyUnbounded(argument: Expr, name: string): string {
  for (const part of partsOf(argument)) {
    if (
      part.kind === 'column' &&
      (part.type === 'integer' || part.type === 'number') &&
      part.range === undefined
    ) {
      return `${spokenColumn(part)} has no declared bounds, so "${name}" of it cannot be bounded`
    }
  }
  return `"${name}" is of an expression whose bounds cannot be told from those of its columns`
}

/** Adds a measure unless an equal one is there; gives its index. Refuses more than a question may come to. */
export function addMeasure(measures: Measure[], measure: Measure): number {
  const known = measures.findIndex(
    (other) =>
      other.kind === measure.kind &&
      sameOptional(other.argument, measure.argument) &&
      sameOptional(other.filter, measure.filter) &&
      other.quantileMicro === measure.quantileMicro,
  )
  if (known >= 0) return known
  if (measures.length >= LIMITS.queryMeasuresMax)
    throw tooLarge(
      `The question comes to more than ${LIMITS.queryMeasuresMax} sums and counts, with those that they are made of; ask for some of them in a question of their own`,
    )
  return measures.push(measure) - 1
}

/** What a measure comes to, by its index. */
export function measureRef(measure: number, type: ExprType, bounds: Range | undefined): MeasureRef {
  return { kind: 'measure', measure, type, size: 1, range: bounds }
}
