import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'

/** Somebody looked at one person's data by name. */
export interface StoredAccess {
  readonly id: number
  readonly person: number
  readonly what: string
  readonly by: string
  /** Sealed under the person's key. */
  readonly reason?: Uint8Array | undefined
  readonly time: Instant
  readonly receipt: number
}

/** Numbers for accesses that are about to be written: their receipts name them. */
export async function takeAccessIds(db: Database, count: number): Promise<readonly number[]> {
  const { rows } = await sql<{ id: bigint }>`
    ${KEPT} select nextval('person_access_id') as id from generate_series(1, ${count}::integer)`.execute(db)
  return rows.map(({ id }) => Number(id))
}

export async function insertAccesses(
  tx: DatabaseTransaction,
  accesses: readonly StoredAccess[],
): Promise<void> {
  for (const { id, person, what, by, reason, time, receipt } of accesses) {
    await sql`
      ${KEPT} insert into person_access (id, person, what, accessed_by, reason, time_ms, receipt)
      values (${id}, ${person}, ${what}, ${by}, ${reason ?? null}, ${time}, ${receipt})`.execute(tx)
  }
}

/** Accesses to people, newest first; `before` is the id of one. */
export async function readAccesses(
  db: Database,
  { people, before, limit }: { people: readonly number[]; before?: number | undefined; limit: number },
): Promise<readonly StoredAccess[]> {
  const { rows } = await sql<AccessRow>`
    select * from person_access
    where person = any(${people}::integer[]) and (${before ?? null}::bigint is null or id < ${before ?? null}::bigint)
    order by id desc limit ${limit}`.execute(db)
  return rows.map(({ id, person, what, accessed_by, reason, time_ms, receipt }) => ({
    id: Number(id),
    person,
    what,
    by: accessed_by,
    ...(reason === null ? {} : { reason }),
    time: instant(Number(time_ms)),
    receipt: Number(receipt),
  }))
}

interface AccessRow {
  readonly id: bigint
  readonly person: number
  readonly what: string
  readonly accessed_by: string
  readonly reason: Uint8Array | null
  readonly time_ms: bigint
  readonly receipt: bigint
}
