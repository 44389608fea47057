import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import {
  formatCheckpoint,
  logOrigin,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  signCheckpoint,
  signNote,
} from '../../../src/protocol/proof/checkpoint.ts'
import { leafHash } from '../../../src/protocol/proof/merkle.ts'
import { formatNoteKey, parseNoteKey } from '../../../src/protocol/proof/note-key.ts'
import { sharedDirectory } from '../../shared.ts'

interface NoteVectors {
  readonly valid: readonly {
    readonly id: string
    readonly vkey: string
    readonly note: string
    readonly text: string
  }[]
  readonly badVkeys: readonly string[]
  readonly checkpointExample: {
    readonly note: string
    readonly origin: string
    readonly size: number
    readonly rootHashBase64: string
  }
}

const shared = sharedDirectory()
const skip = shared === undefined && 'the vectors are not beside the checkout'
const readVectors = (): NoteVectors => {
  assert.ok(shared)
  return JSON.parse(
    readFileSync(join(shared, 'standards', 'signed-note-tlog', 'vectors.json'), 'utf8'),
  ) as NoteVectors
}

describe('the vectors of signed notes', { skip }, () => {
  test('open, and give their verifier back as text', () => {
    for (const { id, vkey, note, text } of readVectors().valid) {
      const verifier = parseNoteKey(vkey, 'note')
      assert.ok(verifier, id)
      assert.equal(openNote(note, [verifier]), text)
      assert.equal(formatNoteKey(verifier, 'note'), vkey)
    }
  })

  test('every change of one byte of a note is refused', () => {
    for (const { vkey, note, text } of readVectors().valid) {
      const verifier = parseNoteKey(vkey, 'note')
      assert.ok(verifier)
      const bytes = Buffer.from(note)
      for (let index = 0; index < bytes.length; index += 1) {
        for (const change of [1, 0x20, 0x80, 0xff]) {
          const changed = Buffer.from(bytes)
          changed[index] = (changed[index] ?? 0) ^ change
          const opened = openNote(changed.toString('utf8'), [verifier])
          assert.equal(opened, undefined, `byte ${index} of ${JSON.stringify(text)}`)
        }
      }
      for (let end = 0; end < bytes.length; end += 1)
        assert.equal(openNote(bytes.subarray(0, end).toString('utf8'), [verifier]), undefined)
    }
  })

  test('every shortening of a verifier and the bad ones are refused', () => {
    const { valid, badVkeys } = readVectors()
    for (const bad of badVkeys) assert.equal(parseNoteKey(bad, 'note'), undefined)
    for (const { vkey } of valid)
      for (let end = 0; end < vkey.length; end += 1)
        assert.equal(parseNoteKey(vkey.slice(0, end), 'note'), undefined)
  })

  test('the example of a checkpoint is read', () => {
    const { note, origin, size, rootHashBase64 } = readVectors().checkpointExample
    const checkpoint = parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1))
    assert.equal(checkpoint?.origin, origin)
    assert.equal(checkpoint.size, size)
    assert.equal(checkpoint.root.toBase64(), rootHashBase64)
  })
})

const key = generateKeyPair('Ed25519')
const other = generateKeyPair('Ed25519')
const origin = logOrigin('galway')
const root = leafHash(new Uint8Array([1]))

