import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { durationText } from '../../kernel/clock.ts'
import { siteDirectory } from '../config.ts'
import type { SiteDirectory, SiteSettings } from '../config.ts'
import { backupSettings, safeDirectory } from './backup-places.ts'
import { backupDirectory, isExpired, isThere } from './backups.ts'
import { listEntries } from './safe.ts'
import type { BackupEntry } from './safe.ts'

/** What is wrong with the backups of a site, and how to mend it. */
export interface BackupConcern {
  readonly says: string
  readonly remedy: string
}

/** A backup that is older than this says little about the site of today. */
const FRESH_MS = 2 * 24 * 60 * 60_000

/**
 * Looks at where backups, safe and backup key are, and how old the newest backup is. Gives the concerns, and the newest
 * backup that is whole.
 */
export async function examineBackups({
  directory: { root },
  settings,
  clock,
}: {
  directory: SiteDirectory
  settings: SiteSettings
  clock: Clock
}): Promise<{ readonly concerns: readonly BackupConcern[]; readonly newest: BackupEntry | undefined }> {
  const safe = safeDirectory(root, settings)
  const entries = await listEntries({ directory: safe }).catch(() => [])
  const now = clock.now()
  const newest = entries.findLast((entry) => entry.state === 'whole' && !isExpired(entry, now))
  const concerns: BackupConcern[] = []
  if (!newest) {
    concerns.push({
      says: 'there is no backup that can be read',
      remedy: 'Make one every night with "hedgerow site backup"',
    })
  } else if (now - (newest.takenAt ?? newest.begunAt) > FRESH_MS) {
    concerns.push({
      says: `the newest backup is ${durationText(now - (newest.takenAt ?? newest.begunAt))} old`,
      remedy: 'Make one every night with "hedgerow site backup"',
    })
  }
  if (newest && !(await isThere(backupDirectory(newest))))
    concerns.push({
      says: `the newest backup is not where it was written ("${backupDirectory(newest)}")`,
      remedy:
        'Put it back, or make another with "hedgerow site backup": what is kept elsewhere is not looked at, and "hedgerow site rehearse" finds nothing',
    })
  return { concerns: [...concerns, ...(await placeConcerns(root, { settings, safe }))], newest }
}

/** A disk that is lost must not take along what it takes to get over that. */
async function placeConcerns(
  root: string,
  { settings, safe }: { settings: SiteSettings; safe: string },
): Promise<readonly BackupConcern[]> {
  const { directory, isOwnKey } = backupSettings(root, settings)
  const [ofSite, ofBackups, ofSafe] = await Promise.all([root, directory, safe].map(deviceOf))
  const concerns: BackupConcern[] = []
  if (ofBackups === ofSite)
    concerns.push({
      says: `backups lie on the disk of the site ("${directory}")`,
      remedy: 'Set backup.directory to another disk, or copy them away after each',
    })
  if (ofSafe === ofSite || ofSafe === ofBackups)
    concerns.push({
      says: `the safe lies on the disk of the ${ofSafe === ofSite ? 'site' : 'backups'} ("${safe}")`,
      remedy: 'Set backup.safe to a disk of its own: without it no backup can be read',
    })
  if (isOwnKey && (await isThere(siteDirectory(root).backupKey)))
    concerns.push({
      says: 'the backup key is in the directory of the site',
      remedy: `Keep a copy of "${siteDirectory(root).backupKey}" elsewhere, and not with the backups`,
    })
  return concerns
}

/** The device that a path is on, or would be. */
async function deviceOf(path: string): Promise<number | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined)
    if (found) return found.dev
    if (at === dirname(at)) return undefined
  }
}
