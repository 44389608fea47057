import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Erasures of many people at once, whose data had reached its end. `people` says who while it is under way, so that a crash does
 * not keep half of them; when it is done the number of them is left. `forget_traces_of` is `forget_traces` (0251) of many, but for
 * answers under their names, which are not known any more; it gives of whom age or residence had been told.
 */
export async function up(db: Database): Promise<void> {
  await sql`alter table erasure alter column person drop not null`.execute(db)
  await sql`alter table erasure add column people bytea, add column people_count integer`.execute(db)
  await sql`
    alter table erasure add constraint erasure_of_somebody check ((person is null) <> (people_count is null))`.execute(
    db,
  )
  await sql`
    create function forget_traces_of(p_people integer[]) returns setof integer language plpgsql as $$
    begin
      return query with told as (delete from age_evidence where person = any(p_people) returning person),
        moved as (delete from residence_move where person = any(p_people) returning person)
        select person from told union select person from moved;
      delete from guardian_agreement where person = any(p_people);
      delete from guardianship where person = any(p_people);
      update recipient_notice set body = null where person = any(p_people) and body is not null;
      update correction set body = null where person = any(p_people) and body is not null;
      delete from carried_record where person = any(p_people);
    end $$`.execute(db)
}
