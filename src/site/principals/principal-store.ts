import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { AgeEvidenceKind } from '../../protocol/law/age-evidence.ts'
import type { HeldEvidence, HeldFacts, HeldMove } from './principal-facts.ts'

/** Evidence as the record has it. */
export interface StoredEvidence extends HeldEvidence {
  readonly document?: Digest | undefined
  readonly givenBy: string
  readonly receipt: number
  readonly endedAt?: Instant | undefined
}

/** A move as the record has it. */
export interface StoredMove extends HeldMove {
  readonly toldAt: Instant
  readonly toldBy: string
  readonly receipt: number
}

export async function insertEvidence(tx: DatabaseTransaction, made: StoredEvidence): Promise<void> {
  await sql`
    insert into age_evidence (sequence, evidence, person, kind, at_least, below, document, given_ms, given_by, expires_ms, receipt)
    values (${made.sequence}, ${made.evidence}, ${made.person}, ${made.kind}, ${made.atLeast ?? null}, ${made.below ?? null},
      ${made.document ?? null}, ${made.givenAt}, ${made.givenBy}, ${made.expires}, ${made.receipt})`.execute(
    tx,
  )
}

/** Ends evidence of a person; gives whether it had not ended before. */
export async function saveEvidenceEnd(
  tx: DatabaseTransaction,
  { evidence, person, now, sequence }: { evidence: string; person: number; now: Instant; sequence: number },
): Promise<boolean> {
  const { rows } = await sql`
    update age_evidence set ended_ms = ${now}, ended_sequence = ${sequence}
    where evidence = ${evidence} and person = ${person} and ended_ms is null returning sequence`.execute(tx)
  return rows.length === 1
}

export async function insertMove(tx: DatabaseTransaction, made: StoredMove): Promise<void> {
  await sql`
    insert into residence_move (sequence, person, country, from_day, was, is_confirmed, told_ms, told_by, receipt)
    values (${made.sequence}, ${made.person}, ${made.country}, ${made.fromDay}, ${made.was}, ${made.isConfirmed},
      ${made.toldAt}, ${made.toldBy}, ${made.receipt})`.execute(tx)
}

/** Evidence of some people, ended and expired too, in order. */
export async function evidenceOf(
  db: Database,
  people: readonly number[],
): Promise<readonly StoredEvidence[]> {
  const { rows } = await sql<EvidenceRow>`
    select * from age_evidence where person = any(${people}::integer[]) order by sequence`.execute(db)
  return rows.map(toEvidence)
}

/** Moves of some people, in the order in which they were told. */
export async function movesOf(db: Database, people: readonly number[]): Promise<readonly StoredMove[]> {
  const { rows } = await sql<MoveRow>`
    select * from residence_move where person = any(${people}::integer[]) order by sequence`.execute(db)
  return rows.map(toMove)
}

/** All that counts or may yet, for the mirror. */
export async function readPrincipalFacts(db: Database): Promise<HeldFacts> {
  const { rows: evidence } = await sql<EvidenceRow>`select * from age_evidence order by sequence`.execute(db)
  const { rows: moves } = await sql<MoveRow>`select * from residence_move order by sequence`.execute(db)
  const changedAt = new Map<number, number>()
  for (const { person, sequence, ended_sequence: ended } of evidence)
    changedAt.set(person, Math.max(changedAt.get(person) ?? 0, Number(ended ?? sequence)))
  for (const { person, sequence } of moves)
    changedAt.set(person, Math.max(changedAt.get(person) ?? 0, Number(sequence)))
  return {
    evidence: evidence.filter(({ ended_ms: ended }) => ended === null).map(toEvidence),
    moves: moves.map(toMove),
    changedAt,
  }
}

interface EvidenceRow {
  readonly sequence: bigint
  readonly evidence: string
  readonly person: number
  readonly kind: AgeEvidenceKind
  readonly at_least: number | null
  readonly below: number | null
  readonly document: Digest | null
  readonly given_ms: bigint
  readonly given_by: string
  readonly expires_ms: bigint
  readonly receipt: bigint
  readonly ended_ms: bigint | null
  readonly ended_sequence: bigint | null
}

interface MoveRow {
  readonly sequence: bigint
  readonly person: number
  readonly country: string
  readonly from_day: string
  readonly was: string
  readonly is_confirmed: boolean
  readonly told_ms: bigint
  readonly told_by: string
  readonly receipt: bigint
}

function toEvidence(row: EvidenceRow): StoredEvidence {
  return {
    sequence: Number(row.sequence),
    evidence: row.evidence,
    person: row.person,
    kind: row.kind,
    ...(row.at_least === null ? {} : { atLeast: row.at_least }),
    ...(row.below === null ? {} : { below: row.below }),
    ...(row.document === null ? {} : { document: row.document }),
    givenAt: instant(Number(row.given_ms)),
    givenBy: row.given_by,
    expires: instant(Number(row.expires_ms)),
    receipt: Number(row.receipt),
    ...(row.ended_ms === null ? {} : { endedAt: instant(Number(row.ended_ms)) }),
  }
}

function toMove(row: MoveRow): StoredMove {
  return {
    sequence: Number(row.sequence),
    person: row.person,
    country: row.country,
    fromDay: row.from_day,
    was: row.was,
    isConfirmed: row.is_confirmed,
    toldAt: instant(Number(row.told_ms)),
    toldBy: row.told_by,
    receipt: Number(row.receipt),
  }
}
