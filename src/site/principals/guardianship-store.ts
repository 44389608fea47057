import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { GuardianAuthority } from '../../protocol/consent/guardianship.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** A guardianship as the record has it; names are sealed under the key of the child. */
export interface StoredGuardianship {
  readonly guardianship: string
  /** The child's number. */
  readonly person: number
  readonly issuer: MemberId
  /** The HMAC by which the guardian is known; absent once the guardian was erased. */
  readonly guardian?: Uint8Array | undefined
  readonly guardianName?: Uint8Array | undefined
  readonly personName: Uint8Array
  readonly authority: GuardianAuthority
  readonly document: Digest
  readonly from: Instant
  readonly until?: Instant | undefined
  readonly establishedAt: Instant
  readonly establishedBy: string
  readonly endedAt?: Instant | undefined
  readonly endedBy?: string | undefined
  readonly receipts: readonly number[]
}

/** Guardianships of some children, ended ones too, in order. */
export async function guardianshipsOf(
  db: Database,
  people: readonly number[],
): Promise<readonly StoredGuardianship[]> {
  const { rows } = await sql<GuardianshipRow>`
    select * from guardianship where person = any(${people}::integer[]) order by id`.execute(db)
  return rows.map(guardianshipOf)
}

/** Guardianships that somebody has or had, by the marks of their identities. */
export async function guardianshipsBy(
  db: Database,
  marks: readonly Uint8Array[],
): Promise<readonly StoredGuardianship[]> {
  const { rows } = await sql<GuardianshipRow>`
    ${KEPT} select * from guardianship where guardian = any(${marks.map((mark) => Buffer.from(mark))}::bytea[])
    order by id`.execute(db)
  return rows.map(guardianshipOf)
}

/** Guardianships that have not ended, of children of whom a guardian's grant stands; with `marks` those of these guardians alone. */
export async function guardianshipsWithGrants(
  db: Database,
  marks?: readonly Uint8Array[],
): Promise<readonly StoredGuardianship[]> {
  const isWanted = marks
    ? sql`guardian = any(${marks.map((mark) => Buffer.from(mark))}::bytea[])`
    : sql`guardian is not null`
  const { rows } = await sql<GuardianshipRow>`
    ${KEPT} select * from guardianship s where ended_ms is null and ${isWanted} and exists (
      select from consent_grant g where g.person = s.person and g.guardianship is not null
        and not exists (select from consent_revocation r where r.grant_sequence = g.sequence))
    order by id`.execute(db)
  return rows.map(guardianshipOf)
}

export async function findGuardianship(
  db: Database,
  guardianship: string,
): Promise<StoredGuardianship | undefined> {
  const { rows } = await sql<GuardianshipRow>`
    select * from guardianship where guardianship = ${guardianship}`.execute(db)
  return rows[0] && guardianshipOf(rows[0])
}

export async function insertGuardianship(
  tx: DatabaseTransaction,
  made: Omit<StoredGuardianship, 'endedAt' | 'endedBy' | 'receipts'>,
): Promise<void> {
  await sql`
    insert into guardianship (guardianship, person, issuer, guardian, guardian_name, person_name, authority, document,
      from_ms, until_ms, established_ms, established_by)
    values (${made.guardianship}, ${made.person}, ${made.issuer}, ${bytesOf(made.guardian)}, ${bytesOf(made.guardianName)},
      ${bytesOf(made.personName)}, ${made.authority}, ${made.document}, ${made.from}, ${made.until ?? null},
      ${made.establishedAt}, ${made.establishedBy})`.execute(tx)
}

/** Ends one; gives whether it had not ended before. What was agreed under it and waits for others is void. */
export async function saveEnd(
  tx: DatabaseTransaction,
  { guardianship, now, by }: { guardianship: string; now: Instant; by: string },
): Promise<boolean> {
  const { rows } = await sql`
    update guardianship set ended_ms = ${now}, ended_by = ${by}
    where guardianship = ${guardianship} and ended_ms is null returning id`.execute(tx)
  await sql`
    update guardian_agreement set withdrawn_ms = ${now}
    where guardianship = ${guardianship} and grant_sequence is null and withdrawn_ms is null`.execute(tx)
  return rows.length === 1
}

export async function addGuardianshipReceipt(
  tx: DatabaseTransaction,
  { guardianship, receipt }: { guardianship: string; receipt: number },
): Promise<void> {
  await sql`
    update guardianship set receipts = receipts || ${receipt}::bigint
    where guardianship = ${guardianship}`.execute(tx)
}

/** Forgets who guardians were, when they are erased; that there was one stays. */
export async function forgetGuardians(tx: DatabaseTransaction, marks: readonly Uint8Array[]): Promise<void> {
  await sql`
    update guardianship set guardian = null, guardian_name = null
    where guardian = any(${marks.map((mark) => Buffer.from(mark))}::bytea[])`.execute(tx)
}

/** Changes the marks by which guardians are known, all of them. */
export async function renewGuardianMarks(
  tx: DatabaseTransaction,
  next: (before: Uint8Array) => Uint8Array,
): Promise<void> {
  const { rows } = await sql<{ guardian: Uint8Array }>`
    select distinct guardian from guardianship where guardian is not null`.execute(tx)
  await sql`
    update guardianship as kept set guardian = made.guardian
    from unnest(${rows.map(({ guardian }) => Buffer.from(guardian))}::bytea[],
      ${rows.map(({ guardian }) => Buffer.from(next(guardian)))}::bytea[]) as made (was, guardian)
    where kept.guardian = made.was`.execute(tx)
}

function bytesOf(bytes: Uint8Array | undefined): Buffer | null {
  return bytes === undefined ? null : Buffer.from(bytes)
}

interface GuardianshipRow {
  readonly guardianship: string
  readonly person: number
  readonly issuer: string
  readonly guardian: Uint8Array | null
  readonly guardian_name: Uint8Array | null
  readonly person_name: Uint8Array
  readonly authority: GuardianAuthority
  readonly document: Digest
  readonly from_ms: bigint
  readonly until_ms: bigint | null
  readonly established_ms: bigint
  readonly established_by: string
  readonly ended_ms: bigint | null
  readonly ended_by: string | null
  readonly receipts: readonly bigint[]
}

function guardianshipOf(row: GuardianshipRow): StoredGuardianship {
  return {
    guardianship: row.guardianship,
    person: row.person,
    issuer: row.issuer as MemberId,
    ...(row.guardian === null ? {} : { guardian: row.guardian }),
    ...(row.guardian_name === null ? {} : { guardianName: row.guardian_name }),
    personName: row.person_name,
    authority: row.authority,
    document: row.document,
    from: instant(Number(row.from_ms)),
    ...(row.until_ms === null ? {} : { until: instant(Number(row.until_ms)) }),
    establishedAt: instant(Number(row.established_ms)),
    establishedBy: row.established_by,
    ...(row.ended_ms === null ? {} : { endedAt: instant(Number(row.ended_ms)) }),
    ...(row.ended_by === null ? {} : { endedBy: row.ended_by }),
    receipts: row.receipts.map(Number),
  }
}
