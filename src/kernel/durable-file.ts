import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Replaces a file so that after a crash either the old or the new content is there, whole: written beside, forced to
 * the disk, renamed. `syncDirectory` makes the name itself last; whoever writes many files calls it once at the end.
 */
export async function replaceFile(
  path: string,
  content: Uint8Array | string,
  { mode = 0o644 }: { mode?: number } = {},
): Promise<void> {
  const draft = `${path}.new`
  await mkdir(dirname(path), { recursive: true })
  try {
    const file = await open(draft, 'w', mode)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
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
