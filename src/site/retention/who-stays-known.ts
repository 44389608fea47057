import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { periodEnd } from '../../protocol/law/retention.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { PersonWithoutRows } from '../vault/vault.ts'

/** What it is decided by whether somebody without rows stays known. */
export interface StayFacts {
  readonly people: readonly Pick<PersonWithoutRows, 'person' | 'lookup'>[]
  /** Data sets that rows may still come into. */
  readonly taking: readonly DataSetId[]
  readonly now: Instant
}

/**
 * Who of people without rows stays known, because something of theirs is under way or still counts (docs/decisions/0028): a grant or an
 * objection on a data set that rows may still come into, or one that waits for another guardian; a restriction; an open request;
 * being the guardian of somebody.
 */
export async function whoStaysKnown(
  db: Database,
  { people, taking, now }: StayFacts,
): Promise<ReadonlySet<number>> {
  const asked = people.map(({ person }) => person)
  const lookups = people.map(({ lookup }) => Buffer.from(lookup))
  const { rows } = await sql<{ person: number }>`
    ${KEPT} with asked as materialized (select * from unnest(${asked}::integer[], ${lookups}::bytea[]) as a (person, lookup))
    select g.person from consent_grant g join consent_terms t on t.id = g.terms
    where g.person = any(${asked}::integer[]) and t.data_set = any(${taking}::text[])
      and (g.valid_until_ms is null or g.valid_until_ms > ${now}::bigint)
      and not exists (select from consent_revocation r where r.grant_sequence = g.sequence)
    union select o.person from objection o
    where o.person = any(${asked}::integer[]) and cardinality(${taking}::text[]) > 0
      and (o.data_set is null or o.data_set = any(${taking}::text[]))
      and not exists (select from objection_withdrawal w where w.objection = o.sequence)
    union select a.person from guardian_agreement a join consent_terms t on t.id = a.terms
    where a.person = any(${asked}::integer[]) and t.data_set = any(${taking}::text[])
      and a.grant_sequence is null and a.withdrawn_ms is null
    union select r.person from restriction r
    where r.person = any(${asked}::integer[]) and (r.lifts_ms is null or r.lifts_ms > ${now}::bigint)
    union select q.person from person_request q
    where q.person = any(${asked}::integer[]) and not exists (
      select from person_request_event e where e.request = q.id and e.event in ('fulfil', 'refuse', 'withdraw'))
    union select a.person from asked a join guardianship s on s.guardian = a.lookup
    where s.ended_ms is null and (s.until_ms is null or s.until_ms > ${now}::bigint)`.execute(db)
  return new Set(rows.map(({ person }) => person))
}

/** Data sets that rows may still come into: those whose own retention goes on. */
export function takingDataSets(manifests: Iterable<Manifest>, now: Instant): readonly DataSetId[] {
  return [...manifests].flatMap(({ dataSet, retention }) => (periodEnd(retention) > now ? [dataSet] : []))
}
