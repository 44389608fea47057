import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { erasureInReceipts } from '../../protocol/rights/erasure.ts'
import { importTurn } from '../datasets/import-batch.ts'
import { purgeRecord } from '../record/purge-record.ts'
import type { ErasureParts } from './erasure-request.ts'
import { gradeOf, storesWhenCompacted } from './erased-stores.ts'
import { addReceipt, erasuresIn, savePermanent, saveStores } from './erasure-store.ts'
import type { ErasureRecord } from './erasure-store.ts'

/**
 * The second step of every erasure that is waiting for it, all in one go: the vault is copied into a new file, the
 * record's tables are written anew and its log recycled. Each certificate then moves from *deleted* to *permanent*,
 * at once or when the last backup that holds the person has ended. Asks go on; an import waits its turn, and so does a
 * backup, whose copy would outlast this. Gives of how many nothing is left in the site's own files now; where `signal` is aborted it waits
 * for nobody else's transaction, and they are completed the next time.
 */
export async function completeErasures(
  parts: ErasureParts,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<number> {
  return parts.backups.turn.run(() =>
    importTurn(parts.vault).run(async () => {
      const waiting = (await erasuresIn(parts.db, 'deleted')).filter(
        ({ compactedAt }) => compactedAt === undefined,
      )
      if (waiting.length === 0) return 0
      await removeTraces(parts, waiting)
      await parts.vault.compact()
      const stores = storesWhenCompacted(await purgeRecord(parts.db, { signal }))
      const isClean = gradeOf(stores) === 'permanent'
      const done = isClean ? { compactedAt: parts.clock.now() } : {}
      for (const { erasure } of waiting) await saveStores(parts.db, { erasure, stores, ...done })
      if (!isClean) return 0
      await settleErasures(parts)
      return waiting.length
    }),
  )
}

/** Moves on the erasures for which no backup is left that could be read; gives how many. */
export async function settleErasures(parts: ErasureParts): Promise<number> {
  const free: ErasureRecord[] = []
  for (const erasure of await erasuresIn(parts.db, 'deleted')) {
    const { compactedAt, deletedAt } = erasure
    if (compactedAt === undefined || deletedAt === undefined) continue
    if ((await parts.backups.heldUntil(deletedAt)) === undefined) free.push(erasure)
  }
  if (free.length === 0) return 0
  await parts.db.transaction().execute(async (tx) => {
    for (const erasure of free) await complete(tx, { parts, erasure })
  })
  await parts.log.publish()
  return free.length
}

/** A key that an import was just writing when the erasure was noted, and what versions before this one may have kept; there are no rows to it. */
async function removeTraces({ db, vault }: ErasureParts, waiting: readonly ErasureRecord[]): Promise<void> {
  const people = waiting.flatMap(({ person }) => (person === undefined ? [] : [person]))
  await sql`delete from person_key where person = any(${people}::integer[])`.execute(db)
  for (const person of people) await vault.forget(person)
}

async function complete(
  tx: DatabaseTransaction,
  {
    parts: { clock, log },
    erasure: { erasure, subjectOf, many },
  }: { parts: ErasureParts; erasure: ErasureRecord },
): Promise<void> {
  if (!(await savePermanent(tx, { erasure, now: clock.now() }))) return
  const [receipt] = await log.issue(tx, [
    {
      // Of many the log tells as of a sweep: a restored site makes it again by its own clocks (docs/decisions/0028).
      kind: many ? 'retention' : 'erasure',
      erasure: erasureInReceipts(erasure),
      grade: 'permanent',
      ...(subjectOf === undefined ? {} : { subjectOf }),
    },
  ])
  if (receipt) await addReceipt(tx, { erasure, receipt: receipt.sequence })
}
