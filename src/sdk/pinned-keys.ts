import { z } from 'zod'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import type { PublicJwk } from '../kernel/crypto/keys.ts'
import { err, ok } from '../kernel/result.ts'
import type { Result } from '../kernel/result.ts'
import { parseWitness } from '../protocol/cosignature.ts'
import type { Witness } from '../protocol/cosignature.ts'
import { followKeyChain, isSameKeySet, signingKeysOfChain } from '../protocol/key-chain.ts'
import { keySetSchema } from '../protocol/member.ts'
import type { KeySet } from '../protocol/member.ts'
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
      signing: publicKeySchema,
      /** The key by which it cosigns the logs of its sites, as text. */
      witness: z.string().max(300).optional(),
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
  if (known && site.rotations.length < known.rotations.length) return err('keys-changed')
  const entry = { first: site.firstKeys, present: site.keys, rotations: [...site.rotations] }
  return ok({ ...pinned, sites: { ...pinned.sites, [site.id]: entry } })
}

/** Takes up the network's name and key, or says that they are not the pinned ones. */
export function pinNetwork(
  pinned: PinnedKeys,
  network: { readonly name: string; readonly signing: PublicJwk; readonly witness?: string | undefined },
): Result<PinnedKeys, 'keys-changed'> {
  const { network: known } = pinned
  if (known && (known.name !== network.name || keyIdOf(known.signing) !== keyIdOf(network.signing))) {
    return err('keys-changed')
  }
  const witness = known?.witness ?? network.witness
  const { name, signing } = network
  return ok({ ...pinned, network: { name, signing, ...(witness === undefined ? {} : { witness }) } })
}

/** The witness that is believed: the network's, as it was first seen. */
export function witnessesIn({ network }: PinnedKeys): readonly Witness[] {
  const witness = network?.witness === undefined ? undefined : parseWitness(network.witness)
  return witness ? [witness] : []
}

/** Every key with which a signer (a site or the network) has ever signed, as far as it is known. */
export function signingKeysOf(pinned: PinnedKeys, signer: string): readonly PublicJwk[] {
  if (pinned.network?.name === signer) return [pinned.network.signing]
  const site = pinned.sites[signer]
  if (!site) return []
  return signingKeysOfChain(signer, site.first, site.rotations)
}
