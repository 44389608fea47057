import { createReadStream } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { Readable, pipeline } from 'node:stream'
import { constants, createZstdCompress } from 'node:zlib'
import { sql } from 'kysely'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { later } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import { ensureSecretFile, readSecretFile } from '../../kernel/crypto/secret-file.ts'
import { replaceFile, syncDirectory } from '../../kernel/durable-file.ts'
import type { IdSource } from '../../kernel/id.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { faultOf } from '../../kernel/postgres/fault-of.ts'
import type { Random } from '../../kernel/random.ts'
import type { SiteId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { SiteKeys } from '../site-keys.ts'
import type { Vault } from '../vault/vault.ts'
import { manifestPath, readManifest, requireSigned, signManifest } from './backup-manifest.ts'
import type { SealedFile } from './backup-manifest.ts'
import { backupDirectory, draftDirectory } from './backups.ts'
import type { Backups } from './backups.ts'
import { strikeOut, writePeople } from './people-file.ts'
import type { ReceiptArchiver } from './receipt-archiver.ts'
import { snapshotRecord } from './read-record.ts'
import type { RecordSnapshot } from './read-record.ts'
import { destroyEntry, makeSecret, peoplePath, readSecret, saveEntry } from './safe.ts'
import type { BackupEntry } from './safe.ts'
import { backupSeal, readSealedFile, writeSealedFile } from './sealed-file.ts'
import type { BackupSeal } from './sealed-file.ts'

/** What making a backup needs of a site. */
export interface BackupParts {
  readonly root: string
  readonly site: SiteId
  readonly keys: Pick<SiteKeys, 'signing' | 'former'>
  readonly db: Database
  readonly vault: Vault
  readonly log: ReceiptLog
  readonly clock: Clock
  readonly random: Random
  readonly ids: IdSource
  readonly backups: Backups
  readonly archiver: ReceiptArchiver
  readonly backupSettings: BackupSettings
}

/** Where backups go, under which key, and how long they can be read. */
export interface BackupSettings {
  readonly directory: string
  readonly keyFile: string
  /** The file is the site's own, which is made with the first backup; one that the settings name has to be there. */
  readonly isOwnKey: boolean
  readonly windowMs: number
}

/** Says how far it is; a test stops it there. */
export type BackupStep =
  | 'begun'
  | 'taken'
  | 'vault'
  | 'record'
  | 'people'
  | 'files'
  | 'manifest'
  | 'verified'
  | 'named'

/**
 * Makes a backup while the site serves. Record and vault are of one moment, at which no change of the vault was under
 * way: what a crash at that moment would have left, from which a start goes on (sagas). It is sealed, read back whole
 * with the key that the safe gives, and has its name only then. A failure leaves nothing behind.
 *
 * @throws Fault `fault.key_missing`, `fault.key_exposed`, `fault.disk_full`, `fault.backup_damaged`
 */
export async function makeBackup(
  parts: BackupParts,
  { onStep = () => undefined }: { onStep?: (step: BackupStep) => void | Promise<void> } = {},
): Promise<BackupEntry> {
  const { backups, clock, backupSettings: settings } = parts
  return backups.turn.run(async () => {
    const { keyFile, isOwnKey } = settings
    const backupKey = await (isOwnKey ? ensureSecretFile(keyFile, parts.random) : readSecretFile(keyFile))
    const begunAt = clock.now()
    const begun: BackupEntry = {
      backup: parts.ids.next('backup'),
      site: parts.site,
      state: 'writing',
      directory: settings.directory,
      begunAt,
      expiresAt: later(begunAt, settings.windowMs),
    }
    try {
      makeDirectory(settings.directory)
      await saveEntry(backups.safe, begun)
      await makeSecret(backups.safe, begun.backup, parts.random)
      // As the safe gives it back: what was not written there right would make the backup worthless.
      const secret = await readSecret(backups.safe, begun.backup)
      const seal = backupSeal(begun.backup, { backupKey, secret })
      await onStep('begun')
      return await write(parts, { begun, seal, onStep })
    } catch (error) {
      await destroyEntry(backups.safe, begun.backup).catch(() => undefined)
      await removeQuietly(begun)
      throw faultOf(error, 'Cannot make a backup')
    } finally {
      await parts.vault.removeSnapshot()
    }
  })
}

interface Writing {
  readonly begun: BackupEntry
  readonly seal: BackupSeal
  readonly onStep: (step: BackupStep) => void | Promise<void>
}

async function write(parts: BackupParts, { begun, seal, onStep }: Writing): Promise<BackupEntry> {
  const { backups, vault, db, clock, log } = parts
  const { safe } = backups
  const draft = draftDirectory(begun)
  await mkdir(draft, { mode: 0o700 })
  await log.publish()
  const checkpoint = await log.checkpoint()
  // Its connection is given back, too, when the vault cannot be copied after that moment.
  await using held = new AsyncDisposableStack()
  const { path, moment } = await vault.snapshot(async () => ({
    record: held.use(await snapshotRecord(db)),
    takenAt: clock.now(),
  }))
  const { record } = moment
  const taken = { ...begun, takenAt: moment.takenAt }
  await saveEntry(safe, taken)
  await onStep('taken')
  const put = (name: string, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
    writeSealedFile(draft, { name, source, seal, random: parts.random })
  const files: SealedFile[] = [await put('vault', createReadStream(path, { highWaterMark: 1024 * 1024 }))]
  await vault.removeSnapshot()
  await onStep('vault')
  const tables = await record.tables()
  for (const table of tables.keys()) files.push(await put(`record/${table}`, compressed(record.rows(table))))
  await onStep('record')
  const people = await writePeople(peoplePath(safe, begun.backup), record.db)
  await strikeOutErased(parts, { record, backup: begun.backup })
  await onStep('people')
  for (const name of await siteFiles(parts))
    files.push(await put(`site/${name}`, [await readFile(join(parts.root, name))]))
  await onStep('files')
  const logSize = await countReceipts(record)
  const { text, digest } = signManifest(
    {
      backup: begun.backup,
      site: parts.site,
      takenAt: taken.takenAt,
      expiresAt: begun.expiresAt,
      ...(checkpoint === undefined ? {} : { checkpoint }),
      logSize,
      people,
      steps: [...record.steps],
      tables: Object.fromEntries(tables),
      files,
    },
    parts.keys.signing,
  )
  await replaceFile(manifestPath(draft), `${text}\n`, { mode: 0o600 })
  for (const directory of ['record', 'site/keys', 'site', '.'])
    await syncDirectory(join(draft, directory)).catch(ignoreMissing)
  await onStep('manifest')
  await verify(parts, { draft, seal })
  await onStep('verified')
  await parts.archiver.rotate(logSize)
  await rename(draft, backupDirectory(begun))
  await syncDirectory(begun.directory)
  await onStep('named')
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  const whole: BackupEntry = { ...taken, state: 'whole', manifest: digest, logSize, sizeBytes }
  await saveEntry(safe, whole)
  await db.transaction().execute((tx) => log.issue(tx, [{ kind: 'backup', backup: begun.backup, logSize }]))
  await log.publish()
  return whole
}

/** Whoever was erased since the moment of the snapshot is struck out here; later ones find the file themselves. */
async function strikeOutErased(
  { db, backups: { safe } }: BackupParts,
  { record, backup }: { record: RecordSnapshot; backup: string },
): Promise<void> {
  const { rows: before } = await sql<{ last: bigint | null }>`select max(id) as last from erasure`.execute(
    record.db,
  )
  const { rows } = await sql<{ person: number; erasure: string }>`
    select person, erasure from erasure where id > ${before[0]?.last ?? 0n} and person is not null order by id`.execute(
    db,
  )
  for (const erased of rows) await strikeOut(peoplePath(safe, backup), erased)
}

async function countReceipts({ db }: RecordSnapshot): Promise<number> {
  const { rows } = await sql<{ size: bigint }>`select next_sequence as size from receipt_counter`.execute(db)
  return Number(rows[0]?.size ?? 0)
}

/** Settings, evidence and keys of the site, by their paths below its directory. Of its backup key no backup has a copy. */
async function siteFiles({ root, backupSettings }: BackupParts): Promise<readonly string[]> {
  const keys = await readdir(join(root, 'keys'), { recursive: true, withFileTypes: true })
  const ofKeys = keys
    .filter((entry) => entry.isFile() && /\.(jwk|key|json)$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => resolve(path) !== resolve(backupSettings.keyFile))
    .map((path) => relative(root, path))
  const there = await readdir(root)
  return [...['config.yaml', 'evidence.jws'].filter((name) => there.includes(name)), ...ofKeys]
}

/** Reads everything back from the disk and opens it. */
async function verify(
  parts: BackupParts,
  { draft, seal }: { draft: string; seal: BackupSeal },
): Promise<void> {
  const { manifest, text } = await readManifest(draft)
  requireSigned(text, [parts.keys.signing.publicJwk])
  for (const file of manifest.files)
    for await (const chunk of readSealedFile(draft, { file, seal })) void chunk
}

function compressed(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const zstd = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  // What fails in the source is told by the stream itself, to whoever reads it.
  pipeline(Readable.from(source), zstd, () => undefined)
  return zstd
}

async function removeQuietly(entry: BackupEntry): Promise<void> {
  for (const path of [draftDirectory(entry), backupDirectory(entry)])
    await rm(path, { recursive: true, force: true }).catch(() => undefined)
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
