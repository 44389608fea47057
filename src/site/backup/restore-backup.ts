import { createWriteStream } from 'node:fs'
import { chmod, cp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Readable, pipeline } from 'node:stream'
import { pipeline as pipelineOf } from 'node:stream/promises'
import { createZstdDecompress } from 'node:zlib'
import type { Clock } from '../../kernel/clock.ts'
import { formatInstant } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { readSecretFile } from '../../kernel/crypto/secret-file.ts'
import { syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Log } from '../../kernel/log.ts'
import { makeDirectory } from '../../kernel/make-directory.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { openPostgres } from '../../kernel/postgres/open-postgres.ts'
import type { Random } from '../../kernel/random.ts'
import type { Secret } from '../../kernel/secret.ts'
import { whenMissing } from '../../kernel/when-missing.ts'
import { loadSiteSettings, siteDirectory } from '../config.ts'
import { readSiteKeys } from '../site-keys.ts'
import { generationPath } from '../vault/generations.ts'
import { requireKeysUnder } from '../vault/keys/rewrap-keys.ts'
import { readManifest, requireSigned } from './backup-manifest.ts'
import type { BackupManifest, SealedFile } from './backup-manifest.ts'
import { forgottenListPath } from './backup-places.ts'
import { isExpired } from './backups.ts'
import { loadPersonKeys, loadRecord } from './load-record.ts'
import { readPeople } from './people-file.ts'
import type { PersonInBackup } from './people-file.ts'
import { bringUpToDate } from './bring-up-to-date.ts'
import type { PutBack, RestoreFigures } from './bring-up-to-date.ts'
import { continueLog, proveLog } from './continue-log.ts'
import { readDone } from './done-since.ts'
import { readTakenBack } from './kept-apart.ts'
import { readArchivedCheckpoint } from './receipt-archive.ts'
import { raiseMarks } from './take-back-again.ts'
import { findEntry, openSafe, peoplePath, readSecret } from './safe.ts'
import type { Safe } from './safe.ts'
import { backupSeal, readSealedFile, requireUnchanged } from './sealed-file.ts'
import type { BackupSeal } from './sealed-file.ts'

/** What to restore, with what, and where to. */
export interface Restore {
  /** The site that it is to be. */
  readonly site: string
  /** The backup's own directory. */
  readonly from: string
  readonly safe: string
  /** The list of erased people, where it is not in the safe. */
  readonly forgottenList?: string | undefined
  /** The file of the backup key. */
  readonly keyFile: string
  /** The directory of the site; it is not there, or empty. */
  readonly into: string
  /** A PostgreSQL with nothing in it; absent: an embedded one. */
  readonly databaseUrl?: Secret<string> | undefined
  /** A checkpoint of the log that somebody else kept: newer than the safe's, it tells what is missing. */
  readonly checkpoint?: string | undefined
  /** Goes on though the log is known to lack receipts, and says so in its receipt. */
  readonly mayMiss?: boolean
  /** Where a restored site is taken away again after it has been looked at. */
  readonly isRehearsal?: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Aborted to give it up; nothing stays then. */
  readonly signal?: AbortSignal | undefined
  readonly onStep?: ((step: RestoreStep) => void | Promise<void>) | undefined
}

export type RestoreStep = 'opened' | 'files' | 'record' | 'vault' | 'replayed' | 'named'

/** What was restored, and what was proven of it. */
export interface Restored extends RestoreFigures {
  readonly backup: string
  readonly site: string
  readonly takenAt: string
  readonly expiresAt: string
  readonly tables: Readonly<Record<string, number>>
}

/**
 * Restores a backup into an empty place: everything is opened and checked, the log is made anew and held against what
 * the site had signed, whoever was erased since is erased again and what was taken back is taken back again, all before
 * the site has its name: until then nothing can serve it, and what an interruption leaves is removed by the next try.
 *
 * @throws Fault `fault.conflict` when the place is not empty or the backup is another site's; `fault.backup_expired` past the window;
 * `fault.backup_damaged` for a changed byte or another key; `fault.backup_safe` when the safe is not the newest
 */
