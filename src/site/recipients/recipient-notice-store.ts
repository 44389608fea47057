import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { AcknowledgedOutcome, NoticeKind } from '../../protocol/rights/recipient-notice.ts'
import type { AskId, DataSetId, MemberId } from '../../protocol/wire.ts'

/** A notice to one recipient under one pseudonym, as the record has it. */
export interface NoticeRecord {
  /** Rises with time. */
  readonly id: number
  readonly notice: string
  readonly kind: NoticeKind
  /** The erasure, correction or restriction that it tells of. */
  readonly cause: string
  readonly person: number
  /** The number whose pseudonym the recipient knows: the person's own, or of a household that they are in. */
  readonly knownAs: number
  readonly subjectOf: Digest | undefined
  readonly issuer: MemberId
  readonly acquirer: MemberId
  readonly purpose: string
  readonly dataSet: DataSetId
  readonly releases: readonly { readonly ask: AskId; readonly release?: Digest }[]
  /** Where the newest release is used. */
  readonly releaseTo: string
  readonly corrected: { readonly dataSet: DataSetId; readonly columns: readonly string[] } | undefined
  /** Corrected values, sealed under the person's key. */
  readonly body: Uint8Array | undefined
  readonly lifts: Instant | undefined
  readonly notedAt: Instant
  readonly dueAt: Instant
  readonly digests: readonly Digest[]
  /** Id of the key that the text with the network is sealed to. */
  readonly sealedTo: string | undefined
  readonly sentAt: Instant | undefined
  readonly deliveredAt: Instant | undefined
  readonly acknowledgedAt: Instant | undefined
  readonly outcome: AcknowledgedOutcome | undefined
  readonly ground: string | undefined
  readonly receipts: readonly number[]
}

export type NewNotice = Omit<
  NoticeRecord,
  'id' | 'digests' | 'sealedTo' | 'sentAt' | 'deliveredAt' | 'acknowledgedAt' | 'outcome' | 'ground'
>

/** Notes a notice; the same cause tells the same recipient once. */
export async function insertNotice(tx: DatabaseTransaction, made: NewNotice): Promise<void> {
  await sql`
    insert into recipient_notice (notice, kind, cause, person, known_as, subject_of, issuer, acquirer, purpose, data_set, releases,
      release_to, corrected_data_set, columns, body, lifts_ms, noted_ms, due_ms, receipts)
    values (${made.notice}, ${made.kind}, ${made.cause}, ${made.person}, ${made.knownAs}, ${made.subjectOf ?? null}, ${made.issuer},
      ${made.acquirer}, ${made.purpose}, ${made.dataSet}, ${JSON.stringify(made.releases)}::jsonb, ${made.releaseTo},
      ${made.corrected?.dataSet ?? null}, ${made.corrected?.columns ?? null}::text[],
      ${made.body === undefined ? null : Buffer.from(made.body)}, ${made.lifts ?? null}, ${made.notedAt}, ${made.dueAt},
      ${made.receipts}::bigint[])
    on conflict do nothing`.execute(tx)
}

/** Which notices are meant; what is absent is any. */
export interface NoticeFilter {
  readonly cause?: string | undefined
  readonly people?: readonly number[] | undefined
  readonly issuer?: MemberId | undefined
  readonly notice?: string | undefined
  readonly isOpen?: boolean | undefined
  readonly after?: number | undefined
  readonly limit?: number | undefined
}

/** Notices, oldest first. */
export async function findNotices(db: Database, filter: NoticeFilter): Promise<readonly NoticeRecord[]> {
  const { cause, people, issuer, notice, isOpen, after = 0, limit = null } = filter
  const conditions: RawBuilder<unknown>[] = [
    sql`id > ${after}`,
    ...(cause === undefined ? [] : [sql`cause = ${cause}`]),
    ...(people === undefined ? [] : [sql`person = any(${people}::integer[])`]),
    ...(issuer === undefined ? [] : [sql`issuer = ${issuer}`]),
    ...(notice === undefined ? [] : [sql`notice = ${notice}`]),
    ...(isOpen === true ? [sql`acknowledged_ms is null`] : []),
  ]
  const { rows } = await sql<NoticeRow>`
    select * from recipient_notice where ${sql.join(conditions, sql` and `)} order by id limit ${limit}`.execute(
    db,
  )
  return rows.map(toRecord)
}

