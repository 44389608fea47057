import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { instant } from '../../../src/kernel/clock.ts'
import { signJws } from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { logOrigin, signCheckpoint } from '../../../src/protocol/proof/checkpoint.ts'
import { cosign } from '../../../src/protocol/proof/cosignature.ts'
import type { ReceiptBundle } from '../../../src/protocol/decision.ts'
import { leafHash, rootOf } from '../../../src/protocol/proof/merkle.ts'
import { TYP } from '../../../src/protocol/proof/message-types.ts'
import { verifyReceiptBundle } from '../../../src/protocol/proof/verify-receipt.ts'
import type { VerifiedCheckpoints, VerifyingKeys } from '../../../src/protocol/proof/verify-receipt.ts'
import { bundleOf as proven } from './bundle-of.ts'

const key = generateKeyPair('Ed25519')
const stranger = generateKeyPair('Ed25519')
const origin = logOrigin('galway')
const SIZE = 11

const receiptAt = (sequence: number, changes: object = {}) =>
  signJws(
    canonicalJson({
      kind: 'release',
      site: 'galway',
      sequence,
      time: '2026-11-24T10:00:00.000Z',
      mode: 'aggregate',
      peopleStep: 100,
      ...changes,
    }),
    { typ: TYP.receipt, key },
  )

const bundleOf = (log: readonly string[], index: number) => proven(log, { index, key })

const receipts = Array.from({ length: SIZE }, (_, index) => receiptAt(index))
const keysOf = (signer: string) =>
  signer === 'galway' ? [generateKeyPair('Ed25519').publicJwk, key.publicJwk] : []
const verdict = (bundle: ReceiptBundle) => {
  const verified = verifyReceiptBundle(bundle, { keysOf })
  return verified.ok ? 'good' : verified.error.code
}

