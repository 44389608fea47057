import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../src/kernel/crypto/keys.ts'
import { formatWitness } from '../../src/protocol/proof/cosignature.ts'
import { signKeyRotation } from '../../src/protocol/proof/key-chain.ts'
import { signNetworkRotation } from '../../src/protocol/proof/network-keys.ts'
import type { KeySet } from '../../src/protocol/member.ts'
import {
  NO_PINNED_KEYS,
  formerWitnessesIn,
  pinNetwork,
  pinSite,
  pinnedKeysSchema,
  signingKeysOf,
  witnessesIn,
} from '../../src/sdk/pinned-keys.ts'
import type { NetworkKeyRecord, PinnedKeys, SiteKeyRecord } from '../../src/sdk/pinned-keys.ts'

interface Generation {
  readonly signing: KeyPair
  readonly keys: KeySet
}

function generation(): Generation {
  const signing = generateKeyPair('Ed25519')
  return { signing, keys: { signing: signing.publicJwk, sealing: generateKeyPair('X25519').publicJwk } }
}

/** The record of a site that has rotated through all but the first of these. */
function recordOf(generations: readonly Generation[], id = 'galway'): SiteKeyRecord {
  const [first = generation()] = generations
  const rotations = generations.slice(1).map((next, index) => {
    const before = generations[index] ?? first
    return signKeyRotation({ member: id, next: next.keys, time: '2026-11-24T10:00:00Z', key: before.signing })
  })
  return { id, keys: (generations.at(-1) ?? first).keys, firstKeys: first.keys, rotations }
}

function pinned(record: SiteKeyRecord, before: PinnedKeys = NO_PINNED_KEYS): PinnedKeys {
  const result = pinSite(before, record)
  assert.ok(result.ok)
  return result.value
}

test('pinSite() takes up a site that was not seen before, and knows it again', () => {
  const record = recordOf([generation()])
  const once = pinned(record)
  assert.deepEqual(pinned(record, once), once)
  assert.deepEqual(pinnedKeysSchema.parse(JSON.parse(JSON.stringify(once))), once)
})

test('pinSite() follows a rotation that the site signed, and keeps the old key for old receipts', () => {
  const [a, b, c] = [generation(), generation(), generation()]
  const after = pinned(recordOf([a, b, c]), pinned(recordOf([a])))
  assert.deepEqual(after.sites['galway']?.present, c.keys)
  assert.deepEqual(signingKeysOf(after, 'galway'), [a.keys.signing, b.keys.signing, c.keys.signing])
})

test('pinSite() refuses keys that no rotation of the site leads to', () => {
  const [a, b, stranger] = [generation(), generation(), generation()]
  const before = pinned(recordOf([a]))
  const forged = signKeyRotation({
    member: 'galway',
    next: b.keys,
    time: '2026-11-24T10:00:00Z',
    key: stranger.signing,
  })
  const cases: readonly [string, SiteKeyRecord][] = [
    ['other first keys', recordOf([stranger])],
    ['other keys without a rotation', { ...recordOf([a]), keys: b.keys }],
    [
      'a rotation signed by somebody else',
      { id: 'galway', firstKeys: a.keys, keys: b.keys, rotations: [forged] },
    ],
    [
      'only the sealing key exchanged',
      { ...recordOf([a]), keys: { signing: a.keys.signing, sealing: stranger.keys.sealing } },
    ],
    ['a rotation of another site', { ...recordOf([a, b], 'dresden'), id: 'galway' }],
  ]
  for (const [what, record] of cases)
    assert.deepEqual(pinSite(before, record), { ok: false, error: 'keys-changed' }, what)
})

test('pinSite() refuses to go back to keys that were rotated away', () => {
  const [a, b] = [generation(), generation()]
  assert.equal(pinSite(pinned(recordOf([a, b])), recordOf([a])).ok, false)
})

test('pinNetwork() refuses another key or another name than the first', () => {
  const key = generateKeyPair('Ed25519').publicJwk
  const first = pinNetwork(NO_PINNED_KEYS, { name: 'network', signing: key })
  assert.ok(first.ok)
  assert.ok(pinNetwork(first.value, { name: 'network', signing: key }).ok)
  assert.equal(
    pinNetwork(first.value, { name: 'network', signing: generateKeyPair('Ed25519').publicJwk }).ok,
    false,
  )
  assert.equal(pinNetwork(first.value, { name: 'galway', signing: key }).ok, false)
  assert.deepEqual(signingKeysOf(first.value, 'network'), [key])
})

