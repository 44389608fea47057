import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import { followKeyChain, isReplaced, signKeyRotation } from '../../../src/protocol/proof/key-chain.ts'

function pair() {
  const signing = generateKeyPair('Ed25519')
  const sealing = generateKeyPair('X25519')
  return { signing, keys: { signing: signing.publicJwk, sealing: sealing.publicJwk } }
}

const time = '2026-11-24T00:00:00.000Z'

test('followKeyChain() leads from the pinned keys to the present ones', () => {
  const [first, second, third] = [pair(), pair(), pair()]
  const rotations = [
    signKeyRotation({ member: 'northcare', next: second.keys, time, key: first.signing }),
    signKeyRotation({ member: 'northcare', next: third.keys, time, key: second.signing }),
  ]
  assert.deepEqual(followKeyChain('northcare', first.keys, rotations), { ok: true, value: third.keys })
  assert.deepEqual(followKeyChain('northcare', first.keys, []), { ok: true, value: first.keys })
})

test('followKeyChain() refuses a link that the key before did not sign', () => {
  const [first, second, network] = [pair(), pair(), pair()]
  const forged = signKeyRotation({ member: 'northcare', next: network.keys, time, key: network.signing })
  assert.deepEqual(followKeyChain('northcare', first.keys, [forged]), { ok: false, error: { brokenAt: 0 } })
  const skipped = signKeyRotation({ member: 'northcare', next: network.keys, time, key: first.signing })
  const good = signKeyRotation({ member: 'northcare', next: second.keys, time, key: first.signing })
  assert.deepEqual(followKeyChain('northcare', first.keys, [good, skipped]), {
    ok: false,
    error: { brokenAt: 1 },
  })
})

test('followKeyChain() refuses a rotation that another member signed for itself', () => {
  const [first, second] = [pair(), pair()]
  const others = signKeyRotation({ member: 'volt-watch', next: second.keys, time, key: first.signing })
  assert.deepEqual(followKeyChain('northcare', first.keys, [others]), { ok: false, error: { brokenAt: 0 } })
})

test('isReplaced() is said of a key by its own statement that another one follows, and by nothing else', () => {
  const [first, second, third] = [pair(), pair(), pair()]
  const statement = (next: ReturnType<typeof pair>['keys'], { signing }: { signing: KeyPair }) =>
    signKeyRotation({ member: 'galway', next, time, key: signing })
  const said = (rotations: readonly string[], member = 'galway') =>
    isReplaced(member, first.keys.signing, rotations)
  assert.equal(said([statement(third.keys, second), statement(second.keys, first)]), true)
  assert.equal(said([statement(second.keys, first)], 'zurich'), false)
  assert.equal(said([statement(second.keys, third)]), false)
  // Another key to seal to alone: what it signs goes on.
  assert.equal(said([statement({ ...second.keys, signing: first.keys.signing }, first)]), false)
  assert.equal(said([]), false)
})
