import { sql } from 'kysely'
import type { Money } from '../../kernel/money.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** Sets the most that may be held for a member's asks of one UTC day, per currency; an empty list takes all limits away. */
export async function setDailyLimits(
  db: Database,
  { member, daily }: { member: MemberId; daily: readonly Money[] },
): Promise<void> {
  const limits = daily.map(({ amountMinor, currency }) => ({ currency, limit: amountMinor.toString() }))
  await sql`
    with wanted as (select * from jsonb_to_recordset(${JSON.stringify(limits)}::jsonb) as w("currency" text, "limit" bigint)),
    cleared as (
      update account set daily_limit_minor = null
      where owner = ${member} and kind = 'funds' and currency not in (select currency from wanted))
    insert into account (owner, kind, currency, daily_limit_minor)
      select ${member}, 'funds', currency, "limit" from wanted
    on conflict (owner, kind, currency) do update set daily_limit_minor = excluded.daily_limit_minor`.execute(
    db,
  )
}
