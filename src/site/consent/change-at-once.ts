import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { ReceiptDraft } from '../../protocol/proof/receipt.ts'
import type { IssuedReceipt } from '../../transparency/receipt-log.ts'
import { isRenumbered } from '../../transparency/receipt-store.ts'
import type { ConsentContext, ReceiptSubject } from './change-grants.ts'

/** More than this are signed in portions while others are written: that takes a transaction of several statements. */
export const AT_ONCE_MAX = 64

/** A receipt about somebody that is not signed yet. */
interface SubjectDraft {
  readonly subject: ReceiptSubject
  readonly draft: Omit<ReceiptDraft, 'subjectOf'>
}

/**
 * Makes a change of consent by one statement of the record (`0166-change-grants-at-once.ts`), with its receipts; `undefined` when it
 * has to be made in steps. It runs in the turn of changes, so that nobody of this process changes the sequence meanwhile.
 */
export async function changeAtOnce(
  { db, receipts: log, subjectOf }: ConsentContext,
  drafts: readonly SubjectDraft[],
  /** The function and what follows its receipts. */
  call: (issued: RawBuilder<unknown>) => RawBuilder<unknown>,
  last: number,
): Promise<readonly IssuedReceipt[] | undefined> {
  const subjects = await subjectOf(drafts.map(({ subject }) => subject))
  const receipts = await log.sign(
    log.expectedNext(),
    drafts.map(({ draft }, index) => ({ ...draft, subjectOf: subjects[index] })),
  )
  const [first] = receipts
  if (!first) throw new Fault('fault.internal', { what: 'The log gave too few receipts' })
  const issued = sql`${last}::bigint, ${first.sequence}::bigint, ${drafts.map(({ draft }) => draft.kind)}::text[],
    ${receipts.map(({ jws }) => jws)}::text[]`
  try {
    const { rows } = await sql<{ done: boolean }>`${KEPT} select ${call(issued)} as done`.execute(db)
    if (rows[0]?.done !== true) return undefined
  } catch (error) {
    if (isRenumbered(error)) return undefined
    throw error
  }
  log.committed(receipts)
  return receipts
}
