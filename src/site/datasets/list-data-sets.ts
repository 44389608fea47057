import type { Database } from '../../kernel/postgres/database.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Vault } from '../vault/vault.ts'
import { readDataSets } from './data-set-store.ts'
import type { DataSetRecord } from './data-set-store.ts'
import { countImports } from './import-store.ts'

/** A data set with what is in it. */
export interface DataSetSummary extends DataSetRecord {
  readonly dataSet: DataSetId
  readonly rows: number
  readonly people: number
  readonly batches: number
}

/** All data sets of the site by name, retired ones too (they have no rows). Exact counts: for the site's own side. */
export async function listDataSets({
  db,
  vault,
}: {
  db: Database
  vault: Vault
}): Promise<readonly DataSetSummary[]> {
  const counts = await countImports(db)
  const records = await readDataSets(db)
  return Promise.all(
    records.map(async (record) => {
      const { dataSet } = record.manifest
      if (record.retiredAt !== undefined) return { ...record, dataSet, rows: 0, people: 0, batches: 0 }
      const { rows, batches } = counts.get(dataSet) ?? { rows: 0, batches: 0 }
      return { ...record, dataSet, rows, batches, people: (await vault.people(dataSet)).count() }
    }),
  )
}
