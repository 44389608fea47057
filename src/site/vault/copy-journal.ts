import type { DuckDBConnection } from '@duckdb/node-api'
import { LIMITS } from '../../kernel/limits.ts'

/** A change that can be made once more, in a copy that was begun before it. */
export interface ChangeMade {
  /** Makes it, inside the caller's transaction. */
  readonly again: (writer: DuckDBConnection) => Promise<unknown>
  /** About how much memory it takes until it is made. */
  readonly sizeBytes: number
}

/**
 * What changes in the vault after the moment of which it is copied. It is bounded: past that the copy is one that cannot be brought up
 * to the changes, and another is made.
 */
export class CopyJournal {
  readonly #bytesMax: number
  #isOpen = false
  #made: ChangeMade[] = []
  #sizeBytes = 0
  #lacksChanges = false

  constructor(bytesMax: number = LIMITS.copyJournalBytes) {
    this.#bytesMax = bytesMax
  }

  /** At the moment of which the copy is: with no change under way. */
  begin(): void {
    this.#isOpen = true
    this.#empty()
    this.#lacksChanges = false
  }

  end(): void {
    this.#isOpen = false
    this.#empty()
  }

  /** Notes a change once it was made, before the next one; `undefined` where the copy cannot be brought up to it. */
  note(change: ChangeMade | undefined): void {
    if (!this.#isOpen || this.#lacksChanges) return
    if (change) {
      this.#made.push(change)
      this.#sizeBytes += ENTRY_BYTES + change.sizeBytes
    }
    if (change && this.#sizeBytes <= this.#bytesMax) return
    // Nothing of it is of use to a copy that lacks some of it.
    this.#lacksChanges = true
    this.#empty()
  }

  /** Changes to be made in the copy, in their order, each given once. */
  take(): readonly ChangeMade[] {
    const made = this.#made
    this.#empty()
    return made
  }

  /** Whether something was changed that the copy cannot be brought up to. */
  get lacksChanges(): boolean {
    return this.#lacksChanges
  }

  #empty(): void {
    this.#made = []
    this.#sizeBytes = 0
  }
}

/** What an entry takes besides its values: a closure, maps and their keys. */
const ENTRY_BYTES = 512
