import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../src/kernel/clock.ts'
import { ensureKeyFile } from '../../../src/kernel/crypto/key-file.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { ok } from '../../../src/kernel/result.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { describeDataSet } from '../../../src/site/datasets/describe-data-set.ts'
import { importFile } from '../../../src/site/datasets/import-file.ts'
import type { ImportedBatch } from '../../../src/site/datasets/import-batch.ts'
import type { ImportParts, ImportRequest } from '../../../src/site/datasets/import-file.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import { personKeys } from '../../../src/site/vault/keys/person-keys.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { openReceiptLog } from '../../../src/transparency/receipt-log.ts'

/** As much of a site as importing needs, on real engines. */
export interface ImportSite extends AsyncDisposable {
  readonly parts: ImportParts
  readonly directory: string
  import(
    manifest: Manifest,
    request: Partial<ImportRequest> & Pick<ImportRequest, 'file'>,
  ): Promise<ImportedBatch>
}

/** The lookup and wrapping keys of every test site: what one wrote another can read. */
export const TEST_SECRET = new Secret(new Uint8Array(32).fill(7))

/** Opens the parts on a database and a directory that may have been used before. */
export async function openParts(db: Database, directory: string): Promise<ImportParts & AsyncDisposable> {
  await migrate(db, SITE_MIGRATIONS)
  const vault = await openVault({ directory: join(directory, 'vault'), clock: systemClock })
  return {
    db,
    vault,
    directory,
    clock: systemClock,
    random: systemRandom,
    lookupKeys: [TEST_SECRET],
    keys: personKeys({ wrappingKey: TEST_SECRET, random: systemRandom }),
    receipts: await openReceiptLog({
      db,
      directory,
      signer: { name: 'galway', key: await ensureKeyFile(join(directory, 'keys', 'signing.jwk'), 'Ed25519') },
      clock: systemClock,
    }),
    [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose](),
  }
}

/** A fresh one. */
export async function anImportSite(): Promise<ImportSite> {
  const postgres = await testPostgres('site')
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-import-'))
  const parts = await openParts(postgres.db, directory)
  return {
    parts,
    directory,
    import: async (manifest, request) => {
      await describeDataSet(parts, manifest)
      const outcome = await importFile(parts, {
        dataSet: manifest.dataSet,
        format: 'csv',
        mayStore: () => ok(undefined),
        ...request,
      })
      if (!outcome.ok) throw new Error(outcome.error.code)
      return outcome.value
    },
    [Symbol.asyncDispose]: async () => {
      await parts[Symbol.asyncDispose]()
      await postgres[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A file's bytes as they come over a line, in small pieces. */
export async function* bytesOf(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  for (let start = 0; start < bytes.length; start += 1_000) yield bytes.subarray(start, start + 1_000)
}
