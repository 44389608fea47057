import { derivedColumn } from './build-expression.ts'
import type { Expr } from '../../bound/bound-query.ts'
import { isNullablePerson } from '../../bound/joined-level.ts'
import { sameExpression } from '../../bound/same-expression.ts'
import { addSource } from './scope.ts'
import type { Level, Scope, ScopeColumn } from './scope.ts'

/**
 * Makes one source of a whole level, so that it can be joined as it is: its conditions hold before an outer join, and
 * what it computes is null where the join finds no row of it.
 */
export function isolate(inner: Level, scope: Scope, target: Level): Scope {
  const [only, another] = inner.sources
  // One source without conditions is already one.
  if (only && !another && !only.join && inner.where.length === 0 && scope.every(isPlain)) {
    const source = addSource(target, only)
    return mapped(scope, (expr) =>
      expr.kind === 'column' || expr.kind === 'person' ? { ...expr, source } : expr,
    )
  }
  const columns: Expr[] = []
  const source = addSource(target, { kind: 'rows', sources: inner.sources, where: inner.where, columns })
  return mapped(scope, (expr) => {
    if (expr.kind === 'person')
      return isNullablePerson(expr, inner.sources)
        ? 'may be missing in a row of its sub-select; use the one that is always there'
        : { kind: 'person', source, type: 'person', size: 1 }
    const known = columns.findIndex((one) => sameExpression(one, expr))
    const index = known >= 0 ? known : columns.push(expr) - 1
    return derivedColumn(source, `c${index}`, expr)
  })
}

function isPlain({ columns }: Scope[number]): boolean {
  return columns.every(({ expr }) => !expr || expr.kind === 'column' || expr.kind === 'person')
}

/** A text instead of an expression is why the column may not be used. */
function mapped(scope: Scope, map: (expr: Expr) => Expr | string): Scope {
  const mappedColumn = (column: ScopeColumn): ScopeColumn => {
    const { expr, ...rest } = column
    const made = expr && map(expr)
    if (made === undefined) return column
    return typeof made === 'string' ? { ...rest, refusal: made } : { ...rest, expr: made }
  }
  return scope.map((relation) => ({ ...relation, columns: relation.columns.map(mappedColumn) }))
}
