import { Bitset } from '../../kernel/bitset.ts'
import type { DataSetId } from '../../protocol/wire.ts'

/**
 * People whom no run may use, whatever they granted: from the moment that their erasure is noted until their rows are
 * gone. Kept in memory, filled from the record before anything is served.
 */
export class HiddenPeople {
  #erased = new Bitset()

  /** Hides somebody who is being erased; a run that is on its way is refused by the count of changes in the record. */
  hideErased(person: number): void {
    // Another object, because whoever was given the set before keeps it.
    this.#erased = this.#erased.union(Bitset.of([person]))
  }

  /** Takes it back where the erasure could not even be noted. */
  showAgain(person: number): void {
    this.#erased = this.#erased.difference(Bitset.of([person]))
  }

  /** Whom no run over a data set may use. Not to be written to. */
  in(_dataSet: DataSetId): Bitset {
    return this.#erased
  }
}
