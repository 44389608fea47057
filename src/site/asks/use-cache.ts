import { Bitset } from '../../kernel/bitset.ts'

/** The people of a release, with their number counted once. */
export interface UsePeople {
  readonly people: Bitset
  readonly count: number
}

/** Memory for people of releases: those of 500 releases among a million people. */
const BYTES_MAX = 64 * 1024 * 1024

/**
 * People of releases that were unpacked before, the least recently used going first: everybody's history is read
 * through the same releases, and what a release used never changes.
 */
export class UseCache {
  readonly #entries = new Map<bigint, UsePeople & { readonly sizeBytes: number }>()
  #sizeBytes = 0

  get(id: bigint): UsePeople | undefined {
    const entry = this.#entries.get(id)
    if (!entry) return undefined
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    return entry
  }

  put(id: bigint, bytes: Uint8Array): UsePeople {
    const people = Bitset.fromBytes(bytes)
    const entry = { people, count: people.count(), sizeBytes: bytes.byteLength + 100 }
    this.#entries.set(id, entry)
    this.#sizeBytes += entry.sizeBytes
    for (const [oldest, { sizeBytes }] of this.#entries) {
      if (this.#sizeBytes <= BYTES_MAX) break
      this.#entries.delete(oldest)
      this.#sizeBytes -= sizeBytes
    }
    return entry
  }
}
