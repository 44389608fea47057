import type { JoinExpr, Node } from '@pgsql/types'
import type { Expr, Join, PersonRef } from '../../bound/bound-query.ts'
import { bindTerm } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { resolveCall } from '../expression/build-expression.ts'
import { conjunctsOf, frameOf } from './from-context.ts'
import type { FromContext } from './from-context.ts'
import { sourcesOf } from '../../bound/joined-level.ts'
import { offsetOf, textsOf } from '../../text/nodes.ts'
import { notSupported, wrongColumn } from '../../text/refusal.ts'
import { findColumn } from '../expression/scope.ts'
import type { Scope, ScopeColumn } from '../expression/scope.ts'

/** What a join joins. */
export interface Sides {
  readonly left: Scope
  readonly right: Scope
}

/** What a join says: the person keys of its left and right, columns that USING merges, and further conditions. */
interface JoinConditions {
  readonly persons: readonly [PersonRef, PersonRef]
  readonly merged: readonly Merged[]
  readonly on: readonly Expr[]
  readonly nodes: readonly Node[]
}

interface Merged {
  readonly name: string
  readonly left: Expr
  readonly right: Expr
}

/** Reads USING, NATURAL or ON of a join, which has to be on the person keys of both sides. */
export function conditionsOf(join: JoinExpr, { left, right }: Sides, context: FromContext): JoinConditions {
  const { usingClause, quals, rarg, isNatural } = join
  if (isNatural) return conditionsOfUsing(namesOfBoth({ left, right }), { left, right })
  if (usingClause) return conditionsOfUsing(textsOf(usingClause) ?? [], { left, right })
  if (quals === undefined)
    throw notSupported('a cross join here; write JOIN … USING (<person key>)', offsetOf(rarg))
  const frame = frameOf(context, [...left, ...right])
  const nodes: Node[] = []
  let persons: JoinConditions['persons'] | undefined
  for (const conjunct of conjunctsOf(quals)) {
    const equal = personEquality(conjunct, frame) ?? []
    const [a, b] = [equal.find((one) => isOf(left, one)), equal.find((one) => isOf(right, one))]
    if (a && b && !persons) persons = [a, b]
    else if (!a || !b) nodes.push(conjunct)
    else throw notSupported('a join on more than one pair of person keys', offsetOf(conjunct))
  }
  if (persons === undefined) throw notPersonJoin(offsetOf(quals))
  return { persons, merged: [], on: [], nodes }
}

/** What a NATURAL join is on: every name that both sides have, sealed ones too. */
function namesOfBoth({ left, right }: Sides): readonly string[] {
  const namesOf = (scope: Scope): readonly string[] =>
    scope.flatMap(({ columns }) => columns.filter(({ isMerged }) => !isMerged).map(({ name }) => name))
  const others = new Set(namesOf(right))
  return [...new Set(namesOf(left))].filter((name) => others.has(name))
}

function conditionsOfUsing(names: readonly string[], { left, right }: Sides): JoinConditions {
  let persons: JoinConditions['persons'] | undefined
  const on: Expr[] = []
  const merged = names.map((name): Merged => {
    const [a, b] = [findColumn(left, { name }, undefined), findColumn(right, { name }, undefined)]
    if (a.kind === 'person' && b.kind === 'person') persons = [a, b]
    else if (a.type === 'person' || b.type === 'person')
      throw wrongColumn(`Column "${name}" is the person key on one side of the join only`)
    else on.push(resolveCall([a, b], { offset: undefined, name: '=' }))
    return { name, left: a, right: b }
  })
  if (persons === undefined) throw notPersonJoin(undefined)
  return { persons, merged, on, nodes: [] }
}

/** The names after a join: those that USING merges mean the side whose rows all stay, or whichever has a value. */
export function mergedScope(
  { left, right }: Sides,
  merged: readonly Merged[],
  kind: Join['kind'] = 'inner',
): Scope {
  if (merged.length === 0) return [...left, ...right]
  const hidden = (scope: Scope) =>
    scope.map((relation) => ({
      ...relation,
      columns: relation.columns.map((column): ScopeColumn =>
        merged.some(({ name }) => name === column.name) ? { ...column, isMerged: true } : column,
      ),
    }))
  if (kind === 'inner' || kind === 'left') return [...left, ...hidden(right)]
  const columns = merged.map(({ name, left: a, right: b }) => ({
    name,
    expr: kind === 'right' ? b : eitherOf(a, b),
  }))
  // No relation of a question is called by nothing at all.
  return [{ name: '', columns }, ...hidden(left), ...hidden(right)]
}

function eitherOf(a: Expr, b: Expr): Expr {
  if (a.kind === 'person' && b.kind === 'person')
    return { ...a, orElse: [...(a.orElse ?? []), ...sourcesOf(b)] }
  return resolveCall([a, b], { offset: undefined, name: 'COALESCE' })
}

/** The refusal of a join on anything else. */
export function notPersonJoin(offset: number | undefined): Error {
  return notSupported('a join that is not on the person keys of both sides', offset)
}

/** The two person keys of `a.<person key> = b.<person key>`. */
export function personEquality(node: Node, frame: Frame): readonly [PersonRef, PersonRef] | undefined {
  if (!('A_Expr' in node)) return undefined
  const { kind, name = [], lexpr, rexpr } = node.A_Expr
  if (
    kind !== 'AEXPR_OP' ||
    textsOf(name)?.join() !== '=' ||
    !lexpr ||
    !rexpr ||
    !('ColumnRef' in lexpr) ||
    !('ColumnRef' in rexpr)
  )
    return undefined
  const [a, b] = [bindTerm(lexpr, frame), bindTerm(rexpr, frame)]
  return a.kind === 'person' && b.kind === 'person' ? [a, b] : undefined
}

/** Whether a person key is one of a side. */
export function isOf(side: Scope, { source }: PersonRef): boolean {
  return side.some(({ columns }) =>
    columns.some(({ expr }) => expr?.kind === 'person' && sourcesOf(expr).includes(source)),
  )
}
