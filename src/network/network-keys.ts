import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { formatInstant } from '../kernel/clock.ts'
import { ensureKeyFile, readKeyFile } from '../kernel/crypto/key-file.ts'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import type { KeyPair, PublicJwk } from '../kernel/crypto/keys.ts'
import { replaceKeyFile, wipeReplaced } from '../kernel/crypto/replace-key-file.ts'
import { replaceFile, syncDirectory } from '../kernel/durable-file.ts'
import { Fault } from '../kernel/faults.ts'
import { whenMissing } from '../kernel/when-missing.ts'
import {
  isSameNetworkKeys,
  networkKeySetSchema,
  networkKeySets,
  signNetworkRotation,
} from '../protocol/proof/network-keys.ts'
import type { NetworkKeySet } from '../protocol/proof/network-keys.ts'
import { compactJwsSchema, nameSchema } from '../protocol/wire.ts'
import type { LeftLog } from '../transparency/log-position.ts'

/** The keys by which a network is known, with the chain that leads to them. */
export interface NetworkKeys {
  readonly signing: KeyPair
  readonly witness: KeyPair
  /** Signing keys it had before, oldest first, public: what they signed stays verifiable. */
  readonly formerSigning: readonly PublicJwk[]
  /** By which it cosigned before: what was signed with one is signed anew when it is asked for. */
  readonly formerWitness: readonly PublicJwk[]
  /** The first keys; absent while they are the present ones. */
  readonly first: NetworkKeySet | undefined
  readonly rotations: readonly string[]
}

/** Where the keys are, and whose they are. */
export interface NetworkKeyPlace {
  /** `keys/` of the network; whoever uses it holds the lock of the network's directory. */
  readonly directory: string
  readonly network: string
}

const USES = ['witness', 'signing'] as const

/** The first keys and every rotation since; absent until the first. All of it is public, and it is what a rotation is committed by. */
const CHAIN_FILE = 'rotations.json'
const chainSchema = z.strictObject({
  network: nameSchema,
  first: networkKeySetSchema,
  rotations: z.array(compactJwsSchema),
})
type Chain = z.infer<typeof chainSchema>

/**
 * Reads a network's keys; ends a rotation that was cut off after it was committed. A network that never rotated makes those that
 * are missing; one that did makes none, for nobody would follow to them.
 *
 * @throws Fault `fault.key_missing`, `fault.key_exposed`, `fault.key_malformed`
 */
export async function openNetworkKeys(place: NetworkKeyPlace): Promise<NetworkKeys> {
  return (await settleKeys(place)).keys
}

/**
 * Replaces the signing and the witness key of a network that is stopped, by a statement that the old signing key signs. The
 * chain file is the commit: cut off before, the old keys hold; after, the new ones, and whoever opens the keys ends it. The
 * old secrets are wiped. Given again after a cut it ends the rotation that was committed, and begins no other. The statement tells
 * the log that the old key leaves (docs/decisions/0032).
 */
export async function rotateNetworkKeys(
  place: NetworkKeyPlace,
  leaveLog: (keys: NetworkKeys) => Promise<LeftLog>,
): Promise<NetworkKeys> {
  const { keys, hasEnded } = await settleKeys(place)
  if (hasEnded) return keys
  const { directory, network } = place
  const next: NetworkKeySet = {
    signing: (await ensureKeyFile(nextFile(directory, 'signing'), 'Ed25519')).publicJwk,
    witness: (await ensureKeyFile(nextFile(directory, 'witness'), 'Ed25519')).publicJwk,
  }
  const { log, at } = await leaveLog(keys)
  const rotation = signNetworkRotation({ network, next, time: formatInstant(at), key: keys.signing, log })
  const first = keys.first ?? { signing: keys.signing.publicJwk, witness: keys.witness.publicJwk }
  await writeChain(directory, { network, first, rotations: [...keys.rotations, rotation] })
  return openNetworkKeys(place)
}

/** Replaces the key of the operator of a network that is stopped; the old one lets nobody in from then on. */
export async function rotateNetworkOperatorKey(directory: string): Promise<PublicJwk> {
  const file = join(directory, 'operator.jwk')
  await readKeyFile(file)
  const { publicJwk } = await ensureKeyFile(nextFile(directory, 'operator'), 'Ed25519')
  await replaceKeyFile(file, nextFile(directory, 'operator'))
  return publicJwk
}

async function settleKeys({
  directory,
  network,
}: NetworkKeyPlace): Promise<{ keys: NetworkKeys; hasEnded: boolean }> {
  await wipeReplaced(join(directory, 'operator.jwk'))
  const chain = await readChain(directory)
  if (!chain) {
    const signing = await ensureKeyFile(join(directory, 'signing.jwk'), 'Ed25519')
    const witness = await ensureKeyFile(join(directory, 'witness.jwk'), 'Ed25519')
    return {
      keys: { signing, witness, formerSigning: [], formerWitness: [], first: undefined, rotations: [] },
      hasEnded: false,
    }
  }
  const sets = chain.network === network ? networkKeySets(network, chain.first, chain.rotations) : undefined
  const present = sets?.ok === true ? sets.value.at(-1) : undefined
  if (!present || sets?.ok !== true) throw brokenChain(directory)
  const hasEnded = await endRotation(directory, present)
  const signing = await readKeyFile(join(directory, 'signing.jwk'))
  const witness = await readKeyFile(join(directory, 'witness.jwk'))
  if (!isSameNetworkKeys(present, { signing: signing.publicJwk, witness: witness.publicJwk }))
    throw brokenChain(directory)
  const former = sets.value.slice(0, -1)
  const formerSigning = former.map((set) => set.signing)
  const formerWitness = former.map((set) => set.witness)
  const { first, rotations } = chain
  return { keys: { signing, witness, formerSigning, formerWitness, first, rotations }, hasEnded }
}

/** Puts the keys of the last rotation in their place; gives whether they were not. */
async function endRotation(directory: string, present: NetworkKeySet): Promise<boolean> {
  let hasEnded = false
  for (const use of USES) {
    const file = join(directory, `${use}.jwk`)
    await wipeReplaced(file)
    if ((await readKeyFile(file)).keyId === keyIdOf(present[use])) continue
    const next = await readKeyFile(nextFile(directory, use))
    if (next.keyId !== keyIdOf(present[use])) throw brokenChain(directory)
    await replaceKeyFile(file, nextFile(directory, use))
    hasEnded = true
  }
  return hasEnded
}

function nextFile(directory: string, use: 'signing' | 'witness' | 'operator'): string {
  return join(directory, `next-${use}.jwk`)
}

async function writeChain(directory: string, chain: Chain): Promise<void> {
  await replaceFile(join(directory, CHAIN_FILE), `${JSON.stringify(chain, null, 2)}\n`, { mode: 0o600 })
  await syncDirectory(directory)
}

async function readChain(directory: string): Promise<Chain | undefined> {
  const text = await readFile(join(directory, CHAIN_FILE), 'utf8').catch(whenMissing(undefined))
  if (text === undefined) return undefined
  try {
    return chainSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw brokenChain(directory, cause)
  }
}

function brokenChain(directory: string, cause?: unknown): Fault {
  return new Fault('fault.key_malformed', {
    what: `Cannot use the keys in "${directory}": they are not those that "${CHAIN_FILE}" leads to; restore both from your backup`,
    cause,
  })
}
