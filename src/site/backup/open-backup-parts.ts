import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { SiteSettings } from '../config.ts'
import { completeForgotten } from '../rights/forgotten-list.ts'
import type { SiteKeys } from '../site-keys.ts'
import type { PersonKeys } from '../vault/keys/person-keys.ts'
import { openBackups, removeHalfWritten } from './backups.ts'
import type { Backups } from './backups.ts'
import { backupSettings, forgottenListPath, safeDirectory } from './backup-places.ts'
import { openKeptApart } from './kept-apart.ts'
import type { KeptApart } from './kept-apart.ts'
import type { BackupSettings } from './make-backup.ts'
import { openReceiptArchiver } from './receipt-archiver.ts'
import type { ReceiptArchiver } from './receipt-archiver.ts'
import { openSafe } from './safe.ts'

/** What of backups a site has open. */
export interface OpenBackupParts {
  readonly backups: Backups
  readonly archiver: ReceiptArchiver
  readonly keptApart: KeptApart
  readonly backupSettings: BackupSettings
  readonly forgottenList: string
}

/**
 * Opens a site's safe and brings it up to the record: what a crash kept from it, or all of it where it is new.
 *
 * @throws Fault `fault.backup_safe` when a site that has made backups does not find its safe
 */
export async function openBackupParts({
  root,
  settings,
  db,
  log,
  keys,
  clock,
  personKeys,
  isRestoring,
}: {
  root: string
  settings: SiteSettings
  db: Database
  log: ReceiptLog
  keys: SiteKeys
  clock: Clock
  personKeys: PersonKeys
  /** With a safe of its own that is thrown away, so that the real one stays as it is. */
  isRestoring: boolean
}): Promise<OpenBackupParts> {
  const { rows } = await sql<{ has_backups: boolean }>`
    select exists(select from receipt where kind = 'backup') as has_backups`.execute(db)
  const isFirst = isRestoring || rows[0]?.has_backups !== true
  const safe = await openSafe(safeDirectory(root, settings), { site: settings.site, isFirst })
  await removeHalfWritten(safe)
  const forgottenList = forgottenListPath(safe.directory, settings)
  await completeForgotten(forgottenList, db)
  const signing = [keys.signing.publicJwk, ...keys.former.signing]
  return {
    backups: openBackups(safe, clock),
    archiver: await openReceiptArchiver({ safe, log, site: settings.site, keys: signing }),
    keptApart: await openKeptApart(safe, { db, personKeys }),
    backupSettings: backupSettings(root, settings),
    forgottenList,
  }
}
