import { link, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { destroyFile, syncDirectory } from '../durable-file.ts'
import { whenMissing } from '../when-missing.ts'

/**
 * Puts a new key file in the place of an old one and wipes the old one. After a crash either of them is in the place, whole; what
 * is left of the old one is wiped by `wipeReplaced`. Overwriting reaches the disk's own blocks only where the file system writes in place.
 */
export async function replaceKeyFile(file: string, next: string): Promise<void> {
  await wipeReplaced(file)
  await link(file, oldName(file))
  await syncDirectory(dirname(file))
  await rename(next, file)
  await syncDirectory(dirname(file))
  await wipeReplaced(file)
}

/** Wipes what a replacement that was cut off has left of the old key. */
export async function wipeReplaced(file: string): Promise<void> {
  const [old, present] = [await statOf(oldName(file)), await statOf(file)]
  if (!old || !present) return
  // Cut off before the new one took the place: both names are the key in use.
  if (old.ino === present.ino) await unlink(oldName(file))
  else await destroyFile(oldName(file))
  await syncDirectory(dirname(file))
}

function oldName(file: string): string {
  return `${file}.old`
}

async function statOf(path: string): Promise<{ readonly ino: number } | undefined> {
  return stat(path).catch(whenMissing(undefined))
}
