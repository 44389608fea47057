import { readNote, parseCheckpoint } from '../../protocol/proof/checkpoint.ts'
import type { Checkpoint } from '../../protocol/proof/checkpoint.ts'

/** A checkpoint as it was shown to the witness, nothing verified. */
export interface ShownCheckpoint {
  /** The size from which the proof leads to it. */
  readonly old: number
  readonly proof: readonly Uint8Array[]
  readonly note: string
  readonly text: string
  readonly checkpoint: Checkpoint
}

/** A proof in a tree of 2^63 leaves. */
const PROOF_HASHES_MAX = 63

/** Reads what is sent to `add-checkpoint` (C2SP tlog-witness); `undefined` when it is not of that form. */
export function readShownCheckpoint(body: string): ShownCheckpoint | undefined {
  const gap = body.indexOf('\n\n')
  if (gap < 0) return undefined
  const [first = '', ...lines] = body.slice(0, gap).split('\n')
  const [, oldText] = /^old (0|[1-9]\d{0,15})$/.exec(first) ?? []
  const proof = lines.map(decodeHash)
  const note = body.slice(gap + 2)
  const read = readNote(note)
  const checkpoint = read && parseCheckpoint(read.text)
  if (oldText === undefined || !read || !checkpoint || proof.length > PROOF_HASHES_MAX) return undefined
  const hashes = proof.flatMap((hash) => hash ?? [])
  if (hashes.length !== proof.length || !Number.isSafeInteger(Number(oldText))) return undefined
  return { old: Number(oldText), proof: hashes, note, text: read.text, checkpoint }
}

function decodeHash(text: string): Uint8Array | undefined {
  try {
    const hash = Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' })
    return hash.length === 32 ? hash : undefined
  } catch {
    return undefined
  }
}
