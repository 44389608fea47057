import type { Node, RangeSubselect, SelectStmt, SubLink } from '@pgsql/types'
import type { Expr, Source } from '../../bound/bound-query.ts'
import { optionalManySources } from '../aggregate/bounded-argument.ts'
import { bindCondition } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { insideOf } from '../../bound/derived-column.ts'
import { isNullablePerson } from '../../bound/joined-level.ts'
import type { OuterNames } from '../expression/outer-names.ts'
import { notSupported } from '../../text/refusal.ts'
import type { Binding, Level, Scope, ScopeRelation } from '../expression/scope.ts'

/** A CTE: its text and what it may name itself. */
export interface NamedQuery {
  readonly select: SelectStmt
  readonly columnNames: readonly string[]
  readonly known: NamedQueries
}

export type NamedQueries = ReadonlyMap<string, NamedQuery>

/** What a FROM clause is bound in: the question, the set of sources it is written out into, and the CTEs it may name. */
export interface FromContext {
  readonly binding: Binding
  readonly level: Level
  /** The level of the question itself, whose measures tell of whom an outer join found rows. */
  readonly question: Level
  readonly known: NamedQueries
  /** The names around a sub-query of an expression; they mean something in its WHERE and ON, not in its own sub-selects. */
  readonly outer?: OuterNames | undefined
  /** The names before an item of FROM, which a LATERAL sub-query may use. */
  readonly beside?: Scope | undefined
  readonly bindSubLink: (node: SubLink, context: FromContext, frame: Frame) => Expr
  readonly bindLateral: (node: RangeSubselect, context: FromContext, kind: 'inner' | 'left') => ScopeRelation
}

/** Conditions of an outer join: no sub-query, whose source would have to come before the join. */
export function frameOfJoin({ binding, outer, level }: FromContext, scope: Scope): Frame {
  return { binding, scope, outer, isNullable: (person) => isNullablePerson(person, level.sources) }
}

/** Expressions over what FROM names. */
export function frameOf(context: FromContext, scope: Scope): Frame {
  return {
    ...frameOfJoin(context, scope),
    bindSubLink: (node, frame) => context.bindSubLink(node, context, frame),
  }
}

/** The parts that must all hold. */
export function conjunctsOf(node: Node): readonly Node[] {
  return 'BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR'
    ? (node.BoolExpr.args ?? []).flatMap(conjunctsOf)
    : [node]
}

/** Adds what must all hold to the conditions of a level. */
export function addConditions(
  node: Node,
  frame: Frame,
  { level, clause }: { readonly level: Level; readonly clause: 'where' | 'join' },
): void {
  for (const conjunct of conjunctsOf(node)) level.where.push({ expr: bindCondition(conjunct, frame), clause })
}

/** Whether a person has their rows or one of nulls is for the guard to see, which sees the question's own level only. */
export function checkOptionalRows(
  { level, question, binding }: FromContext,
  offset: number | undefined,
): void {
  if (level !== question && optionalManySources(level.sources, binding.dataSets).length > 0)
    throw notSupported(
      'an outer join, within a sub-query, that may find several rows of a person; group them by the person first',
      offset,
    )
}

/** Only an issuer's own keys name the same people; those of two issuers are different people even where they look alike. */
export function checkIssuers(
  { sources }: { readonly sources: readonly Source[] },
  { dataSets }: Binding,
): void {
  const issuers = new Set<string | undefined>()
  const visit = (list: readonly Source[]): void => {
    for (const source of list) {
      if (source.kind === 'data-set') issuers.add(dataSets.get(source.dataSet)?.issuer)
      else visit(insideOf(source))
    }
  }
  visit(sources)
  if (issuers.size > 1)
    throw notSupported('a join of data sets of different issuers: their people are not the same')
}
