import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { signBytes, verifyBytes } from '../../kernel/crypto/signature.ts'
import { equalBytes } from '../../kernel/digest.ts'
import { KEY_HASH_BYTES, decodeBase64, isKeyName, keyHashOf } from './note-key.ts'
import type { NoteKey } from './note-key.ts'

/**
 * Signed notes (C2SP signed-note) and the checkpoints of logs that are written in them (C2SP tlog-checkpoint): which
 * log, how many leaves, which root, in text that a person can read.
 */

/** What a log states: at `size` leaves its root is `root`. */
export interface Checkpoint {
  /** The log's name, the same for ever. */
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

const SIGNATURES_MAX = 100
const SEPARATOR = '\n\n'
const utf8 = new TextEncoder()

/** The name under which a site's or network's log goes. */
export function logOrigin(name: string): string {
  return `hedgerow/${name}`
}

/** The text of a checkpoint, before it is signed. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toBase64()}\n`
}

/** Reads the text of a checkpoint; lines that extensions add are allowed and ignored. `undefined` when it is none. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin = '', sizeText = '', rootText = '', ...rest] = text.split('\n')
  if (rest.at(-1) !== '' || rest.slice(0, -1).includes('')) return undefined
  const root = decodeBase64(rootText)
  const size = Number(sizeText)
  if (!origin || !/^(0|[1-9]\d*)$/.test(sizeText) || !Number.isSafeInteger(size) || root?.length !== 32)
    return undefined
  return { origin, size, root }
}

/** Signs a text as a note. The text ends with a line feed and holds no other control characters. */
export function signNote(text: string, { name, key }: { name: string; key: KeyPair }): string {
  if (!isNoteText(text) || !isKeyName(name))
    throw new TypeError('Cannot sign: not the text of a note, or not the name of a key')
  const signature = new Uint8Array(KEY_HASH_BYTES + 64)
  signature.set(keyHashOf({ name, key: key.publicJwk }, 'note'))
  signature.set(signBytes(utf8.encode(text), key), KEY_HASH_BYTES)
  return `${text}\n— ${name} ${signature.toBase64()}\n`
}

/** The text of a note that at least one of these verifiers signed; `undefined` when none did or it is no note. */
export function openNote(note: string, verifiers: readonly NoteKey[]): string | undefined {
  const read = readNote(note)
  if (!read) return undefined
  const { text, signatures } = read
  const bytes = utf8.encode(text)
  let isSigned = false
  for (const found of signatures) {
    const verifier = verifiers.find(
      (one) => one.name === found.name && equalBytes(keyHashOf(one, 'note'), found.keyHash),
    )
    if (!verifier) continue
    // A bad signature by a key that we know makes the whole note bad, however good the others are.
    if (!verifyBytes(bytes, found.signature, verifier.key)) return undefined
    isSigned = true
  }
  return isSigned ? text : undefined
}

/** A note taken apart, nothing verified. */
export interface ReadNote {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Takes a note apart; `undefined` when it is none. */
export function readNote(note: string): ReadNote | undefined {
  const end = note.lastIndexOf(SEPARATOR)
  if (end < 0 || !note.endsWith('\n') || note.length > 1_000_000) return undefined
  const text = note.slice(0, end + 1)
  const lines = note.slice(end + SEPARATOR.length, -1).split('\n')
  if (!isNoteText(text) || !note.isWellFormed() || lines.length > SIGNATURES_MAX) return undefined
  const signatures = lines.flatMap((line) => parseSignature(line) ?? [])
  return signatures.length === lines.length ? { text, signatures } : undefined
}

/** Signs a checkpoint with the log's key, under the log's name. */
export function signCheckpoint(checkpoint: Checkpoint, key: KeyPair): string {
  return signNote(formatCheckpoint(checkpoint), { name: checkpoint.origin, key })
}

/** The checkpoint of a note that one of the keys signed for the log `origin`; `undefined` when it is not that. */
export function openCheckpoint(
  note: string,
  { origin, keys }: { origin: string; keys: readonly PublicJwk[] },
): Checkpoint | undefined {
  const text = openNote(
    note,
    keys.map((key) => ({ name: origin, key })),
  )
  const checkpoint = text === undefined ? undefined : parseCheckpoint(text)
  return checkpoint?.origin === origin ? checkpoint : undefined
}

/** One signature under a note: whose it says it is, and which key. */
export interface NoteSignature {
  readonly name: string
  readonly keyHash: Uint8Array
  readonly signature: Uint8Array
}

function parseSignature(line: string): NoteSignature | undefined {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ')
  const bytes = decodeBase64(encoded)
  if (dash !== '—' || !isKeyName(name) || rest.length > 0 || !bytes || bytes.length <= KEY_HASH_BYTES)
    return undefined
  return { name, keyHash: bytes.slice(0, KEY_HASH_BYTES), signature: bytes.slice(KEY_HASH_BYTES) }
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && !/[\p{Cc}]/u.test(text.replaceAll('\n', ''))
}
