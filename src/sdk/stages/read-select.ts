import type {
  CommonTableExpr,
  JoinExpr,
  Node,
  RangeSubselect,
  RangeVar,
  SelectStmt,
  SubLink,
} from '@pgsql/types'
import type { ReadText } from './read-text.ts'
import { spanOfBody } from './read-text.ts'
import type { Column, Names, Relation, RowsOf, Scope } from './relations.ts'
import { columnsOf, isKnown, namesOf, renamed } from './relations.ts'
import { isPlainRead, isStrict, madeBy } from './shape.ts'
import type { Made } from './shape.ts'
import { cut } from './template.ts'
import type { Edit, Template } from './template.ts'

/** Why a question cannot be asked in stages, and where in bytes of its text. */
export class NoStages extends Error {
  readonly offset: number | undefined

  constructor(why: string, offset?: number) {
    super(why)
    this.name = 'NoStages'
    this.offset = offset
  }
}

/** A CTE as what comes after it may name it. */
export interface Named {
  readonly name: string
  readonly relation: Relation
  /** `name (…) as (…)`, with the answers that it waits for. */
  readonly definition: Template
  /** The edits of its text where it stands. */
  readonly edits: readonly Edit[]
  /** The CTEs that it names itself. */
  readonly names: readonly Named[]
}

/** What a SELECT was read as. */
export interface ReadSelect {
  readonly select: SelectStmt
  readonly of: RowsOf
  readonly columns: readonly Column[]
  readonly made: Made
  /** Names that are of nothing within it: it looks at the rows around it. */
  readonly free: readonly Names[]
  /** What its FROM names. */
  readonly scope: Scope
  readonly isLossy: boolean
  readonly edits: readonly Edit[]
  /** CTEs around it that it names. */
  readonly names: readonly Named[]
}

/** What stages are planned with: the text, the data sets by their names, and what makes a stage of a SELECT. */
export interface Planning {
  readonly read: ReadText
  readonly dataSets: ReadonlyMap<string, readonly Column[]>
  /** The edit that writes the answer of a SELECT in its place; `undefined` when it is no question of its own. */
  readonly stageOf: {
    relation(select: ReadSelect): Edit | undefined
    link(link: SubLink, select: ReadSelect): Edit | undefined
  }
}

/** Where something stands: what it may name, and what is found there. */
interface Place {
  readonly planning: Planning
  readonly known: ReadonlyMap<string, Named>
  readonly scope: Scope
  /** Whether what is not found in a relation can only leave rows out here, and turns nothing round. */
  readonly isSure: boolean
  /** Whether a null can only leave rows out here: not even NOT makes something of it. */
  readonly isStrict: boolean
  readonly found: Found
}

interface Found {
  readonly edits: Edit[]
  readonly names: Named[]
  readonly free: Names[]
  isLossy: boolean
}

type Around = Pick<Place, 'planning' | 'known'>

/** Reads a SELECT from the inside out. Throws `NoStages`. */
export function readSelect(select: SelectStmt, around: Around): ReadSelect {
  const own = readWith(select, around)
  const known = new Map(around.known)
  for (const named of own) known.set(named.name, named)
  const found: Found = { edits: [], names: [], free: [], isLossy: false }
  const place: Place = { planning: around.planning, known, scope: [], isSure: true, isStrict: true, found }
  const body = select.larg && select.rarg ? readSet(select, place) : readBody(select, place)
  const used = reachable(found.names)
  return {
    select,
    ...body,
    free: found.free,
    isLossy: found.isLossy,
    edits: [...found.edits, ...own.filter((named) => used.has(named)).flatMap(({ edits }) => edits)],
    names: [...used].filter((named) => !own.includes(named)),
  }
}

/** CTEs and those that they name. */
export function reachable(names: readonly Named[]): ReadonlySet<Named> {
  const all = new Set<Named>()
  const visit = (named: Named): void => {
    if (all.has(named)) return
    named.names.forEach(visit)
    all.add(named)
  }
  names.forEach(visit)
  return all
}

function readWith({ withClause }: SelectStmt, around: Around): readonly Named[] {
  const own: Named[] = []
  const known = new Map(around.known)
  for (const node of withClause?.ctes ?? []) {
    if (!('CommonTableExpr' in node)) continue
    const named = readNamed(node.CommonTableExpr, { ...around, known })
    own.push(named)
    known.set(named.name, named)
  }
  return own
}

