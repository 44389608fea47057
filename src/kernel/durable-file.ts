import { open, rm } from 'node:fs/promises'
import { closeSync, fsync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { makeDirectory } from './make-directory.ts'
import { whenMissing } from './when-missing.ts'

/**
 * Files that are whole after a crash. Only the wait for the disk leaves the event loop: opening, writing into the
 * page cache and renaming take microseconds, and a trip to the thread pool for each costs more than all of them.
 */

/** Waits until what was written is on the disk. */
export const force = promisify(fsync)

/**
 * Replaces a file so that after a crash either the old or the new content is there, whole: written beside, forced to
 * the disk, renamed. `syncDirectory` makes the name itself last; whoever writes many files calls it once at the end.
 *
 * Gives the first directory that had to be made on the way, if any: its name is not yet forced to the disk either.
 * For files up to a few megabytes.
 */
export async function replaceFile(
  path: string,
  content: Uint8Array | string,
  { mode = 0o644 }: { mode?: number } = {},
): Promise<string | undefined> {
  const draft = `${path}.new`
  try {
    const { file, made } = openDraft(draft, mode)
    try {
      writeFileSync(file, content)
      await force(file)
    } finally {
      closeSync(file)
    }
    renameSync(draft, path)
    return made
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** A file that is written beside the one it will replace. */
export interface Draft {
  /** Waits until it is on the disk. */
  force(): Promise<void>
  /** Puts it in the place of the old one; the name lasts once `syncDirectory` has run. */
  replace(): void
}

/** The first half of `replaceFile`, for a file that may be seen only after others have become durable. */
export function draftFile(path: string, content: Uint8Array | string): Draft {
  const draft = `${path}.new`
  const { file } = openDraft(draft, 0o644)
  try {
    writeFileSync(file, content)
  } catch (error) {
    closeSync(file)
    throw error
  }
  return {
    force: () => force(file).finally(() => closeSync(file)),
    replace: () => renameSync(draft, path),
  }
}

/**
 * Removes a file that held a secret. What it held stands in its place on the disk until it is written over: removing the
 * name alone leaves it there. (A file system that writes elsewhere keeps it all the same: encrypt the disk.)
 */
export async function destroyFile(path: string): Promise<void> {
  const file = await open(path, 'r+').catch(whenMissing(undefined))
  if (!file) return
  try {
    const { size } = await file.stat()
    const zeros = Buffer.alloc(Math.min(size, ZEROS_BYTES))
    for (let at = 0; at < size; at += zeros.length)
      await file.write(zeros, 0, Math.min(zeros.length, size - at), at)
    await file.sync()
  } finally {
    await file.close()
  }
  await rm(path, { force: true })
  await syncDirectory(dirname(path))
}

const ZEROS_BYTES = 1024 * 1024

/** Forces the names in a directory to the disk (fsync(2): syncing a file does not sync its name). */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = openSync(directory, 'r')
  try {
    await force(handle)
  } finally {
    closeSync(handle)
  }
}

function openDraft(draft: string, mode: number): { file: number; made?: string | undefined } {
  try {
    return { file: openSync(draft, 'w', mode) }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    const made = makeDirectory(dirname(draft), { mode: 0o777 })
    return { file: openSync(draft, 'w', mode), made }
  }
}
