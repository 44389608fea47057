import type { WithClause } from '@pgsql/types'
import type { NamedQueries } from './from-context.ts'
import { textsOf } from '../../text/nodes.ts'
import { notSupported } from '../../text/refusal.ts'

/** The CTEs of a WITH clause, each knowing those before it. */
export function bindWith(clause: WithClause | undefined, known: NamedQueries): NamedQueries {
  let all = known
  for (const node of clause?.ctes ?? []) {
    if (!('CommonTableExpr' in node)) throw notSupported('this WITH clause')
    const { ctename = '', ctequery, aliascolnames, location } = node.CommonTableExpr
    if (ctequery === undefined || !('SelectStmt' in ctequery))
      throw notSupported('a statement other than SELECT in a WITH clause', location)
    all = new Map(all).set(ctename, {
      select: ctequery.SelectStmt,
      columnNames: textsOf(aliascolnames ?? []) ?? [],
      known: all,
    })
  }
  return all
}
