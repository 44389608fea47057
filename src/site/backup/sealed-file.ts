import { createHash, hkdfSync } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { openStream, sealStream } from '../../kernel/crypto/sealed-stream.ts'
import { makeDirectory } from '../../kernel/make-directory.ts'
import type { Random } from '../../kernel/random.ts'
import { Secret } from '../../kernel/secret.ts'
import { sealedPath } from './backup-manifest.ts'
import type { SealedFile } from './backup-manifest.ts'
import { requireOwnFile } from './own-file.ts'

/** What opens the files of one backup. */
export interface BackupSeal {
  readonly backup: string
  readonly key: Secret<Uint8Array>
}

/**
 * The key of a backup, made of two: the site's backup key, which stays, and the backup's own secret, which the safe
 * destroys when the window ends. Neither opens anything without the other.
 */
export function backupSeal(
  backup: string,
  { backupKey, secret }: { backupKey: Secret<Uint8Array>; secret: Secret<Uint8Array> },
): BackupSeal {
  const both = Buffer.concat([backupKey.reveal(), secret.reveal()])
  const key = new Secret(
    new Uint8Array(hkdfSync('sha256', both, new Uint8Array(), `hedgerow/backup/${backup}`, 32)),
  )
  both.fill(0)
  return { backup, key }
}

/** Writes one file of a backup, sealed; on the disk when it resolves. */
export async function writeSealedFile(
  directory: string,
  {
    name,
    source,
    seal,
    random,
  }: {
    name: string
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
    seal: BackupSeal
    random: Random
  },
): Promise<SealedFile> {
  const path = sealedPath(directory, name)
  makeDirectory(dirname(path))
  const hash = createHash('sha256')
  let sizeBytes = 0
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of sealStream(source, { key: seal.key, context: contextOf(seal, name), random })) {
      hash.update(chunk)
      sizeBytes += chunk.length
      await file.writeFile(chunk)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { name, sizeBytes, digest: digestIn(hash.digest('hex')) }
}

/**
 * Opens one file of a backup as it is read. Only when this has ended is it known that nothing is missing and that it is
 * the file of the manifest.
 *
 * @throws Fault `fault.backup_damaged`
 */
export async function* readSealedFile(
  directory: string,
  { file, seal }: { file: SealedFile; seal: BackupSeal },
): AsyncGenerator<Uint8Array> {
  const path = sealedPath(directory, file.name)
  const hash = createHash('sha256')
  const bytes = watched(
    createReadStream(path, { highWaterMark: CHUNK_BYTES }),
    (chunk) => void hash.update(chunk),
  )
  try {
    yield* openStream(bytes, { key: seal.key, context: contextOf(seal, file.name) })
  } catch (cause) {
    if (cause instanceof Fault || !(cause instanceof Error && 'code' in cause)) throw cause
    throw new Fault('fault.backup_damaged', { what: `Cannot read "${path}"`, cause })
  }
  if (digestIn(hash.digest('hex')) !== file.digest) throw isAnother(path)
}

/**
 * Refuses a file that is not there whole, byte for byte as it was written, without opening it.
 *
 * @throws Fault `fault.backup_damaged`
 */
export async function requireUnchanged(directory: string, file: SealedFile): Promise<void> {
  const path = sealedPath(directory, file.name)
  const sizeBytes = await requireOwnFile(directory, relative(directory, path))
  if (sizeBytes !== file.sizeBytes) throw isAnother(path)
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }))
      hash.update(chunk as Uint8Array)
  } catch (cause) {
    throw new Fault('fault.backup_damaged', { what: `Cannot read "${path}"`, cause })
  }
  if (digestIn(hash.digest('hex')) !== file.digest) throw isAnother(path)
}

function isAnother(path: string): Fault {
  return new Fault('fault.backup_damaged', { what: `"${path}" is not the file that the manifest names` })
}

const CHUNK_BYTES = 1024 * 1024

async function* watched(
  source: AsyncIterable<Uint8Array>,
  see: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    see(chunk)
    yield chunk
  }
}

function contextOf({ backup }: BackupSeal, name: string): string {
  return `${backup}/${name}`
}

function digestIn(hex: string): Digest {
  return `sha-256:${hex}`
}
