import { join, resolve } from 'node:path'
import { siteDirectory } from '../config.ts'
import type { SiteSettings } from '../config.ts'
import type { BackupSettings } from './make-backup.ts'

const DAY_MS = 86_400_000

/** Where a site's backups go and how long they last, as its settings say; paths are taken from the site's directory. */
export function backupSettings(root: string, { backup }: Pick<SiteSettings, 'backup'>): BackupSettings {
  // Made absolute first: what is joined to a relative root and then taken from it would name the root twice.
  const own = siteDirectory(resolve(root))
  return {
    directory: resolve(root, backup.directory ?? own.backups),
    keyFile: resolve(root, backup.keyFile ?? own.backupKey),
    isOwnKey: backup.keyFile === undefined,
    windowMs: backup.windowDays * DAY_MS,
  }
}

/** Where the site's safe is. */
export function safeDirectory(root: string, { backup }: Pick<SiteSettings, 'backup'>): string {
  return resolve(root, backup.safe ?? siteDirectory(resolve(root)).safe)
}

/** Where the list of erased people is: as the settings say, else in the safe. */
export function forgottenListPath(
  safe: string,
  { erasure }: { readonly erasure: { readonly forgottenList?: string | undefined } },
): string {
  return erasure.forgottenList ?? join(safe, 'forgotten.ndjson')
}
