import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { hexDigestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { runOwn } from './own-sql.ts'

/** Relations that a permitted statement may read: data sets and tables of eligible people. */
const RELATION = /^(ds_[a-z][a-z0-9_]*|e_\d+)$/

/** The vault's own tables and the engine's catalogue: a common table may not borrow their names to get at them. */
const OWN_RELATION = /^(_person|_person_key|_batch|_part|aside_.*|duckdb_.*|pragma_.*|sqlite_.*|pg_.*)$/i

/** Table functions that read nothing but their arguments. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(['unnest', 'range', 'generate_series'])

/** Functions that write, read settings, or run texts. */
const REFUSED_FUNCTIONS: ReadonlySet<string> = new Set([
  'write_log',
  'query',
  'query_table',
  'current_setting',
  'getvariable',
  'getenv',
  'nextval',
  'currval',
])

/** What may stand behind FROM, by the engine's names of its own tree. */
const FROM_KINDS: ReadonlySet<string> = new Set([
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'EXPRESSION_LIST',
  'EMPTY',
  'TABLE_FUNCTION',
])

const CHECKED_MAX = 2_000
/** Digests: a text may have more than a megabyte. */
const checked = new Set<string>()

/**
 * The vault's own look at a statement, by the engine's parser (the gate used another): one SELECT that reads nothing
 * but data sets, tables of eligible people and its own common tables, and calls nothing that reaches outside. It
 * keeps even a statement that slipped through the gate from the file of the vault itself, which a locked-down engine
 * may still read, and from the tables of lookup digests and birth dates.
 *
 * @throws Fault `fault.internal`: the gate let something through, which is our bug, never the asker's decision
 */
export async function checkStatement(connection: DuckDBConnection, text: string): Promise<void> {
  const name = hexDigestOf(text)
  if (checked.has(name)) return
  const tree = await parse(connection, text)
  const names = new Set<string>()
  visit(tree, (node) => collectCommonTables(node, names))
  visit(tree, (node) => requirePermitted(node, names))
  if (checked.size >= CHECKED_MAX) checked.clear()
  checked.add(name)
}

type Node = Readonly<Record<string, unknown>>

async function parse(connection: DuckDBConnection, text: string): Promise<Node> {
  const query = sql`select json_serialize_sql(${text}::varchar, skip_null := true, skip_empty := true)`
  const [[serialised] = []] = (await runOwn(connection, query)).getRows()
  const tree: unknown = JSON.parse(String(serialised))
  if (!isNode(tree) || tree['error'] !== false) throw refused('it is not a SELECT')
  if (!Array.isArray(tree['statements']) || tree['statements'].length !== 1)
    throw refused('it is not one statement')
  return tree
}

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, see)
  } else if (isNode(value)) {
    see(value)
    for (const item of Object.values(value)) visit(item, see)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function collectCommonTables(node: Node, names: Set<string>): void {
  const map = isNode(node['cte_map']) ? node['cte_map']['map'] : undefined
  if (!Array.isArray(map)) return
  for (const entry of map) {
    const name = isNode(entry) ? String(entry['key']) : ''
    if (OWN_RELATION.test(name)) throw refused('a common table has the name of a relation of the vault')
    names.add(name)
  }
}

function requirePermitted(node: Node, commonTables: ReadonlySet<string>): void {
  if (node['type'] === 'BASE_TABLE') requireRelation(node, commonTables)
  if (node['type'] === 'TABLE_FUNCTION') requireTableFunction(node)
  if (node['class'] === 'FUNCTION') requireFunction(node)
  if (isNode(node['from_table'])) requireKind(node['from_table'])
  if (node['type'] === 'JOIN') {
    requireKind(node['left'])
    requireKind(node['right'])
  }
}

function requireKind(source: unknown): void {
  if (!isNode(source) || !FROM_KINDS.has(String(source['type']))) {
    throw refused('it reads from something that is not a relation')
  }
}

function requireRelation(node: Node, commonTables: ReadonlySet<string>): void {
  const name = String(node['table_name'])
  const isQualified = Boolean(node['schema_name']) || Boolean(node['catalog_name'])
  if (isQualified || !(RELATION.test(name) || commonTables.has(name))) {
    throw refused('it reads a relation that is not a data set')
  }
}

function requireTableFunction(node: Node): void {
  const call = isNode(node['function']) ? node['function'] : {}
  if (!TABLE_FUNCTIONS.has(String(call['function_name']).toLowerCase())) {
    throw refused('it reads from a function')
  }
}

function requireFunction(node: Node): void {
  if (REFUSED_FUNCTIONS.has(String(node['function_name']).toLowerCase()))
    throw refused('it calls a refused function')
}

function refused(why: string): Fault {
  return new Fault('fault.internal', { what: `Cannot run a statement in the vault: ${why}` })
}
