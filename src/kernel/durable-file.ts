import { mkdir, open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Replaces a file so that after a crash either the old or the new content is there, whole: written beside, forced to
 * the disk, renamed. `syncDirectory` makes the name itself last; whoever writes many files calls it once at the end.
 *
 * Gives the first directory that had to be made on the way, if any: its name is not yet forced to the disk either.
 */
export async function replaceFile(
  path: string,
  content: Uint8Array | string,
  { mode = 0o644 }: { mode?: number } = {},
): Promise<string | undefined> {
  const draft = `${path}.new`
  const { file, made } = await openDraft(draft, mode)
  try {
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
    return made
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw error
  }
}

/** Forces the names in a directory to the disk (fsync(2): syncing a file does not sync its name). */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function openDraft(
  draft: string,
  mode: number,
): Promise<{ file: FileHandle; made?: string | undefined }> {
  try {
    return { file: await open(draft, 'w', mode) }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    const made = await mkdir(dirname(draft), { recursive: true })
    return { file: await open(draft, 'w', mode), made }
  }
}
