import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { instant } from '../../../src/kernel/clock.ts'
import { signJws } from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { ReceiptBundle } from '../../../src/protocol/decision.ts'
import { logOrigin, signCheckpoint } from '../../../src/protocol/proof/checkpoint.ts'
import { cosign, withCosignature } from '../../../src/protocol/proof/cosignature.ts'
import { signKeyRotation, signersOfChain } from '../../../src/protocol/proof/key-chain.ts'
import { rootOf } from '../../../src/protocol/proof/merkle.ts'
import { TYP } from '../../../src/protocol/proof/message-types.ts'
import type { LogPosition } from '../../../src/protocol/proof/retired-key.ts'
import { verifyReceiptBundle } from '../../../src/protocol/proof/verify-receipt.ts'
import type { VerifyingKeys } from '../../../src/protocol/proof/verify-receipt.ts'
import { bundleOf, leavesOf } from './bundle-of.ts'

const [first, second, third] = [1, 2, 3].map(() => ({
  signing: generateKeyPair('Ed25519'),
  sealing: generateKeyPair('X25519'),
})) as [Pair, Pair, Pair]
interface Pair {
  readonly signing: KeyPair
  readonly sealing: KeyPair
}
const setOf = ({ signing, sealing }: Pair) => ({ signing: signing.publicJwk, sealing: sealing.publicJwk })
const origin = logOrigin('galway')
const witnessKey = generateKeyPair('Ed25519')
const witness = { name: 'hedgerow/network/witness', key: witnessKey.publicJwk }

const receiptAt = (
  sequence: number,
  { key, day = 24, rows = 1 }: { key: KeyPair; day?: number; rows?: number },
) =>
  signJws(
    canonicalJson({ kind: 'ingest', site: 'galway', sequence, time: `2026-11-${day}T10:00:00.000Z`, rows }),
    { typ: TYP.receipt, key },
  )

/** Seven receipts by the first key, five by the second, then some by the third; the keys were replaced on the 25th and 27th. */
const log = [
  ...Array.from({ length: 7 }, (_, index) => receiptAt(index, { key: first.signing })),
  ...Array.from({ length: 5 }, (_, index) => receiptAt(7 + index, { key: second.signing, day: 26 })),
  ...Array.from({ length: 3 }, (_, index) => receiptAt(12 + index, { key: third.signing, day: 28 })),
]
const positionAt = (size: number) => ({ size, root: rootOf(leavesOf(log.slice(0, size))).toBase64() })
const chain = (byFirst: LogPosition | undefined, bySecond: LogPosition | undefined) =>
  [
    { before: first, next: second, time: '2026-11-25T00:00:00.000Z', log: byFirst },
    { before: second, next: third, time: '2026-11-27T00:00:00.000Z', log: bySecond },
  ].map(({ before, next, time, log: position }) =>
    signKeyRotation({ member: 'galway', next: setOf(next), time, key: before.signing, log: position }),
  )
const keysBy = (rotations: readonly string[]): VerifyingKeys => {
  const { present, retired } = signersOfChain('galway', setOf(first), rotations)
  return { keysOf: () => [present.signing], retiredOf: () => retired, witnesses: [witness] }
}
const told = keysBy(chain(positionAt(7), positionAt(12)))
const untold = keysBy(chain(undefined, undefined))
const verdict = (bundle: ReceiptBundle, keys = told) => {
  const verified = verifyReceiptBundle(bundle, keys)
  if (!verified.ok) return verified.error.code
  const { retired } = verified.value
  return retired ? `${retired.isPlaceProven ? 'proven' : 'unproven'} ${retired.at ?? ''}` : 'good'
}
const cosigned = (bundle: ReceiptBundle, key = witnessKey): ReceiptBundle => {
  const { checkpoint } = bundle.log
  const text = checkpoint.slice(0, checkpoint.lastIndexOf('\n\n') + 1)
  const line = cosign(text, { name: witness.name, key, time: instant(1_795_000_000_000) })
  return { ...bundle, log: { ...bundle.log, checkpoint: withCosignature(checkpoint, line) } }
}
const [ON_25TH, ON_27TH] = [Date.UTC(2026, 10, 25), Date.UTC(2026, 10, 27)]

