import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Fault } from './faults.ts'
import { systemWords } from './system-words.ts'

/** For its owner alone, as everything that is kept is. */
const OWN_MODE = 0o700

/**
 * Makes a directory and those above it that are missing; gives the first that was made, or nothing where all were there.
 *
 * Never by Node's own recursive `mkdir`: below a directory in which nothing can be made and nothing is found, as in
 * `/proc`, it tries again for ever and cannot be stopped by a signal.
 *
 * @throws Fault `fault.configuration` when there can be no such directory; a full disk as it came
 */
export function makeDirectory(path: string, { mode = OWN_MODE }: { mode?: number } = {}): string | undefined {
  if (path.includes('\0')) throw cannotMake(path, 'a name cannot contain a zero byte')
  const missing = missingFrom(resolve(path))
  for (const directory of missing) {
    try {
      mkdirSync(directory, { mode })
    } catch (error) {
      const code = codeOf(error)
      // Somebody else made it meanwhile.
      if (code === 'EEXIST' && kindOf(directory) === 'directory') continue
      if (code === 'ENOSPC' || code === 'EDQUOT') throw error
      throw cannotMake(directory, code === 'ENOENT' ? 'nothing can be made there' : systemWords(code), error)
    }
  }
  return missing[0]
}

/** Directories that are not there yet, from the top. */
function missingFrom(path: string): readonly string[] {
  const missing: string[] = []
  for (let at = path; ; at = dirname(at)) {
    const kind = kindOf(at)
    if (kind === 'directory' || at === dirname(at)) return missing.toReversed()
    if (kind === 'other') throw cannotMake(path, `"${at}" is not a directory`)
    missing.push(at)
  }
}

function kindOf(path: string): 'directory' | 'other' | 'missing' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'other'
  } catch (error) {
    const code = codeOf(error)
    // A file stands where a directory should: found further up.
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing'
    throw cannotMake(path, systemWords(code), error)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'it is not usable'
}

function cannotMake(path: string, why: string, cause?: unknown): Fault {
  const what = `Cannot make the directory ${JSON.stringify(path)}: ${why}`
  return new Fault('fault.configuration', { what, ...(cause === undefined ? {} : { cause }) })
}
