import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { AskId } from '../../protocol/wire.ts'

/** An ask that came on the local network and has its answer. */
export interface LocalAsk {
  readonly askId: AskId
  readonly acquirer: string
  readonly idempotencyKey: string
  /** SHA-256 of its body: the same body gets the same answer, another one is a replay. */
  readonly bodyDigest: string
  readonly jws: string
  /** The highest price, which was set aside. */
  readonly limitMinor: bigint
  /** What was booked; absent when nothing was delivered. */
  readonly priceMinor?: bigint | undefined
  readonly floorLimit?: string | undefined
  readonly received: Instant
}

/** Writes an ask beside its answer, in the same transaction. One that is not to be cleared needs no telling to the network. */
export async function keepLocalAsk(
  tx: DatabaseTransaction,
  { askId, priceMinor, floorLimit, ...ask }: LocalAsk,
): Promise<void> {
  await sql`
    insert into local_ask (ask_id, acquirer, idempotency_key, body_digest, jws, limit_minor, price_minor, floor_limit, received_ms)
    values (${askId}, ${ask.acquirer}, ${ask.idempotencyKey}, ${ask.bodyDigest}, ${ask.jws}, ${ask.limitMinor}, ${priceMinor ?? null},
      ${floorLimit ?? null}, ${ask.received})`.execute(tx)
  await (
    floorLimit === undefined
      ? sql`update answer set pushed_ms = ${ask.received} where ask_id = ${askId}`
      : sql`update answer set floor_limit = ${floorLimit} where ask_id = ${askId}`
  ).execute(tx)
}

interface LocalAskRow {
  readonly ask_id: string
  readonly acquirer: string
  readonly idempotency_key: string
  readonly body_digest: string
  readonly jws: string
  readonly limit_minor: bigint
  readonly price_minor: bigint | null
  readonly floor_limit: string | null
  readonly received_ms: bigint
}

/** Asks with that id, or with that key of the acquirer: none, or up to two. */
export async function findLocalAsks(
  db: Database,
  { id, acquirer, idempotencyKey }: { id: string; acquirer: string; idempotencyKey: string },
): Promise<readonly LocalAsk[]> {
  const { rows } = await sql<LocalAskRow>`
    select * from local_ask
    where ask_id = ${id} or (acquirer = ${acquirer} and idempotency_key = ${idempotencyKey})`.execute(db)
  return rows.map(localAskOf)
}

/** One local ask. */
export async function findLocalAsk(db: Database, id: string): Promise<LocalAsk | undefined> {
  const { rows } = await sql<LocalAskRow>`select * from local_ask where ask_id = ${id}`.execute(db)
  return rows[0] && localAskOf(rows[0])
}

/** The network will never capture an answer: what the site's operator has to look at. */
export async function noteRefused(db: Database, { id, now }: { id: string; now: Instant }): Promise<void> {
  await sql`update local_ask set refused_ms = coalesce(refused_ms, ${now}) where ask_id = ${id}`.execute(db)
}

function localAskOf(row: LocalAskRow): LocalAsk {
  return {
    askId: row.ask_id as AskId,
    acquirer: row.acquirer,
    idempotencyKey: row.idempotency_key,
    bodyDigest: row.body_digest,
    jws: row.jws,
    limitMinor: BigInt(row.limit_minor),
    priceMinor: row.price_minor === null ? undefined : BigInt(row.price_minor),
    floorLimit: row.floor_limit ?? undefined,
    received: instant(Number(row.received_ms)),
  }
}
