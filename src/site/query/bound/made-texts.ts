import type { BoundQuery, Expr, Source } from './bound-query.ts'
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
  return together([...source.where.map(({ expr }) => expr), ...made]) + inSources(source.sources)
}

function together(exprs: readonly (Expr | undefined)[]): number {
  let sum = 0
  for (const expr of exprs)
    if (expr) for (const part of partsOf(expr)) if (isMade(part)) sum += part.copies ?? 1
  return sum
}

/** What is stored, or chosen by a CASE, is not made anew. */
function isMade({ kind, type }: Expr): boolean {
  return kind === 'call' && (type === 'text' || type === 'json' || type === 'text[]')
}