interface NetworkPair {
  readonly signing: KeyPair
  readonly witness: KeyPair
}

function networkPair(): NetworkPair {
  return { signing: generateKeyPair('Ed25519'), witness: generateKeyPair('Ed25519') }
}

/** What a network tells of itself that had these keys one after the other. */
function networkOf(chain: readonly NetworkPair[]): NetworkKeyRecord {
  const [first, last] = [chain[0], chain.at(-1)]
  assert.ok(first && last)
  const setOf = ({ signing, witness }: NetworkPair) => ({
    signing: signing.publicJwk,
    witness: witness.publicJwk,
  })
  const rotations = chain.slice(1).map((to, index) =>
    signNetworkRotation({
      network: 'network',
      next: setOf(to),
      time: '2026-11-24T10:00:00Z',
      key: (chain[index] ?? first).signing,
    }),
  )
  const witness = formatWitness({ name: 'hedgerow/network/witness', key: last.witness.publicJwk })
  const present = { name: 'network', signing: last.signing.publicJwk, witness, rotations }
  return rotations.length === 0 ? present : { ...present, firstKeys: setOf(first) }
}

function pinnedNetwork(record: NetworkKeyRecord, before: PinnedKeys = NO_PINNED_KEYS): PinnedKeys {
  const next = pinNetwork(before, record)
  assert.ok(next.ok)
  return next.value
}

test('pinNetwork() follows the rotations of the network, and knows the keys it had before', () => {
  const [a, b, c] = [networkPair(), networkPair(), networkPair()]
  for (const before of [networkOf([a]), networkOf([a, b]), networkOf([a, b, c])]) {
    const after = pinnedNetwork(networkOf([a, b, c]), pinnedNetwork(before))
    const keys = [a, b, c].map(({ signing }) => signing.publicJwk)
    assert.deepEqual(signingKeysOf(after, 'network'), keys)
    assert.deepEqual(
      new Set([...witnessesIn(after), ...formerWitnessesIn(after)].map(({ key }) => key.x)),
      new Set([a, b, c].map(({ witness }) => witness.publicJwk.x)),
    )
  }
})

test('pinNetwork() refuses chains that are forged, rolled back, or take another way from a key that leaked', () => {
  const [a, b, c, d, stranger] = [networkPair(), networkPair(), networkPair(), networkPair(), networkPair()]
  const before = pinnedNetwork(networkOf([a, b]))
  const [first, second] = [networkOf([a, b]), networkOf([a, b, c])]
  const cases: readonly [string, NetworkKeyRecord][] = [
    ['another network', networkOf([stranger])],
    ['another network that has rotated', networkOf([stranger, c])],
    ['the keys before', networkOf([a])],
    ['another way, signed with the first key', networkOf([a, d])],
    ['another and longer way, signed with the first key', networkOf([a, d, c])],
    ['no chain', { name: 'network', signing: c.signing.publicJwk, witness: second.witness }],
    ['keys that the chain does not lead to', { ...first, signing: c.signing.publicJwk }],
    ['another witness than the chain leads to', { ...first, witness: second.witness }],
    ['a rotation too many', { ...first, rotations: second.rotations }],
    ['another name', { ...second, name: 'galway' }],
  ]
  for (const [what, record] of cases)
    assert.deepEqual(pinNetwork(before, record), { ok: false, error: 'keys-changed' }, what)
})

test('pinNetwork() follows no rotation where the key was pinned by hand', () => {
  const [a, b] = [networkPair(), networkPair()]
  const { network, ...rest } = pinnedNetwork(networkOf([a]))
  assert.ok(network)
  const byHand = { ...rest, network: { ...network, isByHand: true } }
  assert.equal(pinNetwork(byHand, networkOf([a, b])).ok, false)
  assert.equal(pinnedNetwork(networkOf([a]), byHand).network?.isByHand, true)
})

test('pinSite() refuses another way of the chain than the one it saw, signed with a key that leaked', () => {
  const [a, b, c] = [generation(), generation(), generation()]
  assert.equal(pinSite(pinned(recordOf([a, b])), recordOf([a, c])).ok, false)
  assert.equal(pinSite(pinned(recordOf([a, b])), recordOf([a, c, b])).ok, false)
})
