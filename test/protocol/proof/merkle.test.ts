import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  EMPTY_ROOT,
  isConsistent,
  isIncluded,
  leafHash,
  nodeHash,
  proveConsistency,
  proveInclusion,
  rootOf,
} from '../../../src/protocol/proof/merkle.ts'
import type { HashReader } from '../../../src/protocol/proof/merkle.ts'
import { sharedDirectory } from '../../shared.ts'

const shared = sharedDirectory()
const vectors = shared && join(shared, 'standards', 'rfc6962-merkle')
const skip = vectors === undefined && 'the vectors are not beside the checkout'

interface InclusionVector {
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
  readonly proof: readonly string[] | null
  readonly wantErr: boolean
}
interface ConsistencyVector {
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
  readonly proof: readonly string[] | null
  readonly wantErr: boolean
}

const bytes = (text: string) => Buffer.from(text, 'base64')

function vectorsIn<T>(folder: string): readonly (readonly [string, T])[] {
  assert.ok(vectors)
  const root = join(vectors, folder)
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name, JSON.parse(readFileSync(join(root, name), 'utf8')) as T] as const)
}

describe('the vectors of RFC 6962 trees', { skip }, () => {
  test('the reference tree has these hashes and roots', () => {
    assert.ok(vectors)
    const tree = JSON.parse(readFileSync(join(vectors, 'reference-tree.json'), 'utf8')) as {
      leafInputsHex: readonly string[]
      nodeHashesByLevelHex: readonly (readonly string[])[]
      rootHashBySizeHex: readonly string[]
    }
    const leaves = tree.leafInputsHex.map((hex) => leafHash(Buffer.from(hex, 'hex')))
    assert.deepEqual(
      leaves.map((hash) => hash.toHex()),
      tree.nodeHashesByLevelHex[0],
    )
    for (const [size, root] of tree.rootHashBySizeHex.entries())
      assert.equal(rootOf(leaves.slice(0, size)).toHex(), root)
  })

  test('inclusion: accepted and refused as they say', () => {
    const all = vectorsIn<InclusionVector>('inclusion')
    assert.equal(all.length, 98)
    for (const [name, { leafIdx: index, treeSize: size, root, leafHash: leaf, proof, wantErr }] of all) {
      const isGood = isIncluded({
        index,
        size,
        leaf: bytes(leaf),
        root: bytes(root),
        proof: (proof ?? []).map(bytes),
      })
      assert.equal(isGood, !wantErr, name)
    }
  })

  test('consistency: accepted and refused as they say', () => {
    const all = vectorsIn<ConsistencyVector>('consistency')
    assert.equal(all.length, 98)
    for (const [name, { size1, size2, root1, root2, proof, wantErr }] of all) {
      const isGood = isConsistent({
        size1,
        size2,
        root1: bytes(root1),
        root2: bytes(root2),
        proof: (proof ?? []).map(bytes),
      })
      assert.equal(isGood, !wantErr, name)
    }
  })
})

const leavesOf = (size: number) =>
  Array.from({ length: size }, (_, index) => leafHash(new TextEncoder().encode(`leaf ${index}`)))
const readerOf =
  (leaves: readonly Uint8Array[]): HashReader =>
  ({ level, index }) => {
    assert.ok((index + 1) * 2 ** level <= leaves.length, 'only complete subtrees are asked for')
    return Promise.resolve(rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)))
  }
/** RFC 6962 §2.1 word for word, as an oracle. */
function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (!first) return EMPTY_ROOT
  if (leaves.length === 1) return first
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return nodeHash(definedRoot(leaves.slice(0, split)), definedRoot(leaves.slice(split)))
}

