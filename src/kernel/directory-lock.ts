import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { parseJson } from './parse-json.ts'
import { makeDirectory } from './make-directory.ts'
import { digestOf } from './digest.ts'
import { replaceFile, syncDirectory } from './durable-file.ts'
import { Fault } from './faults.ts'
import { faultOf } from './postgres/fault-of.ts'
import { isAlive, startOf } from './process-identity.ts'
import { systemRandom } from './random.ts'
import { systemWords } from './system-words.ts'

/** The form of what a server keeps in its directory. A later form gets a later number and a way to get there. */
const DIRECTORY_VERSION = '1'

/** Who holds the directory. `started` tells it from a later process with the same number. */
const holderSchema = z.object({
  host: z.string(),
  pid: z.int().positive(),
  started: z.string().optional(),
  nonce: z.string().optional(),
})
type Holder = z.infer<typeof holderSchema>

/**
 * Takes a server's data directory for this process alone, and checks that it was written in our form. A lock whose
 * process is gone (killed, or the machine restarted) is taken over. Disposing gives the directory back.
 *
 * @throws Fault `fault.directory_in_use`, `fault.directory_version`, `fault.disk_full`, `fault.configuration`
 */
export async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  const path = join(directory, 'lock')
  const own = JSON.stringify({
    host: hostname(),
    pid: process.pid,
    started: startOf(process.pid),
    // No two holders write the same, also in one process.
    nonce: Buffer.from(systemRandom.bytes(8)).toString('hex'),
  } satisfies Holder)
  try {
    makeDirectory(directory)
    await take(path, own)
  } catch (error) {
    throw asFault(error, directory)
  }
  const release = async (): Promise<void> => {
    if ((await read(path)) === own) await unlink(path)
  }
  try {
    await requireVersion(directory)
  } catch (error) {
    await release()
    throw asFault(error, directory)
  }
  return { [Symbol.asyncDispose]: release }
}

/** Stale locks on the way to a stale lock: more than two crashes at just that moment are not believed. */
const TAKEOVER_DEPTH_MAX = 3
const ATTEMPTS_MAX = 100

/**
 * Takes the lock file at `path`. Its content comes with its name, so it is never seen half written. A stale one is
 * replaced by whoever holds the lock on replacing exactly that one: of many that find it, one does, and whoever comes
 * late finds another content and leaves it alone.
 */
async function take(path: string, own: string, depth = 0): Promise<void> {
  if (depth > TAKEOVER_DEPTH_MAX) throw inUse(path, 'it cannot be taken over')
  const draft = `${path}.${Buffer.from(systemRandom.bytes(8)).toString('hex')}`
  await writeFile(draft, own, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (await linkIfFree(draft, path)) return
      const stale = await read(path)
      if (stale === undefined) continue
      requireGone(path, stale)
      const replacing = `${path}.${digestOf(stale).slice(-16)}`
      await take(replacing, own, depth + 1)
      try {
        if ((await read(path)) === stale) return await rename(draft, path)
      } finally {
        await unlink(replacing)
      }
    }
  } finally {
    await rm(draft, { force: true })
  }
  throw inUse(path, 'others take it and let it go all the time')
}

async function linkIfFree(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function requireGone(path: string, text: string): void {
  const holder = parseHolder(text)
  if (!holder) return
  if (holder.host !== hostname()) {
    throw inUse(
      path,
      `process ${holder.pid} on the machine "${holder.host}" holds it; if that server is gone, remove "${path}"`,
    )
  }
  if (!isAlive(holder.pid)) return
  const started = startOf(holder.pid)
  if (started === undefined || holder.started === undefined || started === holder.started) {
    throw inUse(path, `process ${holder.pid} holds it`)
  }
}

function parseHolder(text: string): Holder | undefined {
  return holderSchema.safeParse(parseJson(text)).data
}

async function requireVersion(directory: string): Promise<void> {
  const path = join(directory, 'version')
  const found = (await read(path))?.trim()
  if (found === undefined) {
    await replaceFile(path, `${DIRECTORY_VERSION}\n`)
    await syncDirectory(directory)
  } else if (found !== DIRECTORY_VERSION) {
    throw new Fault('fault.directory_version', {
      what: `Cannot use the directory "${directory}": it has version "${found.slice(0, 20)}", this program writes version "${DIRECTORY_VERSION}"`,
    })
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function inUse(path: string, why: string): Fault {
  return new Fault('fault.directory_in_use', { what: `Cannot use the directory "${dirname(path)}": ${why}` })
}

function asFault(error: unknown, directory: string): Fault {
  const fault = faultOf(error, `Cannot use the directory "${directory}"`)
  if (fault.code === 'fault.disk_full')
    return new Fault(fault.code, { what: `${fault.message}: the disk is full`, cause: error })
  if (fault.code !== 'fault.internal') return fault
  const reason =
    error instanceof Error && 'code' in error ? systemWords(String(error.code)) : 'it is not usable'
  return new Fault('fault.configuration', {
    what: `Cannot use the directory "${directory}": ${reason}`,
    cause: error,
  })
}
