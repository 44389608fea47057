import { sql } from 'kysely'
import type { Currency } from '../../kernel/currency.ts'
import type { Money } from '../../kernel/money.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** The most that may be held for a member's asks of one UTC day, by currency; only who has a limit. */
export interface DailyLimits {
  readonly member: MemberId
  readonly daily: readonly Money[]
}

/** The daily limits that are set, by name of the member; all of them, or one's. */
export async function readDailyLimits(
  db: Database,
  member: MemberId | undefined,
): Promise<readonly DailyLimits[]> {
  const { rows } = await sql<{ owner: MemberId; currency: Currency; daily_limit_minor: bigint }>`
    select owner, currency, daily_limit_minor from account
    where kind = 'funds' and daily_limit_minor is not null and owner = coalesce(${member ?? null}::text, owner)
    order by owner, currency`.execute(db)
  return [...Map.groupBy(rows, ({ owner }) => owner)].map(([owner, limits]) => ({
    member: owner,
    daily: limits.map(({ currency, daily_limit_minor: limit }) => ({ amountMinor: BigInt(limit), currency })),
  }))
}
