import { systemClock } from '../../src/kernel/clock.ts'
import { ensureKeyFile } from '../../src/kernel/crypto/key-file.ts'
import { lockDirectory } from '../../src/kernel/directory-lock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { migrate } from '../../src/kernel/postgres/migrate.ts'
import { openPostgres } from '../../src/kernel/postgres/open-postgres.ts'
import * as createReceiptLog from '../../src/transparency/create-receipt-log.ts'
import { openReceiptLog } from '../../src/transparency/receipt-log.ts'

/**
 * A server that does nothing but issue receipts, several at once, until it is killed: `node FILE DIRECTORY`. Each
 * receipt that it has acknowledged (published, with its proof) stands on one line of its output.
 */
const directory = process.argv[2] ?? ''
await lockDirectory(directory)
const postgres = await openPostgres({ directory, name: 'site', log: silentLog })
await migrate(postgres.db, { '0001-create-receipt-log': createReceiptLog })
const key = await ensureKeyFile(`${directory}/keys/signing.jwk`, 'Ed25519')
const log = await openReceiptLog({
  db: postgres.db,
  directory,
  signer: { name: 'galway', key },
  clock: systemClock,
})
console.log('open')

async function issueForEver(lane: number): Promise<never> {
  for (let round = 0; ; round += 1) {
    const drafts = Array.from(
      { length: 1 + ((round * 7 + lane * 31) % 97) },
      () => ({ kind: 'grant', batch: `${lane}-${round}` }) as const,
    )
    const issued = await postgres.db.transaction().execute((tx) => log.issue(tx, drafts))
    const last = issued.at(-1)
    if (!last) continue
    const { log: place } = await log.bundle(last.sequence)
    console.log(
      JSON.stringify({
        batch: `${lane}-${round}`,
        count: drafts.length,
        sequence: last.sequence,
        digest: last.digest,
        index: place.index,
      }),
    )
  }
}

await Promise.all([0, 1, 2].map(issueForEver))
