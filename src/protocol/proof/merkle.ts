import { equalBytes, sha256 } from '../../kernel/digest.ts'

/**
 * The Merkle tree of a log: RFC 6962 §2.1, proofs as in RFC 9162 §2.1.3 and §2.1.4. Sizes and indexes are whole
 * numbers below 2^53; hashes are 32 bytes.
 */

const LEAF = 0x00
const NODE = 0x01
const HASH_BYTES = 32

/** The root of a tree without leaves: the hash of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256('')

/** The hash of a leaf: SHA-256(0x00 || content). */
export function leafHash(content: Uint8Array): Uint8Array {
  const input = new Uint8Array(content.length + 1)
  input[0] = LEAF
  input.set(content, 1)
  return sha256(input)
}

/** The hash of an inner node: SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES)
    throw new RangeError('Cannot hash a node of anything but two hashes of 32 bytes')
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + HASH_BYTES)
  return sha256(nodeInput)
}

/** Written and read within one call, so that a node costs no memory of its own. */
const nodeInput = new Uint8Array(1 + 2 * HASH_BYTES)
nodeInput[0] = NODE

/** The root over the hashes of all leaves. */
export function rootOf(leafHashes: readonly Uint8Array[]): Uint8Array {
  let level = leafHashes
  if (level.length === 0) return EMPTY_ROOT
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let index = 0; index < level.length; index += 2) {
      const left = at(level, index)
      above.push(index + 1 < level.length ? nodeHash(left, at(level, index + 1)) : left)
    }
    level = above
  }
  return at(level, 0)
}

/** A complete subtree: the leaves from `index * 2^level`, 2^level of them. */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/** Gives the hash of a complete subtree. */
export type HashReader = (subtree: Subtree) => Promise<Uint8Array>

/** The complete subtrees that make up the leaves `[start, end)` of a tree, from left to right, as large as possible. */
export function subtreesOf(start: number, end: number): readonly Subtree[] {
  const subtrees: Subtree[] = []
  for (let from = start; from < end;) {
    let level = 0
    while (from % 2 ** (level + 1) === 0 && from + 2 ** (level + 1) <= end) level += 1
    subtrees.push({ level, index: from / 2 ** level })
    from += 2 ** level
  }
  return subtrees
}

/** The hash over subtrees that follow one another and get smaller, as `subtreesOf` gives them for a tree or its right part. */
export function foldSubtrees(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return EMPTY_ROOT
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}

/** The hashes that show leaf `index` to be in the tree of `size` leaves, from the leaf upwards. */
export async function proveInclusion(
  { index, size }: { index: number; size: number },
  read: HashReader,
): Promise<readonly Uint8Array[]> {
  if (!(index >= 0 && index < size)) throw new RangeError(`Cannot prove leaf ${index} in a tree of ${size}`)
  const proof: Uint8Array[] = []
  let [start, end] = [0, size]
  const siblings: (readonly [number, number])[] = []
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start)
    const isLeft = index < middle
    siblings.push(isLeft ? [middle, end] : [start, middle])
    ;[start, end] = isLeft ? [start, middle] : [middle, end]
  }
  for (const [from, until] of siblings.toReversed()) proof.push(await rangeHash(from, until, read))
  return proof
}

/** The hashes that show the tree of `size1` leaves to be the beginning of the tree of `size2`. */
export async function proveConsistency(
  { size1, size2 }: { size1: number; size2: number },
  read: HashReader,
): Promise<readonly Uint8Array[]> {
  if (!(size1 > 0 && size1 <= size2))
    throw new RangeError(`Cannot prove a tree of ${size1} to be the beginning of one of ${size2}`)
  let [start, end] = [0, size2]
  const ranges: (readonly [number, number])[] = []
  while (end > size1) {
    const middle = start + largestPowerBelow(end - start)
    const isLeft = size1 <= middle
    ranges.push(isLeft ? [middle, end] : [start, middle])
    ;[start, end] = isLeft ? [start, middle] : [middle, end]
  }
  // RFC 9162 §2.1.4.1: the old tree itself is left out when it is complete, because the verifier knows its root.
  if (start > 0) ranges.push([start, end])
  const proof: Uint8Array[] = []
  for (const [from, until] of ranges.toReversed()) proof.push(await rangeHash(from, until, read))
  return proof
}

async function rangeHash(start: number, end: number, read: HashReader): Promise<Uint8Array> {
  return foldSubtrees(await Promise.all(subtreesOf(start, end).map(read)))
}

export interface InclusionClaim {
  readonly index: number
  readonly size: number
  readonly leaf: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Whether the proof shows the leaf at that index of that tree (RFC 9162 §2.1.3.2). */
export function isIncluded({ index, size, leaf, root, proof }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || leaf.length !== HASH_BYTES) return false
  let [node, last] = [index, size - 1]
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== HASH_BYTES) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && equalBytes(hash, root)
}

export interface ConsistencyClaim {
  readonly size1: number
  readonly size2: number
  readonly root1: Uint8Array
  readonly root2: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Whether the proof shows the first tree to be the beginning of the second (RFC 9162 §2.1.4.2). A tree without leaves proves nothing. */
export function isConsistent({ size1, size2, root1, root2, proof }: ConsistencyClaim): boolean {
  if (!isCount(size1) || !isCount(size2) || size1 === 0 || size1 > size2) return false
  if (size1 === size2) return proof.length === 0 && equalBytes(root1, root2)
  const path = isPowerOfTwo(size1) ? [root1, ...proof] : proof
  const [first, ...rest] = path
  if (proof.length === 0 || first?.length !== HASH_BYTES) return false
  let [node, last] = [size1 - 1, size2 - 1]
  while (node % 2 === 1) [node, last] = [half(node), half(last)]
  let [old, current] = [first, first]
  for (const sibling of rest) {
    if (last === 0 || sibling.length !== HASH_BYTES) return false
    if (node % 2 === 1 || node === last) {
      old = nodeHash(sibling, old)
      current = nodeHash(sibling, current)
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)]
    } else {
      current = nodeHash(current, sibling)
    }
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && equalBytes(old, root1) && equalBytes(current, root2)
}

function largestPowerBelow(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}

function isPowerOfTwo(count: number): boolean {
  let rest = count
  while (rest % 2 === 0) rest /= 2
  return rest === 1
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** Not a shift: those work on 32 bits only. */
function half(value: number): number {
  return Math.floor(value / 2)
}

function at(hashes: readonly Uint8Array[], index: number): Uint8Array {
  const hash = hashes[index]
  if (!hash) throw new RangeError(`Cannot read hash ${index} of ${hashes.length}`)
  return hash
}
