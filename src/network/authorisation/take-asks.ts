import { sql } from 'kysely'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { askRow, duesOf } from './decided-ask.ts'
import type { PassedAsk } from './decided-ask.ts'
import type { SentBatch } from './sent-ask.ts'

/** Asks that go into the database together: those of one request. */
export interface AskGroup {
  readonly asks: readonly PassedAsk[]
  readonly batch: SentBatch | undefined
  /** The id of the batch's row. */
  readonly batchId: string | undefined
}

/**
 * Holds and routes asks in one statement (`take_asks`, migration 0013). Gives the ids that were taken; those that
 * are missing were seen before, or an account did not cover what is due and none was taken. Ids must differ.
 */
export async function takeAsks(
  db: Database,
  groups: readonly AskGroup[],
  at: Instant,
): Promise<ReadonlySet<string>> {
  const asks = groups.flatMap((group) => group.asks.map((ask) => askRow(ask, group.batchId)))
  const legs = groups.flatMap((group) => group.asks.flatMap(legRows))
  const dues = duesOf(groups.flatMap((group) => group.asks))
  const batches = groups.flatMap(({ batch, batchId }) =>
    batch && batchId ? [{ ...batch, id: batchId }] : [],
  )
  const { rows } = await sql<{ taken: readonly string[] }>`
    select take_asks(${JSON.stringify(asks)}::jsonb, ${JSON.stringify(legs)}::jsonb, ${JSON.stringify(dues)}::jsonb,
      ${JSON.stringify(batches)}::jsonb, ${formatInstant(at)}::timestamptz) as taken`.execute(db)
  return new Set(rows[0]?.taken)
}

function legRows({ sent, legs }: PassedAsk): object[] {
  const isHeld = !sent.ask.dryRun
  return legs.map(({ site, offerRow, limitMinor }) => ({
    ask: sent.ask.id,
    site,
    offer: offerRow,
    limit: Number(limitMinor),
    hold: isHeld ? Number(limitMinor) : 0,
  }))
}
