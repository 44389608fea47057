import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * What parties write about a dispute stands in a table of its own, from which it can be removed; the append-only record keeps a
 * digest over a salt and the text, which tells nothing once the salt is gone with the text. Everybody of a side answers for itself,
 * the processor of the issuer too.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table dispute_text (
      dispute text collate "C" not null references dispute,
      kind text not null check (kind in ('statement', 'answer', 'end')),
      by_party text collate "C" not null,
      salt text not null,
      body text not null,
      primary key (dispute, kind, by_party)
    )`.execute(db)
  await sql`
    insert into dispute_text (dispute, kind, by_party, salt, body)
    select id, 'statement', raised_by, gen_random_uuid()::text, statement from dispute
    union all
    select dispute, kind, by_party, gen_random_uuid()::text, said from dispute_step where said is not null`.execute(
    db,
  )
  for (const table of ['dispute', 'dispute_step'])
    await sql`alter table ${sql.id(table)} disable trigger ${sql.id(`${table}_is_append_only`)}`.execute(db)
  await sql`alter table dispute add column text_digest text, add column issuer_processor text collate "C"`.execute(
    db,
  )
  await sql`alter table dispute_step add column text_digest text`.execute(db)
  const digest = sql`'sha-256:' || encode(sha256(convert_to(t.salt || ' ' || t.body, 'UTF8')), 'hex')`
  await sql`
    update dispute d set text_digest = ${digest}, issuer_processor = (
      select o.terms ->> 'issuerProcessor' from ask_site s join offer o on o.id = s.offer where s.ask = d.ask and s.site = d.site)
    from dispute_text t where t.dispute = d.id and t.kind = 'statement'`.execute(db)
  await sql`
    update dispute_step s set text_digest = ${digest}
    from dispute_text t where t.dispute = s.dispute and t.kind = s.kind and t.by_party = s.by_party`.execute(
    db,
  )
  for (const table of ['dispute', 'dispute_step'])
    await sql`alter table ${sql.id(table)} enable trigger ${sql.id(`${table}_is_append_only`)}`.execute(db)
  // Another type, if only by its expression, writes a table anew: what stood in the dropped column is in none of its files.
  await sql`
    alter table dispute drop column statement, alter column text_digest set not null,
      alter column reason type text using reason || ''`.execute(db)
  await sql`alter table dispute_step drop column said, alter column state type text using state || ''`.execute(
    db,
  )
  await sql`
    alter table dispute_step drop constraint dispute_step_pkey, add primary key (dispute, kind, by_party)`.execute(
    db,
  )
  await sql`create unique index dispute_step_once on dispute_step (dispute, kind) where kind <> 'answer'`.execute(
    db,
  )
}
