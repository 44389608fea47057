import { readFile, stat } from 'node:fs/promises'
import { Fault } from '../faults.ts'
import { generateKeyPair, keyPairOf } from './keys.ts'
import type { KeyPair, PrivateJwk, PublicJwk } from './keys.ts'
import { requirePrivateFile, writePrivateFile } from './private-file.ts'

/** Reads a private key from its file; refuses one that others may read (mode wider than 0600). */
export async function readKeyFile(path: string): Promise<KeyPair> {
  await requirePrivateFile(path)
  try {
    return keyPairOf(JSON.parse(await readFile(path, 'utf8')) as PrivateJwk)
  } catch (cause) {
    throw new Fault('fault.key_malformed', {
      what: `Cannot use the key "${path}": it is not a private JWK`,
      cause,
    })
  }
}

/** Makes a key file if there is none, and reads it. */
export async function ensureKeyFile(path: string, curve: PublicJwk['crv']): Promise<KeyPair> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  if (!isThere) await writePrivateFile(path, JSON.stringify(generateKeyPair(curve).privateJwk.reveal()))
  return readKeyFile(path)
}
