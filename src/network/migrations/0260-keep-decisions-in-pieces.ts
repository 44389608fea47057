import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/** As many as a site keeps its answers in: a piece of a million decisions of 5 kB is written anew in some seconds. */
const PIECES = 16

/**
 * Decisions with their sealed releases, and notices, in pieces. What a site withdraws is taken out of the files by writing
 * its table anew, and every answer that comes meanwhile would wait for the whole of it; so it waits for a piece at
 * most (docs/explanation/erasure.md).
 */
export async function up(db: Database): Promise<void> {
  await keepDecisionsInPieces(db)
  await keepNoticesInPieces(db)
}

async function keepDecisionsInPieces(db: Database): Promise<void> {
  await sql`alter table decision rename to decision_whole`.execute(db)
  await sql`
    create table decision (like decision_whole including defaults including storage including compression,
      primary key (ask, site)) partition by hash (ask)`.execute(db)
  await makePieces(db, 'decision')
  await sql`insert into decision select * from decision_whole`.execute(db)
  await sql`drop table decision_whole`.execute(db)
  // A trigger of a statement belongs to the table that it names, so each piece has its own.
  for (const table of ['decision', ...pieceNames('decision')]) {
    await sql`
      create trigger decision_is_append_only before delete or truncate on ${sql.table(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
  await sql`
    create trigger decision_keeps_all_but_its_release before update on decision
    for each row execute function refuse_decision_change()`.execute(db)
  await sql`
    create trigger decision_is_not_withdrawn before insert on decision
    for each row when (new.release is not null) execute function refuse_withdrawn()`.execute(db)
}

async function keepNoticesInPieces(db: Database): Promise<void> {
  await sql`alter table notice rename to notice_whole`.execute(db)
  await sql`
    create table notice (like notice_whole including defaults including storage including compression,
      primary key (notice)) partition by hash (notice)`.execute(db)
  await makePieces(db, 'notice')
  await sql`insert into notice select * from notice_whole`.execute(db)
  await sql`drop table notice_whole`.execute(db)
  // An identity is one table's own; the numbers go on where they were.
  await sql`create sequence notice_sequence owned by notice.sequence`.execute(db)
  await sql`
    select setval('notice_sequence', coalesce(max(sequence), 0) + 1, false) from notice`.execute(db)
  await sql`alter table notice alter column sequence set default nextval('notice_sequence')`.execute(db)
  await sql`create index notice_of_acquirer on notice (acquirer, sequence)`.execute(db)
  await sql`
    create index notice_untold on notice (site) where
      (delivered_at is not null and not is_delivery_told) or (acknowledged_at is not null and not is_acknowledgement_told)`.execute(
    db,
  )
}

async function makePieces(db: Database, table: string): Promise<void> {
  for (const [piece, name] of pieceNames(table).entries()) {
    await sql`
      create table ${sql.table(name)} partition of ${sql.table(table)}
      for values with (modulus ${sql.lit(PIECES)}, remainder ${sql.lit(piece)})`.execute(db)
  }
}

function pieceNames(table: string): readonly string[] {
  return Array.from({ length: PIECES }, (_, piece) => `${table}_piece_${piece}`)
}
