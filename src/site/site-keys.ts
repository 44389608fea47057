import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureKeyFile, readKeyFile } from '../kernel/crypto/key-file.ts'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import type { KeyPair, PublicJwk } from '../kernel/crypto/keys.ts'
import { requirePrivateFile, writePrivateFile } from '../kernel/crypto/private-file.ts'
import { replaceKeyFile } from '../kernel/crypto/replace-key-file.ts'
import { replaceFile, syncDirectory } from '../kernel/durable-file.ts'
import { Fault } from '../kernel/faults.ts'
import { parseJson } from '../kernel/parse-json.ts'
import { whenMissing } from '../kernel/when-missing.ts'
import { followKeyChain, isSameKeySet } from '../protocol/proof/key-chain.ts'
import { keySetSchema } from '../protocol/member.ts'
import type { KeySet } from '../protocol/member.ts'
import { compactJwsSchema, publicKeySchema, siteIdSchema } from '../protocol/wire.ts'
import type { SiteId } from '../protocol/wire.ts'
import { ensureMasterKey, masterFiles, readMasterKey } from './master-key.ts'
import type { MasterSecrets } from './master-key.ts'

/** Everything secret that a site holds. The files are below `keys/`, each with mode 0600. */
export interface SiteKeys extends Omit<MasterSecrets, 'id'> {
  /** Tells the master key from others; nothing can be made with it. */
  readonly masterId: string
  /** Signs receipts, decisions, clearing records, and the checkpoints of the log. */
  readonly signing: KeyPair
  /** Questions are sealed to this. */
  readonly sealing: KeyPair
  /** The operator's: signs location evidence and the operator's requests. */
  readonly operator: KeyPair
  /** Those the operator had before, public: statements of place that were taken stay verifiable. Nothing new is taken by them. */
  readonly formerOperators: readonly PublicJwk[]
  /** Those it had before, and the signed statements that lead from the first to the present ones. */
  readonly former: FormerKeys
}

/** Keys that a site had before, oldest first. */
export interface FormerKeys {
  readonly signing: readonly PublicJwk[]
  /** Questions that were sealed before a rotation arrive after it. */
  readonly sealing: readonly KeyPair[]
  readonly rotations: readonly string[]
  /** The first keys; absent while they are the present ones. */
  readonly first?: KeySet | undefined
}

/** Makes the keys that are missing and reads all of them. Only `hedgerow site init` makes keys. */
export async function makeSiteKeys(directory: string): Promise<SiteKeys> {
  await ensureKeyFile(join(directory, 'signing.jwk'), 'Ed25519')
  await ensureKeyFile(join(directory, 'sealing.jwk'), 'X25519')
  await ensureKeyFile(join(directory, 'operator.jwk'), 'Ed25519')
  await ensureMasterKey(masterFiles(directory))
  return readSiteKeys(directory)
}

/**
 * Reads the keys of a site; a missing or exposed file is a fault, never mended by making a new key. So is a rotation that was cut off:
 * its statement says where the log ends that the present key signs, and the network may have it.
 */
export async function readSiteKeys(directory: string): Promise<SiteKeys> {
  await requireNoneCutOff(directory)
  const { id, wrapping, lookup, pseudonym, answers } = await readMasterKey(masterFiles(directory).present)
  const signing = await readKeyFile(join(directory, 'signing.jwk'))
  const sealing = await readKeyFile(join(directory, 'sealing.jwk'))
  return {
    masterId: id,
    signing,
    sealing,
    operator: await readKeyFile(join(directory, 'operator.jwk')),
    formerOperators: await readFormerOperators(directory),
    former: await readFormerKeys(directory, { signing: signing.publicJwk, sealing: sealing.publicJwk }),
    wrapping,
    lookup,
    pseudonym,
    answers,
  }
}

async function requireNoneCutOff(directory: string): Promise<void> {
  const pending = await readFile(join(directory, 'next-rotation.jws'), 'utf8').catch(whenMissing(undefined))
  if (pending === undefined) return
  throw new Fault('fault.key_malformed', {
    what: `Cannot use the keys in "${directory}": a rotation of them was cut off; end it with "hedgerow site rotate-key"`,
  })
}