/** The network has a notice: which text, and to which key it is sealed. */
export async function markSent(
  db: Database,
  { notice, digest, sealedTo, now }: { notice: string; digest: Digest; sealedTo: string; now: Instant },
): Promise<void> {
  await sql`
    update recipient_notice set sent_ms = coalesce(sent_ms, ${now}), sealed_to = ${sealedTo}
    where notice = ${notice} and ${digest} = any(digests)`.execute(db)
}

/** Notes a text before it goes out: an answer may come before it is known that it went. */
export async function addDigest(
  db: Database,
  { notice, digest }: { notice: string; digest: Digest },
): Promise<void> {
  await sql`
    update recipient_notice set digests = digests || ${digest}::text
    where notice = ${notice} and not ${digest} = any(digests)`.execute(db)
}

export async function markDelivered(
  db: Database,
  { notice, at }: { notice: string; at: Instant },
): Promise<void> {
  await sql`
    update recipient_notice set delivered_ms = ${at} where notice = ${notice} and delivered_ms is null`.execute(
    db,
  )
}

/** Takes an acknowledgement, the first only; corrected values have no use any more. Gives whether it was the first. */
export async function saveAcknowledgement(
  tx: DatabaseTransaction,
  said: {
    notice: string
    jws: string
    outcome: AcknowledgedOutcome
    ground: string | undefined
    now: Instant
  },
): Promise<boolean> {
  const { rows } = await sql`
    update recipient_notice set acknowledged_ms = ${said.now}, acknowledgement = ${said.jws}, outcome = ${said.outcome},
      ground = ${said.ground ?? null}, body = null, delivered_ms = coalesce(delivered_ms, ${said.now})
    where notice = ${said.notice} and acknowledged_ms is null returning id`.execute(tx)
  return rows.length === 1
}

export async function addNoticeReceipt(
  tx: DatabaseTransaction,
  { notice, receipt }: { notice: string; receipt: number },
): Promise<void> {
  await sql`
    update recipient_notice set receipts = receipts || ${receipt}::bigint where notice = ${notice}`.execute(
    tx,
  )
}

interface NoticeRow {
  readonly id: bigint
  readonly notice: string
  readonly kind: NoticeKind
  readonly cause: string
  readonly person: number
  readonly known_as: number | null
  readonly subject_of: Digest | null
  readonly issuer: MemberId
  readonly acquirer: MemberId
  readonly purpose: string
  readonly data_set: DataSetId
  readonly releases: NoticeRecord['releases']
  readonly release_to: string
  readonly corrected_data_set: DataSetId | null
  readonly columns: readonly string[] | null
  readonly body: Uint8Array | null
  readonly lifts_ms: bigint | null
  readonly noted_ms: bigint
  readonly due_ms: bigint
  readonly digests: readonly Digest[]
  readonly sealed_to: string | null
  readonly sent_ms: bigint | null
  readonly delivered_ms: bigint | null
  readonly acknowledged_ms: bigint | null
  readonly outcome: AcknowledgedOutcome | null
  readonly ground: string | null
  readonly receipts: readonly bigint[]
}

function toRecord(row: NoticeRow): NoticeRecord {
  const momentOf = (ms: bigint | null) => (ms === null ? undefined : instant(Number(ms)))
  return {
    id: Number(row.id),
    notice: row.notice,
    kind: row.kind,
    cause: row.cause,
    person: row.person,
    knownAs: row.known_as ?? row.person,
    subjectOf: row.subject_of ?? undefined,
    issuer: row.issuer,
    acquirer: row.acquirer,
    purpose: row.purpose,
    dataSet: row.data_set,
    releases: row.releases,
    releaseTo: row.release_to,
    corrected:
      row.corrected_data_set === null
        ? undefined
        : { dataSet: row.corrected_data_set, columns: row.columns ?? [] },
    body: row.body ?? undefined,
    lifts: momentOf(row.lifts_ms),
    notedAt: instant(Number(row.noted_ms)),
    dueAt: instant(Number(row.due_ms)),
    digests: row.digests,
    sealedTo: row.sealed_to ?? undefined,
    sentAt: momentOf(row.sent_ms),
    deliveredAt: momentOf(row.delivered_ms),
    acknowledgedAt: momentOf(row.acknowledged_ms),
    outcome: row.outcome ?? undefined,
    ground: row.ground ?? undefined,
    receipts: row.receipts.map(Number),
  }
}
