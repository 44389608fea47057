import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { RefusalGround, RequestEvent, RequestKind } from '../../protocol/http/request-api.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** A request as it came. */
export interface StoredRequest {
  readonly id: string
  readonly person: number
  readonly issuer: MemberId
  readonly kind: RequestKind
  readonly receivedAt: Instant
  /** Where the person lived then, if it was known. */
  readonly residence?: string | undefined
  readonly events: readonly StoredEvent[]
}

/** Something that happened to it. */
export interface StoredEvent {
  readonly event: RequestEvent
  readonly at: Instant
  readonly by: string
  readonly ground?: RefusalGround | undefined
  /** Sealed under the person's key. */
  readonly said?: Uint8Array | undefined
  readonly receipt: number
}

export async function insertRequest(
  tx: DatabaseTransaction,
  { id, person, issuer, kind, receivedAt, residence }: Omit<StoredRequest, 'events'>,
): Promise<void> {
  await sql`
    insert into person_request (id, person, issuer, kind, received_ms, residence)
    values (${id}, ${person}, ${issuer}, ${kind}, ${receivedAt}, ${residence ?? null})`.execute(tx)
}

export async function insertEvent(
  tx: DatabaseTransaction,
  request: string,
  { event, at, by, ground, said, receipt }: StoredEvent,
): Promise<void> {
  await sql`
    insert into person_request_event (request, event, at_ms, by_whom, ground, said, receipt)
    values (${request}, ${event}, ${at}, ${by}, ${ground ?? null}, ${said ?? null}, ${receipt})`.execute(tx)
}

/** Which requests: one, those of some people, or a page of an issuer's or of all. */
export interface RequestFilter {
  readonly id?: string | undefined
  readonly people?: readonly number[] | undefined
  readonly issuer?: MemberId | undefined
  /** Only those that have not ended. */
  readonly isOpen?: boolean | undefined
  readonly after?: string | undefined
  readonly limit: number
}

/** Requests by id, which is the order in which they were entered, with their events; locked where they are to be changed. */
export async function readRequests(
  db: Database,
  { id, people, issuer, isOpen, after, limit }: RequestFilter,
): Promise<readonly StoredRequest[]> {
  const conditions = [
    ...(id === undefined ? [] : [sql`r.id = ${id}`]),
    ...(people === undefined ? [] : [sql`r.person = any(${[...people]}::integer[])`]),
    ...(issuer === undefined ? [] : [sql`r.issuer = ${issuer}`]),
    ...(isOpen === true
      ? [
          sql`not exists (select from person_request_event e where e.request = r.id and e.event in ('fulfil', 'refuse', 'withdraw'))`,
        ]
      : []),
    sql`r.id > ${after ?? ''}`,
  ]
  const { rows } = await sql<RequestRow>`
    select * from person_request r where ${sql.join(conditions, sql` and `)} order by r.id limit ${limit}`.execute(
    db,
  )
  const { rows: events } = await sql<EventRow>`
    select * from person_request_event where request = any(${rows.map((row) => row.id)}::text[]) order by id`.execute(
    db,
  )
  const byRequest = Map.groupBy(events, ({ request }) => request)
  return rows.map((row) => ({
    id: row.id,
    person: row.person,
    issuer: row.issuer,
    kind: row.kind,
    receivedAt: instant(Number(row.received_ms)),
    ...(row.residence === null ? {} : { residence: row.residence }),
    events: (byRequest.get(row.id) ?? []).map(eventOf),
  }))
}

/** Lets one change of a request happen at a time. */
export async function lockRequest(tx: DatabaseTransaction, id: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${id}, 0))`.execute(tx)
}

interface RequestRow {
  readonly id: string
  readonly person: number
  readonly issuer: MemberId
  readonly kind: RequestKind
  readonly received_ms: bigint
  readonly residence: string | null
}

interface EventRow {
  readonly request: string
  readonly event: RequestEvent
  readonly at_ms: bigint
  readonly by_whom: string
  readonly ground: RefusalGround | null
  readonly said: Uint8Array | null
  readonly receipt: bigint
}

function eventOf(row: EventRow): StoredEvent {
  return {
    event: row.event,
    at: instant(Number(row.at_ms)),
    by: row.by_whom,
    ...(row.ground === null ? {} : { ground: row.ground }),
    ...(row.said === null ? {} : { said: row.said }),
    receipt: Number(row.receipt),
  }
}
