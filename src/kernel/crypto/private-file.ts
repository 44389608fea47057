import { chmod, link, open, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory } from '../durable-file.ts'
import { Fault } from '../faults.ts'
import { makeDirectory } from '../make-directory.ts'
import { systemRandom } from '../random.ts'

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
  makeDirectory(dirname(path))
  await chmod(dirname(path), 0o700)
  // Not the process number: one that was killed here would leave a name that a later one stumbles over.
  const draft = `${path}.${Buffer.from(systemRandom.bytes(8)).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${text}\n`)
    await file.sync()
    await link(draft, path)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause
  } finally {
    await file.close()
    await unlink(draft)
  }
  await syncDirectory(dirname(path))
}
