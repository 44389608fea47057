import { LIMITS } from '../../../../kernel/limits.ts'
import type { Manifest } from '../../../../protocol/data-set.ts'
import type { Condition, Expr, Literal, QueryMode, Source } from '../../bound/bound-query.ts'
import type { Term } from './build-expression.ts'
import { insideOf } from '../../bound/derived-column.ts'
import { tooLarge, unknownColumn, wrongColumn } from '../../text/refusal.ts'

/** What a whole question is bound against. */
export interface Binding {
  readonly mode: QueryMode
  readonly dataSets: ReadonlyMap<string, Manifest>
  readonly parameters: readonly Term[]
}

/** A flat set of sources in the making: sub-selects that only project and filter are written out into it. */
export interface Level {
  readonly sources: Source[]
  readonly where: Condition[]
  /** Of a whole question: relations that are written out and stand in it. */
  readonly written?: WrittenColumns[]
  /** The same: where sets of people stand that were written with UNION ALL, so that rows would repeat. */
  readonly repeated?: (number | undefined)[]
}

/** What the columns of a relation that is written out are in each row of people, and in its own rows. */
export interface WrittenColumns {
  readonly exprs: readonly Expr[]
  readonly rows: readonly (readonly Literal[])[]
  /** Whether its rows stay where they meet nobody's. */
  readonly isKept: boolean
  readonly offset: number | undefined
}

/** A column that a name in the question may mean. */
export interface ScopeColumn {
  readonly name: string
  /** What it stands for; absent when it exists but may stand in no question, and then `refusal` says why. */
  readonly expr?: Expr
  readonly refusal?: string
  /** Merged by USING into a column of a relation to its left: only meant when the relation is named. */
  readonly isMerged?: boolean
}

/** A relation of a FROM clause under its name there. */
export interface ScopeRelation {
  readonly name: string
  readonly columns: readonly ScopeColumn[]
  /** Of a LATERAL sub-query: the sources before it whose person its rows are of; none where it only computes. */
  readonly tiedTo?: readonly number[]
}

export type Scope = readonly ScopeRelation[]

/** Adds a source and gives its index. */
export function addSource(level: Level, source: Source): number {
  const count = level.sources.reduce((total, one) => total + leaves(one), leaves(source))
  if (count > LIMITS.queryJoinsMax + 1)
    throw tooLarge(`The question joins more than ${LIMITS.queryJoinsMax + 1} data sets`)
  level.sources.push(source)
  return level.sources.length - 1
}

function leaves(source: Source): number {
  if (source.kind === 'outer') return 0
  return source.kind === 'data-set' ? 1 : insideOf(source).reduce((total, inner) => total + leaves(inner), 0)
}

/** The column that `name` or `relation.name` means. Throws `declined.column` when it is unknown, ambiguous or sealed. */
export function findColumn(
  scope: Scope,
  { relation, name }: { readonly relation?: string | undefined; readonly name: string },
  offset: number | undefined,
): Expr {
  const relations = relation === undefined ? scope : scope.filter((one) => one.name === relation)
  if (relations.length === 0) throw wrongColumn(`There is no relation "${relation ?? ''}" here`, offset)
  const found = relations.flatMap(({ columns }) =>
    columns.filter((column) => column.name === name && (relation !== undefined || !column.isMerged)),
  )
  const [column, another] = found
  if (another)
    throw wrongColumn(`Column "${name}" stands in more than one relation; name the relation too`, offset)
  if (column === undefined) throw unknownColumn(whyUnknown(scope, { relation, name }), offset)
  if (column.expr === undefined)
    throw wrongColumn(`Column "${name}" ${column.refusal ?? 'may not be used'}`, offset)
  return column.expr
}

function whyUnknown(
  scope: Scope,
  { relation, name }: { relation?: string | undefined; name: string },
): string {
  if (scope.some((one) => one.name === name)) return `A whole row ("${name}") is no value; name its columns`
  const relations = relation === undefined ? scope : scope.filter((one) => one.name === relation)
  const usable = relations.flatMap(({ columns }) =>
    columns.flatMap((column) => (column.expr && column.isMerged !== true ? [`"${column.name}"`] : [])),
  )
  return `There is no column "${name}"${listed([...new Set(usable)])}`
}

/** Names that are shown of those that there are: a sentence is read whole. */
const NAMES_CHARACTERS_MAX = 160

/** As many of the names as are read at a glance. */
function listed(names: readonly string[]): string {
  let length = 0
  const shown = names.filter((name) => (length += name.length + 2) <= NAMES_CHARACTERS_MAX)
  if (shown.length === 0) return ''
  const others = names.length - shown.length
  return `; there are ${shown.join(', ')}${others === 0 ? '' : ` and ${others} more`}`
}

/** What `*` or `relation.*` stands for: every column that may be used. */
export function allColumns(
  scope: Scope,
  relation: string | undefined,
  offset: number | undefined,
): readonly (ScopeColumn & { readonly expr: Expr })[] {
  const relations = relation === undefined ? scope : scope.filter((one) => one.name === relation)
  if (relations.length === 0) throw wrongColumn(`There is no relation "${relation ?? ''}" here`, offset)
  return relations.flatMap(({ columns }) =>
    columns.flatMap((column) =>
      column.expr && !(relation === undefined && column.isMerged) ? [{ ...column, expr: column.expr }] : [],
    ),
  )
}
