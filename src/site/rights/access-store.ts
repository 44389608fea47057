import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { ReceiptKind } from '../../protocol/proof/receipt.ts'
import type { IssuedReceipt } from '../../transparency/receipt-log.ts'

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

/** Numbers that are drawn at once: one question to the record for so many looks. */
const IDS_AT_ONCE = 256

const drawn = new WeakMap<Database, number[]>()

/** Numbers for accesses that are about to be written: their receipts name them. They rise; some are never used. */
export async function takeAccessIds(db: Database, count: number): Promise<readonly number[]> {
  const known = drawn.get(db) ?? []
  drawn.set(db, known)
  if (known.length < count) {
    const { rows } = await sql<{ id: bigint }>`
      ${KEPT} select nextval('person_access_id') as id from generate_series(1, ${count + IDS_AT_ONCE}::integer)`.execute(
      db,
    )
    known.push(...rows.map(({ id }) => Number(id)))
    // Two who draw at the same time put theirs in the order of the answers.
    known.sort((one, other) => one - other)
  }
  return known.splice(0, count)
}

/** An access that is about to be written; the reason is sealed under the person's key. */
export interface NewAccess {
  readonly id: number
  readonly person: number
  readonly what: string
  readonly by: string
  readonly reason?: Uint8Array | undefined
  readonly time: Instant
  readonly kind: ReceiptKind
}

/** Writes accesses with their receipts, in one statement. */
export async function noteAccesses(
  on: Database,
  accesses: readonly NewAccess[],
  receipts: readonly IssuedReceipt[],
): Promise<void> {
  const reasons = accesses.map(({ reason }) => (reason === undefined ? null : Buffer.from(reason)))
  await sql`
    ${KEPT} select note_looks(${receipts[0]?.sequence ?? 0}::bigint, ${accesses.map(({ kind }) => kind)}::text[],
      ${receipts.map(({ jws }) => jws)}::text[], ${accesses.map(({ id }) => id)}::bigint[],
      ${accesses.map(({ person }) => person)}::integer[], ${reasons}::bytea[], ${accesses.map(({ what }) => what)}::text[],
      ${accesses.map(({ by }) => by)}::text[], ${accesses.map(({ time }) => time)}::bigint[])`.execute(on)
}

/** Accesses to people, newest first; `before` is the id of one. */
export async function readAccesses(
  db: Database,
  { people, before, limit }: { people: readonly number[]; before?: number | undefined; limit: number },
): Promise<readonly StoredAccess[]> {
  const { rows } = await sql<AccessRow>`
    ${KEPT} select * from person_access
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
