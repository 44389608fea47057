import { accessSync, constants, statSync } from 'node:fs'
import { Fault } from '../kernel/faults.ts'
import { systemWords } from '../kernel/system-words.ts'

/**
 * Refuses a home directory under which nothing can be found or made, before anything is tried: files of lines, such as
 * PostgreSQL's, cannot name one with a line break. One that is not there yet is made by the first verb that writes.
 */
export function requireHome(home: string): void {
  const why = whyUnusable(home)
  if (why === undefined) return
  throw new Fault('fault.configuration', {
    what: `Cannot keep files under ${JSON.stringify(home)}: ${why}; set HEDGEROW_HOME to a directory of your own`,
  })
}

function whyUnusable(home: string): string | undefined {
  if (/\p{Cc}/u.test(home)) return 'its name has a line break or another control character'
  try {
    if (!statSync(home).isDirectory()) return 'it is not a directory'
    accessSync(home, constants.R_OK | constants.X_OK)
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'it is not usable'
    return code === 'ENOENT' ? undefined : systemWords(code)
  }
}
