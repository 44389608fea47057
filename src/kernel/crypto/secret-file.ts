import { readFile, stat } from 'node:fs/promises'
import { Fault } from '../faults.ts'
import { systemRandom } from '../random.ts'
import type { Random } from '../random.ts'
import { Secret } from '../secret.ts'
import { requirePrivateFile, writePrivateFile } from './private-file.ts'

/** Length of a secret: the key of AES-256 and of HMAC-SHA-256. */
export const SECRET_BYTES = 32

/** Reads a secret of 32 bytes; refuses a file that others may read. */
export async function readSecretFile(path: string): Promise<Secret<Uint8Array>> {
  await requirePrivateFile(path)
  const bytes = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64url')
  if (bytes.length !== SECRET_BYTES) {
    throw new Fault('fault.key_malformed', {
      what: `Cannot use the key "${path}": it does not hold ${SECRET_BYTES} bytes`,
    })
  }
  return new Secret(bytes)
}

/** Makes a secret file if there is none, and reads it. */
export async function ensureSecretFile(
  path: string,
  random: Random = systemRandom,
): Promise<Secret<Uint8Array>> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  if (!isThere) await writePrivateFile(path, Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url'))
  return readSecretFile(path)
}