function readNamed(
  { ctename = '', aliascolnames, ctequery, location = 0 }: CommonTableExpr,
  around: Around,
): Named {
  if (ctequery === undefined || !('SelectStmt' in ctequery))
    throw new NoStages('a statement other than SELECT in a WITH clause', location)
  const { read } = around.planning
  const inner = readSelect(ctequery.SelectStmt, around)
  const relation = relationOf(inner, { name: ctename, names: namesOf(aliascolnames), around })
  const body = spanOfBody(read, location)
  if (body === undefined) throw new NoStages(`the WITH query "${ctename}" in this form`, location)
  return {
    name: ctename,
    relation,
    definition: [...cut(read, { start: location, end: body.end }, relation.edits), ')'],
    edits: relation.edits,
    names: relation.edits === inner.edits ? inner.names : [],
  }
}

/** A sub-select or CTE as a relation: its own rows, or the answer of a stage. */
function relationOf(
  inner: ReadSelect,
  {
    name,
    names,
    around,
  }: { readonly name: string; readonly names: readonly string[]; readonly around: Around },
): Relation & Pick<ReadSelect, 'edits'> {
  const edit = around.planning.stageOf.relation(inner)
  const columns = renamed(inner.columns, names)
  return edit
    ? { name, columns, of: 'answers', isLossy: inner.made !== 'one row', edits: [edit] }
    : { name, columns, of: inner.of, isLossy: inner.isLossy, edits: inner.edits }
}

type Body = Pick<ReadSelect, 'of' | 'columns' | 'made' | 'scope'>

/** A set operation: what is missing on the right of EXCEPT would let rows in. */
function readSet({ larg, rarg, op }: SelectStmt, place: Place): Body {
  const members = [larg, rarg].map((member) => readSelect(member ?? {}, place))
  if (op === 'SETOP_EXCEPT' && members[1]?.isLossy) throw turnedRound(offsetIn(rarg))
  for (const member of members) take(member, place)
  const of = members.map((member) => member.of)
  return {
    of: of.find((one) => one === 'people') ?? of.find((one) => one === 'answers') ?? 'nobody',
    columns: members[0]?.columns ?? [],
    made: 'rows',
    scope: [],
  }
}

/** Takes up what was found in a part. */
function take(inner: ReadSelect, place: Place): void {
  const { found } = place
  takeFree(inner.free, place)
  found.edits.push(...inner.edits)
  found.names.push(...inner.names)
  found.isLossy ||= inner.isLossy
}

function readBody(select: SelectStmt, before: Place): Body {
  if (select.valuesLists)
    return { of: 'nobody', columns: valuesColumns(select.valuesLists), made: 'rows', scope: [] }
  const scope: Relation[] = []
  for (const item of select.fromClause ?? []) scope.push(...readItem(item, { ...before, scope: [...scope] }))
  const place: Place = { ...before, scope }
  const of = scope.some((one) => one.of === 'people')
    ? 'people'
    : scope.some((one) => one.of === 'answers')
      ? 'answers'
      : 'nobody'
  if (of === 'answers' && !isPlainRead(select))
    throw new NoStages(
      'a SELECT that reads answers only, and no people: put what it computes into the SELECT list, and its condition into the HAVING, of what it reads',
      offsetIn(select.targetList),
    )
  for (const target of select.targetList ?? []) lookAt(target, unsure(place))
  for (const condition of [select.whereClause, select.havingClause]) lookAt(condition, asCondition(place))
  const columns = columnsOf(select, scope)
  const named = { name: '', columns, of: 'nobody', isLossy: false } as const
  const rest = [select.groupClause, select.sortClause, select.windowClause, select.distinctClause]
  lookAt(rest, unsure({ ...place, scope: [...scope, named] }))
  return { of, columns, made: madeBy(select, scope), scope }
}

function valuesColumns([first]: readonly Node[]): readonly Column[] {
  const items = first && 'List' in first ? (first.List.items ?? []) : []
  return items.map((_, index) => ({ name: `column${index + 1}`, isPerson: false }))
}

function readItem(node: Node, place: Place): readonly Relation[] {
  if ('RangeVar' in node) return [readNamedItem(node.RangeVar, place)]
  if ('RangeSubselect' in node) return [readSubselect(node.RangeSubselect, place)]
  if ('JoinExpr' in node) return readJoin(node.JoinExpr, place)
  return []
}

function readNamedItem({ relname = '', alias }: RangeVar, { planning, known, found }: Place): Relation {
  const name = alias?.aliasname ?? relname
  const named = known.get(relname)
  if (named === undefined) {
    const columns = planning.dataSets.get(relname) ?? []
    return { name, columns, of: 'people', isLossy: false }
  }
  found.names.push(named)
  const relation = {
    ...named.relation,
    name,
    columns: renamed(named.relation.columns, namesOf(alias?.colnames)),
  }
  found.isLossy ||= relation.isLossy
  return relation
}

