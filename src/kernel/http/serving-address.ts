import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { whenMissing } from '../when-missing.ts'
import { isServerUrl } from './server-url.ts'

/**
 * Leaves in a server's directory where it listens, for the verbs of this machine: flags and the environment tell only the
 * server itself. Disposing takes it back; what a crash leaves is written over by the next start.
 */
export async function leaveAddress(directory: string, url: string): Promise<AsyncDisposable> {
  const path = join(directory, FILE)
  await writeFile(path, `${url}\n`, { mode: 0o644 })
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

/**
 * Where the server of a directory listens, as it said itself; `undefined` after it stopped. One that was killed leaves where it
 * listened, so that somebody else may be there by now.
 */
export async function addressLeft(directory: string): Promise<string | undefined> {
  const url = (await readFile(join(directory, FILE), 'utf8').catch(whenMissing(''))).trim()
  return isServerUrl(url) ? url : undefined
}

const FILE = 'address'
