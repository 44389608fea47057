import { readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { ensureSecretFile, readSecretFile } from '../../kernel/crypto/secret-file.ts'
import { destroyFile, replaceFile, syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import type { Random } from '../../kernel/random.ts'
import type { Secret } from '../../kernel/secret.ts'
import { whenMissing } from '../../kernel/when-missing.ts'
import { backupIdSchema } from '../../protocol/http/backup-api.ts'
import { digestSchema, instantSchema, siteIdSchema } from '../../protocol/wire.ts'

/**
 * The safe of a site: a directory apart from the site and from its backups, with what a restore needs and no backup may
 * hold (docs/decisions/0020). The key of each backup, which is destroyed when its window ends; the keys of its people,
 * from which whoever is erased is struck out; the list of who was erased; what was withdrawn, objected to and
 * restricted; and the receipts since the oldest backup.
 */
export interface Safe {
  readonly directory: string
}

/** A backup as the safe knows it. `writing`: not whole yet, and perhaps never; its key may open some of it already. */
const entrySchema = z.strictObject({
  backup: backupIdSchema,
  site: siteIdSchema,
  state: z.enum(['writing', 'whole']),
  /** Where the backup was written. */
  directory: z.string(),
  begunAt: instantSchema,
  /** The moment that it holds; absent until then. */
  takenAt: instantSchema.optional(),
  /** The end of its window. */
  expiresAt: instantSchema,
  /** Of its manifest. */
  manifest: digestSchema.optional(),
  /** Receipts that it holds. */
  logSize: z.int().min(0).optional(),
  sizeBytes: z.int().min(0).optional(),
})
export type BackupEntry = z.output<typeof entrySchema>

const markerSchema = z.strictObject({ site: siteIdSchema })
const MARKER = 'safe.json'
const BACKUPS = 'backups'

/**
 * Opens a site's safe. It is made on a site's first start only: later, a directory without the marker is a disk that is
 * not there, and the site must not go on as if nobody had to be remembered (`isFirst` says that nothing can be missing).
 *
 * @throws Fault `fault.backup_safe`
 */
export async function openSafe(
  directory: string,
  { site, isFirst }: { site: string; isFirst: boolean },
): Promise<Safe> {
  const text = await readIfThere(join(directory, MARKER))
  if (text === undefined && !isFirst)
    throw new Fault('fault.backup_safe', { what: `The safe of the site is not at "${directory}"` })
  if (text !== undefined && markerSchema.safeParse(parseJson(text)).data?.site !== site)
    throw new Fault('fault.backup_safe', { what: `The safe at "${directory}" is another site's` })
  makeDirectory(join(directory, BACKUPS))
  if (text === undefined) {
    await replaceFile(join(directory, MARKER), `${JSON.stringify({ site })}\n`, { mode: 0o600 })
    await syncDirectory(directory)
  }
  return { directory }
}

/** Whether a directory is the safe of a site. */
export async function isSafeOf(directory: string, site: string): Promise<boolean> {
  const text = await readIfThere(join(directory, MARKER))
  return text !== undefined && markerSchema.safeParse(parseJson(text)).data?.site === site
}

/** All backups that the safe has a key of, oldest first. */
export async function listEntries({ directory }: Safe): Promise<readonly BackupEntry[]> {
  const names = await readdir(join(directory, BACKUPS))
  const entries: BackupEntry[] = []
  for (const name of names.filter((name) => name.endsWith('.json')).toSorted()) {
    const text = await readIfThere(join(directory, BACKUPS, name))
    const parsed = text === undefined ? undefined : entrySchema.safeParse(parseJson(text))
    if (parsed?.success === false)
      throw new Fault('fault.backup_safe', {
        what: `Cannot read "${join(directory, BACKUPS, name)}": it is not an entry of a safe`,
      })
    if (parsed) entries.push(parsed.data)
  }
  return entries
}

export async function findEntry(safe: Safe, backup: string): Promise<BackupEntry | undefined> {
  return (await listEntries(safe)).find((entry) => entry.backup === backup)
}

export async function saveEntry({ directory }: Safe, entry: BackupEntry): Promise<void> {
  const { begunAt, takenAt, expiresAt, ...others } = entry
  const written: z.input<typeof entrySchema> = {
    ...others,
    begunAt: formatInstant(begunAt),
    expiresAt: formatInstant(expiresAt),
    ...(takenAt === undefined ? {} : { takenAt: formatInstant(takenAt) }),
  }
  const path = join(directory, BACKUPS, `${entry.backup}.json`)
  await replaceFile(path, `${JSON.stringify(written, undefined, 2)}\n`, { mode: 0o600 })
  await syncDirectory(join(directory, BACKUPS))
}

/** Makes the secret of a new backup; without it nothing of the backup can be read. */
export function makeSecret(safe: Safe, backup: string, random: Random): Promise<Secret<Uint8Array>> {
  return ensureSecretFile(secretPath(safe, backup), random)
}

export function readSecret(safe: Safe, backup: string): Promise<Secret<Uint8Array>> {
  return readSecretFile(secretPath(safe, backup))
}

/** Destroys a backup's key and what the safe has of its people: from then on no copy of it can be read, wherever it is. */
export async function destroyEntry(safe: Safe, backup: string): Promise<void> {
  for (const path of [secretPath(safe, backup), peoplePath(safe, backup)]) {
    await destroyFile(path)
  }
  await syncDirectory(join(safe.directory, BACKUPS))
  await rm(join(safe.directory, BACKUPS, `${backup}.json`), { force: true })
  await syncDirectory(join(safe.directory, BACKUPS))
}

/** Where the keys of a backup's people are. */
export function peoplePath({ directory }: Safe, backup: string): string {
  return join(directory, BACKUPS, `${backup}.people`)
}

function secretPath({ directory }: Safe, backup: string): string {
  return join(directory, BACKUPS, `${backup}.key`)
}

export async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(whenMissing(undefined))
}