describe('verifyReceiptBundle()', () => {
  test('accepts every receipt of a log and gives what it says', async () => {
    for (let index = 0; index < SIZE; index += 1) {
      const verified = verifyReceiptBundle(await bundleOf(receipts, index), { keysOf })
      assert.ok(verified.ok)
      assert.equal(verified.value.receipt.sequence, index)
      assert.equal(verified.value.receipt.peopleStep, 100)
    }
  })

  test('gives the same of receipts that share a checkpoint, good or bad, with it verified once', async () => {
    const [first, second] = [await bundleOf(receipts, 3), await bundleOf(receipts, 4)]
    const bad = { ...first.log, checkpoint: first.log.checkpoint.replace(/.{6}\n$/, 'AAAA==\n') }
    const checkpoints: VerifiedCheckpoints = new Map()
    const together = (bundle: ReceiptBundle) => {
      const verified = verifyReceiptBundle(bundle, { keysOf, checkpoints })
      return verified.ok ? 'good' : verified.error.code
    }
    const badFirst = { ...first, log: bad }
    const badSecond = { ...second, log: { ...second.log, checkpoint: bad.checkpoint } }
    const borrowed = { ...second, log: { ...second.log, inclusionProof: first.log.inclusionProof } }
    for (const bundle of [badFirst, first, second, badSecond, badFirst, borrowed, first])
      assert.equal(together(bundle), verdict(bundle))
    assert.deepEqual([first, badSecond, borrowed].map(verdict), ['good', 'bad-checkpoint', 'not-included'])
    assert.equal(checkpoints.size, 2)
  })

  test('refuses every change of one character anywhere in the bundle', async () => {
    const good = await bundleOf(receipts, 6)
    const text = JSON.stringify(good)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.constantFrom(...Array.from('AZaz09+/=-_. \n"')),
        (at, character) => {
          const changed = text.slice(0, at) + character + text.slice(at + 1)
          let bundle: unknown
          try {
            bundle = JSON.parse(changed)
          } catch {
            return Promise.resolve()
          }
          if (JSON.stringify(bundle) === text) return Promise.resolve()
          const candidate = bundle as Partial<ReceiptBundle>
          // Shapes are the schema's to refuse; here only values of the right shape are looked at.
          if (
            typeof candidate.receipt !== 'string' ||
            !candidate.log?.inclusionProof ||
            typeof candidate.log.checkpoint !== 'string'
          )
            return Promise.resolve()
          assert.notEqual(
            verdict(candidate as ReceiptBundle),
            'good',
            `character ${at} to ${JSON.stringify(character)}`,
          )
          return Promise.resolve()
        },
      ),
      { numRuns: 1500 },
    )
  })

  test('says what is wrong', async () => {
    const good = await bundleOf(receipts, 6)
    const withLog = (changes: Partial<ReceiptBundle['log']>): ReceiptBundle => ({
      ...good,
      log: { ...good.log, ...changes },
    })
    const rogue = signJws(
      canonicalJson({ kind: 'release', site: 'galway', sequence: 6, time: '2026-11-24T10:00:00.000Z' }),
      { typ: TYP.receipt, key: stranger },
    )
    const cases: readonly [string, ReceiptBundle][] = [
      ['malformed', { ...good, receipt: 'not a receipt' }],
      ['signer-unknown', { ...good, receipt: rogue }],
      ['signer-unknown', { ...good, receipt: receiptAt(6, { site: 'zurich' }) }],
      ['bad-signature', { ...good, receipt: good.receipt.replace(/[^.]{86}$/, 'A'.repeat(86)) }],
      [
        'not-a-receipt',
        { ...good, receipt: signJws(canonicalJson({ kind: 'release' }), { typ: TYP.receipt, key }) },
      ],
      ['not-a-receipt', { ...good, receipt: receiptAt(6, { name: 'marker' }) }],
      [
        'not-a-receipt',
        {
          ...good,
          receipt: signJws(Buffer.from(good.receipt.split('.')[1] ?? '', 'base64url').toString(), {
            typ: TYP.ask,
            key,
          }),
        },
      ],
      ['wrong-place', withLog({ index: 7 })],
      ['wrong-log', withLog({ origin: logOrigin('zurich') })],
      [
        'bad-checkpoint',
        withLog({ checkpoint: signCheckpoint({ origin, size: SIZE, root: rootOf([]) }, stranger) }),
      ],
      [
        'bad-checkpoint',
        withLog({
          checkpoint: signCheckpoint({ origin: logOrigin('zurich'), size: SIZE, root: rootOf([]) }, key),
        }),
      ],
      ['bad-checkpoint', withLog({ checkpoint: '' })],
      ['not-included', withLog({ inclusionProof: good.log.inclusionProof.slice(1) })],
      ['not-included', withLog({ inclusionProof: ['?'] })],
      [
        'not-included',
        withLog({
          checkpoint: signCheckpoint({ origin, size: SIZE, root: leafHash(new Uint8Array()) }, key),
        }),
      ],
      [
        'not-included',
        withLog({ checkpoint: signCheckpoint({ origin, size: 6, root: leafHash(new Uint8Array()) }, key) }),
      ],
      ['not-included', { ...good, receipt: receiptAt(6, { peopleStep: 50 }) }],
    ]
    for (const [expected, bundle] of cases) assert.equal(verdict(bundle), expected)
  })

  test('an old receipt stays good after the signer has another key, and only while the old key is known', async () => {
    const good = await bundleOf(receipts, 3)
    assert.equal(verifyReceiptBundle(good, { keysOf: () => [stranger.publicJwk, key.publicJwk] }).ok, true)
    assert.equal(verifyReceiptBundle(good, { keysOf: () => [stranger.publicJwk] }).ok, false)
  })

  test('a checkpoint that verified for one log does not stand for another that was signed by the same key', async () => {
    const checkpoints: VerifiedCheckpoints = new Map()
    const both = { keysOf: () => [key.publicJwk], checkpoints }
    const foreign = receipts.with(4, receiptAt(4, { site: 'zurich' }))
    assert.ok(verifyReceiptBundle(await bundleOf(foreign, 3), both).ok)
    const { receipt, log } = await bundleOf(foreign, 4)
    const verified = verifyReceiptBundle({ receipt, log: { ...log, origin: logOrigin('zurich') } }, both)
    assert.equal(verified.ok ? 'good' : verified.error.code, 'bad-checkpoint')
  })

  test('every witness that is required has signed, and one that is known signed this very checkpoint', async () => {
    const [one, two] = ['one', 'two'].map((name) => ({ name, pair: generateKeyPair('Ed25519') }))
    assert.ok(one && two)
    const witness = ({ name, pair }: typeof one) => ({ name, key: pair.publicJwk })
    const line = (note: string, { name, pair }: typeof one) =>
      cosign(note.slice(0, note.lastIndexOf('\n\n') + 1), {
        name,
        key: pair,
        time: instant(1_800_000_000_000),
      })
    const [good, other] = [await bundleOf(receipts, 3), await bundleOf(receipts.slice(0, 9), 3)]
    const signed = ({ checkpoint }: ReceiptBundle['log'], lines: string): ReceiptBundle => ({
      ...good,
      log: { ...good.log, checkpoint: checkpoint + lines },
    })
    const withOne = signed(good.log, line(good.log.checkpoint, one))
    const borrowed = signed(good.log, line(other.log.checkpoint, one))
    const said = (bundle: ReceiptBundle, keys: Pick<VerifyingKeys, 'witnesses' | 'required'>) => {
      const verified = verifyReceiptBundle(bundle, { keysOf, ...keys })
      return verified.ok ? verified.value.witnessed.map(({ name }) => name).join() : verified.error.code
    }
    assert.equal(said(withOne, { witnesses: [witness(one)] }), 'one')
    assert.equal(said(withOne, { required: [witness(one), witness(two)] }), 'not-witnessed')
    assert.equal(said(borrowed, { witnesses: [witness(one)] }), 'bad-witness')
    assert.equal(said(borrowed, {}), '')
  })
})
