import assert from 'node:assert/strict'
import { createHash, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { signBytes } from '../../../src/kernel/crypto/signature.ts'
import {
  formatCheckpoint,
  openCheckpoint,
  readNote,
  signCheckpoint,
} from '../../../src/protocol/proof/checkpoint.ts'
import {
  cosign,
  cosignaturesOf,
  formatWitness,
  parseWitness,
  withCosignature,
} from '../../../src/protocol/proof/cosignature.ts'

const log = generateKeyPair('Ed25519')
const key = generateKeyPair('Ed25519')
const witness = { name: 'hedgerow/network/witness', key: key.publicJwk }
const time = instant(Date.UTC(2026, 10, 26, 23, 59, 58, 999))
const checkpoint = { origin: 'hedgerow/galway', size: 7, root: new Uint8Array(32).fill(5) }
const text = formatCheckpoint(checkpoint)
const note = signCheckpoint(checkpoint, log)
const line = cosign(text, { ...witness, key, time })

describe('cosignature/v1', () => {
  test('is laid out as C2SP tlog-cosignature says: key id, seconds, Ed25519 over a header and the text', () => {
    const match = /^— hedgerow\/network\/witness ([A-Za-z0-9+/=]+)\n$/.exec(line)
    const bytes = Buffer.from(match?.[1] ?? '', 'base64')
    assert.equal(bytes.length, 4 + 8 + 64)
    const raw = Buffer.from(key.publicJwk.x, 'base64url')
    const id = createHash('sha256')
      .update(`${witness.name}\n`)
      .update(Buffer.from([4]))
      .update(raw)
      .digest()
    assert.deepEqual(bytes.subarray(0, 4), id.subarray(0, 4))
    const seconds = bytes.readBigUInt64BE(4)
    assert.equal(seconds, BigInt(Math.floor(time / 1000)))
    const signed = Buffer.from(
      `cosignature/v1\ntime ${seconds}\nhedgerow/galway\n7\n${Buffer.alloc(32, 5).toString('base64')}\n`,
    )
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw])
    assert.ok(verify(null, signed, { key: spki, format: 'der', type: 'spki' }, bytes.subarray(12)))
  })

  test('stands under a note beside the log’s own signature, and is found by the witness’s key alone', () => {
    const cosigned = withCosignature(note, line)
    assert.equal(withCosignature(cosigned, line), cosigned)
    assert.deepEqual(
      openCheckpoint(cosigned, { origin: 'hedgerow/galway', keys: [log.publicJwk] }),
      checkpoint,
    )
    assert.deepEqual(cosignaturesOf(cosigned, [witness]), [
      { name: witness.name, time: Math.floor(time / 1000) * 1000 },
    ])
    assert.deepEqual(cosignaturesOf(cosigned, []), [])
    assert.deepEqual(cosignaturesOf(note, [witness]), [])
    const other = { ...witness, key: generateKeyPair('Ed25519').publicJwk }
    assert.deepEqual(cosignaturesOf(cosigned, [other]), [])
  })

  test('does not verify under another checkpoint, at another time, or with any bit changed', () => {
    const forked = signCheckpoint({ ...checkpoint, root: new Uint8Array(32).fill(6) }, log)
    assert.equal(cosignaturesOf(withCosignature(forked, line), [witness]), undefined)
    const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64')
    fc.assert(
      fc.property(fc.integer({ min: 4 * 8, max: bytes.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(bytes)
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const tampered = `— ${witness.name} ${changed.toString('base64')}\n`
        assert.equal(cosignaturesOf(withCosignature(note, tampered), [witness]), undefined)
      }),
    )
  })

  test('is none with bytes too many or too few, nor of a time past what can be counted; and none is made under no name', () => {
    const withBytes = (bytes: Uint8Array) =>
      withCosignature(note, `— ${witness.name} ${Buffer.from(bytes).toString('base64')}\n`)
    const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64')
    assert.equal(cosignaturesOf(withBytes(bytes), [witness])?.length, 1)
    for (const wrong of [
      Buffer.concat([bytes, Buffer.alloc(1)]),
      bytes.subarray(0, 75),
      bytes.subarray(0, 8),
    ])
      assert.equal(cosignaturesOf(withBytes(wrong), [witness]), undefined)
    const at = (seconds: bigint) => {
      const signed = Buffer.from(bytes)
      signed.writeBigUInt64BE(seconds, 4)
      signed.set(signBytes(Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), key), 12)
      return cosignaturesOf(withBytes(signed), [witness])
    }
    const last = BigInt(Number.MAX_SAFE_INTEGER) / 1000n
    assert.deepEqual(at(last), [{ name: witness.name, time: Number(last) * 1000 }])
    assert.equal(at(last + 1n), undefined)
    for (const name of ['', 'two words', 'a+b'])
      assert.throws(() => cosign(text, { name, key, time }), TypeError)
  })

  test('a witness has a text form that reads back, and no other text does', () => {
    const written = formatWitness(witness)
    assert.match(written, /^hedgerow\/network\/witness\+[0-9a-f]{8}\+B/)
    assert.deepEqual(parseWitness(written), witness)
    for (const wrong of ['', 'a+b+c', written.replace('+', '-'), written.slice(0, -4), `x${written}`])
      assert.equal(parseWitness(wrong), undefined)
    assert.equal(readNote('no note'), undefined)
  })
})