/** Retired keys of the operator: `retired/operator-KEYID.jwk`, public halves only. */
async function readFormerOperators(directory: string): Promise<readonly PublicJwk[]> {
  const retired = join(directory, 'retired')
  const names = await readdir(retired).catch(whenMissing([]))
  const files = names.filter((name) => /^operator-[A-Za-z0-9_-]+\.jwk$/.test(name)).toSorted()
  return Promise.all(files.map((name) => readPublicKeyFile(join(retired, name))))
}

async function readPublicKeyFile(file: string): Promise<PublicJwk> {
  await requirePrivateFile(file)
  const parsed = publicKeySchema.safeParse(parseJson(await readFile(file, 'utf8')))
  if (parsed.success) return parsed.data
  throw new Fault('fault.key_malformed', {
    what: `Cannot use the key "${file}": it is not a public JWK; restore it from your backup`,
  })
}

/**
 * Replaces the operator's key of a site that is stopped. Each step is durable before the next, and whoever is cut off begins
 * again with the same new key: until the new file takes the place of the old one, the old key holds.
 */
export async function rotateOperatorKey(directory: string): Promise<{ before: PublicJwk; now: PublicJwk }> {
  const [file, next] = [join(directory, 'operator.jwk'), join(directory, 'next-operator.jwk')]
  const before = (await readKeyFile(file)).publicJwk
  const now = (await ensureKeyFile(next, 'Ed25519')).publicJwk
  const retired = join(directory, 'retired', `operator-${keyIdOf(before)}.jwk`)
  // The public half alone: nothing is ever signed with it again.
  await writePrivateFile(retired, JSON.stringify(before))
  await replaceKeyFile(file, next)
  return { before, now }
}

/** The file with the first keys and every rotation since; absent until the first. All of it is public. */
const CHAIN_FILE = 'rotations.json'
const chainSchema = z.strictObject({
  site: siteIdSchema,
  first: keySetSchema,
  rotations: z.array(compactJwsSchema),
})

/** Notes a rotation, before the files of the keys change places; the same again changes nothing. */
export async function noteRotation(
  directory: string,
  { site, rotation }: { site: SiteId; rotation: string },
): Promise<void> {
  const known = await readChain(directory)
  if (known?.rotations.includes(rotation)) return
  const first = known?.first ?? {
    signing: (await readKeyFile(join(directory, 'signing.jwk'))).publicJwk,
    sealing: (await readKeyFile(join(directory, 'sealing.jwk'))).publicJwk,
  }
  const chain = { site, first, rotations: [...(known?.rotations ?? []), rotation] }
  await replaceFile(join(directory, CHAIN_FILE), `${JSON.stringify(chain, null, 2)}\n`, { mode: 0o600 })
  await syncDirectory(directory)
}

async function readFormerKeys(directory: string, present: KeySet): Promise<FormerKeys> {
  const chain = await readChain(directory)
  if (chain === undefined) return { signing: [], sealing: [], rotations: [] }
  const { site, first, rotations } = chain
  const sets: KeySet[] = []
  for (let count = 0; count <= rotations.length; count += 1) {
    const reached = followKeyChain(site, first, rotations.slice(0, count))
    if (reached.ok) sets.push(reached.value)
  }
  const last = sets.pop()
  if (last === undefined || sets.length !== rotations.length || !isSameKeySet(last, present)) {
    throw new Fault('fault.key_malformed', {
      what: `Cannot use the keys in "${directory}": they are not those that the last rotation leads to; end it with "hedgerow site rotate-key ${site}"`,
    })
  }
  const sealing = sets.map((set) =>
    readKeyFile(join(directory, 'retired', `sealing-${keyIdOf(set.sealing)}.jwk`)),
  )
  return { signing: sets.map((set) => set.signing), sealing: await Promise.all(sealing), rotations, first }
}

async function readChain(directory: string): Promise<z.infer<typeof chainSchema> | undefined> {
  const file = join(directory, CHAIN_FILE)
  const text = await readFile(file, 'utf8').catch(whenMissing(undefined))
  if (text === undefined) return undefined
  try {
    return chainSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new Fault('fault.key_malformed', {
      what: `Cannot use "${file}": it is not a chain of key rotations; restore it from your backup`,
      cause,
    })
  }
}
