import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Contracts that the custodian recorded alone, from before that took the controller too (0380): data was processed under them until then,
 * and what they say of the time after their end is due all the same (GDPR Art. 28(3)(g)). In a record that was restored the steps
 * are younger than their rows, so that nothing tells until when; the duty stays.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table processing_contract_alone (
      contract text primary key references processing_contract,
      until_ms bigint not null
    )`.execute(db)
  await sql`
    with step as (
      select name, (extract(epoch from "timestamp"::timestamptz) * 1000)::bigint as ms from schema_step
    )
    insert into processing_contract_alone (contract, until_ms)
    select c.id, case when c.recorded_ms < first.ms then c.recorded_ms else rule.ms end
    from processing_contract c, step first, step rule
    where first.name = '0290-create-processing-contracts' and rule.name = '0380-create-contract-answers'
      and c.recorded_by <> 'issuer:' || (c.facts ->> 'controller')
      and c.recorded_ms < least(rule.ms, (select min(confirmed_ms) from processing_contract_confirmation))`.execute(
    db,
  )
  await sql`
    create trigger processing_contract_alone_append_only before update or delete or truncate on processing_contract_alone
    for each statement execute function refuse_change()`.execute(db)
}
