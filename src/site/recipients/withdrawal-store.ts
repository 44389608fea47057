import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { ErasureGrade } from '../../protocol/rights/erasure.ts'
import type { WithdrawnRelease } from '../../protocol/http/notice-api.ts'
import type { AskId } from '../../protocol/wire.ts'

/** One release that the network is to delete for an erasure. */
export interface WithdrawalRecord {
  readonly ask: AskId
  readonly erasure: string
  readonly person: number
  /** Numbers of households by which the rows were the person's too; they are theirs no more. */
  readonly knownAs: readonly number[]
  /** False: for all the site knew, the network did not have it. */
  readonly isPushed: boolean
  readonly confirmedAt: Instant | undefined
  /** What the network last said. */
  readonly grade: ErasureGrade | undefined
}

/** Notes that releases of some asks are to be deleted at the network. */
export async function insertWithdrawals(
  tx: DatabaseTransaction,
  {
    erasure,
    person,
    now,
    asks,
  }: {
    erasure: string
    person: number
    now: Instant
    asks: readonly { readonly askId: AskId; readonly isPushed: boolean; readonly knownAs: number }[]
  },
): Promise<void> {
  for (const [askId, rows] of Map.groupBy(asks, (one) => one.askId)) {
    const knownAs = rows.map((one) => one.knownAs).filter((number) => number !== person)
    await sql`
      insert into release_withdrawal (ask_id, erasure, person, is_pushed, noted_ms, known_as)
      values (${askId}, ${erasure}, ${person}, ${rows[0]?.isPushed ?? false}, ${now}, ${knownAs}::integer[])
      on conflict do nothing`.execute(tx)
  }
}

/** Withdrawals that the network has not confirmed, or, with `isAgain`, of which it has not said that they are permanent. */
export async function openWithdrawals(
  db: Database,
  { isAgain, limit }: { isAgain: boolean; limit: number },
): Promise<readonly WithdrawalRecord[]> {
  const isOpen = isAgain ? sql`grade is distinct from 'permanent'` : sql`confirmed_ms is null`
  const { rows } = await sql<WithdrawalRow>`
    select * from release_withdrawal where ask_id in (
      select distinct ask_id from release_withdrawal where ${isOpen} order by ask_id limit ${limit}) and ${isOpen}
    order by ask_id`.execute(db)
  return rows.map(toRecord)
}

/** What an erasure has withdrawn. */
export async function withdrawalsOf(db: Database, erasure: string): Promise<readonly WithdrawalRecord[]> {
  const { rows } = await sql<WithdrawalRow>`
    select * from release_withdrawal where erasure = ${erasure} order by ask_id`.execute(db)
  return rows.map(toRecord)
}

/** Keeps what the network said; gives those of which it said so for the first time. */
export async function saveWithdrawn(
  tx: DatabaseTransaction,
  { item: { ask, hadRelease, grade }, now }: { item: WithdrawnRelease; now: Instant },
): Promise<readonly WithdrawalRecord[]> {
  const { rows } = await sql<WithdrawalRow>`
    update release_withdrawal set confirmed_ms = ${now}, had_release = ${hadRelease}, grade = ${grade}
    where ask_id = ${ask} and confirmed_ms is null returning *`.execute(tx)
  await sql`
    update release_withdrawal set grade = ${grade} where ask_id = ${ask} and grade is distinct from ${grade}`.execute(
    tx,
  )
  return rows.map(toRecord)
}

interface WithdrawalRow {
  readonly ask_id: AskId
  readonly erasure: string
  readonly person: number
  readonly known_as: readonly number[]
  readonly is_pushed: boolean
  readonly confirmed_ms: bigint | null
  readonly grade: ErasureGrade | null
}

function toRecord(row: WithdrawalRow): WithdrawalRecord {
  return {
    ask: row.ask_id,
    erasure: row.erasure,
    person: row.person,
    knownAs: row.known_as,
    isPushed: row.is_pushed,
    confirmedAt: row.confirmed_ms === null ? undefined : instant(Number(row.confirmed_ms)),
    grade: row.grade ?? undefined,
  }
}
