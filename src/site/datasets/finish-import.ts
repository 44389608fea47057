import type { Bitset } from '../../kernel/bitset.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { stepOf } from '../../protocol/money/tariff.ts'
import type { Backups } from '../backup/backups.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { Vault } from '../vault/vault.ts'
import { findDataSet } from './data-set-store.ts'
import { findImport, readImportPeople, saveDone, saveReceipt } from './import-store.ts'
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
export async function finishImport(
  { db, vault, receipts, clock, noteRows, backups }: FinishParts,
  { dataSet, batch }: BatchName,
): Promise<ImportRecord> {
  const rows = await vault.findBatch({ dataSet, batch })
  const described = await findDataSet(db, dataSet)
  if (rows === undefined || !described) {
    throw new Fault('fault.vault', { what: `Cannot finish the import of "${batch}": it is not in the vault` })
  }
  const meant = await findImport(db, { dataSet, batch })
  if (meant) await backups?.noteDone({ time: clock.now(), batch, dataSet, file: meant.fileDigest, rows })
  await db.transaction().execute(async (tx) => {
    if (!(await saveDone(tx, { dataSet, batch, rows, now: clock.now() }))) return
    const people = await readImportPeople(tx, { dataSet, batch })
    await noteRows?.(tx, { dataSet, people, cause: `imported ${batch}` })
    const [receipt] = await receipts.issue(tx, [
      { kind: 'ingest', dataSet, batch, rowsStep: stepOf(rows), policy: described.manifestDigest },
    ])
    if (receipt) await saveReceipt(tx, { dataSet, batch, receipt: receipt.sequence })
  })
  const done = await findImport(db, { dataSet, batch })
  if (!done)
    throw new Fault('fault.internal', { what: `Cannot finish the import of "${batch}": it was never begun` })
  return done
}
