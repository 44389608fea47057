import type { Bitset } from '../../kernel/bitset.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { stepOf } from '../../protocol/money/tariff.ts'
import type { Backups } from '../backup/backups.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { Vault } from '../vault/vault.ts'
import { findDataSet } from './data-set-store.ts'
import { findImport, readImportPeople, saveDone, saveReceipts } from './import-store.ts'
import type { BatchName, ImportRecord } from './import-store.ts'

/** What the end of an import needs of a site. */
export interface FinishParts {
  readonly db: Database
  readonly vault: Vault
  readonly receipts: ReceiptLog
  readonly clock: Clock
  /** Where it is kept that there was an import, for a restore to say so; absent where there are no backups. */
  readonly backups?: Pick<Backups, 'noteDone'>
  /**
   * Tells the guard whose rows change: before the vault shows the change and again in the step that ends it, so that no
   * answer can have read the old rows and count as having read the new ones. Only a site without answers does without.
   */
  readonly noteRows?: (
    tx: DatabaseTransaction,
    facts: { readonly dataSet: DataSetId; readonly people: Bitset; readonly cause: string },
  ) => Promise<void>
}

/** Writes down that a batch is in the vault, with its receipt, in one transaction. Doing it again changes nothing. */
export async function finishImport(parts: FinishParts, { dataSet, batch }: BatchName): Promise<ImportRecord> {
  const { db, vault } = parts
  const rows = await vault.findBatch({ dataSet, batch })
  const described = await findDataSet(db, dataSet)
  if (rows === undefined || !described) {
    throw new Fault('fault.vault', { what: `Cannot finish the import of "${batch}": it is not in the vault` })
  }
  const meant = await findImport(db, { dataSet, batch })
  const policy = described.manifestDigest
  const people = await readImportPeople(db, { dataSet, batch })
  if (meant) await finishImports(parts, [{ ...meant, rows, policy, people }])
  const done = await findImport(db, { dataSet, batch })
  if (!done)
    throw new Fault('fault.internal', { what: `Cannot finish the import of "${batch}": it was never begun` })
  return done
}

/** A batch that is in the vault. */
export interface TakenImport extends BatchName {
  readonly rows: number
  readonly people: Bitset
  readonly fileDigest: Digest
  /** The digest of the manifest by which its rows are laid out. */
  readonly policy: Digest
}

/**
 * The same of several at once, each with a receipt of its own; those that were done before are left alone. Gives the time at which
 * they are done, and the last of the receipts, where there are any.
 */
export async function finishImports(
  { db, receipts, clock, noteRows, backups }: FinishParts,
  taken: readonly TakenImport[],
): Promise<{ readonly doneAt: Instant; readonly receipt: number | undefined }> {
  const now = clock.now()
  for (const { batch, dataSet, fileDigest: file, rows } of taken)
    await backups?.noteDone({ time: now, batch, dataSet, file, rows })
  const issued = await db.transaction().execute(async (tx) => {
    const open = await saveDone(tx, taken, now)
    if (open.length === 0) return []
    await noteChanges(tx, noteRows, { batches: open, what: 'imported' })
    const all = await receipts.issue(
      tx,
      open.map(({ dataSet, batch, rows, policy }) => ({
        kind: 'ingest',
        dataSet,
        batch,
        rowsStep: stepOf(rows),
        policy,
      })),
    )
    await saveReceipts(
      tx,
      open.flatMap((one, index) => (all[index] ? [{ ...one, receipt: all[index].sequence }] : [])),
    )
    return all
  })
  receipts.committed(issued)
  return { doneAt: now, receipt: issued.at(-1)?.sequence }
}

/** Tells the guard whose rows batches change, once for each data set. */
export async function noteChanges(
  tx: DatabaseTransaction,
  noteRows: FinishParts['noteRows'],
  {
    batches,
    what,
  }: { readonly batches: readonly (BatchName & { readonly people: Bitset })[]; readonly what: string },
): Promise<void> {
  for (const [dataSet, own] of Map.groupBy(batches, (one) => one.dataSet)) {
    const [first, ...others] = own
    if (!first) continue
    const people = others.reduce((all, one) => all.union(one.people), first.people)
    const more = others.length > 0 ? ` and ${others.length} more` : ''
    await noteRows?.(tx, { dataSet, people, cause: `${what} ${first.batch}${more}` })
  }
}