function readSubselect({ subquery, alias, lateral }: RangeSubselect, place: Place): Relation {
  if (subquery === undefined || !('SelectStmt' in subquery)) throw new NoStages('this sub-select')
  const inner = readSelect(subquery.SelectStmt, place)
  const facts = { name: alias?.aliasname ?? '', names: namesOf(alias?.colnames), around: place }
  const relation = lateral ? { ...inner, name: facts.name, edits: inner.edits } : relationOf(inner, facts)
  if (relation.edits === inner.edits) take(inner, place)
  else place.found.edits.push(...relation.edits)
  place.found.isLossy ||= relation.isLossy
  const { name, columns, of, isLossy } = relation
  return { name, columns, of, isLossy }
}

function turnedRound(offset: number | undefined): NoStages {
  return new NoStages(
    'groups of an earlier answer under NOT, EXCEPT, ALL or CASE, or on the side of an outer join that may be missing: groups too small to be shown would count as not there; ask for the opposite groups with IN or JOIN, or ask the sub-query alone and write its answer out',
    offset,
  )
}

function readJoin({ jointype, larg, rarg, quals }: JoinExpr, place: Place): readonly Relation[] {
  const left = larg ? readItem(larg, place) : []
  const beside: Place = { ...place, scope: [...place.scope, ...left] }
  const right = rarg ? readItem(rarg, beside) : []
  const optional = [
    ...(jointype === 'JOIN_LEFT' || jointype === 'JOIN_FULL' ? right : []),
    ...(jointype === 'JOIN_RIGHT' || jointype === 'JOIN_FULL' ? left : []),
  ]
  if (optional.some(({ isLossy }) => isLossy)) throw turnedRound(offsetIn(rarg) ?? offsetIn(quals))
  const both: Place = { ...beside, scope: [...beside.scope, ...right] }
  lookAt(quals, jointype === 'JOIN_INNER' ? asCondition(both) : unsure(both))
  return [...left, ...right]
}

function asCondition(place: Place): Place {
  return { ...place, isSure: true, isStrict: true }
}

function unsure(place: Place): Place {
  return { ...place, isSure: false, isStrict: false }
}

/** Looks for sub-queries and names in an expression, or in several. */
function lookAt(value: unknown, place: Place): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) return value.forEach((one) => lookAt(one, place))
  const node = value as Node
  if ('ColumnRef' in node) takeFree([namesOf(node.ColumnRef.fields)], place)
  else if ('SubLink' in node) lookAtLink(node.SubLink, place)
  else if ('BoolExpr' in node)
    lookAt(node.BoolExpr.args, { ...place, isSure: place.isSure && node.BoolExpr.boolop !== 'NOT_EXPR' })
  else if ('A_Expr' in node && isStrict(node))
    lookAt([node.A_Expr.lexpr, node.A_Expr.rexpr], { ...place, isSure: false })
  else if ('FuncCall' in node) {
    const { agg_filter: filter, ...call } = node.FuncCall
    lookAt(filter, asCondition(place))
    lookAt(Object.values(call), unsure(place))
  } else for (const part of Object.values(value)) lookAt(part, unsure(place))
}

function takeFree(names: readonly Names[], { found, scope }: Place): void {
  found.free.push(...names.filter((one) => one.length > 0 && !isKnown(scope, one)))
}

function lookAtLink(link: SubLink, place: Place): void {
  const { subselect, testexpr, subLinkType, location } = link
  lookAt(testexpr, unsure(place))
  if (subselect === undefined || !('SelectStmt' in subselect)) throw new NoStages('this sub-query', location)
  const inner = readSelect(subselect.SelectStmt, place)
  const edit = place.planning.stageOf.link(link, inner)
  if (edit) {
    place.found.edits.push(edit)
    takeFree(inner.free, place)
  } else take(inner, place)
  const isValue = subLinkType === 'EXPR_SUBLINK'
  const isOfGroup = isValue && inner.free.length > 0
  const isLossy = edit ? isOfGroup || !isValue : inner.isLossy
  const isChoosing = subLinkType === 'EXISTS_SUBLINK' || subLinkType === 'ANY_SUBLINK'
  const isSafe = edit && isOfGroup ? place.isStrict : place.isSure && isChoosing
  if (isLossy && !isSafe) throw turnedRound(location)
  place.found.isLossy ||= isLossy
}

/** Where the first thing stands that says so. */
export function offsetIn(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if ('location' in value && typeof value.location === 'number') return value.location
  for (const part of Object.values(value)) {
    const offset = offsetIn(part)
    if (offset !== undefined) return offset
  }
  return undefined
}
