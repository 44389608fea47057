import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { KeptRows } from '../../protocol/law/retention.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'

/** One deletion of what had ended. */
export interface SweepRecord {
  /** Rises with time. */
  readonly id: number
  readonly dataSet: DataSetId
  readonly issuer: MemberId
  /** Absent: whole rows. */
  readonly category: string | undefined
  readonly columns: readonly string[] | undefined
  /** All other rows; absent: every row. */
  readonly kept: KeptRows | undefined
  readonly rows: number
  readonly begunAt: Instant
  readonly doneAt: Instant | undefined
  /** When the vault's file was written anew without it. */
  readonly permanentAt: Instant | undefined
  readonly receipt: number | undefined
}

export type NewSweep = Pick<
  SweepRecord,
  'dataSet' | 'issuer' | 'category' | 'columns' | 'kept' | 'rows' | 'begunAt'
>

/** Notes a sweep that is about to be made; one of the same that was begun before goes on. */
export async function beginSweep(db: Database, made: NewSweep): Promise<SweepRecord> {
  await sql`
    insert into retention_sweep (data_set, issuer, category, columns, date_column, kept_from, rows, begun_ms)
    values (${made.dataSet}, ${made.issuer}, ${made.category ?? null}, ${made.columns ?? null}::text[], ${made.kept?.column ?? null},
      ${made.kept?.from ?? null}::date, ${made.rows}, ${made.begunAt})
    on conflict do nothing`.execute(db)
  const { rows } = await sql<SweepRow>`
    select * from retention_sweep where data_set = ${made.dataSet} and coalesce(category, '') = ${made.category ?? ''}
      and coalesce(date_column, '') = ${made.kept?.column ?? ''} and done_ms is null`.execute(db)
  const [row] = rows
  if (!row) throw new Error('A sweep that was just noted is not there')
  return toRecord(row)
}

/** Says that a sweep is made; gives whether it was not said before. */
export async function saveSweepDone(
  tx: DatabaseTransaction,
  { id, now }: { id: number; now: Instant },
): Promise<boolean> {
  const { rows } = await sql`
    update retention_sweep set done_ms = ${now} where id = ${id} and done_ms is null returning id`.execute(tx)
  return rows.length === 1
}

export async function saveSweepReceipt(
  tx: DatabaseTransaction,
  { id, receipt }: { id: number; receipt: number },
): Promise<void> {
  await sql`update retention_sweep set receipt = ${receipt} where id = ${id}`.execute(tx)
}

/** Says that no file of the vault holds what was deleted until a moment. */
export async function saveSweepsPermanent(
  db: Database,
  { until, now }: { until: Instant; now: Instant },
): Promise<void> {
  await sql`
    update retention_sweep set permanent_ms = ${now}
    where permanent_ms is null and done_ms is not null and done_ms <= ${until}`.execute(db)
}

/** Whether something was deleted that a file of the vault may still hold. */
export async function hasDeleted(db: Database): Promise<boolean> {
  const { rows } = await sql`
    select 1 from retention_sweep where done_ms is not null and permanent_ms is null limit 1`.execute(db)
  return rows.length > 0
}

/** Sweeps of one data set, or all; newest first. */
export async function listSweeps(db: Database, limit: number): Promise<readonly SweepRecord[]> {
  const { rows } = await sql<SweepRow>`
    select * from retention_sweep order by id desc limit ${limit}`.execute(db)
  return rows.map(toRecord)
}

/** Sweeps that a crash left half done. */
export async function begunSweeps(db: Database): Promise<readonly SweepRecord[]> {
  const { rows } = await sql<SweepRow>`
    select * from retention_sweep where done_ms is null order by id`.execute(db)
  return rows.map(toRecord)
}

interface SweepRow {
  readonly id: bigint
  readonly data_set: DataSetId
  readonly issuer: MemberId
  readonly category: string | null
  readonly columns: readonly string[] | null
  readonly date_column: string | null
  readonly kept_from: string | null
  readonly rows: bigint
  readonly begun_ms: bigint
  readonly done_ms: bigint | null
  readonly permanent_ms: bigint | null
  readonly receipt: bigint | null
}

function toRecord(row: SweepRow): SweepRecord {
  const momentOf = (ms: bigint | null) => (ms === null ? undefined : instant(Number(ms)))
  return {
    id: Number(row.id),
    dataSet: row.data_set,
    issuer: row.issuer,
    category: row.category ?? undefined,
    columns: row.columns ?? undefined,
    kept:
      row.date_column === null || row.kept_from === null
        ? undefined
        : { column: row.date_column, from: row.kept_from },
    rows: Number(row.rows),
    begunAt: instant(Number(row.begun_ms)),
    doneAt: momentOf(row.done_ms),
    permanentAt: momentOf(row.permanent_ms),
    receipt: row.receipt === null ? undefined : Number(row.receipt),
  }
}
