import type { Instant } from '../../kernel/clock.ts'
import type { ErasedStore, ErasureGrade, ErasureView } from '../../protocol/rights/erasure.ts'
import { ERASURE_GRADES } from '../../protocol/rights/erasure.ts'
import { momentText } from '../../protocol/words/plain-words.ts'
import type { PurgedTables } from '../../kernel/postgres/purge-tables.ts'

/** The stores of a site when rows, key and grants are gone and files still hold their bytes. */
export function storesWhenDeleted(): readonly ErasedStore[] {
  return [
    {
      store: 'key',
      grade: 'deleted',
      note: 'destroyed in the record; dead copies wait for it to be rewritten',
    },
    { store: 'vault', grade: 'deleted', note: 'rows, name, birth date and residence deleted' },
    {
      store: 'record',
      grade: 'deleted',
      note: 'grants withdrawn, kept answers and releases in waiting deleted; dead copies remain',
    },
    { store: 'imports', grade: 'deleted', note: 'nothing reads a file that is being imported' },
    { store: 'memory', grade: 'deleted', note: 'left out of every set of people' },
  ]
}

/** The same after a compaction: nothing is in any file, or what holds it back is said. */
export function storesWhenCompacted({ isRewritten, isLogRecycled }: PurgedTables): readonly ErasedStore[] {
  const isRecordClean = isRewritten && isLogRecycled
  const record: ErasedStore = isRecordClean
    ? { store: 'record', grade: 'permanent', note: 'tables rewritten, write-ahead log recycled' }
    : {
        store: 'record',
        grade: 'deleted',
        note: isRewritten
          ? 'tables rewritten; the write-ahead log is the database administrator’s to recycle'
          : 'dead rows wait for VACUUM FULL by the database administrator',
      }
  return [
    { ...record, store: 'key', note: record.note },
    { store: 'vault', grade: 'permanent', note: 'copied into a new file; the old one is removed' },
    record,
    { store: 'imports', grade: 'permanent', note: 'files that were being imported are removed' },
    { store: 'memory', grade: 'permanent', note: 'the engine that held the old file is closed' },
  ]
}

/**
 * The backups. What the person's key sealed is unreadable in them at once, because the key is in none of them and was
 * struck out of the safe; their other values lie there encrypted until the last window ends, read by nothing but a
 * restore, which erases the person before it serves. Of many whose data had reached its end a restore's own clocks say that it has.
 */
export function storeOfBackups(heldUntil: Instant | undefined, isOfMany = false): ErasedStore {
  if (heldUntil === undefined)
    return { store: 'backups', grade: 'permanent', note: 'no backup from before can be read' }
  const how = isOfMany
    ? 'encrypted, read by nothing but a restore, which sweeps what has ended before it serves'
    : 'encrypted, the person’s key struck out; a restore erases again'
  return {
    store: 'backups',
    grade: 'inaccessible',
    note: `${how}; no backup from before can be read from ${momentText(heldUntil)} on`,
  }
}

/** The weakest grade of all. */
export function gradeOf(stores: readonly ErasedStore[]): ErasureGrade {
  const grades = new Set(stores.map(({ grade }) => grade))
  return ERASURE_GRADES.find((grade) => grades.has(grade)) ?? 'inaccessible'
}

/** What stays at a site, and why none of it leads to the person. */
export const KEPT: ErasureView['kept'] = [
  {
    what: 'that grants were given and withdrawn, under the number that stood for the person here',
    why: 'consent must be provable (GDPR Art. 7(1)); nothing leads from the number to anybody',
  },
  {
    what: 'in which groups of earlier answers that number was, and how much privacy it has spent',
    why: 'without it later answers could single out what this person contributed to earlier ones',
  },
  {
    what: 'that somebody looked at the data under that number',
    why: 'reading is accounted for; the reason was sealed under the key that is destroyed',
  },
  {
    what: 'receipts, money and this certificate',
    why: 'the law wants them kept; they hold digests, counts in steps and amounts',
  },
]
