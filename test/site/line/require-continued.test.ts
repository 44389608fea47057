import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { signJws } from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import { logOrigin, signCheckpoint } from '../../../src/protocol/proof/checkpoint.ts'
import { signKeyRotation } from '../../../src/protocol/proof/key-chain.ts'
import { leafHash, proveConsistency, rootOf } from '../../../src/protocol/proof/merkle.ts'
import { TYP } from '../../../src/protocol/proof/message-types.ts'
import { requireContinued } from '../../../src/site/line/require-continued.ts'

const key = generateKeyPair('Ed25519')
const [former, stranger] = [generateKeyPair('Ed25519'), generateKeyPair('Ed25519')]
const origin = logOrigin('galway')
const leaves = (count: number, other = Infinity): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, index) =>
    leafHash(new TextEncoder().encode(index >= other ? `other ${index}` : `receipt ${index}`)),
  )
const noteOf = (tree: readonly Uint8Array[], signer = key, of = origin): string =>
  signCheckpoint({ origin: of, size: tree.length, root: rootOf([...tree]) }, signer)

/** Holds a log of `size` receipts, with a restore that declared a gap if one is told, against what a witness says. */
function look(
  size: number,
  said: string | undefined,
  { rotations = [], ...gap }: { logKnown?: number; logMissing?: number; rotations?: readonly string[] } = {},
) {
  const own = leaves(size)
  const read = ({ level, index }: { level: number; index: number }) =>
    Promise.resolve(rootOf(own.slice(index * 2 ** level, (index + 1) * 2 ** level)))
  const restore = { kind: 'restore', site: 'galway', sequence: 3, time: '2026-11-27T00:00:00Z', ...gap }
  const jws = signJws(canonicalJson(restore), { typ: TYP.receipt, key })
  return requireContinued({
    site: 'galway',
    keys: { present: key.publicJwk, former: [former.publicJwk] },
    line: { witnessed: () => Promise.resolve(said), rotations: () => Promise.resolve(rotations) },
    log: {
      checkpoint: () => Promise.resolve(size === 0 ? undefined : noteOf(own)),
      list: () => Promise.resolve(gap.logKnown === undefined ? [] : [{ sequence: 3, jws }]),
      witnessing: {
        due: () => [],
        cosigned: () => undefined,
        consistency: async (size1, size2) =>
          (await proveConsistency({ size1, size2 }, read)).map((hash) => hash.toBase64()),
      },
    },
  })
}

describe('requireContinued() lets a log go on', () => {
  for (const [what, said] of Object.entries({
    'of which nothing was seen': undefined,
    'that is the one that was seen': noteOf(leaves(10)),
    'whose beginning was seen': noteOf(leaves(7)),
    'whose beginning was signed with a former key': noteOf(leaves(4), former),
    'where what was seen is made up': noteOf(leaves(20, 0), stranger),
    'where what was seen is of another site': noteOf(leaves(20), key, logOrigin('zurich')),
    'where what was said is no checkpoint': 'nothing of the kind',
  }))
    test(what, () => look(10, said))

  test('that lacks what a restore declared to be missing, and no more', async () => {
    const gap = { logKnown: 8, logMissing: 5 }
    await look(10, noteOf(leaves(13)), gap)
    await assert.rejects(look(10, noteOf(leaves(14)), gap), { code: 'fault.log_behind' })
    await assert.rejects(look(10, noteOf(leaves(11)), { logKnown: 12, logMissing: 0 }), {
      code: 'fault.log_behind',
    })
  })
})

const rotated = (by: KeyPair, member = 'galway', to = stranger): string =>
  signKeyRotation({
    member,
    next: { signing: to.publicJwk, sealing: generateKeyPair('X25519').publicJwk },
    time: '2026-11-27T00:00:00Z',
    key: by,
  })

describe('requireContinued() and the rotations that a network tells', () => {
  const said = noteOf(leaves(12), stranger)
  test('one that its present key signed ends it: it is older than that', () =>
    assert.rejects(look(10, said, { rotations: [rotated(former), rotated(key)] }), {
      code: 'fault.log_behind',
      message: /^The keys of this site were replaced/,
    }))
  for (const [what, rotation] of Object.entries({
    'that led to the present key': rotated(former, 'galway', key),
    'that somebody else signed': rotated(stranger),
    'of another site': rotated(key, 'zurich'),
    'that changes no signing key': rotated(key, 'galway', key),
    'that is none': 'nothing.of.the kind',
  }))
    test(`one ${what} does not`, () => look(10, said, { rotations: [rotation] }))
})

describe('requireContinued() stops a log', () => {
  for (const [what, size, said] of [
    ['that is shorter than what was seen', 10, noteOf(leaves(11))],
    ['that is empty though something was seen', 0, noteOf(leaves(1))],
    ['that has another root at the same size', 10, noteOf(leaves(10, 9))],
    ['that is longer, and has something else before', 10, noteOf(leaves(7, 6))],
  ] as const)
    test(what, () => assert.rejects(look(size, said), { code: 'fault.log_behind' }))
})
