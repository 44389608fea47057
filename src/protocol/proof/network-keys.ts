import { z } from '@hono/zod-openapi'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { signJws, verifyJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { TYP } from './message-types.ts'
import { logPositionSchema, retiredKey } from './retired-key.ts'
import type { LogPosition, RetiredKey } from './retired-key.ts'
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
  const { network, next, time, key, log } = facts
  const wire = { network, next, time, ...(log ? { log } : {}) }
  return signJws(canonicalJson(wire), { typ: TYP.networkKeyRotation, key })
}

/** Every key set of a network, the first one first and the present one last; or the index of the rotation that does not verify. */
export function networkKeySets(
  network: string,
  first: NetworkKeySet,
  rotations: readonly string[],
): Result<readonly NetworkKeySet[], { readonly brokenAt: number }> {
  const sets = [first]
  let present = first
  for (const [index, rotation] of rotations.entries()) {
    const next = openRotation(rotation, { network, signing: present.signing })?.next
    if (!next) return err({ brokenAt: index })
    present = next
    sets.push(next)
  }
  return ok(sets)
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
  const retired: RetiredNetworkKeys[] = []
  let present = first
  for (const rotation of rotations) {
    const statement = openRotation(rotation, { network, signing: present.signing })
    if (!statement) break
    retired.push({ signing: retiredKey(present.signing, statement), witness: present.witness })
    present = statement.next
  }
  return retired
}

/** Whether two key sets are the same keys. */
export function isSameNetworkKeys(left: NetworkKeySet, right: NetworkKeySet): boolean {
  return keyIdOf(left.signing) === keyIdOf(right.signing) && keyIdOf(left.witness) === keyIdOf(right.witness)
}

/** Whether rotations that were seen are the beginning of others: a chain only grows, and never takes another way. */
export function continuesChain(seen: readonly string[], now: readonly string[]): boolean {
  return seen.length <= now.length && seen.every((rotation, index) => rotation === now[index])
}

function openRotation(
  rotation: string,
  { network, signing }: { network: string; signing: PublicJwk },
): z.infer<typeof networkRotationSchema> | undefined {
  const verified = verifyJws(rotation, {
    typ: TYP.networkKeyRotation,
    keyFor: (keyId) => (keyId === keyIdOf(signing) ? signing : undefined),
  })
  const parsed = verified.ok ? networkRotationSchema.safeParse(parseJson(verified.value.payload)) : undefined
  return parsed?.success === true && parsed.data.network === network ? parsed.data : undefined
}
