import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { sha256 } from '../../kernel/digest.ts'

/** By whom and with which Ed25519 key notes are signed (C2SP signed-note). */
export interface NoteKey {
  readonly name: string
  readonly key: PublicJwk
}

/** The byte before a key says what is signed with it: notes, or cosignatures (C2SP tlog-cosignature). */
const TYPES = { note: 0x01, cosignature: 0x04 } as const

/** What a key signs. */
export type NoteKeyType = keyof typeof TYPES

export const KEY_HASH_BYTES = 4
const utf8 = new TextEncoder()

/** First 4 bytes of SHA-256(name || 0x0A || type || key): tells which key to try, no more. */
export function keyHashOf({ name, key }: NoteKey, type: NoteKeyType): Uint8Array {
  const input = Buffer.concat([utf8.encode(`${name}\n`), typedKey(key, type)])
  return new Uint8Array(sha256(input)).slice(0, KEY_HASH_BYTES)
}

/** The text form of a key: `name+hash+key`, as other tools for such logs read it. */
export function formatNoteKey(key: NoteKey, type: NoteKeyType): string {
  return `${key.name}+${keyHashOf(key, type).toHex()}+${typedKey(key.key, type).toBase64()}`
}

/** Reads the text form of a key; `undefined` when it is none of this type. */
export function parseNoteKey(text: string, type: NoteKeyType): NoteKey | undefined {
  const [name = '', hash = '', ...rest] = text.split('+')
  // Base64 may hold a plus itself.
  const bytes = decodeBase64(rest.join('+'))
  if (!isKeyName(name) || bytes?.length !== 33 || bytes[0] !== TYPES[type]) return undefined
  const x = bytes.slice(1).toBase64({ alphabet: 'base64url', omitPadding: true })
  const key: NoteKey = { name, key: { kty: 'OKP', crv: 'Ed25519', x } }
  return keyHashOf(key, type).toHex() === hash ? key : undefined
}

/** Whether a text may name a key: not empty, no white space, no plus. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && !/[\s+\p{Cc}]/u.test(name)
}

/** Exactly one text for the same bytes: padded, no white space, no stray bits. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' })
  } catch {
    return undefined
  }
}

function typedKey({ x }: PublicJwk, type: NoteKeyType): Uint8Array {
  const bytes = new Uint8Array(33)
  bytes[0] = TYPES[type]
  bytes.set(Uint8Array.fromBase64(x, { alphabet: 'base64url' }), 1)
  return bytes
}