export async function restoreBackup(restore: Restore): Promise<Restored> {
  const into = resolve(restore.into)
  await requireEmpty(into)
  const opened = await openBackup(restore)
  const draft = join(dirname(into), `.${basename(into)}.restoring`)
  await rm(draft, { recursive: true, force: true })
  makeDirectory(draft)
  try {
    await reached(restore, 'opened')
    const figures = await rebuild(restore, { ...opened, draft })
    if (restore.isRehearsal === true) return restoredOf(opened.manifest, figures)
    await takeName(draft, into)
    await restore.onStep?.('named')
    return restoredOf(opened.manifest, figures)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Says how far it is, and stops where it was told to. */
async function reached({ signal, onStep }: Restore, step: RestoreStep): Promise<void> {
  signal?.throwIfAborted()
  await onStep?.(step)
}

/** A directory that is there must hold nothing: two sites in one place would be neither. */
async function requireEmpty(into: string): Promise<void> {
  const there = await readdir(into).catch(whenMissing([]))
  if (there.length === 0) return
  throw new Fault('fault.conflict', {
    what: `Cannot restore into "${into}": it is not empty; a site that is there already is never written over, so move it away first`,
  })
}

interface OpenedBackup {
  readonly manifest: BackupManifest
  readonly text: string
  readonly seal: BackupSeal
  readonly safe: Safe
}

async function openBackup(restore: Restore): Promise<OpenedBackup> {
  const { from, safe: safePath, keyFile, clock } = restore
  const { manifest, text, digest } = await readManifest(from)
  const { backup, site } = manifest
  // Under another name it would be this site all the same: with its keys, and its log, of which there may be another already.
  if (site !== restore.site)
    throw new Fault('fault.conflict', {
      what: `Cannot restore "${restore.site}": the backup in "${from}" is of the site "${site}"`,
    })
  if (isExpired(manifest, clock.now()))
    throw new Fault('fault.backup_expired', {
      what: `Cannot restore "${backup}": its window ended at ${formatInstant(manifest.expiresAt)}`,
    })
  const safe = await openSafe(safePath, { site, isFirst: false })
  const entry = await findEntry(safe, backup)
  if (!entry || entry.state !== 'whole')
    throw new Fault('fault.backup_safe', {
      what: `Cannot restore "${backup}": the safe at "${safePath}" has no key for it; it was destroyed, or this is not the newest safe`,
    })
  if (isExpired(entry, clock.now()))
    throw new Fault('fault.backup_expired', {
      what: `Cannot restore "${backup}": its window ended at ${formatInstant(entry.expiresAt)}`,
    })
  if (entry.manifest !== digest)
    throw new Fault('fault.backup_damaged', {
      what: `The manifest in "${from}" is not the one of "${backup}"`,
    })
  const backupKey = await readSecretFile(keyFile)
  // Before anything is written: a backup with a hole in it is no use at all.
  for (const file of manifest.files) await requireUnchanged(from, file)
  return {
    manifest,
    text,
    safe,
    seal: backupSeal(backup, { backupKey, secret: await readSecret(safe, backup) }),
  }
}

async function rebuild(
  restore: Restore,
  { draft, manifest, text, seal, safe }: OpenedBackup & { draft: string },
): Promise<RestoreFigures & { tables: ReadonlyMap<string, number> }> {
  const { clock, random, log } = restore
  const files = new Map(manifest.files.map((file) => [file.name, file]))
  for (const file of manifest.files.filter(({ name }) => name.startsWith('site/')))
    await writeOpened(restore, { seal, file, path: join(draft, file.name.slice('site/'.length)) })
  const directory = siteDirectory(draft)
  const keys = await readSiteKeys(directory.keys)
  const signing = [keys.signing.publicJwk, ...keys.former.signing]
  requireSigned(text, signing)
  const settings = await loadSiteSettings({ directory, environment: {}, flags: {} })
  const isOwn = restore.isRehearsal === true
  const databaseUrl = restore.databaseUrl ?? (isOwn ? undefined : settings.databaseUrl)
  await reached(restore, 'files')
  // Before the receipts are read: the safe goes on while this is a rehearsal.
  const archived = await readArchivedCheckpoint(safe)
  const opened = { draft, manifest, seal, safe, files, databaseUrl }
  const record = await restoreRecord(restore, opened, [manifest.checkpoint, archived, restore.checkpoint], {
    signing,
    wrapping: keys.wrapping,
  })
  await reached(restore, 'record')
  const vaultFile = required(files.get('vault'))
  await writeOpened(restore, { seal, file: vaultFile, path: generationPath(directory.vault, 1) })
  await reached(restore, 'vault')
  const { backup, logSize } = manifest
  const { forgottenList, mayMiss = false } = restore
  const putBack = { ...record, draft, settings, databaseUrl, safe, backup, logSize, forgottenList, mayMiss }
  const figures = await bringUpToDate({ ...putBack, clock, random, log })
  if (settings.backup.safe === undefined && !isOwn) await moveIn(directory.safe, { safe, forgottenList })
  await reached(restore, 'replayed')
  return { ...figures, tables: record.tables }
}

/** A site whose safe is in its own directory takes it along, with the list of erased people that it was given. */
async function moveIn(
  target: string,
  { safe, forgottenList }: { safe: Safe; forgottenList: string | undefined },
): Promise<void> {
  await cp(safe.directory, target, { recursive: true })
  if (forgottenList !== undefined) await cp(forgottenList, forgottenListPath(target, NOT_TOLD))
}

const NOT_TOLD = { erasure: {} }

interface RestoredRecord extends Pick<
  PutBack,
  'proof' | 'receiptsAfter' | 'struckOut' | 'takenBack' | 'marks' | 'done'
> {
  readonly tables: ReadonlyMap<string, number>
}

/** The record: rows, the receipts after the backup, and the keys of all who were not erased since. */
async function restoreRecord(
  { from, log, mayMiss }: Restore,
  {
    draft,
    manifest,
    seal,
    safe,
    files,
    databaseUrl,
  }: Omit<OpenedBackup, 'text'> & {
    draft: string
    files: ReadonlyMap<string, SealedFile>
    databaseUrl: Secret<string> | undefined
  },
  notes: readonly (string | undefined)[],
  { signing: keys, wrapping }: { signing: readonly PublicJwk[]; wrapping: Secret<Uint8Array> },
): Promise<RestoredRecord> {
  await using postgres = await openPostgres({ directory: draft, url: databaseUrl, name: 'site', log })
  const { db } = postgres
  const tables = await loadRecord(db, {
    steps: manifest.steps,
    tables: Object.keys(manifest.tables),
    lines: (table) => linesOf(readSealedFile(from, { file: required(files.get(`record/${table}`)), seal })),
  })
  requireSameCounts(tables, manifest)
  const struckOut = await restorePeople(db, {
    path: peoplePath(safe, manifest.backup),
    people: manifest.people,
  })
  await requireKeysUnder(db, wrapping, () => damagedPeople(safe, manifest.backup))
  const receiptsAfter = await continueLog(db, { safe, logSize: manifest.logSize })
  const proof = await proveLog(db, {
    site: manifest.site,
    keys,
    notes: notes.filter((note) => note !== undefined),
  })
  if (proof.logMissing > 0 && mayMiss !== true)
    throw new Fault('fault.backup_safe', {
      what: `Cannot restore: ${proof.logMissing} receipts after number ${proof.logKnown - 1} are in nobody's safe; what they acknowledged, erasures too, may be lost. To go on and have the restored site say so in a signed receipt, add --accept-gap`,
    })
  const takenBack = await readTakenBack(safe)
  const marks = await raiseMarks(db, takenBack)
  return { tables, struckOut, receiptsAfter, proof, takenBack, marks, done: await readDone(safe) }
}

function requireSameCounts(tables: ReadonlyMap<string, number>, manifest: BackupManifest): void {
  for (const [table, rows] of Object.entries(manifest.tables)) {
    if (tables.get(table) === rows) continue
    throw new Fault('fault.backup_damaged', {
      what: `Cannot restore: the table "${table}" has ${tables.get(table) ?? 0} rows, the manifest names ${rows}`,
    })
  }
}

async function restorePeople(
  db: Database,
  { path, people }: { path: string; people: number | undefined },
): Promise<readonly ErasedInBackup[]> {
  const struckOut: ErasedInBackup[] = []
  let read = 0
  for await (const portion of readPeople(path)) {
    read += portion.length
    const keys = portion.flatMap((one) => ('wrapped' in one ? [one] : []))
    await loadPersonKeys(db, keys)
    for (const one of portion) if ('erasure' in one) struckOut.push(one)
  }
  // Whoever is erased is struck out where they stand, so that there are as many for ever.
  if (people === undefined || read === people) return struckOut
  throw new Fault('fault.backup_safe', {
    what: `Cannot restore: "${path}" has the keys of ${read} people, and the backup was made with ${people}`,
  })
}

function damagedPeople(safe: Safe, backup: string): Fault {
  return new Fault('fault.backup_safe', {
    what: `Cannot restore: "${peoplePath(safe, backup)}" has keys of people that the master key in the backup does not open`,
  })
}

type ErasedInBackup = Extract<PersonInBackup, { erasure: string }>

async function writeOpened(
  { from }: Restore,
  { seal, file, path }: { seal: BackupSeal; file: SealedFile; path: string },
): Promise<void> {
  makeDirectory(dirname(path))
  await pipelineOf(
    readSealedFile(from, { file, seal }),
    createWriteStream(path, { mode: 0o600, flags: 'wx' }),
  )
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await chmod(path, 0o600)
  await syncDirectory(dirname(path))
}

/** Lines of a sealed, compressed file. What fails on the way is the failure of whoever reads. */
function linesOf(source: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const zstd = createZstdDecompress()
  pipeline(Readable.from(source), zstd, () => undefined)
  return splitLines(zstd)
}

async function* splitLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const chunk of source) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}

/** The last step: the directory gets the site's name. */
async function takeName(draft: string, into: string): Promise<void> {
  const isThere = await stat(into).then(
    () => true,
    () => false,
  )
  // An empty directory gives way to a rename on its own; one that has filled meanwhile refuses it.
  if (isThere) await requireEmpty(into)
  await syncDirectory(draft)
  await rename(draft, into)
  await syncDirectory(dirname(into))
}

function restoredOf(
  { backup, site, takenAt, expiresAt }: BackupManifest,
  figures: RestoreFigures & { tables: ReadonlyMap<string, number> },
): Restored {
  return {
    ...figures,
    backup,
    site,
    takenAt: formatInstant(takenAt),
    expiresAt: formatInstant(expiresAt),
    tables: Object.fromEntries(figures.tables),
  }
}

function required<T>(found: T | undefined): T {
  if (found !== undefined) return found
  throw new Fault('fault.backup_damaged', {
    what: 'The manifest of the backup does not name a file that it needs',
  })
}
