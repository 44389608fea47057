import type { Expr } from '../../bound/bound-query.ts'
import { sameExpression } from '../../bound/same-expression.ts'
import { withinBounds } from './bounded-argument.ts'
import { different } from './branches.ts'
import type { Branch, Product } from './branches.ts'
import { call, caseOf, literal } from '../expression/build-expression.ts'

/** Makes the measures that a value is taken apart into, each over the rows where a condition holds. */
export interface BranchSink {
  readonly sum: (value: Expr, filter: Expr | undefined) => Expr
  readonly count: (filter: Expr | undefined) => Expr
}

/**
 * A sum or an average of what conditions decide, as sums and counts over the rows of each branch: `sum(least(x, 8))` is
 * `sum(x) filter (where x < 8) + 8 * count(*) filter (where (x < 8) is not true)`. Each of these could be asked by itself, and the guard judges each as if it had
 * been: nobody hides behind the others of one sum, and what is shown is only what they come to together (`check-quantities.ts`).
 */
export function aggregateOfBranches(
  kind: 'sum' | 'avg',
  branches: readonly Branch[],
  { filter, sink }: { readonly filter: Expr | undefined; readonly sink: BranchSink },
): Expr {
  const parts = branches.flatMap((branch) => partsOfBranch(branch, filter, sink))
  const [first = literal('number', 0), ...others] = parts
  const total = others.reduce<Expr>((all, one) => call('add_number', [all, one]), first)
  const count = countOf(branches, filter, sink)
  if (kind === 'avg') return call('div_number', [total, call('cast_integer_number', [count])])
  return caseOf([{ when: call('gt', [count, literal('integer', 0)]), value: total }], undefined)
}

/** What a branch adds. Where nobody is in it, that is 0. */
function partsOfBranch(
  { when, needs, sum }: Branch,
  filter: Expr | undefined,
  sink: BranchSink,
): readonly Expr[] {
  if (sum === undefined) return []
  const parts = sum.products.map((product) => {
    const others = needs.filter((need) => !product.factors.some((factor) => sameExpression(factor, need)))
    const value = sink.sum(valueOf(product), allOf(filter, [...when, ...areThere(others)]))
    return scaledBy(call('coalesce', [value, literal('number', 0)]), product.scale)
  })
  if (sum.constant === 0) return parts
  const count = sink.count(allOf(filter, [...when, ...areThere(needs)]))
  return [...parts, scaledBy(call('cast_integer_number', [count]), sum.constant)]
}

/** How many rows have a value of it. */
function countOf(branches: readonly Branch[], filter: Expr | undefined, sink: BranchSink): Expr {
  const all = branches.filter(({ sum }) => sum !== undefined)
  const needs = different(all.flatMap((branch) => branch.needs))
  const areAlike = all.every((branch) => branch.needs.length === needs.length)
  if (all.length === branches.length && areAlike) return sink.count(allOf(filter, areThere(needs)))
  const counts = all.map((branch) => sink.count(allOf(filter, [...branch.when, ...areThere(branch.needs)])))
  const [first = literal('integer', 0), ...others] = counts
  return others.reduce<Expr>((sum, one) => call('add_integer', [sum, one]), first)
}

function areThere(needs: readonly Expr[]): readonly Expr[] {
  return needs.map((need) => call('is_not_null', [withinBounds(need)]))
}

function allOf(filter: Expr | undefined, conditions: readonly Expr[]): Expr | undefined {
  const all = different([...(filter ? [filter] : []), ...conditions])
  return all.length > 1 ? call('and', all) : all[0]
}

function valueOf({ factors, divisors }: Product): Expr {
  const [first = literal('number', 1), ...others] = factors
  const product = others.reduce<Expr>((all, one) => call('mul_number', [asNumber(all), asNumber(one)]), first)
  return divisors.reduce<Expr>((all, one) => call('div_number', [asNumber(all), asNumber(one)]), product)
}

function asNumber(expr: Expr): Expr {
  return expr.type === 'integer' ? call('cast_integer_number', [expr]) : expr
}

function scaledBy(expr: Expr, scale: number): Expr {
  return scale === 1 ? expr : call('mul_number', [expr, literal('number', scale)])
}
