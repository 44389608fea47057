import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import {
  continuesChain,
  networkKeySets,
  signNetworkRotation,
} from '../../../src/protocol/proof/network-keys.ts'
import type { NetworkKeySet } from '../../../src/protocol/proof/network-keys.ts'

interface Pair {
  readonly signing: KeyPair
  readonly witness: KeyPair
}

const POOL: readonly Pair[] = Array.from({ length: 6 }, () => ({
  signing: generateKeyPair('Ed25519'),
  witness: generateKeyPair('Ed25519'),
}))

function setOf({ signing, witness }: Pair): NetworkKeySet {
  return { signing: signing.publicJwk, witness: witness.publicJwk }
}

function rotation(from: Pair, to: Pair, network = 'network'): string {
  return signNetworkRotation({ network, next: setOf(to), time: '2026-11-27T00:00:00Z', key: from.signing })
}

const pairs = fc.shuffledSubarray([...POOL], { minLength: 2 })

test('networkKeySets() reaches every set of a chain, whatever its length', () => {
  fc.assert(
    fc.property(pairs, (chain) => {
      const rotations = chain.slice(1).map((to, index) => rotation(chain[index] ?? to, to))
      const [first] = chain
      assert.ok(first)
      assert.deepEqual(networkKeySets('network', setOf(first), rotations), {
        ok: true,
        value: chain.map(setOf),
      })
    }),
    { numRuns: 40 },
  )
})

test('networkKeySets() is broken by a rotation that is left out, changed about, of another network or by another key', () => {
  fc.assert(
    fc.property(pairs, fc.nat(), fc.nat(3), (chain, place, how) => {
      const rotations = chain.slice(1).map((to, index) => rotation(chain[index] ?? to, to))
      const at = place % rotations.length
      const [from, to] = [chain[at], chain[at + 1]]
      const [first] = chain
      assert.ok(first && from && to)
      const stranger = { signing: generateKeyPair('Ed25519'), witness: from.witness }
      const forged = [
        rotation(stranger, to),
        rotation(from, to, 'elsewhere'),
        rotation(to, to),
        `${rotations[at]?.slice(0, -30)}${rotations[at]?.at(-30) === 'A' ? 'B' : 'A'}${rotations[at]?.slice(-29)}`,
      ][how]
      assert.ok(forged)
      const broken = networkKeySets('network', setOf(first), rotations.with(at, forged))
      assert.deepEqual(broken, { ok: false, error: { brokenAt: at } })
    }),
    { numRuns: 60 },
  )
})

test('continuesChain() lets a chain grow, and neither shrink nor take another way', () => {
  assert.ok(continuesChain([], ['a']))
  assert.ok(continuesChain(['a'], ['a', 'b']))
  assert.equal(continuesChain(['a', 'b'], ['a']), false)
  assert.equal(continuesChain(['a'], ['b', 'c']), false)
})
