import { canonicalJson } from '../../kernel/canonical-json.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { signJws, verifyJws } from '../../kernel/crypto/jws.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { keyRotationSchema } from '../member.ts'
import type { KeySet } from '../member.ts'
import { TYP } from './message-types.ts'

/**
 * Keys change by a chain: each next key set is signed with the signing key before it. Whoever pinned the first set
 * can follow to the present one and need not trust the network, which carries the chain, not to slip in a key of its
 * own.
 */

/** Signs the statement that `next` replaces the key set of `key`. */
export function signKeyRotation(facts: { member: string; next: KeySet; time: string; key: KeyPair }): string {
  const { member, next, time } = facts
  return signJws(canonicalJson({ member, next, time }), { typ: TYP.keyRotation, key: facts.key })
}

/** The present key set, reached from the first by its rotations; or the index of the rotation that does not verify. */
export function followKeyChain(
  member: string,
  first: KeySet,
  rotations: readonly string[],
): Result<KeySet, { readonly brokenAt: number }> {
  let present = first
  for (const [index, rotation] of rotations.entries()) {
    const signing = present.signing
    const verified = verifyJws(rotation, {
      typ: TYP.keyRotation,
      keyFor: (keyId) => (keyId === keyIdOf(signing) ? signing : undefined),
    })
    const next = verified.ok ? parseRotation(verified.value.payload, member) : undefined
    if (!next) return err({ brokenAt: index })
    present = next
  }
  return ok(present)
}

/** Every signing key of a chain, the first one first, as far as its rotations verify. */
export function signingKeysOfChain(
  member: string,
  first: KeySet,
  rotations: readonly string[],
): readonly PublicJwk[] {
  const keys = [first.signing]
  for (let count = 1; count <= rotations.length; count += 1) {
    const next = followKeyChain(member, first, rotations.slice(0, count))
    if (next.ok) keys.push(next.value.signing)
  }
  return keys
}

/** Whether one of the rotations replaces a signing key by a statement that this key signed itself, so that nobody else can have made it. */
export function isReplaced(member: string, signing: PublicJwk, rotations: readonly string[]): boolean {
  return rotations.some((rotation) => {
    const verified = verifyJws(rotation, {
      typ: TYP.keyRotation,
      keyFor: (keyId) => (keyId === keyIdOf(signing) ? signing : undefined),
    })
    const next = verified.ok ? parseRotation(verified.value.payload, member) : undefined
    return next !== undefined && keyIdOf(next.signing) !== keyIdOf(signing)
  })
}

/** Whether two key sets are the same keys. */
export function isSameKeySet(left: KeySet, right: KeySet): boolean {
  return keyIdOf(left.signing) === keyIdOf(right.signing) && keyIdOf(left.sealing) === keyIdOf(right.sealing)
}

function parseRotation(payload: string, member: string): KeySet | undefined {
  const parsed = keyRotationSchema.safeParse(parseJson(payload))
  return parsed.success && parsed.data.member === member ? parsed.data.next : undefined
}
