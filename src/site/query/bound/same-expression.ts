import type { Expr, WindowCall } from './bound-query.ts'
import { sourcesOf } from './joined-level.ts'

/** Whether two expressions are written the same once bound: equal ones have equal values on every row. */
export function sameExpression(a: Expr, b: Expr): boolean {
  if (a === b) return true
  if (a.kind !== b.kind || a.type !== b.type || a.size !== b.size) return false
  switch (a.kind) {
    case 'literal':
      return b.kind === 'literal' && JSON.stringify(a.value) === JSON.stringify(b.value)
    case 'column':
      return b.kind === 'column' && a.source === b.source && a.column === b.column
    case 'person':
      return b.kind === 'person' && sourcesOf(a).join() === sourcesOf(b).join()
    case 'key':
      return b.kind === 'key' && a.key === b.key
    case 'measure':
      return b.kind === 'measure' && a.measure === b.measure
    case 'call':
      return (
        b.kind === 'call' &&
        a.call === b.call &&
        a.constants.join('\n') === b.constants.join('\n') &&
        sameLists(a.args, b.args)
      )
    case 'window':
      return b.kind === 'window' && JSON.stringify(a) === JSON.stringify(b)
    case 'case':
      return (
        b.kind === 'case' &&
        sameLists(childrenOf(a), childrenOf(b)) &&
        (a.otherwise === undefined) === (b.otherwise === undefined)
      )
  }
}

function sameLists(a: readonly Expr[], b: readonly Expr[]): boolean {
  return a.length === b.length && a.every((expr, index) => sameOptional(expr, b[index]))
}

/** The same for two that may be absent. */
export function sameOptional(a: Expr | undefined, b: Expr | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameExpression(a, b)
}

/** The expressions right below one, in the order in which they are written. */
export function childrenOf(expr: Expr): readonly Expr[] {
  if (expr.kind === 'call') return expr.args
  if (expr.kind === 'window')
    return [...expr.args, ...expr.partition, ...expr.order.map((key) => key.expr), ...expr.ties]
  if (expr.kind === 'case')
    return [
      ...expr.whens.flatMap(({ when, value }) => [when, value]),
      ...(expr.otherwise ? [expr.otherwise] : []),
    ]
  return []
}

/** The same expression with each of its parts replaced; what `replace` gives for a whole part is taken as it is. */
export function mapExpression(expr: Expr, replace: (part: Expr) => Expr | undefined): Expr {
  const replaced = replace(expr)
  if (replaced) return replaced
  if (expr.kind === 'call') return { ...expr, args: expr.args.map((arg) => mapExpression(arg, replace)) }
  if (expr.kind === 'window') return mapWindow(expr, replace)
  if (expr.kind !== 'case') return expr
  const whens = expr.whens.map(({ when, value }) => ({
    when: mapExpression(when, replace),
    value: mapExpression(value, replace),
  }))
  return { ...expr, whens, otherwise: expr.otherwise && mapExpression(expr.otherwise, replace) }
}

/** Over groups; one over rows of people is a column of its own. */
function mapWindow(expr: WindowCall, replace: (part: Expr) => Expr | undefined): Expr {
  if (expr.person) throw new Error('Cannot rewrite a window function: it stands in no other expression')
  const mapped = (part: Expr): Expr => mapExpression(part, replace)
  return {
    ...expr,
    args: expr.args.map(mapped),
    partition: expr.partition.map(mapped),
    order: expr.order.map((key) => ({ ...key, expr: mapped(key.expr) })),
  }
}

/** Every part of an expression, itself first. */
export function* partsOf(expr: Expr): Generator<Expr> {
  yield expr
  for (const child of childrenOf(expr)) yield* partsOf(child)
}
