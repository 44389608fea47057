import { sql } from 'kysely'
import { systemClock } from '../clock.ts'
import type { Database } from './database.ts'

/** How far PostgreSQL let go of rows that were deleted. */
export interface PurgedTables {
  /** Tables were written anew, without dead rows. */
  readonly isRewritten: boolean
  /** No file of the write-ahead log is from before. */
  readonly isLogRecycled: boolean
}

const POLL_MS = 50
/** Transactions of a server last seconds; one that outlasts this is somebody else's, and the purge is tried again later. */
const OLD_TRANSACTIONS_MS_MAX = 60_000
const RECYCLE_ATTEMPTS_MAX = 3
/** How long a rewriting waits for its lock, and others behind it, and how often it tries: some minutes in all. */
const LOCK_WAIT_MS = 200
const LOCK_ATTEMPTS_MAX = 600
/** Segments that are switched through: the most that the embedded PostgreSQL keeps ahead, and as many again. */
const SEGMENTS_MAX = 64

/**
 * Makes PostgreSQL let go of what was deleted from some tables for good: a dead row stays in its table's file until the table
 * is written anew, and its former values in the write-ahead log until the segments are gone. Each table, or piece of a
 * table that is kept in pieces (partitions), is locked for as long as its rewriting takes; nothing else waits, also not
 * behind a purge that waits for its lock. It waits for other processes, and so by the machine's own time; where `signal` is aborted it
 * waits no longer, and is to be tried again.
 */
export async function purgeTables(
  db: Database,
  tables: readonly string[],
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<PurgedTables> {
  if (!(await isAlone(db, signal))) return { isRewritten: false, isLogRecycled: false }
  for (const table of tables)
    for (const piece of await piecesOf(db, table))
      if (!(await rewrite(db, { table: piece, signal }))) return { isRewritten: false, isLogRecycled: false }
  return { isRewritten: true, isLogRecycled: await recycleLog(db, signal) }
}

/** What of a table has files: itself, or each of its pieces; not those that never held a row, whose indexes have their first page alone. */
async function piecesOf(db: Database, table: string): Promise<readonly string[]> {
  // A plain table stands in no tree of partitions and is its own only piece.
  const { rows } = await sql<{ name: string }>`
    select c.oid::regclass::text as name from pg_class c
    where (c.oid = ${table}::regclass and c.relkind = 'r'
        or c.oid in (select relid from pg_partition_tree(${table}::regclass) where isleaf))
      and pg_total_relation_size(c.oid) > current_setting('block_size')::integer
        * (select count(*) from pg_index i where i.indrelid in (c.oid, c.reltoastrelid))
    order by c.oid`.execute(db)
  return rows.map(({ name }) => name)
}

/**
 * Writes one table anew. Whoever comes after a statement that waits for a lock waits too, so it gives up soon, lets them
 * pass and tries again; gives whether it was done.
 */
async function rewrite(
  db: Database,
  { table, signal }: { table: string; signal: AbortSignal | undefined },
): Promise<boolean> {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX && signal?.aborted !== true; attempt += 1) {
    const isDone = await db.connection().execute(async (one) => {
      await sql`set lock_timeout = ${sql.lit(LOCK_WAIT_MS)}`.execute(one)
      try {
        await sql`vacuum (full) ${sql.table(table)}`.execute(one)
        return true
      } catch (error) {
        if (isLockTimeout(error)) return false
        throw error
      } finally {
        await sql`set lock_timeout = 0`.execute(one)
      }
    })
    if (isDone) return true
    await systemClock.sleep(POLL_MS, signal)
  }
  return false
}

/** SQLSTATE `lock_not_available`. */
function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '55P03'
}

/** Waits until no transaction is left that could still see what was deleted: rewriting would copy it. */
async function isAlone(db: Database, signal: AbortSignal | undefined): Promise<boolean> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp()::text as now`.execute(db)
  const begun = rows[0]?.now
  for (let waitedMs = 0; waitedMs <= OLD_TRANSACTIONS_MS_MAX; waitedMs += POLL_MS) {
    const { rows: older } = await sql<{ count: bigint }>`
      select count(*) as count from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_xmin is not null
        and xact_start < ${begun}::timestamptz`.execute(db)
    if (Number(older[0]?.count) === 0) return true
    if (signal?.aborted === true) return false
    await systemClock.sleep(POLL_MS, signal)
  }
  return false
}

/**
 * Moves on past every segment that is there and has the old ones removed instead of renamed for later use. Whoever removes them hears
 * of that setting at some time only, and one that was renamed keeps its bytes under a name that is still to come: so nothing may lie
 * ahead of the segment that is written. Needs a superuser, as the embedded PostgreSQL's is; elsewhere the log is the administrator's.
 */
async function recycleLog(db: Database, signal: AbortSignal | undefined): Promise<boolean> {
  const { rows } = await sql<{ is_superuser: string }>`show is_superuser`.execute(db)
  if (rows[0]?.is_superuser !== 'on') return false
  await sql`alter system set wal_recycle = off`.execute(db)
  await sql`select pg_reload_conf()`.execute(db)
  try {
    await sql`checkpoint`.execute(db)
    for (let attempt = 0; attempt < RECYCLE_ATTEMPTS_MAX; attempt += 1) {
      const newest = (await segments(db)).at(-1) ?? ''
      await switchPast(db, newest)
      await sql`checkpoint`.execute(db)
      const left = await segments(db)
      const present = await presentSegment(db)
      if (left.every((name) => name > newest && name <= present)) return true
      await systemClock.sleep(POLL_MS, signal)
    }
    return false
  } finally {
    await sql`alter system reset wal_recycle`.execute(db)
    await sql`select pg_reload_conf()`.execute(db)
  }
}

async function switchPast(db: Database, newest: string): Promise<void> {
  for (let count = 0; count < SEGMENTS_MAX; count += 1) {
    if ((await presentSegment(db)) > newest) return
    // Without a record in it a segment is not switched.
    await sql`select pg_logical_emit_message(false, 'hedgerow', 'purge')`.execute(db)
    await sql`select pg_switch_wal()`.execute(db)
  }
}

/** The segment that is written now. */
async function presentSegment(db: Database): Promise<string> {
  const { rows } = await sql<{ present: string }>`
    select pg_walfile_name(pg_current_wal_insert_lsn()) as present`.execute(db)
  return rows[0]?.present ?? ''
}

async function segments(db: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$' order by name`.execute(db)
  return rows.map(({ name }) => name)
}
