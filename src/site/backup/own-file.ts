import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../kernel/faults.ts'

/**
 * Refuses a path below a directory that is not a plain file of that directory's own: a link, on the way or at its end, would have
 * something read that nobody put there, a device without an end too. Gives its size.
 *
 * @throws Fault `fault.backup_damaged`
 */
export async function requireOwnFile(directory: string, name: string): Promise<number> {
  const path = join(directory, name)
  try {
    const [there, real, facts] = await Promise.all([realpath(directory), realpath(path), stat(path)])
    if (real === join(there, name) && facts.isFile()) return facts.size
  } catch (cause) {
    throw new Fault('fault.backup_damaged', { what: `Cannot read "${path}"`, cause })
  }
  throw new Fault('fault.backup_damaged', {
    what: `Cannot use "${path}": it is a link, or no file, and a backup has neither`,
  })
}