describe('trees of our own', () => {
  test('the root is the one that RFC 6962 defines, at every size to 130', () => {
    const leaves = leavesOf(130)
    for (let size = 0; size <= 130; size += 1)
      assert.deepEqual(
        Buffer.from(rootOf(leaves.slice(0, size))),
        Buffer.from(definedRoot(leaves.slice(0, size))),
      )
  })

  test('every inclusion proof holds, for its leaf, index, size and root only', async () => {
    const sizes = fc
      .integer({ min: 1, max: 300 })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)))
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async ([size, index], which) => {
        const leaves = leavesOf(size)
        const root = rootOf(leaves)
        const proof = await proveInclusion({ index, size }, readerOf(leaves))
        const leaf = leaves[index] ?? new Uint8Array()
        assert.ok(isIncluded({ index, size, leaf, root, proof }))
        assert.ok(!isIncluded({ index: index + 1, size, leaf, root, proof }))
        assert.ok(!isIncluded({ index, size, leaf: leafHash(leaf), root, proof }))
        assert.ok(!isIncluded({ index, size, leaf, root: leafHash(root), proof }))
        assert.ok(!isIncluded({ index, size, leaf, root, proof: [...proof, leaf] }))
        if (proof.length > 0) {
          assert.ok(!isIncluded({ index, size, leaf, root, proof: proof.slice(1) }))
          assert.ok(
            !isIncluded({
              index,
              size,
              leaf,
              root,
              proof: proof.map((hash, place) => (place === which % proof.length ? leafHash(hash) : hash)),
            }),
          )
        }
      }),
      { numRuns: 60 },
    )
  })

  test('every consistency proof holds, for these two trees only', async () => {
    const sizes = fc
      .integer({ min: 1, max: 300 })
      .chain((size2) => fc.tuple(fc.integer({ min: 1, max: size2 }), fc.constant(size2)))
    await fc.assert(
      fc.asyncProperty(sizes, async ([size1, size2]) => {
        const leaves = leavesOf(size2)
        const [root1, root2] = [rootOf(leaves.slice(0, size1)), rootOf(leaves)]
        const proof = await proveConsistency({ size1, size2 }, readerOf(leaves))
        assert.ok(isConsistent({ size1, size2, root1, root2, proof }))
        assert.ok(!isConsistent({ size1, size2, root1: leafHash(root1), root2, proof }))
        assert.ok(!isConsistent({ size1, size2, root1, root2: leafHash(root2), proof }))
        assert.ok(!isConsistent({ size1, size2, root1, root2, proof: [...proof, root1] }))
        if (proof.length > 0)
          assert.ok(!isConsistent({ size1, size2, root1, root2, proof: proof.slice(0, -1) }))
      }),
      { numRuns: 60 },
    )
  })

  test('nonsense is refused, not answered', async () => {
    const short = new Uint8Array(31)
    assert.equal(isIncluded({ index: 0, size: 1, leaf: short, root: short, proof: [] }), false)
    assert.equal(isIncluded({ index: 0, size: 2, leaf: short, root: short, proof: [EMPTY_ROOT] }), false)
    const [leaf = new Uint8Array()] = leavesOf(1)
    for (const [index, size] of [
      [0, 0],
      [1, 1],
      [-1, 1],
      [0.5, 1],
      [Number.NaN, 1],
      [0, Number.POSITIVE_INFINITY],
      [0, 2 ** 53],
    ] as const) {
      assert.equal(isIncluded({ index, size, leaf, root: leaf, proof: [] }), false)
      if (size !== 1 || index !== 1) {
        assert.equal(isConsistent({ size1: index, size2: size, root1: leaf, root2: leaf, proof: [] }), false)
      }
    }
    await assert.rejects(proveInclusion({ index: 1, size: 1 }, readerOf([leaf])), RangeError)
    await assert.rejects(proveConsistency({ size1: 0, size2: 1 }, readerOf([leaf])), RangeError)
  })

  test('a tree past 2^32 leaves is handled without wrapping around', async () => {
    const size = 2 ** 40 + 5
    const hash = leafHash(new Uint8Array())
    const proof = await proveInclusion({ index: 2 ** 40 + 4, size }, () => Promise.resolve(hash))
    assert.equal(proof.length, 2)
    const asked: number[] = []
    await proveInclusion({ index: 2 ** 39 + 1, size }, ({ index }) => {
      asked.push(index)
      return Promise.resolve(hash)
    })
    assert.equal(asked[0], 2 ** 39)
  })
})
