import type { ColumnRef, Node } from '@pgsql/types'
import type { ReadSelect } from './read-select.ts'
import { isPersonColumn, namesOf } from './relations.ts'
import { makesNullOfNothing } from './shape.ts'

/** `b.sport = a.sport` in a sub-query: a column of its own, and one of the row around it. */
export interface Tie {
  readonly own: ColumnRef
  readonly around: ColumnRef
}

/**
 * The ties of a sub-query of one value that looks at the row around it by nothing but equal columns: it is a value of that row's group.
 * `undefined` for any other, one of the person among them, and for one that is no null for a group of nobody.
 */
export function tiesToGroup({ select, of, made, free, scope }: ReadSelect): readonly Tie[] | undefined {
  const { whereClause, havingClause, sortClause, limitCount, limitOffset, withClause, larg, targetList } =
    select
  if (of !== 'people' || made !== 'one row' || larg || withClause) return undefined
  if (havingClause || sortClause || limitCount || limitOffset || !whereClause) return undefined
  const [target, another] = targetList ?? []
  if (target === undefined || another || !makesNullOfNothing(target)) return undefined
  const around = new Set(free.map((names) => JSON.stringify(names)))
  const isAround = (column: ColumnRef): boolean => around.has(JSON.stringify(namesOf(column.fields)))
  const ties = conjunctsOf(whereClause).flatMap((node): readonly Tie[] => {
    const [a, b] = sidesOf(node)
    if (a === undefined || b === undefined || isAround(a) === isAround(b)) return []
    return [isAround(a) ? { own: b, around: a } : { own: a, around: b }]
  })
  const isOfPerson = ties.some(({ own }) => isPersonColumn({ ColumnRef: own }, scope))
  return ties.length === 0 || ties.length !== free.length || isOfPerson ? undefined : ties
}

function conjunctsOf(node: Node): readonly Node[] {
  return 'BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR'
    ? (node.BoolExpr.args ?? []).flatMap(conjunctsOf)
    : [node]
}

/** Of `column = column` the two. */
function sidesOf(node: Node): readonly ColumnRef[] {
  if (!('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return []
  const { name, lexpr, rexpr } = node.A_Expr
  if (namesOf(name).join() !== '=' || !lexpr || !rexpr) return []
  return 'ColumnRef' in lexpr && 'ColumnRef' in rexpr ? [lexpr.ColumnRef, rexpr.ColumnRef] : []
}
