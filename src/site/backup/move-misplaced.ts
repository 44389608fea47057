import { existsSync } from 'node:fs'
import { readdir, rename, rmdir } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { destroyFile, syncDirectory } from '../../kernel/durable-file.ts'
import type { Log } from '../../kernel/log.ts'
import { makeDirectory } from '../../kernel/make-directory.ts'
import type { SiteSettings } from '../config.ts'
import { backupSettings, safeDirectory } from './backup-places.ts'
import { isSafeOf, listEntries, saveEntry } from './safe.ts'

/**
 * Moves to where they belong a safe, backups and a backup key that lie in a copy of the site's path below itself
 * (`sites/galway/.hedgerow/sites/galway/safe`): earlier versions put them there when `HEDGEROW_HOME` was relative. The safe moves
 * last, so that what was cut off goes on at the next start. A safe there that no backup rests on is destroyed when the site has
 * another: it has keys of people, who may have been erased since.
 */
export async function moveMisplaced(root: string, { settings, log }: { settings: SiteSettings; log: Log }) {
  const { site, backup } = settings
  const copy = await findCopy(resolve(root), site)
  const safe = safeDirectory(root, settings)
  if (copy === undefined || backup.safe !== undefined) return
  const misplaced = { directory: join(copy, 'safe') }
  const entries = await listEntries(misplaced)
  if (!(await isSafeOf(safe, site))) {
    const { directory, keyFile } = backupSettings(root, settings)
    for (const entry of entries) {
      await moveTo(join(copy, 'backups', entry.backup), join(directory, entry.backup))
      if (existsSync(join(directory, entry.backup))) await saveEntry(misplaced, { ...entry, directory })
    }
    await moveTo(join(copy, 'keys', 'backup.key'), keyFile)
    await moveTo(misplaced.directory, safe)
    log.warn('backup.moved', { from: copy, safe, backups: directory, keyFile })
  } else if (entries.length === 0) {
    await destroyBelow(misplaced.directory)
  }
  await removeEmpty(copy, resolve(root))
}

/** Where the site's own path, from one of its folders on, is repeated below itself around a safe of the site. */
async function findCopy(root: string, site: string): Promise<string | undefined> {
  const names = root.split(sep).filter((name) => name !== '')
  for (const at of names.keys()) {
    const copy = join(root, ...names.slice(at))
    if (await isSafeOf(join(copy, 'safe'), site)) return copy
  }
  return undefined
}

/** What is not there was moved before, or never made; what is there already is not replaced. */
async function moveTo(from: string, to: string): Promise<void> {
  if (!existsSync(from) || (existsSync(to) && (await readdir(to).catch(() => ['a file'])).length > 0)) return
  makeDirectory(dirname(to))
  await rename(from, to)
  await syncDirectory(dirname(to))
  await syncDirectory(dirname(from))
}

async function destroyBelow(directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of entries) if (entry.isFile()) await destroyFile(join(entry.parentPath, entry.name))
}

/** Removes folders without a file in them, from the copy up to the site; what still holds something stays. */
async function removeEmpty(copy: string, root: string): Promise<void> {
  const below = await readdir(copy, { recursive: true, withFileTypes: true })
  const folders = below
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted((a, b) => b.length - a.length)
  const above: string[] = []
  for (let at = copy; at !== root; at = dirname(at)) above.push(at)
  for (const folder of [...folders, ...above]) await rmdir(folder).catch(() => undefined)
}
