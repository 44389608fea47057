import { hkdfSync } from 'node:crypto'
import { link, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { requirePrivateFile, writePrivateFile } from '../kernel/crypto/private-file.ts'
import { SECRET_BYTES, ensureSecretFile } from '../kernel/crypto/secret-file.ts'
import { destroyFile, syncDirectory } from '../kernel/durable-file.ts'
import { Fault } from '../kernel/faults.ts'
import { parseJson } from '../kernel/parse-json.ts'
import type { Random } from '../kernel/random.ts'
import { Secret } from '../kernel/secret.ts'
import type { LookupKeys } from './vault/keys/lookup-digest.ts'

/** Everything that rests on a site's master key. */
export interface MasterSecrets {
  /** Tells this master key from others; nothing can be made with it. */
  readonly id: string
  /** Wraps the data keys of people. */
  readonly wrapping: Secret<Uint8Array>
  /** Turns the key that an issuer knows a person by into the digest by which the site finds them. */
  readonly lookup: LookupKeys
  /** Makes pairwise pseudonyms. The first one for ever: acquirers know people by what it makes. */
  readonly pseudonym: Secret<Uint8Array>
  /** Keeps noisy answers at rest, and chooses in which groups a person counts. */
  readonly answers: Secret<Uint8Array>
}

/** The files of a rotation: the key in force, the one that will be, and the one that was. */
export interface MasterFiles {
  readonly present: string
  readonly next: string
  readonly retired: string
}

export function masterFiles(directory: string): MasterFiles {
  return {
    present: join(directory, 'master.key'),
    next: join(directory, 'next-master.key'),
    retired: join(directory, 'retired-master.key'),
  }
}

/** How far a rotation has come that was begun and not ended: the old key is in force, or the new one is. */
export async function rotationUnderWay({
  next,
  retired,
}: MasterFiles): Promise<'begun' | 'ending' | undefined> {
  if (await isThere(next)) return 'begun'
  return (await isThere(retired)) ? 'ending' : undefined
}

/**
 * What the file holds: the first master key of a site is 32 bytes in base64url, and everything is derived from it. One
 * that replaced another has beside it what must outlive it: the lookup keys of those before, which names were first
 * hashed with, and the key of pseudonyms.
 */
const secretSchema = z
  .string()
  .transform((text) => Buffer.from(text, 'base64url'))
  .refine((bytes) => bytes.length === SECRET_BYTES)
const masterSchema = z.strictObject({
  form: z.literal('hedgerow-master-key-2'),
  master: secretSchema,
  formerLookups: z.array(secretSchema).min(1),
  pseudonym: secretSchema,
})

/** Makes the first master key of a site, if it has none. */
export async function ensureMasterKey({ present }: MasterFiles): Promise<void> {
  if (!(await isThere(present))) await ensureSecretFile(present)
}

/** Reads a master key and derives what rests on it; refuses a file that others may read. */
export async function readMasterKey(path: string): Promise<MasterSecrets> {
  await requirePrivateFile(path)
  const text = (await readFile(path, 'utf8')).trim()
  const first = secretSchema.safeParse(text)
  if (first.success) return secretsOf({ master: first.data })
  const later = masterSchema.safeParse(parseJson(text))
  if (later.success) return secretsOf(later.data)
  throw new Fault('fault.key_malformed', {
    what: `Cannot use the key "${path}": it is not a master key; restore it from your backup`,
  })
}

/** Makes the key that will replace the present one, on the disk when this resolves; one that was made before stays. */
export async function makeNextMaster({ present, next }: MasterFiles, random: Random): Promise<void> {
  if (await isThere(next)) return
  const { lookup, pseudonym } = await readMasterKey(present)
  const made: z.input<typeof masterSchema> = {
    form: 'hedgerow-master-key-2',
    master: textOf(random.bytes(SECRET_BYTES)),
    formerLookups: lookup.map((key) => textOf(key.reveal())),
    pseudonym: textOf(pseudonym.reveal()),
  }
  await writePrivateFile(next, JSON.stringify(made))
}

/** Puts the next key in force: one durable step. The old one has another name until it is destroyed. */
export async function swapMaster({ present, next, retired }: MasterFiles): Promise<void> {
  await link(present, retired).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await syncDirectory(dirname(retired))
  await rename(next, present)
  await syncDirectory(dirname(present))
}

/** Destroys the key that was replaced. */
export function destroyRetired({ retired }: MasterFiles): Promise<void> {
  return destroyFile(retired)
}

function secretsOf({
  master,
  formerLookups = [],
  pseudonym,
}: {
  master: Uint8Array
  formerLookups?: readonly Uint8Array[]
  pseudonym?: Uint8Array
}): MasterSecrets {
  const derive = (use: string) => new Secret(derived(master, use))
  return {
    id: Buffer.from(derived(master, 'master-id')).toString('hex', 0, 16),
    wrapping: derive('person-key-wrapping'),
    lookup: oldestFirst([...formerLookups.map((key) => new Secret(key)), derive('person-lookup')]),
    pseudonym: pseudonym === undefined ? derive('pairwise-pseudonym') : new Secret(pseudonym),
    answers: derive('private-answers'),
  }
}

function oldestFirst([first, ...later]: readonly Secret<Uint8Array>[]): LookupKeys {
  if (first === undefined) throw new TypeError('A site has a lookup key')
  return [first, ...later]
}

/** One secret for each use, so that none helps against another (HKDF, RFC 5869). */
function derived(master: Uint8Array, use: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', master, new Uint8Array(), `hedgerow/site/${use}`, SECRET_BYTES))
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}
