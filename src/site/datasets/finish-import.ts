import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { stepOf } from '../../protocol/tariff.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { Vault } from '../vault/vault.ts'
import { findDataSet } from './data-set-store.ts'
import { findImport, saveDone, saveReceipt } from './import-store.ts'
import type { BatchName, ImportRecord } from './import-store.ts'

/** What the end of an import needs of a site. */
export interface FinishParts {
  readonly db: Database
  readonly vault: Vault
  readonly receipts: ReceiptLog
  readonly clock: Clock
}

/** Writes down that a batch is in the vault, with its receipt, in one transaction. Doing it again changes nothing. */
export async function finishImport(
  { db, vault, receipts, clock }: FinishParts,
  { dataSet, batch }: BatchName,
): Promise<ImportRecord> {
  const rows = await vault.findBatch({ dataSet, batch })
  const described = await findDataSet(db, dataSet)
  if (rows === undefined || !described) {
    throw new Fault('fault.vault', { what: `Cannot finish the import of "${batch}": it is not in the vault` })
  }
  await db.transaction().execute(async (tx) => {
    if (!(await saveDone(tx, { dataSet, batch, rows, now: clock.now() }))) return
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
