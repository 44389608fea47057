import type { BoundQuery, Expr, PerPersonAggregate, Source } from './bound-query.ts'
import { catalogueRow } from '../catalogue/catalogue.ts'
import { partsOf } from './same-expression.ts'

/**
 * How many stored texts long all texts are together that a question makes of one row. An engine keeps each of them for some thousand
 * rows at once, and counts none of it as memory that it may use.
 */
export function textsMade({ sources, where, keys, measures, ...shown }: BoundQuery): number {
  const ofRows = shown.mode === 'rows' ? [...shown.outputs, ...shown.orderBy] : []
  return (
    together([
      ...[...where, ...ofRows].map(({ expr }) => expr),
      ...keys,
      ...measures.flatMap(({ argument, filter }) => [argument, filter]),
    ]) + inSources(sources)
  )
}

function inSources(sources: readonly Source[]): number {
  return sources.reduce((sum, source) => sum + together(source.join?.on ?? []) + inSource(source), 0)
}

function inSource(source: Source): number {
  if (source.kind === 'data-set' || source.kind === 'outer') return 0
  const made =
    source.kind === 'rows'
      ? source.columns
      : [...source.keys, ...source.aggregates.flatMap(({ argument, filter }) => [argument, filter])]
  const kept = source.kind === 'rows' ? [] : source.aggregates.filter(isKept)
  return (
    together([...source.where.map(({ expr }) => expr), ...made]) +
    kept.reduce((sum, { copies = 1 }) => sum + KEPT_OF_ALL * copies, 0) +
    inSources(source.sources)
  )
}

/**
 * A least or greatest text of a person counts so many times: an engine keeps it of all people at once, and counts that as little. 60 times
 * max(repeat(x, 15)) took 4.7 GB of 30,000 people; so many of max(upper(x)) as there may be columns are below the bound.
 */
export const KEPT_OF_ALL = 14

function isKept({ function: made, type }: PerPersonAggregate): boolean {
  return (made === 'min' || made === 'max') && type === 'text'
}

function together(exprs: readonly (Expr | undefined)[]): number {
  let sum = 0
  for (const expr of exprs) if (expr) for (const part of partsOf(expr)) sum += madeBy(part)
  return sum
}

/** What is stored, or chosen by a CASE, is not made anew. */
function madeBy(expr: Expr): number {
  if (expr.kind !== 'call') return 0
  const { type, copies = 1, args } = expr
  const given = type === 'text' || type === 'json' || type === 'text[]' ? copies : 0
  const { makes = 0 } = catalogueRow(expr.call)
  return given + makes * Math.max(1, ...args.map((arg) => arg.copies ?? 1))
}
