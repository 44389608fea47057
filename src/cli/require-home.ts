import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
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

/** What is kept under a home by one kind, `members` or `sites`; what is being made has no name yet. */
export function namesIn(home: string, kind: 'members' | 'sites'): readonly string[] {
  const directory = join(home, kind)
  if (!existsSync(directory)) return []
  requireHome(directory)
  return readdirSync(directory).filter((name) => !name.startsWith('.'))
}

/** Why nothing is found under a home, where that is because of the home: read-only verbs make none. */
export function whyNothing(home: string): string {
  if (!existsSync(home)) return ', which is not there'
  const isOurs = ['members', 'sites', 'network'].some((kind) => existsSync(join(home, kind)))
  return isOurs ? '' : ', which is no directory of Hedgerow'
}
