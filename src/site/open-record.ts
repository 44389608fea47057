import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { migrate } from '../kernel/postgres/migrate.ts'
import { openPostgres } from '../kernel/postgres/open-postgres.ts'
import type { Postgres } from '../kernel/postgres/open-postgres.ts'
import { openReceiptLog } from '../transparency/receipt-log.ts'
import type { ReceiptLog } from '../transparency/receipt-log.ts'
import type { SiteSettings } from './config.ts'
import { requireKeysOfRecord } from './one-moment.ts'
import { SITE_MIGRATIONS } from './record/migrations.ts'
import type { SiteKeys } from './site-keys.ts'

interface RecordPlace {
  readonly root: string
  readonly settings: SiteSettings
  readonly log: Log
}

/** The record of a site in its newest form. Whoever calls holds the lock of the site's directory. */
export async function openMigratedRecord({ root, settings, log }: RecordPlace): Promise<Postgres> {
  await using opening = new AsyncDisposableStack()
  const place = { directory: root, url: settings.databaseUrl, name: 'site', log }
  const postgres = opening.use(await openPostgres(place))
  await migrate(postgres.db, SITE_MIGRATIONS)
  opening.move()
  return postgres
}

/**
 * The same, held against the keys, with the log that is in it; closed by `opened`.
 *
 * @throws Fault `fault.parts_apart`, `fault.log_damaged`
 */
export async function openRecord(
  { root, settings, log, clock, keys }: RecordPlace & { readonly clock: Clock; readonly keys: SiteKeys },
  opened: AsyncDisposableStack,
): Promise<Pick<Postgres, 'db' | 'ended'> & { readonly receipts: ReceiptLog }> {
  const { db, ended } = opened.use(await openMigratedRecord({ root, settings, log }))
  await requireKeysOfRecord(db, keys)
  const signer = { name: settings.site, key: keys.signing, formerKeys: keys.former.signing }
  return { db, ended, receipts: await openReceiptLog({ db, directory: root, signer, clock }) }
}