describe('checkpoints', () => {
  test('are read back from what was signed', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (size, hash) => {
        const opened = openCheckpoint(signCheckpoint({ origin, size, root: hash }, key), {
          origin,
          keys: [other.publicJwk, key.publicJwk],
        })
        assert.deepEqual(opened && { ...opened, root: [...opened.root] }, { origin, size, root: [...hash] })
      }),
      { numRuns: 40 },
    )
  })

  test('are not those of another log or another key', () => {
    const note = signCheckpoint({ origin, size: 7, root }, key)
    assert.equal(openCheckpoint(note, { origin: logOrigin('zurich'), keys: [key.publicJwk] }), undefined)
    assert.equal(openCheckpoint(note, { origin, keys: [other.publicJwk] }), undefined)
    assert.equal(openCheckpoint(note, { origin, keys: [] }), undefined)
    const underOtherName = signNote(formatCheckpoint({ origin: logOrigin('zurich'), size: 7, root }), {
      name: origin,
      key,
    })
    assert.equal(openCheckpoint(underOtherName, { origin, keys: [key.publicJwk] }), undefined)
  })

  for (const [what, text] of [
    ['no root', 'log\n7\n\n'],
    ['a size with a zero in front', `log\n07\n${root.toBase64()}\n`],
    ['a negative size', `log\n-7\n${root.toBase64()}\n`],
    ['a size past 2^53', `log\n9007199254740993\n${root.toBase64()}\n`],
    ['a short root', 'log\n7\nAAAA\n'],
    ['a root without padding', `log\n7\n${root.toBase64({ omitPadding: true })}\n`],
    ['no origin', `\n7\n${root.toBase64()}\n`],
    ['no line feed at its end', `log\n7\n${root.toBase64()}`],
    ['an empty line', `log\n7\n${root.toBase64()}\n\n`],
  ] as const) {
    test(`with ${what} are refused`, () => assert.equal(parseCheckpoint(text), undefined))
  }

  test('with extension lines are read', () =>
    assert.equal(parseCheckpoint(`log\n7\n${root.toBase64()}\nextension 1\n`)?.size, 7))
})

describe('notes with several signatures', () => {
  const text = formatCheckpoint({ origin, size: 7, root })
  const signatureOf = (note: string) => note.slice(note.lastIndexOf('\n\n') + 2)
  const ours = signNote(text, { name: origin, key })
  const witness = signNote(text, { name: 'witness.example', key: other })

  test('open by any of them', () => {
    const both = ours + signatureOf(witness)
    assert.equal(openNote(both, [{ name: origin, key: key.publicJwk }]), text)
    assert.equal(openNote(both, [{ name: 'witness.example', key: other.publicJwk }]), text)
    assert.equal(openNote(both, [{ name: 'somebody.else', key: other.publicJwk }]), undefined)
  })

  test('are refused when one by a known key is bad, however good the others are', () => {
    const forged = signatureOf(signNote('log\n8\nother\n', { name: 'witness.example', key: other }))
    const verifiers = [
      { name: origin, key: key.publicJwk },
      { name: 'witness.example', key: other.publicJwk },
    ]
    assert.equal(openNote(ours + forged, verifiers), undefined)
  })

  test('are refused with very many', () => {
    assert.equal(
      openNote(ours + signatureOf(witness).repeat(200), [{ name: origin, key: key.publicJwk }]),
      undefined,
    )
  })

  test('are refused where two texts would be signed by the same bytes, and past a million characters', () => {
    const key = generateKeyPair('Ed25519')
    const verifier = { name: 'example', key: key.publicJwk }
    // Half of a surrogate pair becomes U+FFFD in UTF-8.
    const note = signNote('a \ufffd\n', { name: 'example', key })
    assert.equal(openNote(note, [verifier]), 'a \ufffd\n')
    assert.equal(openNote(note.replace('\ufffd', '\ud800'), [verifier]), undefined)
    const room = 1_000_000 - signNote('\n', { name: 'example', key }).length
    for (const [characters, isOpened] of [
      [room, true],
      [room + 1, false],
    ] as const) {
      const long = signNote(`${'x'.repeat(characters)}\n`, { name: 'example', key })
      assert.equal(openNote(long, [verifier]) !== undefined, isOpened)
    }
  })

  test('cannot be signed over what is no text of a note', () => {
    for (const wrong of ['', 'no line feed', 'tab\there\n', 'null\0\n'])
      assert.throws(() => signNote(wrong, { name: origin, key }), TypeError)
    for (const name of ['', 'with space', 'with+plus', 'with\nfeed'])
      assert.throws(() => signNote('text\n', { name, key }), TypeError)
  })
})
