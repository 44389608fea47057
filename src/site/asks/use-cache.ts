import type { Digest } from '../../kernel/digest.ts'
import type { UseRecord } from './answer-store.ts'

/** A use of somebody's data as the record has it. */
export interface KnownUse extends UseRecord {
  /** Its place in the history of all: a later use has a higher one. */
  readonly id: bigint
  readonly peopleCount: number
  readonly askDigest: Digest
  /** The receipt of the release, as it was signed. */
  readonly receiptJws: string
}

/** Memory for releases, most of it their people: 500 releases among a million people. */
const BYTES_MAX = 64 * 1024 * 1024

/** What a use takes beside its people and its receipt. */
const FACTS_BYTES = 1_000

/**
 * Uses that were read before, the least recently used going first: everybody's history is read through the same releases, and what
 * is recorded of one never changes.
 */
export class UseCache {
  readonly #entries = new Map<bigint, { readonly use: KnownUse; readonly sizeBytes: number }>()
  #sizeBytes = 0

  get(id: bigint): KnownUse | undefined {
    const entry = this.#entries.get(id)
    if (!entry) return undefined
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    return entry.use
  }

  put(use: KnownUse): KnownUse {
    const entry = { use, sizeBytes: use.people.capacity / 8 + use.receiptJws.length + FACTS_BYTES }
    this.#sizeBytes += entry.sizeBytes - (this.#entries.get(use.id)?.sizeBytes ?? 0)
    this.#entries.delete(use.id)
    this.#entries.set(use.id, entry)
    for (const [oldest, { sizeBytes }] of this.#entries) {
      if (this.#sizeBytes <= BYTES_MAX) break
      this.#entries.delete(oldest)
      this.#sizeBytes -= sizeBytes
    }
    return use
  }
}
