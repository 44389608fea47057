import type { Instant } from '../../kernel/clock.ts'
import { instant } from '../../kernel/clock.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { signBytes, verifyBytes } from '../../kernel/crypto/signature.ts'
import { equalBytes, sha256 } from '../../kernel/digest.ts'
import { isKeyName, readNote } from './checkpoint.ts'

/**
 * Cosignatures of witnesses (C2SP tlog-cosignature, `cosignature/v1`): somebody independent of a log says that at a time
 * it saw this checkpoint, and that it follows from every one it saw before. Whoever is shown another log than the witness
 * was has no such signature.
 */

/** A witness: the name of its key, and the key. */
export interface Witness {
  readonly name: string
  readonly key: PublicJwk
}

/** A cosignature that verifies: whose, and when it was made (whole seconds). */
export interface Cosigned {
  readonly name: string
  readonly time: Instant
}

const COSIGNATURE_V1 = 0x04
const KEY_HASH_BYTES = 4
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
  signature.set(keyHash({ name, key: key.publicJwk }))
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
    const witness = witnesses.find((one) => one.name === name && equalBytes(keyHash(one), hash))
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
  return `${witness.name}+${keyHash(witness).toHex()}+${typedKey(witness.key).toBase64()}`
}

/** Reads the text form of a witness; `undefined` when it is none. */
export function parseWitness(text: string): Witness | undefined {
  const [name = '', hash = '', ...rest] = text.split('+')
  // Base64 may hold a plus itself.
  const bytes = decode(rest.join('+'))
  if (!isKeyName(name) || bytes?.length !== 33 || bytes[0] !== COSIGNATURE_V1) return undefined
  const x = bytes.slice(1).toBase64({ alphabet: 'base64url', omitPadding: true })
  const witness: Witness = { name, key: { kty: 'OKP', crv: 'Ed25519', x } }
  return keyHash(witness).toHex() === hash ? witness : undefined
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

/** First 4 bytes of SHA-256(name || 0x0A || 0x04 || key). */
function keyHash({ name, key }: Witness): Uint8Array {
  const head = utf8.encode(`${name}\n`)
  const typed = typedKey(key)
  const input = new Uint8Array(head.length + typed.length)
  input.set(head)
  input.set(typed, head.length)
  return new Uint8Array(sha256(input)).slice(0, KEY_HASH_BYTES)
}

function typedKey({ x }: PublicJwk): Uint8Array {
  const bytes = new Uint8Array(33)
  bytes[0] = COSIGNATURE_V1
  bytes.set(Uint8Array.fromBase64(x, { alphabet: 'base64url' }), 1)
  return bytes
}

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' })
  } catch {
    return undefined
  }
}
