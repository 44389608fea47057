import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { StatusReason } from '../../protocol/http/data-rights-protocol.ts'

/** An agent's request, and the request of the desk that it is; one denied at the door is none. */
export interface AgentRequest {
  readonly id: string
  readonly agent: string
  readonly business: string
  readonly agentRequestId?: string | undefined
  readonly exercise: string
  readonly regime?: string | undefined
  readonly receivedAt: Instant
  readonly deskRequest?: string | undefined
  readonly deniedReason?: StatusReason | undefined
  readonly callback?: string | undefined
  /** The digest of the status that the callback took last. */
  readonly told?: string | undefined
  readonly tries: number
}

/** Keeps the digest of an agent's token in place of the one before. */
export async function keepToken(
  db: Database,
  { agent, digest, now }: { agent: string; digest: string; now: Instant },
): Promise<void> {
  await sql`
    insert into data_rights_token (agent, digest, issued_ms) values (${agent}, ${digest}, ${now})
    on conflict (agent) do update set digest = excluded.digest, issued_ms = excluded.issued_ms`.execute(db)
}

/** Whose token it is. */
export async function agentOfToken(db: Database, digest: string): Promise<string | undefined> {
  const { rows } = await sql<{ agent: string }>`
    select agent from data_rights_token where digest = ${digest}`.execute(db)
  return rows[0]?.agent
}

export async function insertAgentRequest(
  db: Database,
  request: Omit<AgentRequest, 'told' | 'tries'>,
): Promise<void> {
  const { id, agent, business, agentRequestId, exercise, regime, receivedAt, callback } = request
  await sql`
    insert into data_rights_request
      (id, agent, business, agent_request_id, exercise, regime, received_ms, desk_request, denied_reason, callback)
    values (${id}, ${agent}, ${business}, ${agentRequestId ?? null}, ${exercise}, ${regime ?? null}, ${receivedAt},
      ${request.deskRequest ?? null}, ${request.deniedReason ?? null}, ${callback ?? null})`.execute(db)
}

/** An agent's request by our id, or by the id that the agent gave it. */
export async function findAgentRequest(
  db: Database,
  {
    agent,
    id,
    agentRequestId,
  }: { agent: string; id?: string | undefined; agentRequestId?: string | undefined },
): Promise<AgentRequest | undefined> {
  const { rows } = await sql<AgentRequestRow>`
    select * from data_rights_request
    where agent = ${agent} and (id = ${id ?? null} or agent_request_id = ${agentRequestId ?? null})`.execute(
    db,
  )
  return rows[0] && requestOf(rows[0])
}

/** Requests whose agent is to be told of changes, those that wait longest first. */
export async function requestsToTell(
  db: Database,
  { now, limit }: { now: Instant; limit: number },
): Promise<readonly AgentRequest[]> {
  const { rows } = await sql<AgentRequestRow>`
    select * from data_rights_request where callback is not null and next_try_ms <= ${now}
    order by next_try_ms, id limit ${limit}`.execute(db)
  return rows.map(requestOf)
}

/** Notes how telling went, and when it is looked at again. */
export async function noteTold(
  db: Database,
  { id, told, tries, nextTry }: { id: string; told: string | undefined; tries: number; nextTry: Instant },
): Promise<void> {
  await sql`
    update data_rights_request set told = coalesce(${told ?? null}, told), tries = ${tries}, next_try_ms = ${nextTry}
    where id = ${id}`.execute(db)
}

interface AgentRequestRow {
  readonly id: string
  readonly agent: string
  readonly business: string
  readonly agent_request_id: string | null
  readonly exercise: string
  readonly regime: string | null
  readonly received_ms: bigint
  readonly desk_request: string | null
  readonly denied_reason: StatusReason | null
  readonly callback: string | null
  readonly told: string | null
  readonly tries: number
}

function requestOf(row: AgentRequestRow): AgentRequest {
  return {
    id: row.id,
    agent: row.agent,
    business: row.business,
    exercise: row.exercise,
    receivedAt: instant(Number(row.received_ms)),
    agentRequestId: row.agent_request_id ?? undefined,
    regime: row.regime ?? undefined,
    deskRequest: row.desk_request ?? undefined,
    deniedReason: row.denied_reason ?? undefined,
    callback: row.callback ?? undefined,
    told: row.told ?? undefined,
    tries: row.tries,
  }
}
