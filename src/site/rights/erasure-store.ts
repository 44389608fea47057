import { inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { ErasedStore, ErasureCause, ErasureState } from '../../protocol/rights/erasure.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { readTogether } from '../../kernel/postgres/read-together.ts'
import { packBitset } from '../../kernel/pack-bitset.ts'
import type { MemberId } from '../../protocol/wire.ts'
import type { IssuedReceipt } from '../../transparency/receipt-log.ts'

/** An erasure as the record has it. */
export interface ErasureRecord {
  /** Rises with time. */
  readonly id: number
  readonly erasure: string
  /** The number that the person had; absent where it is of many. */
  readonly person?: number
  /** Of many at once: how many, and who they are until it is done. */
  readonly many?: { readonly count: number; readonly people: Bitset }
  /** The mark of the key that was destroyed. */
  readonly keyDigest?: Digest
  /** What the receipts about it carry; only the destroyed key could make it again. */
  readonly subjectOf?: Digest
  readonly issuer: MemberId
  readonly reason: ErasureCause
  readonly requestedBy: string
  readonly state: ErasureState
  readonly requestedAt: Instant
  readonly permanentBy: Instant
  readonly deletedAt?: Instant
  /** When the site's own files held nothing any more; backups may. */
  readonly compactedAt?: Instant
  readonly permanentAt?: Instant
  readonly stores: readonly ErasedStore[]
  readonly receipts: readonly number[]
}

export type NewErasure = Pick<
  ErasureRecord,
  'erasure' | 'issuer' | 'reason' | 'requestedBy' | 'requestedAt' | 'permanentBy'
> & {
  readonly person: number
  readonly keyDigest: Digest | undefined
  readonly subjectOf: Digest | undefined
  readonly requestKey: string | undefined
}

/** Notes erasures in one statement; those of people whose erasure was noted before are not in what it gives. */
export async function insertErasures(
  tx: DatabaseTransaction,
  made: readonly NewErasure[],
): Promise<ReadonlyMap<string, ErasureRecord>> {
  const each = <T>(valueOf: (one: NewErasure) => T) => made.map(valueOf)
  const { rows } = await sql<ErasureRow>`
    ${KEPT} insert into erasure (erasure, person, key_digest, subject_of, issuer, reason, requested_by, request_key, state,
      requested_ms, permanent_by_ms)
    select erasure, person, key_digest, subject_of, issuer, reason, requested_by, request_key, 'begun', requested_ms, permanent_by_ms
    from unnest(${each(({ erasure }) => erasure)}::text[], ${each(({ person }) => person)}::integer[],
      ${each(({ keyDigest }) => keyDigest ?? null)}::text[], ${each(({ subjectOf }) => subjectOf ?? null)}::text[],
      ${each(({ issuer }) => issuer)}::text[], ${each(({ reason }) => reason)}::text[],
      ${each(({ requestedBy }) => requestedBy)}::text[], ${each(({ requestKey }) => requestKey ?? null)}::text[],
      ${each(({ requestedAt }) => requestedAt)}::bigint[], ${each(({ permanentBy }) => permanentBy)}::bigint[])
      as made (erasure, person, key_digest, subject_of, issuer, reason, requested_by, request_key, requested_ms, permanent_by_ms)
    on conflict (person) do nothing returning *`.execute(tx)
  return new Map(rows.map((row) => [row.erasure, toRecord(row)]))
}

/** Notes an erasure of many people at once, or that more are among them. */
export async function noteErasureOfMany(
  tx: DatabaseTransaction,
  made: Pick<NewErasure, 'erasure' | 'issuer' | 'reason' | 'requestedBy' | 'requestedAt' | 'permanentBy'> & {
    /** All of them, those who were noted before too. */
    readonly people: Bitset
    readonly receipt: number
  },
): Promise<void> {
  const people = packBitset(made.people)
  await sql`
    insert into erasure (erasure, people, people_count, issuer, reason, requested_by, state, requested_ms, permanent_by_ms, receipts)
    values (${made.erasure}, ${people}, ${made.people.count()}, ${made.issuer}, ${made.reason}, ${made.requestedBy}, 'begun',
      ${made.requestedAt}, ${made.permanentBy}, array[${made.receipt}::bigint])
    on conflict (erasure) do update set people = excluded.people, people_count = excluded.people_count,
      receipts = erasure.receipts || excluded.receipts`.execute(tx)
}

/** Notes that nothing is left of many that could be read; who they were is not kept any longer. Gives whether it was not noted before. */
export async function saveDeletedMany(
  tx: DatabaseTransaction,
  { erasure, now, stores }: { erasure: string; now: Instant; stores: readonly ErasedStore[] },
): Promise<boolean> {
  const { rows } = await sql`
    update erasure set state = 'deleted', deleted_ms = ${now}, stores = ${JSON.stringify(stores)}::jsonb, people = null
    where erasure = ${erasure} and state = 'begun' returning id`.execute(tx)
  return rows.length === 1
}

/** Erasures of whose data the retention had ended, newest first, of one issuer's people or of all. */
export async function listRetentionErasures(
  db: Database,
  { limit, issuer }: { limit: number; issuer: string | undefined },
): Promise<readonly ErasureRecord[]> {
  const { rows } = await sql<ErasureRow>`
    select * from erasure where reason = 'retention' and issuer = coalesce(${issuer ?? null}::text, issuer)
    order by id desc limit ${limit}`.execute(db)
  return rows.map(toRecord)
}

/**
 * Notes that nothing is left of people that could be read, with a receipt for each, in one statement. Fails where it was noted of one
 * of them before.
 */
export async function saveDeleted(
  on: Database,
  {
    erasures,
    now,
    stores,
    receipts,
  }: {
    erasures: readonly string[]
    now: Instant
    stores: readonly ErasedStore[]
    receipts: readonly Pick<IssuedReceipt, 'sequence' | 'jws'>[]
  },
): Promise<void> {
  await sql`
    ${KEPT} select finish_erasures(${receipts[0]?.sequence ?? 0}::bigint, ${erasures.map(() => 'erasure')}::text[],
      ${receipts.map(({ jws }) => jws)}::text[], ${erasures}::text[], ${now}::bigint, ${JSON.stringify(stores)}::jsonb)`.execute(
    on,
  )
}

/** Whether that failed because somebody else had done it. */
export function isFinished(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'HG013'
}

/** Moves an erasure on to where nothing is left in any file; gives whether it was not there before. */
export async function savePermanent(
  tx: DatabaseTransaction,
  { erasure, now }: { erasure: string; now: Instant },
): Promise<boolean> {
  const { rows } = await sql`
    update erasure set state = 'permanent', permanent_ms = ${now}
    where erasure = ${erasure} and state = 'deleted' returning id`.execute(tx)
  return rows.length === 1
}

/** Keeps what the stores have reached, and when that was all that the site's own files can. */
export async function saveStores(
  tx: Database,
  {
    erasure,
    stores,
    compactedAt,
  }: { erasure: string; stores: readonly ErasedStore[]; compactedAt?: Instant },
): Promise<void> {
  await sql`
    update erasure set stores = ${JSON.stringify(stores)}::jsonb, compacted_ms = ${compactedAt ?? null}
    where erasure = ${erasure}`.execute(tx)
}

export async function addReceipt(
  tx: DatabaseTransaction,
  { erasure, receipt }: { erasure: string; receipt: number },
): Promise<void> {
  await sql`update erasure set receipts = receipts || ${receipt}::bigint where erasure = ${erasure}`.execute(
    tx,
  )
}

export async function findErasure(db: Database, erasure: string): Promise<ErasureRecord | undefined> {
  const { rows } = await sql<ErasureRow>`select * from erasure where erasure = ${erasure}`.execute(db)
  return rows[0] && toRecord(rows[0])
}

/** By whom, or by which request, an erasure is looked for. */
interface ErasureOf {
  readonly person: number
  readonly requestKey: string | undefined
}

/** The erasure of a person by the number, or the one that a request with this key made. */
export const findErasureOf = readTogether(async (db, wanted: readonly ErasureOf[]) => {
  const { rows } = await sql<ErasureRow & { readonly request_key: string | null }>`
    ${KEPT} select * from erasure where person = any(${wanted.map(({ person }) => person)}::integer[])
      or request_key = any(${wanted.flatMap(({ requestKey }) => requestKey ?? [])}::text[])`.execute(db)
  return wanted.map(({ person, requestKey }): ErasureRecord | undefined => {
    const found =
      rows.find((row) => row.person === person) ??
      rows.find((row) => requestKey !== undefined && row.request_key === requestKey)
    return found && toRecord(found)
  })
})

/** Erasures in a state, oldest first. */
export async function erasuresIn(db: Database, state: ErasureState): Promise<readonly ErasureRecord[]> {
  const { rows } = await sql<ErasureRow>`select * from erasure where state = ${state} order by id`.execute(db)
  return rows.map(toRecord)
}

/** Erasures after an id, oldest first, of one issuer's people or of all. */
export async function listErasures(
  db: Database,
  { after, limit, issuer }: { after: number; limit: number; issuer?: string | undefined },
): Promise<readonly ErasureRecord[]> {
  const { rows } = await sql<ErasureRow>`
    select * from erasure where id > ${after} and issuer = coalesce(${issuer ?? null}::text, issuer)
    order by id limit ${limit}`.execute(db)
  return rows.map(toRecord)
}

/**
 * Forgets what is kept of people besides consent and answers: who speaks for them, how old they are, what they carried here, values
 * that wait to be told or written, and answers to them under a mark of their name.
 */
export async function forgetTraces(
  tx: DatabaseTransaction,
  people: readonly { readonly person: number; readonly nameMark: Digest }[],
): Promise<void> {
  await sql`
    ${KEPT} select forget_traces(person, mark || ' ', 'person ' || mark)
    from unnest(${people.map(({ person }) => person)}::integer[], ${people.map(({ nameMark }) => nameMark)}::text[])
      as forgotten (person, mark)`.execute(tx)
}

interface ErasureRow {
  readonly id: bigint
  readonly erasure: string
  readonly person: number | null
  readonly people: Uint8Array | null
  readonly people_count: number | null
  readonly key_digest: Digest | null
  readonly subject_of: Digest | null
  readonly issuer: string
  readonly reason: ErasureCause
  readonly requested_by: string
  readonly state: ErasureState
  readonly requested_ms: bigint
  readonly permanent_by_ms: bigint
  readonly deleted_ms: bigint | null
  readonly permanent_ms: bigint | null
  readonly compacted_ms: bigint | null
  readonly stores: readonly ErasedStore[]
  readonly receipts: readonly bigint[]
}

function toRecord(row: ErasureRow): ErasureRecord {
  return {
    id: Number(row.id),
    erasure: row.erasure,
    ...(row.person === null ? {} : { person: row.person }),
    ...(row.people_count === null
      ? {}
      : {
          many: {
            count: row.people_count,
            people: row.people ? Bitset.fromBytes(inflateSync(row.people)) : new Bitset(),
          },
        }),
    ...(row.key_digest === null ? {} : { keyDigest: row.key_digest }),
    ...(row.subject_of === null ? {} : { subjectOf: row.subject_of }),
    issuer: row.issuer as MemberId,
    reason: row.reason,
    requestedBy: row.requested_by,
    state: row.state,
    requestedAt: instant(Number(row.requested_ms)),
    permanentBy: instant(Number(row.permanent_by_ms)),
    ...(row.deleted_ms === null ? {} : { deletedAt: instant(Number(row.deleted_ms)) }),
    ...(row.compacted_ms === null ? {} : { compactedAt: instant(Number(row.compacted_ms)) }),
    ...(row.permanent_ms === null ? {} : { permanentAt: instant(Number(row.permanent_ms)) }),
    stores: row.stores,
    receipts: row.receipts.map(Number),
  }
}
