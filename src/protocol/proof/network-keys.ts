import { z } from '@hono/zod-openapi'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { TYP } from './message-types.ts'
import { logPositionSchema, retiredKey } from './retired-key.ts'
import type { LogPosition, RetiredKey } from './retired-key.ts'
import { openRotation, signRotation } from './rotation-statement.ts'
import { nameSchema, publicKeySchema } from '../wire.ts'

/**
 * The keys of a network change as those of members do (`key-chain.ts`): each next set is signed with the signing key
 * before it. Whoever pinned an earlier set follows to the present one, and believes nobody else.
 */

const signingKeySchema = publicKeySchema.refine(({ crv }) => crv === 'Ed25519', 'expected an Ed25519 key')

/** By which a network signs (receipts, its log, floor limits), and by which it cosigns the logs of its sites. */
export const networkKeySetSchema = z
  .strictObject({ signing: signingKeySchema, witness: signingKeySchema })
  .openapi('NetworkKeys')
export type NetworkKeySet = { readonly signing: PublicJwk; readonly witness: PublicJwk }

/** The payload of a rotation. */
const networkRotationSchema = z.strictObject({
  network: nameSchema,
  next: networkKeySetSchema,
  time: z.string(),
  /** The network's log as the key before leaves it. */
  log: logPositionSchema.optional(),
})

/** Signs the statement that `next` replaces the keys of a network; `key` is its present signing key. */
export function signNetworkRotation(facts: {
  network: string
  next: NetworkKeySet
  time: string
  key: KeyPair
  log?: LogPosition | undefined
}): string {
  const { key, ...wire } = facts
  return signRotation(wire, { typ: TYP.networkKeyRotation, key })
}

/** Every key set of a network, the first one first and the present one last; or the index of the rotation that does not verify. */
export function networkKeySets(
  network: string,
  first: NetworkKeySet,
  rotations: readonly string[],
): Result<readonly NetworkKeySet[], { readonly brokenAt: number }> {
  const { present, retired } = followNetwork(network, first, rotations)
  if (retired.length < rotations.length) return err({ brokenAt: retired.length })
  return ok([...retired.map(({ signing, witness }) => ({ signing: signing.key, witness })), present])
}

/** A key set that a network had, by the statement that replaced it: its log as it left it, and what it cosigned by. */
export interface RetiredNetworkKeys {
  readonly signing: RetiredKey
  readonly witness: PublicJwk
}

/** The key sets that a network had before the present one, oldest first, as far as its rotations verify. */
export function retiredNetworkKeys(
  network: string,
  first: NetworkKeySet,
  rotations: readonly string[],
): readonly RetiredNetworkKeys[] {
  return followNetwork(network, first, rotations).retired
}

function followNetwork(
  network: string,
  first: NetworkKeySet,
  rotations: readonly string[],
): { readonly present: NetworkKeySet; readonly retired: readonly RetiredNetworkKeys[] } {
  const retired: RetiredNetworkKeys[] = []
  let present = first
  for (const rotation of rotations) {
    const { signing, witness } = present
    const of = { typ: TYP.networkKeyRotation, schema: networkRotationSchema, signing }
    const statement = openRotation(rotation, of)
    if (statement?.network !== network) break
    retired.push({ signing: retiredKey(signing, statement), witness })
    present = statement.next
  }
  return { present, retired }
}

/** Whether two key sets are the same keys. */
export function isSameNetworkKeys(left: NetworkKeySet, right: NetworkKeySet): boolean {
  return keyIdOf(left.signing) === keyIdOf(right.signing) && keyIdOf(left.witness) === keyIdOf(right.witness)
}

/** Whether rotations that were seen are the beginning of others: a chain only grows, and never takes another way. */
export function continuesChain(seen: readonly string[], now: readonly string[]): boolean {
  return seen.length <= now.length && seen.every((rotation, index) => rotation === now[index])
}
