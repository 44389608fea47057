import { dirname, join } from 'node:path'
import { systemClock } from '../kernel/clock.ts'
import { silentLog } from '../kernel/log.ts'
import { systemRandom } from '../kernel/random.ts'
import { Fault } from '../kernel/faults.ts'
import { backupSettings, forgottenListPath, safeDirectory } from './backup/backup-places.ts'
import { backupDirectory } from './backup/backups.ts'
import { restoreBackup } from './backup/restore-backup.ts'
import type { Restore, Restored } from './backup/restore-backup.ts'
import { listEntries, openSafe } from './backup/safe.ts'
import type { SiteSettings } from './config.ts'

export type { Restored } from './backup/restore-backup.ts'

/** What `hedgerow site restore` is told. */
export type RestoreRequest = Omit<Restore, 'clock' | 'random' | 'log' | 'isRehearsal' | 'onStep'>

/** Restores a backup into the directory of a site that is not there, on this machine's clock and entropy. */
export function restoreSite(request: RestoreRequest): Promise<Restored> {
  return restoreBackup({ ...request, clock: systemClock, random: systemRandom, log: silentLog })
}

/** What `hedgerow site rehearse` is told; what is absent is as the settings of the site say. */
export interface Rehearsal {
  readonly root: string
  readonly settings: SiteSettings
  readonly from?: string | undefined
  readonly safe?: string | undefined
  readonly keyFile?: string | undefined
  readonly forgottenList?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Restores a backup beside the site, with an embedded PostgreSQL whatever the site has, looks at all of it and takes it
 * away again. The site may serve meanwhile; nothing of it is touched, and what is restored serves nobody.
 *
 * @throws Fault `fault.not_found` when there is no backup, and what a restore throws
 */
export async function rehearseRestore(rehearsal: Rehearsal): Promise<Restored> {
  const { root, settings } = rehearsal
  const safe = rehearsal.safe ?? safeDirectory(root, settings)
  const from = rehearsal.from ?? (await newestBackup(safe, settings.site))
  return restoreBackup({
    site: settings.site,
    from,
    safe,
    keyFile: rehearsal.keyFile ?? backupSettings(root, settings).keyFile,
    forgottenList: rehearsal.forgottenList ?? forgottenListPath(safe, settings),
    into: join(dirname(root), `.${settings.site}-rehearsal`),
    isRehearsal: true,
    signal: rehearsal.signal,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
}

async function newestBackup(safe: string, site: string): Promise<string> {
  const entries = await listEntries(await openSafe(safe, { site, isFirst: false }))
  const newest = entries.findLast(({ state }) => state === 'whole')
  if (newest) return backupDirectory(newest)
  throw new Fault('fault.not_found', {
    what: `There is no backup of "${site}": make one with "hedgerow site backup"`,
  })
}
