import { z } from 'zod'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import type { PublicJwk } from '../kernel/crypto/keys.ts'
import { err, ok } from '../kernel/result.ts'
import type { Result } from '../kernel/result.ts'
import { parseWitness } from '../protocol/proof/cosignature.ts'
import type { Witness } from '../protocol/proof/cosignature.ts'
import { followKeyChain, isSameKeySet, signersOfChain } from '../protocol/proof/key-chain.ts'
import { keySetSchema } from '../protocol/member.ts'
import type { KeySet } from '../protocol/member.ts'
import {
  continuesChain,
  isSameNetworkKeys,
  networkKeySetSchema,
  networkKeySets,
  retiredNetworkKeys,
} from '../protocol/proof/network-keys.ts'
import type { NetworkKeySet, RetiredNetworkKeys } from '../protocol/proof/network-keys.ts'
import type { RetiredKey } from '../protocol/proof/retired-key.ts'
import { compactJwsSchema, nameSchema, publicKeySchema } from '../protocol/wire.ts'

/**
 * Keys that were seen once and are believed since (trust on first use). A site's keys may only change by rotations
 * that it signed itself, so that the network, which passes them on, cannot put its own in their place and read
 * questions. Old signing keys stay known: old receipts stay verifiable.
 */
export const pinnedKeysSchema = z.strictObject({
  /** The network's name (audience of tokens) and key, as first seen. */
  network: z
    .strictObject({
      name: nameSchema,
      /** As last seen; `witness` is the key by which it cosigns the logs of its sites, as text. */
      signing: publicKeySchema,
      witness: z.string().max(300).optional(),
      /** The chain that leads from its first keys to these; absent while it has never rotated them. */
      first: networkKeySetSchema.optional(),
      rotations: z.array(compactJwsSchema).optional(),
      /** Somebody compared the key: no rotation is followed, a new key is pinned by hand too. */
      isByHand: z.boolean().optional(),
    })
    .optional(),
  sites: z
    .record(
      nameSchema,
      z.strictObject({ first: keySetSchema, present: keySetSchema, rotations: z.array(compactJwsSchema) }),
    )
    .default({}),
})
export type PinnedKeys = z.infer<typeof pinnedKeysSchema>

/** A site's keys as the network passes them on. */
export interface SiteKeyRecord {
  readonly id: string
  readonly keys: KeySet
  readonly firstKeys: KeySet
  readonly rotations: readonly string[]
}

/** Nothing seen yet. */
export const NO_PINNED_KEYS: PinnedKeys = { sites: {} }

/** Takes up a site's keys, or says that they are not the pinned ones and no rotation leads to them. */
export function pinSite(pinned: PinnedKeys, site: SiteKeyRecord): Result<PinnedKeys, 'keys-changed'> {
  const present = followKeyChain(site.id, site.firstKeys, site.rotations)
  if (!present.ok || !isSameKeySet(present.value, site.keys)) return err('keys-changed')
  const known = pinned.sites[site.id]
  if (known && !isSameKeySet(known.first, site.firstKeys)) return err('keys-changed')
  if (known && !continuesChain(known.rotations, site.rotations)) return err('keys-changed')
  const entry = { first: site.firstKeys, present: site.keys, rotations: [...site.rotations] }
  return ok({ ...pinned, sites: { ...pinned.sites, [site.id]: entry } })
}

/** A network's keys as it tells them itself. */
export interface NetworkKeyRecord {
  readonly name: string
  readonly signing: PublicJwk
  readonly witness?: string | undefined
  readonly firstKeys?: NetworkKeySet | undefined
  readonly rotations?: readonly string[] | undefined
}

/** Takes up the network's name and keys, or says that they are not the pinned ones and no rotation leads to them. */
export function pinNetwork(pinned: PinnedKeys, seen: NetworkKeyRecord): Result<PinnedKeys, 'keys-changed'> {
  const { network: known } = pinned
  const { name, signing, witness, firstKeys, rotations = [] } = seen
  if (!isWholeChain(seen) || (known && !followsFrom(known, seen))) return err('keys-changed')
  const kept = witness ?? known?.witness
  const network = {
    name,
    signing,
    ...(kept === undefined ? {} : { witness: kept }),
    ...(firstKeys ? { first: firstKeys, rotations: [...rotations] } : {}),
    ...(known?.isByHand === true ? { isByHand: true } : {}),
  }
  return ok({ ...pinned, network })
}

/** Whether the rotations lead from the first keys to those that are told as the present ones. */
function isWholeChain({ name, signing, witness, firstKeys, rotations = [] }: NetworkKeyRecord): boolean {
  if (!firstKeys) return rotations.length === 0
  const sets = networkKeySets(name, firstKeys, rotations)
  const last = sets.ok ? sets.value.at(-1) : undefined
  const witnessKey = parseWitness(witness ?? '')?.key
  return (
    last !== undefined &&
    witnessKey !== undefined &&
    isSameNetworkKeys(last, { signing, witness: witnessKey })
  )
}

/** Whether keys are those that were seen, or come after them in the same chain. */
function followsFrom(known: NonNullable<PinnedKeys['network']>, seen: NetworkKeyRecord): boolean {
  const { name, signing, witness, firstKeys, rotations = [] } = seen
  if (known.name !== name || !continuesChain(known.rotations ?? [], rotations)) return false
  if (known.isByHand === true) return keyIdOf(known.signing) === keyIdOf(signing)
  if (known.first) return firstKeys !== undefined && isSameNetworkKeys(known.first, firstKeys)
  // Seen while it had its first keys; a witness that came later is taken up with them.
  const first = firstKeys?.signing ?? signing
  const firstWitness = firstKeys?.witness ?? parseWitness(witness ?? '')?.key
  const knownWitness = parseWitness(known.witness ?? '')?.key
  if (keyIdOf(known.signing) !== keyIdOf(first)) return false
  return !knownWitness || !firstWitness || keyIdOf(knownWitness) === keyIdOf(firstWitness)
}

/** The witness that is believed: the network's. */
export function witnessesIn({ network }: PinnedKeys): readonly Witness[] {
  const witness = network?.witness === undefined ? undefined : parseWitness(network.witness)
  return witness ? [witness] : []
}

/** The witness by the keys that it had before. */
export function formerWitnessesIn(pinned: PinnedKeys): readonly Witness[] {
  const [witness] = witnessesIn(pinned)
  if (!witness) return []
  return formerSetsOf(pinned.network).map((set) => ({ name: witness.name, key: set.witness }))
}

/** The key sets that a network had before. */
function formerSetsOf(network: PinnedKeys['network']): readonly RetiredNetworkKeys[] {
  return network?.first ? retiredNetworkKeys(network.name, network.first, network.rotations ?? []) : []
}

/** The keys by which a signer (a site or the network) signs, and those that it had before, oldest first. */
export function signersIn(
  { network, sites }: PinnedKeys,
  signer: string,
): { readonly present: readonly PublicJwk[]; readonly retired: readonly RetiredKey[] } {
  if (network?.name === signer)
    return { present: [network.signing], retired: formerSetsOf(network).map(({ signing }) => signing) }
  const site = sites[signer]
  if (!site) return { present: [], retired: [] }
  const { present, retired } = signersOfChain(signer, site.first, site.rotations)
  return { present: [present.signing], retired }
}

/** Every key with which a signer (a site or the network) has ever signed, as far as it is known. */
export function signingKeysOf(pinned: PinnedKeys, signer: string): readonly PublicJwk[] {
  const { present, retired } = signersIn(pinned, signer)
  return [...retired.map(({ key }) => key), ...present]
}