describe('what a retired key signed', () => {
  test('counts where the present key’s log has it, or the log that it left itself, to the last receipt', async () => {
    for (const index of [0, 6])
      for (const by of [
        { size: 15, key: third.signing },
        { size: 7, key: first.signing },
        { size: 12, key: second.signing },
      ])
        assert.equal(verdict(await bundleOf(log, { index, ...by })), `proven ${ON_25TH}`)
    for (const index of [7, 11])
      assert.equal(verdict(await bundleOf(log, { index, key: third.signing })), `proven ${ON_27TH}`)
    assert.equal(verdict(await bundleOf(log, { index: 12, key: third.signing })), 'good')
  })

  test('counts under a smaller checkpoint where a witness saw that, by a key that still holds', async () => {
    const small = await bundleOf(log, { index: 2, size: 5, key: first.signing })
    assert.equal(verdict(small), 'place-not-proven')
    assert.equal(verdict(cosigned(small)), `proven ${ON_25TH}`)
    const stolen = generateKeyPair('Ed25519')
    const former = { ...told, formerWitnesses: [{ name: witness.name, key: stolen.publicJwk }] }
    assert.equal(verdict(cosigned(small, stolen), former), 'place-not-proven')
    const other = await bundleOf(log, { index: 2, size: 6, key: first.signing })
    const borrowed = cosigned(other, stolen).log.checkpoint.split('\n').at(-2)
    const bad = { ...small, log: { ...small.log, checkpoint: `${small.log.checkpoint}${borrowed}\n` } }
    assert.equal(verdict(bad, former), 'bad-witness')
  })

  test('does not count for whoever stole it: forged in a tree of their own, dated back, in the place of another', async () => {
    const key = first.signing
    const forged = (at: number, rows = 9) => log.slice(0, 7).with(at, receiptAt(at, { key, rows }))
    const longer = [...log.slice(0, 7), receiptAt(7, { key, rows: 9 })]
    const late = [...log.slice(0, 6), receiptAt(6, { key, day: 26 })]
    const cases: readonly [string, string, ReceiptBundle][] = [
      ['a whole tree of the right size', 'key-retired', await bundleOf(forged(3), { index: 3, key })],
      ['a smaller tree', 'place-not-proven', await bundleOf(forged(3), { index: 3, size: 4, key })],
      ['a longer tree, past its end', 'key-retired', await bundleOf(longer, { index: 7, key })],
      ['an honest receipt by a longer tree', 'key-retired', await bundleOf(longer, { index: 3, key })],
      ['by a later retired key’s', 'key-retired', await bundleOf(longer, { index: 7, key: second.signing })],
      ['dated after it was retired', 'key-retired', await bundleOf(late, { index: 6, key })],
      [
        'under the honest checkpoint of another',
        'not-included',
        { ...(await bundleOf(log, { index: 3, key: third.signing })), receipt: forged(3)[3] ?? '' },
      ],
      [
        'in the honest log, past the end',
        'key-retired',
        await bundleOf(log.with(8, receiptAt(8, { key })), { index: 8, key: third.signing }),
      ],
    ]
    for (const [what, expected, bundle] of cases) assert.equal(verdict(bundle), expected, what)
    const grown = signCheckpoint({ origin, size: 8, root: rootOf(leavesOf(log.slice(0, 7))) }, key)
    const { receipt, log: proven } = await bundleOf(log, { index: 3, size: 7, key })
    assert.equal(verdict({ receipt, log: { ...proven, checkpoint: grown } }), 'key-retired')
    // Taken up again, a key counts for all that it signs.
    const again = { ...told, keysOf: () => [key.publicJwk] }
    assert.equal(verdict(await bundleOf(forged(3), { index: 3, key }), again), 'good')
  })

  test('counts for less where its statement does not tell of the log, and never with a later date', async () => {
    const small = await bundleOf(log, { index: 2, size: 5, key: first.signing })
    assert.equal(verdict(small, untold), `unproven ${ON_25TH}`)
    assert.equal(verdict(cosigned(small), untold), `proven ${ON_25TH}`)
    assert.equal(verdict(await bundleOf(log, { index: 2, key: third.signing }), untold), `proven ${ON_25TH}`)
    const late = [...log.slice(0, 6), receiptAt(6, { key: first.signing, day: 26 })]
    assert.equal(verdict(await bundleOf(late, { index: 6, key: first.signing }), untold), 'key-retired')
    // The moment itself is before.
    const text = (time: string) =>
      signJws(canonicalJson({ kind: 'ingest', site: 'galway', sequence: 0, time }), {
        typ: TYP.receipt,
        key: first.signing,
      })
    for (const [time, expected] of [
      ['2026-11-25T00:00:00.000Z', `unproven ${ON_25TH}`],
      ['2026-11-25T00:00:00.001Z', 'key-retired'],
    ] as const)
      assert.equal(verdict(await bundleOf([text(time)], { index: 0, key: first.signing }), untold), expected)
  })

  test('counts for nothing where it left no log, and one that left what it found adds nothing', async () => {
    // The first signed nothing; the second, all seven of another log.
    const mine = log.slice(0, 7)
    const empty = keysBy(chain(positionAt(0), positionAt(7)))
    for (const key of [first.signing, second.signing, third.signing])
      assert.equal(verdict(await bundleOf(mine, { index: 0, key }), empty), 'key-retired')
    const { receipt, log: proven } = await bundleOf(mine, { index: 0, size: 1, key: first.signing })
    const none = signCheckpoint({ origin, size: 0, root: rootOf([]) }, first.signing)
    assert.equal(verdict({ receipt, log: { ...proven, checkpoint: none } }, empty), 'key-retired')
    // Two statements in a row, over the same log: the second key signed nothing that is in it.
    const twice = keysBy(chain(positionAt(7), positionAt(7)))
    for (const key of [first.signing, second.signing, third.signing])
      assert.equal(verdict(await bundleOf(mine, { index: 6, key }), twice), `proven ${ON_25TH}`)
    const forged = mine.with(3, receiptAt(3, { key: second.signing, rows: 9 }))
    const by = { index: 3, key: second.signing }
    assert.equal(verdict(await bundleOf(forged, by), twice), 'key-retired')
    assert.equal(verdict(await bundleOf(forged, { ...by, size: 5 }), twice), 'place-not-proven')
    assert.equal(verdict(await bundleOf([...forged, ...forged], by), twice), 'key-retired')
  })

  test('is told by statements of a whole log only, of this signer and this kind', () => {
    const reached = (statement: string) => signersOfChain('galway', setOf(first), [statement]).retired.length
    const wire = { member: 'galway', next: setOf(second), time: '2026-11-25T00:00:00.000Z' }
    const signed = (position: object, typ: string = TYP.keyRotation) =>
      signJws(canonicalJson({ ...wire, log: position }), { typ, key: first.signing })
    const { size, root } = positionAt(7)
    assert.equal(reached(signed({ size, root })), 1)
    for (const wrong of [
      { size: -1, root },
      { size: 6.5, root },
      { size },
      { size, root: root.slice(4) },
      { size, root: '' },
      { size, root, time: 1 },
    ])
      assert.equal(reached(signed(wrong)), 0, JSON.stringify(wrong))
    for (const typ of [TYP.networkKeyRotation, TYP.receipt, TYP.ask])
      assert.equal(reached(signed({ size, root }, typ)), 0, typ)
  })
})
