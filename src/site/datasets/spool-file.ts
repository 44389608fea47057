import { createHash } from 'node:crypto'
import { open, readdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { faultOf } from '../../kernel/postgres/fault-of.ts'
import type { Random } from '../../kernel/random.ts'
import { requireRoom, withRoom } from './require-room.ts'

/** A file as it comes: where it lies, or its bytes. */
export type FileSource = { readonly path: string } | { readonly stream: AsyncIterable<Uint8Array> }

/** A file that stays as it is while it is imported. */
export interface SpooledFile extends AsyncDisposable {
  readonly path: string
  readonly digest: Digest
  readonly sizeBytes: number
}

const READ_BYTES = 1 << 20
/** Written between two looks at how much room is left. */
const ROOM_BYTES = 8 << 20

/**
 * Takes a file for import. A stream is written into `<directory>`, readable by this server alone, and removed when it
 * is disposed of; a path is read where it lies. Aborting leaves nothing behind.
 */
export async function spoolFile(
  source: FileSource,
  { directory, random, signal }: { directory: string; random: Random; signal?: AbortSignal | undefined },
): Promise<SpooledFile> {
  return 'path' in source
    ? digestFile(source.path)
    : writeStream(source.stream, { directory, random, signal })
}

/** Removes what a server that was killed left behind. */
export async function clearSpool(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  for (const name of names) await rm(join(directory, name), { force: true })
}

async function digestFile(givenPath: string): Promise<SpooledFile> {
  const path = await realpath(givenPath).catch((cause: unknown) => {
    throw new Fault('fault.not_found', { what: `Cannot open the file "${givenPath}"`, cause })
  })
  const hash = createHash('sha256')
  let sizeBytes = 0
  const file = await open(path, 'r')
  try {
    const buffer = new Uint8Array(READ_BYTES)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length)
      if (bytesRead === 0) break
      hash.update(buffer.subarray(0, bytesRead))
      sizeBytes += bytesRead
    }
  } catch (error) {
    throw faultOf(error, `Cannot read the file "${givenPath}"`)
  } finally {
    await file.close()
  }
  return {
    path,
    digest: `sha-256:${hash.digest('hex')}`,
    sizeBytes,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function writeStream(
  stream: AsyncIterable<Uint8Array>,
  { directory, random, signal }: { directory: string; random: Random; signal?: AbortSignal | undefined },
): Promise<SpooledFile> {
  makeDirectory(directory)
  const path = join(await realpath(directory), Buffer.from(random.bytes(16)).toString('hex'))
  const remove = () => rm(path, { force: true })
  const hash = createHash('sha256')
  let sizeBytes = 0
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      let checkedBytes = 0
      for await (const bytes of stream) {
        signal?.throwIfAborted()
        if (sizeBytes >= checkedBytes) {
          await requireRoom(directory, ROOM_BYTES)
          checkedBytes = sizeBytes + ROOM_BYTES
        }
        hash.update(bytes)
        await file.appendFile(bytes)
        sizeBytes += bytes.length
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    await remove()
    if (signal?.aborted) throw error
    const fault = faultOf(error, 'Cannot write the file that is being imported')
    throw await withRoom(fault, { directory, bytes: ROOM_BYTES })
  }
  return { path, digest: `sha-256:${hash.digest('hex')}`, sizeBytes, [Symbol.asyncDispose]: remove }
}
