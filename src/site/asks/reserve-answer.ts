import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { ReceiptDraft } from '../../protocol/proof/receipt.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { GrantMirror } from '../consent/grant-mirror.ts'
import { keepAnswer, keepAnswerAtOnce } from './answer-store.ts'
import type { KeptAnswer, ReservedOn, StoredAnswer, UseRecord } from './answer-store.ts'
import type { BesideAnswer } from './beside-answer.ts'

/** Everything that becomes true at once when an answer is reserved. */
export interface Reservation {
  readonly answer: Omit<StoredAnswer, 'receiptSequences'>
  readonly receipts: readonly ReceiptDraft[]
  /** One for each data set that was used: consent is looked at again for every one of them. */
  readonly uses: readonly Omit<UseRecord, 'receiptSequence'>[]
  /** Who decided what is told though nothing of them is released, by data set: their consent is looked at again as well. */
  readonly told?: readonly Pick<UseRecord, 'dataSet' | 'people'>[] | undefined
  /** The consent sequence that the run saw. */
  readonly consentSequence: number
  /** How often rows of each data set had changed when the run began; absent when nothing was run. */
  readonly changes?: ReadonlyMap<string, number> | undefined
  /** Cuts of the guard and what else stands beside the answer, written with it. */
  readonly beside?: BesideAnswer | undefined
  /** What mode `private` writes in the same transaction by statements of its own. */
  readonly commitCuts?: ((tx: DatabaseTransaction) => Promise<void>) | undefined
  /** What is written beside the answer, after it; absent where there is nothing. */
  readonly alongside?: ((tx: DatabaseTransaction) => Promise<void>) | undefined
}

/** The answer as it now stands; `changed`: a grant of somebody in the result was taken back meanwhile, or rows changed: the ask has to be computed again. */
export type ReservationOutcome = StoredAnswer | 'changed'

export interface ReservationParts {
  readonly db: Database
  readonly log: Pick<ReceiptLog, 'sign' | 'expectedNext' | 'committed'>
  readonly mirror: Pick<GrantMirror, 'sequence' | 'changes' | 'revokedSince' | 'hasBasisEndedSince'>
  readonly untilTimeClass: () => Promise<void>
}

/**
 * The atomic reservation: consent as it stands now, the cuts of the guard, receipts, the use in people's histories
 * and the answer, in one transaction. It holds the consent sequence against changes, so that no revocation can be
 * acknowledged between the last look at it and the moment the release is decided (GDPR Art. 7(3)).
 *
 * It is one statement: its receipts are signed with the numbers that should come next. Where they do not, because somebody
 * else issued receipts meanwhile, and in mode `private`, it takes the numbers first.
 *
 * Where grants are given without end, somebody's is always between the look and the statement. So what was found changed is tried once
 * more in the line of those who change grants: then none can come between, and it counts only whom they were about.
 */
export async function reserveAnswer(
  parts: ReservationParts,
  reservation: Reservation,
): Promise<ReservationOutcome> {
  // Receipts tell when it was.
  await parts.untilTimeClass()
  const before = parts.mirror.sequence
  const outcome = await reserveOnce(parts, reservation)
  if (outcome !== 'changed' || isRevoked(parts.mirror, reservation)) return outcome
  return parts.mirror.changes.run(() =>
    // Where no grant was changed it was rows, and those are as they were found.
    parts.mirror.sequence === before ? Promise.resolve(outcome) : reserveOnce(parts, reservation),
  )
}

async function reserveOnce(parts: ReservationParts, reservation: Reservation): Promise<ReservationOutcome> {
  const { uses, told = [], changes = new Map(), commitCuts, alongside } = reservation
  // Both are read in one breath: when the record is found at this sequence, nobody else can have been revoked.
  const on = { consent: uses.length + told.length === 0 ? null : parts.mirror.sequence, changes }
  if (isRevoked(parts.mirror, reservation)) return 'changed'
  if (commitCuts || alongside) return reserveInSteps(parts, on, reservation)
  const outcome = await reserveAtOnce(parts, on, reservation)
  return outcome === 'renumber' ? reserveInSteps(parts, on, reservation) : outcome
}

async function reserveAtOnce(
  { db, log }: ReservationParts,
  on: ReservedOn,
  reservation: Reservation,
): Promise<ReservationOutcome | 'renumber'> {
  const written = await signReceipts(log, log.expectedNext(), reservation)
  const outcome = await keepAnswerAtOnce(db, on, written)
  if (outcome !== 'kept') return outcome
  log.committed(written.receipts)
  return storedAnswer(written)
}

async function reserveInSteps(
  { db, log }: ReservationParts,
  on: ReservedOn,
  reservation: Reservation,
): Promise<ReservationOutcome> {
  return db.transaction().execute(async (tx) => {
    const first = await beginReservation(tx, on, reservation.receipts.length)
    if (first === undefined) return 'changed'
    await reservation.commitCuts?.(tx)
    const written = await signReceipts(log, first, reservation)
    await keepAnswer(tx, written)
    await reservation.alongside?.(tx)
    return storedAnswer(written)
  })
}

async function signReceipts(
  log: ReservationParts['log'],
  first: number,
  { answer, receipts, uses, beside = {} }: Reservation,
): Promise<KeptAnswer> {
  const issued = await log.sign(first, receipts)
  return { first, receipts: issued, kinds: receipts.map(({ kind }) => kind), answer, uses, beside }
}

function storedAnswer({ answer, receipts }: KeptAnswer): StoredAnswer {
  return { ...answer, receiptSequences: receipts.map(({ sequence }) => sequence) }
}

/**
 * Locks what the answer stands on and numbers its receipts; undefined when it has changed. A change that is committed
 * but not yet in the mirror is not yet acknowledged; it counts as one rather than be guessed at.
 */
async function beginReservation(
  tx: DatabaseTransaction,
  { consent, changes }: ReservedOn,
  receiptCount: number,
): Promise<number | undefined> {
  const { rows } = await sql<{ first: number | null }>`
    ${KEPT} select begin_reservation(${consent}::bigint, ${[...changes.keys()]}::text[], ${[...changes.values()]}::integer[],
      ${receiptCount})::float8 as first`.execute(tx)
  return rows[0]?.first ?? undefined
}

function isRevoked(
  mirror: ReservationParts['mirror'],
  { uses, told = [], consentSequence }: Reservation,
): boolean {
  return [...uses, ...told].some(
    ({ dataSet, people }) =>
      mirror.hasBasisEndedSince(consentSequence, dataSet) ||
      people.intersectionCount(mirror.revokedSince(consentSequence, dataSet)) > 0,
  )
}
