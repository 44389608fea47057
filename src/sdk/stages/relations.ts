import type { Node, SelectStmt } from '@pgsql/types'

/** A column of a relation, as far as stages have to know it. */
export interface Column {
  readonly name: string
  /** Whether it names the person: rows that are chosen or grouped by it are that person's own. */
  readonly isPerson: boolean
}

/**
 * Whose rows a relation has: rows of people, rows of what was answered before, or rows that are written out in the question.
 */
export type RowsOf = 'people' | 'answers' | 'nobody'

/** A relation under its name in FROM. */
export interface Relation {
  readonly name: string
  readonly columns: readonly Column[]
  readonly of: RowsOf
  /** It may lack groups that are too small to be shown. */
  readonly isLossy: boolean
}

export type Scope = readonly Relation[]

/** The parts of a name: a column, or a relation and a column. */
export type Names = readonly string[]

/** The texts of a list of names; a star counts for none. */
export function namesOf(nodes: readonly Node[] | undefined): Names {
  return (nodes ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []))
}

/** Whether a name means something among these relations. */
export function isKnown(scope: Scope, [first = '', second]: Names): boolean {
  if (second !== undefined) return scope.some(({ name }) => name === first)
  return scope.some(({ name, columns }) => name === first || columns.some((column) => column.name === first))
}

function columnNamed(scope: Scope, [first = '', second]: Names): Column | undefined {
  const relations = second === undefined ? scope : scope.filter(({ name }) => name === first)
  return relations.flatMap(({ columns }) => columns).find(({ name }) => name === (second ?? first))
}

/** Whether an expression is a column that names the person. */
export function isPersonColumn(node: Node | undefined, scope: Scope): boolean {
  return (
    node !== undefined &&
    'ColumnRef' in node &&
    columnNamed(scope, namesOf(node.ColumnRef.fields))?.isPerson === true
  )
}

/** The columns of a SELECT over its relations. */
export function columnsOf({ targetList = [] }: SelectStmt, scope: Scope): readonly Column[] {
  return targetList.flatMap((target): readonly Column[] => {
    const { name, val } = 'ResTarget' in target ? target.ResTarget : {}
    if (val && 'ColumnRef' in val) {
      const fields = val.ColumnRef.fields ?? []
      const names = namesOf(fields)
      if (names.length < fields.length)
        return scope.filter((one) => names[0] === undefined || one.name === names[0]).flatMap(allOf)
    }
    return [{ name: name ?? figureName(val), isPerson: isPersonColumn(val, scope) }]
  })
}

function allOf({ columns }: Relation): readonly Column[] {
  return columns
}

/** Columns under other names, from the first on. */
export function renamed(columns: readonly Column[], names: readonly string[]): readonly Column[] {
  return columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }))
}

/** The name that PostgreSQL gives to a column without one. */
function figureName(node: Node | undefined): string {
  if (node === undefined) return '?column?'
  if ('ColumnRef' in node) return namesOf(node.ColumnRef.fields).at(-1) ?? '?column?'
  if ('FuncCall' in node) return namesOf(node.FuncCall.funcname).at(-1) ?? '?column?'
  if ('CoalesceExpr' in node) return 'coalesce'
  if ('MinMaxExpr' in node) return node.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest'
  if ('CaseExpr' in node) return orElse(figureName(node.CaseExpr.defresult), 'case')
  if ('TypeCast' in node)
    return orElse(figureName(node.TypeCast.arg), namesOf(node.TypeCast.typeName?.names).at(-1) ?? '?column?')
  if ('SubLink' in node && node.SubLink.subLinkType === 'EXPR_SUBLINK') {
    const { subselect } = node.SubLink
    const [target] =
      (subselect && 'SelectStmt' in subselect ? subselect.SelectStmt.targetList : undefined) ?? []
    const { name, val } = target && 'ResTarget' in target ? target.ResTarget : {}
    return name ?? figureName(val)
  }
  return '?column?'
}

function orElse(name: string, otherwise: string): string {
  return name === '?column?' ? otherwise : name
}
