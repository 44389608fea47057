import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { keyRotationSchema } from '../member.ts'
import type { KeyRotation, KeySet } from '../member.ts'
import { TYP } from './message-types.ts'
import { retiredKey } from './retired-key.ts'
import type { LogPosition, RetiredKey } from './retired-key.ts'
import { openRotation, signRotation } from './rotation-statement.ts'

/**
 * Keys change by a chain: each next key set is signed with the signing key before it. Whoever pinned the first set
 * can follow to the present one and need not trust the network, which carries the chain, not to slip in a key of its
 * own.
 */

/** Signs the statement that `next` replaces the key set of `key`. */
export function signKeyRotation(facts: {
  member: string
  next: KeySet
  time: string
  key: KeyPair
  /** Of a site: its log as the key leaves it. */
  log?: LogPosition | undefined
}): string {
  const { key, ...wire } = facts
  return signRotation(wire, { typ: TYP.keyRotation, key })
}

/** The present key set, reached from the first by its rotations; or the index of the rotation that does not verify. */
export function followKeyChain(
  member: string,
  first: KeySet,
  rotations: readonly string[],
): Result<KeySet, { readonly brokenAt: number }> {
  const { present, retired } = signersOfChain(member, first, rotations)
  return retired.length === rotations.length ? ok(present) : err({ brokenAt: retired.length })
}

/** The keys that a chain leads to, as far as its rotations verify, and the signing keys before them, oldest first, with what replaced each. */
export function signersOfChain(
  member: string,
  first: KeySet,
  rotations: readonly string[],
): { readonly present: KeySet; readonly retired: readonly RetiredKey[] } {
  let present = first
  const retired: RetiredKey[] = []
  for (const rotation of rotations) {
    const statement = rotationOf(rotation, { member, signing: present.signing })
    if (!statement) break
    retired.push(retiredKey(present.signing, statement))
    present = statement.next
  }
  return { present, retired }
}

/** Every signing key of a chain, the first one first, as far as its rotations verify. */
export function signingKeysOfChain(
  member: string,
  first: KeySet,
  rotations: readonly string[],
): readonly PublicJwk[] {
  const { present, retired } = signersOfChain(member, first, rotations)
  return [...retired.map(({ key }) => key), present.signing]
}

/** Whether one of the rotations replaces a signing key by a statement that this key signed itself, so that nobody else can have made it. */
export function isReplaced(member: string, signing: PublicJwk, rotations: readonly string[]): boolean {
  return rotations.some((rotation) => {
    const statement = rotationOf(rotation, { member, signing })
    return statement !== undefined && keyIdOf(statement.next.signing) !== keyIdOf(signing)
  })
}

/** Whether two key sets are the same keys. */
export function isSameKeySet(left: KeySet, right: KeySet): boolean {
  return keyIdOf(left.signing) === keyIdOf(right.signing) && keyIdOf(left.sealing) === keyIdOf(right.sealing)
}

/** What a rotation says, if this key signed it for this member. */
function rotationOf(
  rotation: string,
  { member, signing }: { member: string; signing: PublicJwk },
): KeyRotation | undefined {
  const statement = openRotation(rotation, { typ: TYP.keyRotation, schema: keyRotationSchema, signing })
  return statement?.member === member ? statement : undefined
}
