import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** Enough that a piece of a million people's keys is written anew in a tenth of a second or so. */
const PIECES = 16

/**
 * Keys of people in pieces. An erasure writes them anew so that no byte of a destroyed key is left in a file, and whoever
 * gives a grant, imports, or looks at somebody's data meanwhile would wait for all of them; so they wait for a piece at
 * most (docs/explanation/erasure.md).
 */
export async function up(db: Database): Promise<void> {
  await sql`alter table person_key rename to person_key_whole`.execute(db)
  await sql`
    create table person_key (like person_key_whole including defaults including storage including compression,
      primary key (person)) partition by hash (person)`.execute(db)
  for (let piece = 0; piece < PIECES; piece += 1) {
    await sql`
      create table ${sql.id(`person_key_piece_${piece}`)} partition of person_key
      for values with (modulus ${sql.lit(PIECES)}, remainder ${sql.lit(piece)})`.execute(db)
  }
  await sql`insert into person_key select * from person_key_whole`.execute(db)
  await sql`drop table person_key_whole`.execute(db)
}
