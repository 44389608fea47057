import type { SelectStmt } from '@pgsql/types'
import { offsetOf, offsetWithin } from '../../text/nodes.ts'
import type { PersonRef, Source } from '../../bound/bound-query.ts'
import { call } from '../expression/build-expression.ts'
import { atNode, notSupported } from '../../text/refusal.ts'
import { addSource } from '../expression/scope.ts'
import type { Level, ScopeColumn } from '../expression/scope.ts'

/** Binds one SELECT of a set operation into a level of its own. */
export type BindMember = (select: SelectStmt, level: Level) => readonly ScopeColumn[]

/**
 * A set operation as a relation: of person keys only, where it is a set of people with one row each. UNION is a full join,
 * INTERSECT an inner one, EXCEPT a left join of which those stay that found nobody. With further columns, or with ALL, a
 * person would have rows of several branches, and the branches would choose how often a value counts: a sum over them is no
 * sum of one quantity for each person (`docs/decisions/0018`). The people of a UNION ALL are those of the UNION, so where a question counts
 * different ones, and nothing else, it is taken as that.
 */
export function bindPersonSet(
  select: SelectStmt,
  bindMember: BindMember,
  { level, question }: { readonly level: Level; readonly question: Level },
): readonly ScopeColumn[] {
  const { repeated } = level === question ? level : {}
  const { source, name } = setOf(select, { bindMember, repeated })
  const index = addSource(level, source)
  return [{ name, expr: { kind: 'person', source: index, type: 'person', size: 1 } }]
}

interface PersonSet {
  /** One row for each of its people. */
  readonly source: Source
  readonly name: string
}

/** How members are bound, and where it is noted that people would repeat: only a whole question can tell that it counts different ones. */
interface Members {
  readonly bindMember: BindMember
  readonly repeated: Level['repeated']
}

/** What becomes of rows that repeat. */
export const WITH_ALL =
  'UNION ALL, INTERSECT ALL and EXCEPT ALL as a relation, but UNION ALL of person keys under nothing but count(distinct <person key>); write UNION for a set of people, or add up what each branch has of a person in a sub-select of its own and join those'

function personSet(select: SelectStmt, members: Members): PersonSet {
  if (select.larg && select.withClause) throw notSupported('WITH within a set operation')
  return setOf(select, members)
}

function setOf(select: SelectStmt, members: Members): PersonSet {
  return atNode(select, () => setOfNode(select, members))
}

function setOfNode(select: SelectStmt, members: Members): PersonSet {
  const { larg, rarg, op, all, sortClause, limitCount, limitOffset } = select
  if (!larg || !rarg) return peopleOf(select, members.bindMember)
  if (all) {
    if (op !== 'SETOP_UNION' || members.repeated === undefined)
      throw notSupported(WITH_ALL, offsetWithin(rarg))
    members.repeated.push(offsetWithin(rarg))
  }
  if (sortClause || limitCount || limitOffset)
    throw notSupported(
      'ORDER BY, LIMIT and OFFSET of a set operation',
      offsetWithin(sortClause ?? limitCount ?? limitOffset),
    )
  const [left, right] = [personSet(larg, members), personSet(rarg, members)]
  const kind = op === 'SETOP_UNION' ? 'full' : op === 'SETOP_EXCEPT' ? 'left' : 'inner'
  const other: PersonRef = { kind: 'person', source: 1, type: 'person', size: 1 }
  return {
    name: left.name,
    source: {
      kind: 'rows',
      sources: [left.source, { ...right.source, join: { kind, by: [0], on: [] } }],
      where: kind === 'left' ? [{ expr: call('is_null', [other]), clause: 'where' }] : [],
      columns: [],
    },
  }
}

function peopleOf(select: SelectStmt, bindMember: BindMember): PersonSet {
  const level: Level = { sources: [], where: [] }
  const [column, another] = bindMember(select, level)
  const { expr } = column ?? {}
  if (column === undefined || another || expr?.kind !== 'person')
    throw notSupported(
      'a set operation (UNION, INTERSECT, EXCEPT) as a relation of anything but one person key; ask each branch as a question of its own',
      offsetOf(select.targetList?.[0]),
    )
  return {
    name: column.name,
    source: { kind: 'per-person', sources: level.sources, where: level.where, keys: [], aggregates: [] },
  }
}
