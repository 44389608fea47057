import { chmod, link, mkdir, open, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Fault } from '../faults.ts'

/** Refuses a file that is not there, or that others may read (mode wider than 0600). */
export async function requirePrivateFile(path: string): Promise<void> {
  const { mode } = await stat(path).catch((cause: unknown) => {
    throw new Fault('fault.key_missing', { what: `Cannot read the key "${path}": it is not there`, cause })
  })
  if ((mode & 0o077) !== 0) {
    throw new Fault('fault.key_exposed', {
      what: `Cannot use the key "${path}": others may read it; run chmod 600 on it`,
    })
  }
}

/**
 * Writes a file that only its owner may read, unless it is there already. Written beside and linked into place, so
 * that neither half a file nor a second one can come about when two processes start at once.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await chmod(dirname(path), 0o700)
  const draft = `${path}.${process.pid}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${text}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await link(draft, path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause
  })
  await unlink(draft)
}
