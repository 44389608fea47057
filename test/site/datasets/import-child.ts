import { silentLog } from '../../../src/kernel/log.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { ok } from '../../../src/kernel/result.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { describeDataSet } from '../../../src/site/datasets/describe-data-set.ts'
import { importFile } from '../../../src/site/datasets/import-file.ts'
import { aManifest } from '../vault/a-manifest.ts'
import { openParts } from './an-import-site.ts'

// A process of its own that imports a file and says how far it is, to be killed at any moment.
const [url = '', directory = '', path = '', hangAt = ''] = process.argv.slice(2)
const postgres = await connect(new Secret(url), {
  name: 'child',
  log: silentLog,
  stop: () => Promise.resolve(),
})
const parts = await openParts(postgres.db, directory)
await describeDataSet(parts, aManifest())
const hang = async (): Promise<never> => {
  console.log('hanging')
  return new Promise(() => setInterval(() => undefined, 1_000))
}
const outcome = await importFile(
  {
    ...parts,
    partRows: 10_000,
    receipts: hangAt === 'receipt' ? { ...parts.receipts, issue: hang } : parts.receipts,
    vault: {
      ...parts.vault,
      setAside: (part, rows) =>
        hangAt === 'part' && part.from >= 30_000 ? hang() : parts.vault.setAside(part, rows),
    },
  },
  {
    dataSet: aManifest().dataSet,
    format: 'csv',
    batch: 'long',
    file: { path },
    mayStore: () => ok(undefined),
    onProgress: ({ step, rows }) => console.log(`${step} ${rows}`),
  },
)
console.log(outcome.ok ? 'imported' : outcome.error.code)
process.exit(0)
