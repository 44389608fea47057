import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { leafHash, rootOf } from '../../../src/protocol/proof/merkle.ts'
import {
  Tile,
  bundleBytes,
  parseBundle,
  parseTilePath,
  tileOf,
  tilePath,
  tileWidth,
} from '../../../src/protocol/proof/tiles.ts'

describe('paths of tiles', () => {
  const examples: readonly [string, Parameters<typeof tilePath>[0]][] = [
    ['tile/0/000', { level: 0, index: 0, width: 256 }],
    ['tile/0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
    ['tile/1/x001/000.p/12', { level: 1, index: 1_000, width: 12 }],
    ['tile/entries/999', { level: 'entries', index: 999, width: 256 }],
  ]
  for (const [path, name] of examples) {
    test(path, () => {
      assert.equal(tilePath(name), path)
      assert.deepEqual(parseTilePath(path), name)
    })
  }

  test('are read back from what was written', () => {
    const name = fc.record({
      level: fc.constantFrom(0, 1, 5, 'entries' as const),
      index: fc.oneof(fc.nat(3_000), fc.maxSafeNat()),
      width: fc.integer({ min: 1, max: 256 }),
    })
    fc.assert(fc.property(name, (tile) => assert.deepEqual(parseTilePath(tilePath(tile)), { ...tile })))
  })

  for (const path of [
    '',
    'tile/',
    'tile/0',
    'tile/6/000',
    'tile/00/000',
    'tile/0/0',
    'tile/0/0000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/257',
    'tile/0/000.p/01',
    'tile/0/../checkpoint',
    '/tile/0/000',
    'tile/0/000/',
    'tile/0/000\n',
    'tile/data/000',
  ]) {
    test(`${JSON.stringify(path)} is none`, () => assert.equal(parseTilePath(path), undefined))
  }
})

test('tileWidth() is what a tree of that size fills', () => {
  const widths = [0, 1, 255, 256, 257, 65_536, 65_537].map((size) =>
    [0, 1].map((level) => tileWidth({ level, index: 0, size })),
  )
  assert.deepEqual(widths, [
    [0, 0],
    [1, 0],
    [255, 0],
    [256, 1],
    [256, 1],
    [256, 256],
    [256, 256],
  ])
  assert.equal(tileWidth({ level: 0, index: 1, size: 300 }), 44)
  assert.equal(tileWidth({ level: 'entries', index: 1, size: 300 }), 44)
})

test('a Tile gives every hash that follows from its bottom row', () => {
  const leaves = Array.from({ length: 256 }, (_, index) => leafHash(new Uint8Array([index])))
  const tile = new Tile()
  for (const leaf of leaves) tile.append(leaf)
  assert.throws(() => tile.append(leaves[0] ?? new Uint8Array()), RangeError)
  const again = Tile.fromBytes(tile.toBytes())
  for (let level = 0; level <= 8; level += 1) {
    for (let index = 0; index < 256 / 2 ** level; index += 1) {
      const expected = Buffer.from(rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)))
      for (const one of [tile, again]) assert.deepEqual(Buffer.from(one?.node(level, index) ?? []), expected)
    }
  }
  assert.equal(new Tile().node(0, 0), undefined)
  assert.deepEqual(tileOf({ level: 9, index: 130 }), { level: 1, index: 1, height: 1, offset: 2 })
})

test('bytes that are no tile are refused', () => {
  for (const length of [0, 31, 33, 257 * 32]) assert.equal(Tile.fromBytes(new Uint8Array(length)), undefined)
})

test('a bundle gives its entries back, and a torn one nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), (entries) => {
      const bytes = bundleBytes(entries)
      assert.deepEqual(parseBundle(bytes), entries)
      if (bytes.length > 0) assert.notDeepEqual(parseBundle(bytes.slice(0, -1)), entries)
    }),
  )
  assert.equal(parseBundle(new Uint8Array([0])), undefined)
  assert.equal(parseBundle(new Uint8Array([0, 2, 1])), undefined)
  assert.throws(() => bundleBytes([new Uint8Array(65_536)]), RangeError)
})
