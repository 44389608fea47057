import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * The record as it was at one moment, by SQL alone: so it is read the same way from the embedded PostgreSQL, which
 * comes without pg_dump, and from one at an address. A read-only transaction in which everything is of one snapshot.
 */
export interface RecordSnapshot extends AsyncDisposable {
  readonly db: Database
  /** Steps of the schema that had run, by name. */
  readonly steps: readonly string[]
  /** Tables with rows, in the order of their names, and how many there are. */
  tables(): Promise<ReadonlyMap<string, number>>
  /** Rows of a table as JSON, one a line, in the order of its key. */
  rows(table: string): AsyncGenerator<Uint8Array>
}

/** The migrator's own: a restore runs the steps again. */
const OF_THE_SCHEMA = ['schema_step', 'schema_step_lock', 'schema_step_digest']
/**
 * Answers that are kept for requests which come again. They are found by a digest of whom they are about, which a
 * restore could not tell, and are of no use days later.
 */
const PASSING = ['idempotent_answer', 'consent_call']
/** Where keys of people are; they go to the safe (docs/decisions/0020). */
export const KEY_TABLE = 'person_key'

/** Bytes that one portion of rows has, about. */
const PORTION_BYTES = 4 * 1024 * 1024
const PORTION_ROWS_MAX = 5_000

/** Begins to read: the record as it is when this resolves, which is as soon as PostgreSQL has looked at one table. */
export async function snapshotRecord(db: Database): Promise<RecordSnapshot> {
  const tx = await db
    .startTransaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute()
  try {
    // The first statement takes the snapshot.
    const { rows: steps } = await sql<{ name: string }>`select name from schema_step order by name`.execute(
      tx,
    )
    return {
      db: tx,
      steps: steps.map(({ name }) => name),
      tables: () => countTables(tx),
      rows: (table) => readRows(tx, table),
      [Symbol.asyncDispose]: () => tx.rollback().execute(),
    }
  } catch (error) {
    await tx.rollback().execute()
    throw error
  }
}

async function countTables(tx: Database): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const table of await tablesOf(tx)) {
    if (table === KEY_TABLE || PASSING.includes(table)) continue
    const { rows } = await sql<{ count: bigint }>`select count(*) as count from ${sql.table(table)}`.execute(
      tx,
    )
    const count = Number(rows[0]?.count)
    if (count > 0) counts.set(table, count)
  }
  return counts
}

/** Tables of the record; of one that is kept in pieces the whole. */
export async function tablesOf(db: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname::text as name from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
    order by relname collate "C"`.execute(db)
  return rows.map(({ name }) => name).filter((name) => !OF_THE_SCHEMA.includes(name))
}

async function* readRows(tx: Database, table: string): AsyncGenerator<Uint8Array> {
  const key = await keyOf(tx, table)
  const order = key.length === 0 ? sql`1` : sql.join(key.map((column) => sql.id('t', column)))
  const cursor = sql.id(`rows_of_${table}`)
  await sql`
    declare ${cursor} no scroll cursor for
    select row_to_json(t)::text as line from ${sql.table(table)} t order by ${order}`.execute(tx)
  const { rows: sizes } = await sql<{ bytes: number }>`
    select coalesce((select sum(pg_table_size(relid)) from pg_partition_tree(${table}::regclass)), pg_table_size(${table}::regclass))::float8 / greatest(1, (select count(*) from ${sql.table(table)})) as bytes`.execute(
    tx,
  )
  const rowBytes = Math.max(64, sizes[0]?.bytes ?? 0)
  const portion = Math.min(PORTION_ROWS_MAX, Math.max(1, Math.floor(PORTION_BYTES / rowBytes)))
  for (;;) {
    const { rows } = await sql<{ line: string }>`
      fetch forward ${sql.lit(portion)} from ${cursor}`.execute(tx)
    if (rows.length > 0) yield Buffer.from(`${rows.map(({ line }) => line).join('\n')}\n`)
    if (rows.length < portion) break
  }
  await sql`close ${cursor}`.execute(tx)
}

/** Columns of a table's primary key, in its order. */
export async function keyOf(db: Database, table: string): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select a.attname as name from pg_index i
    cross join lateral unnest(i.indkey::int2[]) with ordinality as part (number, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = part.number
    where i.indrelid = ${table}::regclass and i.indisprimary order by part.place`.execute(db)
  return rows.map(({ name }) => name)
}
