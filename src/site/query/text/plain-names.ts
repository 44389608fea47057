import type { SelectStmt } from '@pgsql/types'
import { locationOf } from './nodes.ts'
import { notSupported } from './refusal.ts'

/** The schema that tools write before every name. Data sets have plain names, so it says nothing. */
const SCHEMA = 'public'

/**
 * The same tree with `public.` taken off data sets and off their columns. A name with a schema never means a CTE, nor what
 * was given another name in FROM, as in PostgreSQL; such a name is refused. Throws a `Refusal`.
 */
export function withPlainNames(select: SelectStmt): SelectStmt {
  const names: Names = { ctes: new Set(), tables: new Set() }
  gatherNames(select, names)
  return names.isQualified ? (plain(select, names) as SelectStmt) : select
}

interface Names {
  readonly ctes: Set<string>
  /** Relations under their own name. */
  readonly tables: Set<string>
  isQualified?: true
}

type Body = Readonly<Record<string, unknown>>

function gatherNames(value: unknown, names: Names): void {
  if (Array.isArray(value)) {
    for (const item of value) gatherNames(item, names)
    return
  }
  if (!isBody(value)) return
  const { CommonTableExpr: cte, RangeVar: relation, ColumnRef: column } = value
  if (isBody(cte)) names.ctes.add(String(cte['ctename']))
  if (isBody(relation) && relation['alias'] === undefined) names.tables.add(String(relation['relname']))
  if (isBody(relation) && relation['schemaname'] !== undefined) names.isQualified = true
  if (isBody(column) && schemaOf(column) !== undefined) names.isQualified = true
  for (const inner of Object.values(value)) gatherNames(inner, names)
}

function plain(value: unknown, names: Names): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item, names))
  if (!isBody(value)) return value
  const { RangeVar: relation, ColumnRef: column } = value
  if (isBody(relation)) return { RangeVar: plainRelation(relation, names) }
  if (isBody(column)) return { ColumnRef: plainColumn(column, names) }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner, names)]))
}

function plainRelation(relation: Body, { ctes }: Names): Body {
  const { schemaname, ...rest } = relation
  if (schemaname !== undefined && ctes.has(String(rest['relname'])))
    throw notSupported('a name with a schema for a CTE; write its plain name', locationOf(relation))
  return rest
}

function plainColumn(column: Body, { tables }: Names): Body {
  const table = schemaOf(column)
  if (table === undefined) return column
  if (!tables.has(table))
    throw notSupported('a name with a schema for what is no data set of FROM', locationOf(column))
  return { ...column, fields: fieldsOf(column).slice(1) }
}

/** Of `public.<table>.<column>` and `public.<table>.*` the table. */
function schemaOf(column: Body): string | undefined {
  const [schema, table, last, another] = fieldsOf(column)
  if (textOf(schema) !== SCHEMA || last === undefined || another !== undefined) return undefined
  return textOf(table)
}

function fieldsOf({ fields }: Body): readonly unknown[] {
  return Array.isArray(fields) ? fields : []
}

function textOf(node: unknown): string | undefined {
  const body = isBody(node) ? node['String'] : undefined
  return isBody(body) && typeof body['sval'] === 'string' ? body['sval'] : undefined
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
