import { chmod, link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Fault } from '../faults.ts'
import { generateKeyPair, keyPairOf } from './keys.ts'
import type { KeyPair, PrivateJwk, PublicJwk } from './keys.ts'

/** Reads a private key from its file; refuses one that others may read (mode wider than 0600). */
export async function readKeyFile(path: string): Promise<KeyPair> {
  const { mode } = await stat(path).catch((cause: unknown) => {
    throw new Fault('fault.key_missing', { what: `Cannot read the key "${path}": it is not there`, cause })
  })
  if ((mode & 0o077) !== 0) {
    throw new Fault('fault.key_exposed', {
      what: `Cannot use the key "${path}": others may read it; run chmod 600 on it`,
    })
  }
  try {
    return keyPairOf(JSON.parse(await readFile(path, 'utf8')) as PrivateJwk)
  } catch (cause) {
    throw new Fault('fault.key_malformed', {
      what: `Cannot use the key "${path}": it is not a private JWK`,
      cause,
    })
  }
}

/**
 * Makes a key file if there is none, and reads it. Written beside and linked into place, so that neither half a key
 * nor a second one can come about when two processes start at once.
 */
export async function ensureKeyFile(path: string, curve: PublicJwk['crv']): Promise<KeyPair> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  if (!isThere) await writeKeyFile(path, generateKeyPair(curve))
  return readKeyFile(path)
}

async function writeKeyFile(path: string, key: KeyPair): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await chmod(dirname(path), 0o700)
  const draft = `${path}.${process.pid}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(key.privateJwk.reveal())}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await link(draft, path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause
  })
  await unlink(draft)
}
