import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Vault } from '../vault/vault.ts'
import { importTurn } from './import-batch.ts'
import { findDataSet, markRetired } from './data-set-store.ts'
import type { DataSetRecord } from './data-set-store.ts'

/**
 * Retires a data set: from the moment it is written down it is asked and imported no more; then its rows are removed.
 * After a crash in between, retiring it again removes them. Its manifests and receipts stay.
 */
export async function retireDataSet(
  { db, vault, clock }: { db: Database; vault: Vault; clock: Clock },
  dataSet: DataSetId,
): Promise<DataSetRecord> {
  await markRetired(db, { dataSet, now: clock.now() })
  const record = await findDataSet(db, dataSet)
  if (!record)
    throw new Fault('fault.not_found', { what: `Cannot retire: there is no data set "${dataSet}"` })
  // An import that is under way has a table to bring its rows into until it is over.
  await importTurn(vault).run(() => vault.retire(dataSet))
  return record
}
