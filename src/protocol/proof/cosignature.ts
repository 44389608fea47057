import type { Instant } from '../../kernel/clock.ts'
import { instant } from '../../kernel/clock.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { signBytes, verifyBytes } from '../../kernel/crypto/signature.ts'
import { equalBytes } from '../../kernel/digest.ts'
import { readNote } from './checkpoint.ts'
import { KEY_HASH_BYTES, formatNoteKey, isKeyName, keyHashOf, parseNoteKey } from './note-key.ts'
import type { NoteKey } from './note-key.ts'

/**
 * Cosignatures of witnesses (C2SP tlog-cosignature, `cosignature/v1`): somebody independent of a log says that at a time
 * it saw this checkpoint, and that it follows from every one it saw before. Whoever is shown another log than the witness
 * was has no such signature.
 */

/** A witness: the name of its key, and the key. */
export type Witness = NoteKey

/** A cosignature that verifies: whose, and when it was made (whole seconds). */
export interface Cosigned {
  readonly name: string
  readonly time: Instant
}

const TYPE = 'cosignature'
const TIME_BYTES = 8
const SIGNATURE_BYTES = 64
const utf8 = new TextEncoder()

/** The signature line that a witness adds to a note. */
export function cosign(
  text: string,
  { name, key, time }: { name: string; key: KeyPair; time: Instant },
): string {
  if (!isKeyName(name)) throw new TypeError('Cannot cosign: not the name of a key')
  const seconds = Math.floor(time / 1000)
  const signature = new Uint8Array(KEY_HASH_BYTES + TIME_BYTES + SIGNATURE_BYTES)
  signature.set(keyHashOf({ name, key: key.publicJwk }, TYPE))
  new DataView(signature.buffer).setBigUint64(KEY_HASH_BYTES, BigInt(seconds))
  signature.set(signBytes(signedBytes(text, BigInt(seconds)), key), KEY_HASH_BYTES + TIME_BYTES)
  return `— ${name} ${signature.toBase64()}\n`
}

/**
 * The cosignatures of these witnesses on a note; `undefined` when one that names a known witness does not verify: then the
 * note was tampered with, however good the others are.
 */
export function cosignaturesOf(note: string, witnesses: readonly Witness[]): readonly Cosigned[] | undefined {
  const read = readNote(note)
  if (!read) return undefined
  const found: Cosigned[] = []
  for (const { name, keyHash: hash, signature } of read.signatures) {
    const witness = witnesses.find((one) => one.name === name && equalBytes(keyHashOf(one, TYPE), hash))
    if (!witness) continue
    const time = verifiedTime(read.text, { signature, key: witness.key })
    if (time === undefined) return undefined
    found.push({ name, time })
  }
  return found
}

/** Puts the line of a witness under a note; the same line again changes nothing. */
export function withCosignature(note: string, line: string): string {
  return note.includes(line) ? note : `${note}${line}`
}

/** The text form of a witness: `name+hash+key`, as other tools for such logs read it. */
export function formatWitness(witness: Witness): string {
  return formatNoteKey(witness, TYPE)
}

/** Reads the text form of a witness; `undefined` when it is none. */
export function parseWitness(text: string): Witness | undefined {
  return parseNoteKey(text, TYPE)
}

function verifiedTime(
  text: string,
  { signature, key }: { signature: Uint8Array; key: PublicJwk },
): Instant | undefined {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined
  const seconds = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)
  if (seconds > BigInt(Number.MAX_SAFE_INTEGER) / 1000n) return undefined
  const isGood = verifyBytes(signedBytes(text, seconds), signature.slice(TIME_BYTES), key)
  return isGood ? instant(Number(seconds) * 1000) : undefined
}

function signedBytes(text: string, seconds: bigint): Uint8Array {
  return utf8.encode(`cosignature/v1\ntime ${seconds}\n${text}`)
}
