import { sql } from 'kysely'
import { Fault } from '../../../kernel/faults.ts'
import type { DatabaseTransaction } from '../../../kernel/postgres/database.ts'
import { KEPT } from '../../../kernel/postgres/kept-statements.ts'

/**
 * Keeps the keys of people where they are until the transaction ends: whoever would erase them waits, and then finds what was begun for
 * them. To be called before any receipt is issued.
 *
 * @throws Fault `fault.not_found` when one of them has none any more
 */
export async function holdKeys(tx: DatabaseTransaction, people: readonly number[]): Promise<void> {
  const wanted = new Set(people)
  const { rows } = await sql`
    ${KEPT} select person from person_key where person = any(${[...wanted]}::integer[]) order by person for key share`.execute(
    tx,
  )
  if (rows.length < wanted.size)
    throw new Fault('fault.not_found', { what: 'No such thing here, or not for this caller' })
}

/** Waits for whoever holds the keys of people, and lets nobody else hold them until the transaction ends; likewise before receipts. */
export async function claimKeys(tx: DatabaseTransaction, people: readonly number[]): Promise<void> {
  await sql`
    ${KEPT} select person from person_key where person = any(${people}::integer[]) order by person for update`.execute(
    tx,
  )
}
