import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'
import type { PassedAsk } from './decided-ask.ts'

/**
 * Takes back asks that were taken a moment ago and whose signature turned out to be bad: as if they had never come. They
 * were not acknowledged; a site that saw one in between finds the same of the signature. One that a site has answered
 * already stays as it is.
 */
export async function untakeAsks(db: Database, asks: readonly PassedAsk[]): Promise<void> {
  const ids = asks.map(({ sent }) => sent.ask.id)
  await db.transaction().execute(async (tx) => {
    await sql`select 1 from ask where id = any(${ids}) order by id for update`.execute(tx)
    await sql`
      with gone as (
        delete from ask a where a.id = any(${ids})
          and not exists (select 1 from ask_site s where s.ask = a.id and s.status <> 'waiting')
        returning a.id, a.acquirer, a.currency, a.hold_minor, a.received_at),
      legs as (delete from ask_site s using gone g where s.ask = g.id),
      sums as (
        select acquirer, currency, sum(hold_minor) as held, max((received_at at time zone 'UTC')::date) as day from gone group by 1, 2)
      update account a
        set held_minor = a.held_minor - s.held,
          day_held_minor = case when a.day = s.day then greatest(0, a.day_held_minor - s.held) else a.day_held_minor end
        from sums s where a.owner = s.acquirer and a.currency = s.currency and a.kind = 'funds'`.execute(tx)
  })
}
