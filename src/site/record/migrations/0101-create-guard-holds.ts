import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Acquirers (or colluding groups) that were told something after the backup from which this site was restored: what
 * they know is not known here, so the guard answers them nothing exact until somebody answers for it.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table guard_hold (
      id bigint generated always as identity primary key,
      acquirer_group text not null,
      backup text not null,
      since_ms bigint not null,
      lifted_ms bigint,
      lift_reason text
    )`.execute(db)
  await sql`create unique index guard_hold_of_group on guard_hold (acquirer_group) where lifted_ms is null`.execute(
    db,
  )
}
