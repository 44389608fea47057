import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Money } from '../../kernel/money.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Transfer } from '../../protocol/http/money-api.ts'
import { BANK, fundsOf } from './account-name.ts'
import type { Posting } from './account-name.ts'
import { findTransfers } from './list-transfers.ts'
import { isOverdrawn } from './overdrawn.ts'
import { postTransfers } from './post-transfers.ts'

/** Money that came in or went out at the bank, as the operator books it. */
export interface BankMovement {
  readonly kind: 'deposit' | 'withdrawal'
  readonly member: string
  readonly amount: Money
  readonly reference?: string | undefined
  /** The same key books nothing again. */
  readonly idempotencyKey: string
}

/**
 * Books a deposit or a withdrawal once.
 *
 * @throws Fault `fault.idempotency_conflict` when the key stands for another movement, `fault.conflict` when the member has
 * too little that is not held, or the accounts would hold more than can be told
 */
export async function bookTransfer(
  { db, clock }: { db: Database; clock: Clock },
  movement: BankMovement,
): Promise<Transfer> {
  return db.transaction().execute(async (tx) => {
    const { kind, member, amount, reference, idempotencyKey } = movement
    await sql`select pg_advisory_xact_lock(hashtext(${idempotencyKey}))`.execute(tx)
    const earlier = await findByKey(tx, idempotencyKey)
    if (earlier) return requireSame(earlier, movement)
    const isDeposit = kind === 'deposit'
    const posting: Posting = {
      kind,
      debit: isDeposit ? BANK : fundsOf(member),
      credit: isDeposit ? fundsOf(member) : BANK,
      amountMinor: amount.amountMinor,
      currency: amount.currency,
      reference,
      idempotencyKey,
    }
    await postTransfers(tx, { postings: [posting], at: clock.now() }).catch((error: unknown) => {
      if (!isOverdrawn(error)) throw error
      throw new Fault('fault.conflict', { what: 'Cannot book the withdrawal: less than that is available' })
    })
    if (isDeposit) await requireTellable(tx, amount.currency)
    const booked = await findByKey(tx, idempotencyKey)
    if (!booked) throw new Fault('fault.internal', { what: 'Cannot find the transfer that was just booked' })
    return booked
  })
}

/** All that the members have came in by deposits. A slip of a few digits must not make balances that nobody can read any more. */
async function requireTellable(tx: Database, currency: Currency): Promise<void> {
  const { rows } = await sql<{ deposited: bigint }>`
    select debits_minor as deposited from account
    where owner = ${BANK.owner} and kind = ${BANK.kind} and currency = ${currency}`.execute(tx)
  if ((rows[0]?.deposited ?? 0n) <= Number.MAX_SAFE_INTEGER) return
  throw new Fault('fault.conflict', {
    what: 'Cannot book the deposit: all deposits together would be more than accounts can hold',
  })
}

async function findByKey(tx: Database, key: string): Promise<Transfer | undefined> {
  const [transfer] = await findTransfers(tx, sql`t.idempotency_key = ${key}`, 1)
  return transfer
}

function requireSame(earlier: Transfer, { kind, member, amount, reference }: BankMovement): Transfer {
  const owner = kind === 'deposit' ? earlier.credit.owner : earlier.debit.owner
  const isSame =
    earlier.kind === kind &&
    owner === member &&
    earlier.amount.amountMinor === amount.amountMinor &&
    earlier.amount.currency === amount.currency &&
    earlier.reference === reference
  if (isSame) return earlier
  throw new Fault('fault.idempotency_conflict', {
    what: 'Cannot use the Idempotency-Key again: it came with another transfer',
  })
}
