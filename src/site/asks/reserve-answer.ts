import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { ReceiptDraft } from '../../protocol/receipt.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { GrantMirror } from '../consent/grant-mirror.ts'
import { keepAnswer } from './answer-store.ts'
import type { StoredAnswer, UseRecord } from './answer-store.ts'

/** Everything that becomes true at once when an answer is reserved. */
export interface Reservation {
  readonly answer: Omit<StoredAnswer, 'receiptSequences'>
  readonly receipts: readonly ReceiptDraft[]
  /** One for each data set that was used: consent is looked at again for every one of them. */
  readonly uses: readonly Omit<UseRecord, 'receiptSequence'>[]
  /** The consent sequence that the run saw. */
  readonly consentSequence: number
  /** How often rows of each data set had changed when the run began; absent when nothing was run. */
  readonly changes?: ReadonlyMap<string, number> | undefined
  /** Cuts of the guard, written in the same transaction. */
  readonly commitCuts?: ((tx: DatabaseTransaction) => Promise<void>) | undefined
}

/** The answer as it now stands; `changed`: a grant of somebody in the result was taken back meanwhile, or rows changed: the ask has to be computed again. */
export type ReservationOutcome = StoredAnswer | 'changed'

export interface ReservationParts {
  readonly db: Database
  readonly log: Pick<ReceiptLog, 'sign'>
  readonly mirror: Pick<GrantMirror, 'sequence' | 'revokedSince'>
}

/**
 * The atomic reservation: consent as it stands now, the cuts of the guard, receipts, the use in people's histories
 * and the answer, in one transaction. It holds the consent sequence against changes, so that no revocation can be
 * acknowledged between the last look at it and the moment the release is decided (GDPR Art. 7(3)).
 */
export async function reserveAnswer(
  { db, log, mirror }: ReservationParts,
  reservation: Reservation,
): Promise<ReservationOutcome> {
  const { answer, receipts, uses, commitCuts } = reservation
  // Both are read in one breath: when the record is found at this sequence, nobody else can have been revoked.
  const consent = uses.length === 0 ? null : mirror.sequence
  if (isRevoked(mirror, reservation)) return 'changed'
  return db.transaction().execute(async (tx) => {
    const first = await beginReservation(tx, consent, reservation)
    if (first === undefined) return 'changed'
    await commitCuts?.(tx)
    const issued = await log.sign(first, receipts)
    await keepAnswer(tx, { first, receipts: issued, kinds: receipts.map(({ kind }) => kind), answer, uses })
    return { ...answer, receiptSequences: issued.map(({ sequence }) => sequence) }
  })
}

/**
 * Locks what the answer stands on and numbers its receipts; undefined when it has changed. A change that is committed
 * but not yet in the mirror is not yet acknowledged; it counts as one rather than be guessed at.
 */
async function beginReservation(
  tx: DatabaseTransaction,
  consent: number | null,
  { changes = new Map(), receipts }: Reservation,
): Promise<number | undefined> {
  const { rows } = await sql<{ first: number | null }>`
    select begin_reservation(${consent}::bigint, ${[...changes.keys()]}::text[], ${[...changes.values()]}::integer[],
      ${receipts.length})::float8 as first`.execute(tx)
  return rows[0]?.first ?? undefined
}

function isRevoked(mirror: ReservationParts['mirror'], { uses, consentSequence }: Reservation): boolean {
  return uses.some(
    ({ dataSet, people }) => people.intersectionCount(mirror.revokedSince(consentSequence, dataSet)) > 0,
  )
}
