import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** Enough that a piece of a million answers of 5 kB is written anew in some seconds. */
const PIECES = 16

/**
 * Answers in pieces by the digest of their ask. An erasure writes the table anew so that no byte of a release that was taken
 * back is left in its file, and whoever keeps an answer meanwhile would wait for the whole of it; so they wait for a
 * piece of it at most (docs/explanation/erasure.md).
 */
export async function up(db: Database): Promise<void> {
  await sql`alter table use_record drop constraint use_record_ask_id_fkey`.execute(db)
  await sql`alter table local_ask drop constraint local_ask_ask_id_fkey`.execute(db)
  await sql`alter table answer rename to answer_whole`.execute(db)
  await sql`alter table answer_whole drop constraint answer_pkey`.execute(db)
  await sql`
    create table answer (like answer_whole including defaults including storage including compression,
      primary key (ask_id)) partition by hash (ask_id)`.execute(db)
  for (let piece = 0; piece < PIECES; piece += 1) {
    await sql`
      create table ${sql.id(`answer_piece_${piece}`)} partition of answer
      for values with (modulus ${sql.lit(PIECES)}, remainder ${sql.lit(piece)})`.execute(db)
  }
  await sql`insert into answer select * from answer_whole`.execute(db)
  await sql`drop table answer_whole`.execute(db)
  await sql`alter table answer add foreign key (floor_limit) references floor_limit`.execute(db)
  await sql`create index answer_unpushed on answer (decided_ms) where pushed_ms is null`.execute(db)
  await sql`
    create index answer_to_clear on answer (decided_ms) where floor_limit is not null and pushed_ms is null`.execute(
    db,
  )
  await sql`alter table use_record add foreign key (ask_id) references answer`.execute(db)
  await sql`alter table local_ask add foreign key (ask_id) references answer`.execute(db)
}
