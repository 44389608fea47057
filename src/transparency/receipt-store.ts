import { sql } from 'kysely'
import { Fault } from '../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../kernel/postgres/database.ts'
import { KEPT } from '../kernel/postgres/kept-statements.ts'
import type { ReceiptKind } from '../protocol/proof/receipt.ts'

/** One receipt as it stands in the record. */
export interface ReceiptRow {
  readonly sequence: number
  readonly jws: string
}

/**
 * Takes the next `count` numbers and gives the first. The counter's row stays locked until the transaction ends, so
 * receipts become visible in the order of their numbers and a number that was taken is either used or taken again.
 */
export async function takeSequence(tx: DatabaseTransaction, count: number): Promise<number> {
  const { rows } = await sql<{ first: number }>`
    ${KEPT} update receipt_counter set next_sequence = next_sequence + ${count}
    returning (next_sequence - ${count})::float8 as first`.execute(tx)
  const first = rows[0]?.first
  if (first === undefined)
    throw new Fault('fault.internal', { what: 'Cannot number a receipt: the counter is missing' })
  return first
}

/** The number of the next receipt, which stays it until the transaction ends. */
export async function lockSequence(tx: DatabaseTransaction): Promise<number> {
  const { rows } = await sql<{ next: number }>`
    ${KEPT} select next_sequence::float8 as next from receipt_counter for update`.execute(tx)
  const next = rows[0]?.next
  if (next === undefined)
    throw new Fault('fault.internal', { what: 'Cannot number a receipt: the counter is missing' })
  return next
}

/** The same as it is just now. */
export async function nextSequence(db: Database): Promise<number> {
  const { rows } = await sql<{ next: number }>`
    ${KEPT} select next_sequence::float8 as next from receipt_counter`.execute(db)
  return rows[0]?.next ?? 0
}

/** Whether a statement that adds receipts of its own (`issue_receipts`) found others in the place of theirs. */
export function isRenumbered(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'HG011'
}

/** Adds receipts from the number `first` on. */
export async function insertReceipts(
  tx: DatabaseTransaction,
  { first, kinds, texts }: { first: number; kinds: readonly ReceiptKind[]; texts: readonly string[] },
): Promise<void> {
  // Neither holds a character that an array's text form gives a meaning to, so joining them is that form.
  await sql`
    ${KEPT} insert into receipt (sequence, kind, jws)
    select ${first}::bigint + place - 1, kind, jws
    from unnest(${`{${kinds.join(',')}}`}::text[], ${`{${texts.join(',')}}`}::text[]) with ordinality as given (kind, jws, place)
  `.execute(tx)
}

/** The texts of the receipts `[start, end)`, as many as are committed. */
export async function readReceipts(
  db: Database,
  { start, end }: { start: number; end: number },
): Promise<readonly string[]> {
  const { rows } = await sql<ReceiptRow>`
    ${KEPT} select sequence::float8 as sequence, jws from receipt
    where sequence >= ${start} and sequence < ${end} order by receipt.sequence`.execute(db)
  return rows.map(({ sequence, jws }, index) => {
    if (sequence !== start + index) throw damaged(`receipt ${start + index} is missing in the record`)
    return jws
  })
}

/** Receipts after a number, oldest first, of one kind if that is said. */
export async function listReceipts(
  db: Database,
  { after, limit, kind }: { after: number; limit: number; kind?: ReceiptKind | undefined },
): Promise<readonly ReceiptRow[]> {
  const ofKind = kind === undefined ? sql`true` : sql`kind = ${kind}`
  const { rows } = await sql<ReceiptRow>`
    ${KEPT} select sequence::float8 as sequence, jws from receipt
    where sequence > ${after} and ${ofKind} order by receipt.sequence limit ${limit}`.execute(db)
  return rows
}

/** How many receipts are committed. */
export async function countReceipts(db: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select coalesce(max(sequence) + 1, 0)::float8 as count from receipt`.execute(db)
  return rows[0]?.count ?? 0
}

/** The log and the record do not fit each other: never mended silently, because that could hide a changed history. */
export function damaged(what: string): Fault {
  return new Fault('fault.log_damaged', { what: `Cannot go on with the receipt log: ${what}` })
}
