import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { importTurn } from '../datasets/import-file.ts'
import { purgeRecord } from '../record/purge-record.ts'
import type { ErasureParts } from './erase-person.ts'
import { gradeOf, storesWhenCompacted } from './erased-stores.ts'
import { addReceipt, erasuresIn, saveState, saveStores } from './erasure-store.ts'
import type { ErasureRecord } from './erasure-store.ts'

/**
 * The second step of every erasure that is waiting for it, all in one go: the vault is copied into a new file, the
 * record's tables are written anew and its log recycled, and each certificate moves from *deleted* to *permanent*.
 * Asks go on; an import waits its turn. Gives how many were completed.
 */
export async function completeErasures(parts: ErasureParts): Promise<number> {
  return importTurn(parts.vault).run(async () => {
    const waiting = await erasuresIn(parts.db, 'deleted')
    if (waiting.length === 0) return 0
    await removeTraces(parts, waiting)
    await parts.vault.compact()
    const stores = storesWhenCompacted(await purgeRecord(parts))
    if (gradeOf(stores) !== 'permanent') {
      for (const { erasure } of waiting) await saveStores(parts.db, { erasure, stores })
      return 0
    }
    await parts.db.transaction().execute(async (tx) => {
      for (const erasure of waiting) await complete(tx, { parts, erasure, stores })
    })
    await parts.log.publish()
    return waiting.length
  })
}

/** An import that had numbered the person before may have made a key again, or kept facts; there are no rows to them. */
async function removeTraces({ db, vault }: ErasureParts, waiting: readonly ErasureRecord[]): Promise<void> {
  const people = waiting.map(({ person }) => person)
  await sql`delete from person_key where person = any(${people}::integer[])`.execute(db)
  for (const person of people) await vault.forget(person)
}

async function complete(
  tx: DatabaseTransaction,
  {
    parts: { clock, log },
    erasure: { erasure, subjectOf },
    stores,
  }: { parts: ErasureParts; erasure: ErasureRecord; stores: ReturnType<typeof storesWhenCompacted> },
): Promise<void> {
  if (!(await saveState(tx, { erasure, state: 'permanent', now: clock.now(), stores }))) return
  const [receipt] = await log.issue(tx, [
    {
      kind: 'erasure',
      erasure,
      grade: 'permanent',
      ...(subjectOf === undefined ? {} : { subjectOf }),
    },
  ])
  if (receipt) await addReceipt(tx, { erasure, receipt: receipt.sequence })
}
