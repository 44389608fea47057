import { silentLog } from '../../../src/kernel/log.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { ok } from '../../../src/kernel/result.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { describeDataSet } from '../../../src/site/datasets/describe-data-set.ts'
import { manifestDigest } from '../../../src/site/datasets/data-set-store.ts'
import { importRows } from '../../../src/site/datasets/import-rows.ts'
import { aManifest } from '../vault/a-manifest.ts'
import { openParts } from './an-import-site.ts'
import { TOGETHER, rowsOfBatch } from './together-batches.ts'

// A process of its own into which many send a few rows at the same time, to be killed at any step of those that go together.
const [url = '', directory = '', hangAt = ''] = process.argv.slice(2)
const postgres = await connect(new Secret(url), {
  name: 'child',
  log: silentLog,
  stop: () => Promise.resolve(),
})
const parts = await openParts(postgres.db, directory)
const manifest = aManifest()
await describeDataSet(parts, manifest)
const hang = async (): Promise<never> => {
  console.log('hanging')
  return new Promise(() => setInterval(() => undefined, 1_000))
}
const { vault, receipts } = parts
/** The first batch is sent alone. */
let groups = 0
const hanging = {
  ...parts,
  receipts: {
    ...receipts,
    issue: (...given: Parameters<typeof receipts.issue>) =>
      hangAt === 'taken' && groups > 1 ? hang() : receipts.issue(...given),
    publishOver: (sequence: number) =>
      hangAt === 'done' && groups > 1 ? hang() : receipts.publishOver(sequence),
  },
  vault: {
    ...vault,
    expectNumbers: (lookups: readonly Uint8Array[]) => {
      groups += 1
      return hangAt === 'begun' && groups > 1 ? hang() : vault.expectNumbers(lookups)
    },
    takeTogether: (arrival: Parameters<typeof vault.takeTogether>[0]) =>
      hangAt === 'meant' && groups > 1 ? hang() : vault.takeTogether(arrival),
  },
}
const imported = (batch: string) =>
  importRows(hanging, {
    manifest,
    policy: manifestDigest(manifest),
    batch,
    rows: rowsOfBatch(batch),
    mayStore: () => ok(undefined),
  })
const [first = '', ...others] = TOGETHER
await imported(first)
await Promise.all(others.map(imported))
console.log('imported')
process.exit(0)
