import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { RestrictionReason } from '../../protocol/rights/restriction.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** A restriction as the record has it. */
export interface RestrictionRecord {
  readonly restriction: string
  readonly person: number
  readonly issuer: MemberId
  readonly reason: RestrictionReason
  readonly requestedBy: string
  readonly since: Instant
  /** When the person was told that it ends. */
  readonly liftToldAt?: Instant
  readonly liftsAt?: Instant
  readonly receipts: readonly number[]
}

/** One after another: whoever has seen one in the record has seen all with lower numbers, so that the safe misses none. */
export async function insertRestriction(
  tx: DatabaseTransaction,
  made: Omit<RestrictionRecord, 'receipts' | 'liftToldAt' | 'liftsAt'>,
): Promise<void> {
  await sql`lock table restriction in share row exclusive mode`.execute(tx)
  await sql`
    insert into restriction (restriction, person, issuer, reason, requested_by, since_ms)
    values (${made.restriction}, ${made.person}, ${made.issuer}, ${made.reason}, ${made.requestedBy}, ${made.since})`.execute(
    tx,
  )
}

/** Says when a restriction ends; gives whether no end was told before. */
export async function saveLift(
  tx: DatabaseTransaction,
  { restriction, now, liftsAt, by }: { restriction: string; now: Instant; liftsAt: Instant; by: string },
): Promise<boolean> {
  const { rows } = await sql`
    update restriction set lift_told_ms = ${now}, lifts_ms = ${liftsAt}, lift_by = ${by}
    where restriction = ${restriction} and lifts_ms is null returning id`.execute(tx)
  return rows.length === 1
}

export async function addRestrictionReceipt(
  tx: DatabaseTransaction,
  { restriction, receipt }: { restriction: string; receipt: number },
): Promise<void> {
  await sql`
    update restriction set receipts = receipts || ${receipt}::bigint where restriction = ${restriction}`.execute(
    tx,
  )
}

/** The newest restriction of a person, ended or not. */
export async function findRestriction(db: Database, person: number): Promise<RestrictionRecord | undefined> {
  const { rows } = await sql<RestrictionRow>`
    select * from restriction where person = ${person} order by id desc limit 1`.execute(db)
  return rows[0] && toRecord(rows[0])
}

/** Everybody whose restriction may still hold, each with the moment at which it ends. */
export async function restrictionsInForce(
  db: Database,
): Promise<
  readonly { readonly person: number; readonly until: number; readonly reason: RestrictionReason }[]
> {
  const { rows } = await sql<{ person: number; lifts_ms: bigint | null; reason: RestrictionReason }>`
    select distinct on (person) person, lifts_ms, reason from restriction order by person, id desc`.execute(
    db,
  )
  return rows.map(({ person, lifts_ms: lifts, reason }) => ({
    person,
    reason,
    until: lifts === null ? Infinity : Number(lifts),
  }))
}

interface RestrictionRow {
  readonly restriction: string
  readonly person: number
  readonly issuer: string
  readonly reason: RestrictionReason
  readonly requested_by: string
  readonly since_ms: bigint
  readonly lift_told_ms: bigint | null
  readonly lifts_ms: bigint | null
  readonly receipts: readonly bigint[]
}

function toRecord(row: RestrictionRow): RestrictionRecord {
  return {
    restriction: row.restriction,
    person: row.person,
    issuer: row.issuer as MemberId,
    reason: row.reason,
    requestedBy: row.requested_by,
    since: instant(Number(row.since_ms)),
    ...(row.lift_told_ms === null ? {} : { liftToldAt: instant(Number(row.lift_told_ms)) }),
    ...(row.lifts_ms === null ? {} : { liftsAt: instant(Number(row.lifts_ms)) }),
    receipts: row.receipts.map(Number),
  }
}
