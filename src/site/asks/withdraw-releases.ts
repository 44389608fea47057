import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { AskId, SiteId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { SiteKeys } from '../site-keys.ts'
import { composeDecision } from './compose-decision.ts'
import { asksGivenRowsOf } from './rows-given.ts'

/** What taking releases back needs of a site. */
export interface WithdrawParts {
  readonly site: SiteId
  readonly keys: Pick<SiteKeys, 'signing'>
  readonly log: ReceiptLog
}

const REASON = 'declined.nobody_eligible'

/**
 * Takes rows of a person back, as far as the site still has them: an answer that has not gone out yet becomes a
 * decline, which costs nothing; of one that has, the sealed copy is deleted. Gives the asks that went out.
 */
export async function withdrawReleases(
  tx: DatabaseTransaction,
  { person, parts, now }: { person: number; parts: WithdrawParts; now: Instant },
): Promise<readonly string[]> {
  const gone: string[] = []
  for (const { askId, isPushed } of await releasesWith(tx, person)) {
    if (isPushed) gone.push(askId)
    else await declineInstead(tx, askId as AskId, { parts, now })
  }
  if (gone.length > 0)
    await sql`update answer set release_jwe = null where ask_id = any(${gone}::text[])`.execute(tx)
  return gone
}

/** Answers of mode `rows` with a sealed release that holds rows of the person. One given on the local network has gone out, told or not. */
async function releasesWith(
  tx: DatabaseTransaction,
  person: number,
): Promise<readonly { askId: string; isPushed: boolean }[]> {
  const { rows } = await sql<{ ask_id: string; is_pushed: boolean }>`
    select ask_id, pushed_ms is not null or floor_limit is not null as is_pushed from answer
    where ask_id = any(${await asksGivenRowsOf(tx, person)}::text[]) and release_jwe is not null
    order by ask_id for update`.execute(tx)
  return rows.map((row) => ({ askId: row.ask_id, isPushed: row.is_pushed }))
}

async function declineInstead(
  tx: DatabaseTransaction,
  askId: AskId,
  { parts: { site, keys, log }, now }: { parts: WithdrawParts; now: Instant },
): Promise<void> {
  const decision = composeDecision({ ask: askId, site, reason: REASON, decidedAt: now }, keys.signing)
  const [receipt] = await log.issue(tx, [{ kind: 'decline', askId, reason: REASON }])
  await sql`
    update answer set decision = ${JSON.stringify(decision.body)}::jsonb, decision_jws = ${decision.jws},
      release_jwe = null, clearing_jws = null, receipt_sequences = array[${receipt?.sequence ?? 0}::bigint]
    where ask_id = ${askId}`.execute(tx)
}
