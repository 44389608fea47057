import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Who may speak for a child. `guardian` is the HMAC by which a caller is known (as people are in the vault); both keys
 * stand sealed under the child's own key, so they go with it. The rows of a child go when the child is erased; what
 * remains is receipts.
 *
 * A consent of one of several guardians who decide together is an agreement first; the grant is written when the last
 * has agreed to the same terms. A grant of a guardian names the guardianship it stands on.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table guardianship (
      id bigint generated always as identity primary key,
      guardianship text not null unique,
      person integer not null,
      issuer text not null,
      guardian bytea,
      guardian_name bytea,
      person_name bytea not null,
      authority text not null check (authority in ('sole', 'joint')),
      document text not null,
      from_ms bigint not null,
      until_ms bigint,
      established_ms bigint not null,
      established_by text not null,
      ended_ms bigint,
      ended_by text,
      receipts bigint[] not null default '{}'
    )`.execute(db)
  await sql`create index guardianship_person on guardianship (person)`.execute(db)
  await sql`create index guardianship_guardian on guardianship (guardian)`.execute(db)
  await sql`
    create table guardian_agreement (
      id bigint generated always as identity primary key,
      guardianship text not null references guardianship (guardianship),
      person integer not null,
      terms integer not null references consent_terms,
      valid_from_ms bigint not null,
      valid_until_ms bigint,
      agreed_ms bigint not null,
      receipt bigint not null,
      grant_sequence bigint references consent_grant,
      withdrawn_ms bigint
    )`.execute(db)
  await sql`create index guardian_agreement_person on guardian_agreement (person)`.execute(db)
  await sql`alter table consent_grant add column guardianship text`.execute(db)
  await sql`alter table consent_revocation drop constraint consent_revocation_cause_check`.execute(db)
  await sql`
    alter table consent_revocation add constraint consent_revocation_cause_check
    check (cause in ('withdrawn', 'superseded', 'guardianship_ended'))`.execute(db)
  await sql`alter table consent_call add column awaiting integer not null default 0`.execute(db)
}
