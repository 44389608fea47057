import { sql } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { migrate } from '../../kernel/postgres/migrate.ts'
import { SITE_MIGRATIONS } from '../record/migrations.ts'
import { KEY_TABLE, keyOf, tablesOf } from './read-record.ts'

/** Where the rows of a table come from: lines of JSON. */
export type LinesOf = (table: string) => AsyncIterable<string>

/** Lines that are written in one statement, at most; fewer where they are long. */
const LINES_AT_ONCE = 2_000
const CHARACTERS_AT_ONCE = 8 * 1024 * 1024

/**
 * Makes the record anew in an empty database: the steps of the schema that had run, then the rows, tables that others
 * point to first. Gives how many rows each table has got.
 *
 * @throws Fault `fault.conflict` when the database has tables, `fault.directory_version` when a newer version wrote it
 */
export async function loadRecord(
  db: Database,
  { steps, tables, lines }: { steps: readonly string[]; tables: readonly string[]; lines: LinesOf },
): Promise<ReadonlyMap<string, number>> {
  if ((await tablesOf(db)).length > 0) {
    throw new Fault('fault.conflict', {
      what: 'Cannot restore: the database has tables already; give one that is empty',
    })
  }
  const unknown = steps.find((name) => !(name in SITE_MIGRATIONS))
  if (unknown !== undefined) {
    throw new Fault('fault.directory_version', {
      what: `Cannot restore: the backup has the schema step "${unknown}" of another version of Hedgerow`,
    })
  }
  await migrate(
    db,
    Object.fromEntries(Object.entries(SITE_MIGRATIONS).filter(([name]) => steps.includes(name))),
  )
  return db.transaction().execute(async (tx) => {
    const loaded = new Map<string, number>()
    for (const table of await inOrderOfReferences(tx, tables))
      loaded.set(table, await loadTable(tx, table, lines(table)))
    await setSequences(tx)
    return loaded
  })
}

async function loadTable(tx: Database, table: string, lines: AsyncIterable<string>): Promise<number> {
  const clash = await whenThere(tx, table)
  const write = async (some: readonly string[]): Promise<number> => {
    const { numAffectedRows } = await sql`
      insert into ${sql.table(table)} overriding system value
      select * from json_populate_recordset(null::${sql.table(table)}, ${`[${some.join(',')}]`}::json) ${clash}`.execute(
      tx,
    )
    return Number(numAffectedRows ?? 0)
  }
  let rows = 0
  let held: string[] = []
  let characters = 0
  for await (const line of lines) {
    held.push(line)
    characters += line.length
    if (held.length < LINES_AT_ONCE && characters < CHARACTERS_AT_ONCE) continue
    rows += await write(held)
    held = []
    characters = 0
  }
  if (held.length > 0) rows += await write(held)
  return rows
}

/** Some tables have their one row from the beginning (counters), and it is not to be deleted: it takes the values. */
async function whenThere(tx: Database, table: string) {
  const { rows } = await sql<{ is_there: boolean }>`
    select exists(select from ${sql.table(table)}) as is_there`.execute(tx)
  if (rows[0]?.is_there !== true) return sql``
  const { rows: columns } = await sql<{ name: string }>`
    select attname as name from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped`.execute(tx)
  const key = (await keyOf(tx, table)).map((name) => sql.id(name))
  const values = columns.map(({ name }) => sql`${sql.id(name)} = ${sql.id('excluded', name)}`)
  return sql`on conflict (${sql.join(key)}) do update set ${sql.join(values)}`
}

async function inOrderOfReferences(tx: Database, tables: readonly string[]): Promise<readonly string[]> {
  const known = new Set(await tablesOf(tx))
  const missing = tables.find((table) => !known.has(table))
  if (missing !== undefined)
    throw new Fault('fault.backup_damaged', { what: `Cannot restore: there is no table "${missing}"` })
  const { rows } = await sql<{ table: string; points_to: string }>`
    select conrelid::regclass::text as table, confrelid::regclass::text as points_to from pg_constraint
    where contype = 'f' and conrelid <> confrelid and connamespace = current_schema()::regnamespace`.execute(
    tx,
  )
  const ordered: string[] = []
  const add = (table: string) => {
    if (ordered.includes(table)) return
    for (const { points_to: before } of rows.filter((row) => row.table === table)) add(before)
    ordered.push(table)
  }
  for (const table of tables) add(table)
  return ordered.filter((table) => tables.includes(table))
}

/** Numbers that a table gives by itself go on after the highest that is there. */
async function setSequences(tx: Database): Promise<void> {
  const { rows } = await sql<{ table: string; column: string }>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = current_schema() and is_identity = 'YES'`.execute(tx)
  for (const { table, column } of rows) {
    await sql`
      select setval(pg_get_serial_sequence(${table}, ${column}), max(${sql.id(column)}))
      from ${sql.table(table)} having max(${sql.id(column)}) is not null`.execute(tx)
  }
}

/** Puts people's wrapped keys where they belong. */
export async function loadPersonKeys(
  db: Database,
  keys: readonly { readonly person: number; readonly wrapped: Uint8Array }[],
): Promise<void> {
  await sql`
    insert into ${sql.table(KEY_TABLE)} (person, wrapped)
    select * from unnest(${keys.map(({ person }) => person)}::integer[],
      ${keys.map(({ wrapped }) => Buffer.from(wrapped))}::bytea[])`.execute(db)
}
