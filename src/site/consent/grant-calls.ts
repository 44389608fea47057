import { sql } from 'kysely'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'

/** What a call changed; it is in force. `sequence` is the consent sequence of the site after it. */
export interface GrantsChanged {
  readonly changed: number
  readonly unchanged: number
  readonly sequence: number
  /** Grants that another guardian has to agree to; absent: none. */
  readonly awaiting?: number
}

/** A call under an idempotency key, and what its body stands as. */
export interface KeyedCall {
  readonly key: string
  readonly digest: Digest
}

/** The same with what it is answered. */
export type AnsweredCall = KeyedCall & { readonly answer: GrantsChanged }

/** The answer to an earlier call under a key; a fault when that call had another body. */
export async function findCall(
  tx: DatabaseTransaction,
  { key, digest }: KeyedCall,
): Promise<GrantsChanged | undefined> {
  const { rows } = await sql<CallRow>`
    select * from consent_call where idempotency_key = ${key}`.execute(tx)
  const row = rows[0]
  if (!row) return undefined
  if (row.digest !== digest) {
    throw new Fault('fault.idempotency_conflict', {
      what: 'Cannot change grants: the idempotency key came before with another body',
    })
  }
  const { changed, unchanged, sequence, awaiting } = row
  return { changed, unchanged, sequence: Number(sequence), ...(awaiting > 0 ? { awaiting } : {}) }
}

interface CallRow {
  readonly digest: string
  readonly changed: number
  readonly unchanged: number
  readonly sequence: bigint
  readonly awaiting: number
}

/** Keeps an answer under its key, in the transaction of the change itself. */
export async function recordCall(
  tx: DatabaseTransaction,
  { key, digest, answer }: AnsweredCall,
): Promise<void> {
  await sql`
    insert into consent_call (idempotency_key, digest, changed, unchanged, sequence, awaiting)
    values (${key}, ${digest}, ${answer.changed}, ${answer.unchanged}, ${answer.sequence}, ${answer.awaiting ?? 0})`.execute(
    tx,
  )
}
