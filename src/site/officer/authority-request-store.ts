import { sql } from 'kysely'
import { formatInstant, instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { authorityDecisionSchema, authorityRequestSchema } from '../../protocol/law/authority-request.ts'
import type { AuthorityDecision, AuthorityRequest } from '../../protocol/law/authority-request.ts'

/** A request of an authority, and what was decided. */
export interface StoredAuthorityRequest {
  readonly id: string
  readonly facts: AuthorityRequest
  readonly recordedAt: Instant
  readonly decided?: { readonly at: Instant; readonly decision: AuthorityDecision } | undefined
}

export async function insertAuthorityRequest(
  tx: DatabaseTransaction,
  { id, facts, now }: { id: string; facts: AuthorityRequest; now: Instant },
): Promise<void> {
  await sql`
    insert into authority_request (id, facts, recorded_ms)
    values (${id}, ${JSON.stringify(wireRequest(facts))}::jsonb, ${now})`.execute(tx)
}

/** Whether it was kept: what is decided is decided once. */
export async function insertAuthorityDecision(
  tx: DatabaseTransaction,
  { request, decision, now }: { request: string; decision: AuthorityDecision; now: Instant },
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    insert into authority_decision (request, decision, decided_ms)
    values (${request}, ${JSON.stringify(decision)}::jsonb, ${now}) on conflict (request) do nothing`.execute(
    tx,
  )
  return numAffectedRows > 0n
}

/** All requests, newest first; or the one of this id. */
export async function readAuthorityRequests(
  db: Database,
  id?: string,
): Promise<readonly StoredAuthorityRequest[]> {
  const which = id === undefined ? sql`true` : sql`r.id = ${id}`
  const { rows } = await sql<AuthorityRequestRow>`
    select r.id, r.facts, r.recorded_ms, d.decision, d.decided_ms
    from authority_request r left join authority_decision d on d.request = r.id
    where ${which} order by r.number desc`.execute(db)
  return rows.map(({ id: request, facts, recorded_ms, decision, decided_ms }) => ({
    id: request,
    facts: authorityRequestSchema.parse(facts),
    recordedAt: instant(Number(recorded_ms)),
    ...(decided_ms === null
      ? {}
      : { decided: { at: instant(Number(decided_ms)), decision: authorityDecisionSchema.parse(decision) } }),
  }))
}

/** The facts of a request in their wire form, as they are kept and shown. */
export function wireRequest({ receivedAt, secrecy, ...others }: AuthorityRequest) {
  return {
    ...others,
    receivedAt: formatInstant(receivedAt),
    ...(secrecy === undefined
      ? {}
      : { secrecy: { ground: secrecy.ground, until: formatInstant(secrecy.until) } }),
  }
}

interface AuthorityRequestRow {
  readonly id: string
  readonly facts: unknown
  readonly recorded_ms: bigint
  readonly decision: unknown
  readonly decided_ms: bigint | null
}
