import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * What sites published. An offer's terms never change in place: an ask keeps pointing at the terms it was routed by,
 * and a clearing record is held against those.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table offer_list (
      site text collate "C" primary key references site,
      jws text not null,
      signed_at timestamptz not null,
      published_at timestamptz not null
    )`.execute(db)
  await sql`
    create table offer (
      id integer generated always as identity primary key,
      site text collate "C" not null references site,
      data_set text collate "C" not null,
      digest text not null,
      terms jsonb not null,
      is_active boolean not null,
      published_at timestamptz not null
    )`.execute(db)
  await sql`create unique index offer_active on offer (site, data_set) where is_active`.execute(db)
}
