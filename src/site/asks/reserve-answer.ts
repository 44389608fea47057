import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { ReceiptDraft } from '../../protocol/receipt.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { GrantMirror } from '../consent/grant-mirror.ts'
import { recordUse, storeAnswer } from './answer-store.ts'
import type { StoredAnswer, UseRecord } from './answer-store.ts'

/** Everything that becomes true at once when an answer is reserved. */
export interface Reservation {
  readonly answer: Omit<StoredAnswer, 'receiptSequences'>
  readonly receipts: readonly ReceiptDraft[]
  /** One for each data set that was used: consent is looked at again for every one of them. */
  readonly uses: readonly Omit<UseRecord, 'receiptSequence'>[]
  /** The consent sequence that the run saw. */
  readonly consentSequence: number
  /** Cuts of the guard, written in the same transaction. */
  readonly commitCuts?: ((tx: DatabaseTransaction) => Promise<void>) | undefined
}

/** `revoked`: somebody in the result took a grant back meanwhile; the ask has to be computed again without them. */
export type ReservationOutcome = 'reserved' | 'revoked'

export interface ReservationParts {
  readonly db: Database
  readonly log: Pick<ReceiptLog, 'issue'>
  readonly mirror: Pick<GrantMirror, 'sequence' | 'revokedSince'>
}

/**
 * The atomic reservation: consent as it stands now, the cuts of the guard, receipts, the use in people's histories
 * and the answer, in one transaction. It holds the consent sequence against changes, so that no revocation can be
 * acknowledged between the last look at it and the moment the release is decided (GDPR Art. 7(3)).
 */
export async function reserveAnswer(
  parts: ReservationParts,
  reservation: Reservation,
): Promise<ReservationOutcome> {
  return parts.db.transaction().execute(async (tx) => {
    if (!(await isConsentUnchanged(tx, parts, reservation))) return 'revoked'
    await reservation.commitCuts?.(tx)
    const issued = await parts.log.issue(tx, reservation.receipts)
    const receiptSequences = issued.map(({ sequence }) => sequence)
    await storeAnswer(tx, { ...reservation.answer, receiptSequences })
    for (const use of reservation.uses) {
      await recordUse(tx, { ...use, receiptSequence: receiptSequences.at(-1) ?? 0 })
    }
    return 'reserved'
  })
}

async function isConsentUnchanged(
  tx: DatabaseTransaction,
  { mirror }: ReservationParts,
  { uses, consentSequence }: Reservation,
): Promise<boolean> {
  if (uses.length === 0) return true
  const { rows } = await sql<{ last: bigint }>`select last from consent_sequence for share`.execute(tx)
  // A change that is committed but not yet in the mirror is not yet acknowledged; look again rather than guess.
  if (Number(rows[0]?.last ?? 0) !== mirror.sequence) return false
  return uses.every(
    ({ dataSet, people }) => people.intersectionCount(mirror.revokedSince(consentSequence, dataSet)) === 0,
  )
}
