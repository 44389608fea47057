/**
 * Adds to package-lock.json the optional platform packages that the registry of the day did not serve.
 *
 * Native packages list one optional package a platform. When a mirror lacks one, `npm install` leaves it out of the
 * lock file without a word, and then `npm ci` refuses the lock file on every machine. Their versions are exact in the
 * parent, so the entry can be written without fetching anything. Run it after `npm install`; `--check` only reports.
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface LockEntry {
  readonly version?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** The part of package-lock.json that matters here. */
export interface LockFile {
  packages: Record<string, LockEntry>
}

const lockPath = new URL('../package-lock.json', import.meta.url)

/** The optional packages that some entry names and no entry holds, by the path they would have. */
export function missingOptionalPackages(lock: LockFile): Map<string, LockEntry> {
  const missing = new Map<string, LockEntry>()
  for (const entry of Object.values(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`
      // A hoisted entry is the only kind here; a nested one would have to be looked for under its parent.
      if (path in lock.packages) continue
      missing.set(path, { version: range.replace(/^[\^~]/, ''), ...platformOf(name), optional: true })
    }
  }
  return missing
}

/** What a platform package's name says of where it belongs, so that npm passes over it everywhere else. */
function platformOf(name: string): { cpu?: string[]; os?: string[]; libc?: string[] } {
  const match = /(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-(gnu|musl))?/.exec(name)
  if (match === null) return {}
  const [, os = '', cpu = '', libc] = match
  return {
    cpu: [cpu],
    os: [os],
    ...(libc === undefined ? {} : { libc: [libc === 'gnu' ? 'glibc' : 'musl'] }),
  }
}

function main(): void {
  const lock = JSON.parse(readFileSync(lockPath, 'utf8')) as LockFile
  const missing = missingOptionalPackages(lock)
  if (missing.size === 0) return
  if (process.argv.includes('--check')) {
    const names = [...missing.keys()].map((path) => path.slice('node_modules/'.length))
    process.stderr.write(`package-lock.json lacks ${names.join(', ')}: run "make lockfile"\n`)
    process.exitCode = 1
    return
  }
  const packages = { ...lock.packages, ...Object.fromEntries(missing) }
  lock.packages = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(lockPath, `${JSON.stringify(lock, null, 2)}\n`)
}

if (import.meta.main) main()
