import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { migrate } from '../kernel/postgres/migrate.ts'
import { openPostgres } from '../kernel/postgres/open-postgres.ts'
import { readLogPosition } from '../transparency/log-position.ts'
import type { LeftLog } from '../transparency/log-position.ts'
import { openReceiptLog } from '../transparency/receipt-log.ts'
import { claimDatabase } from './claim-database.ts'
import { networkDirectory } from './config.ts'
import type { NetworkSettings } from './config.ts'
import { EMBEDDED_SETTINGS } from './embedded-settings.ts'
import { NETWORK_MIGRATIONS } from './migrations/migrations.ts'
import type { NetworkKeys } from './network-keys.ts'

interface LeavingParts {
  readonly root: string
  readonly settings: NetworkSettings
  readonly log: Log
  readonly clock: Clock
}

/**
 * The whole log of a network that is stopped, published under its present key for the last time: what the statement that replaces
 * the key tells of it (docs/decisions/0032). Whoever calls holds the lock of the network's directory.
 *
 * @throws Fault as `serveNetwork` does for the database and the log
 */
export async function leaveNetworkLog(
  { root, settings, log, clock }: LeavingParts,
  keys: NetworkKeys,
): Promise<LeftLog> {
  const directory = networkDirectory(root)
  await using postgres = await openPostgres({
    directory: directory.root,
    url: settings.databaseUrl,
    name: 'network',
    log,
    embeddedSettings: EMBEDDED_SETTINGS,
  })
  const { db } = postgres
  await migrate(db, NETWORK_MIGRATIONS)
  await claimDatabase(db, { keys, directory: directory.keys })
  const signer = { name: settings.name, key: keys.signing, formerKeys: keys.formerSigning }
  const receipts = await openReceiptLog({ db, directory: directory.root, signer, clock })
  return await readLogPosition(receipts, clock.now())
}
