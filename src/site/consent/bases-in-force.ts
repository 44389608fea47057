import { Bitset } from '../../kernel/bitset.ts'
import type { BasisFacts } from '../../protocol/law/basis-record.ts'
import type { DataSetId } from '../../protocol/wire.ts'

/** A record of a legal basis that has not been ended, with whom it covers. */
export interface HeldBasis {
  readonly id: string
  readonly facts: BasisFacts
  /** Absent: everybody in its data sets. Not to be written to. */
  readonly people?: Bitset | undefined
}

/** What a change did to records of legal bases. */
export type BasisChange =
  | { readonly what: 'recorded'; readonly basis: HeldBasis }
  | { readonly what: 'ended'; readonly basis: string }
  /** The contract under which data sets were processed (src/site/contracts): what ran under it is computed anew. */
  | { readonly what: 'contract_ended'; readonly dataSets: readonly DataSetId[] }
  | {
      readonly what: 'people'
      readonly basis: string
      readonly added: readonly number[]
      readonly removed: readonly number[]
    }

/** Records of legal bases that have not been ended, in memory. They are few; those that have expired are among them. */
export class BasesInForce {
  readonly #bases = new Map<string, HeldBasis>()
  /** By data set: the sequence at which a record last ended or covered fewer people. */
  readonly #shrunkAt = new Map<string, number>()

  of(dataSet: DataSetId): readonly HeldBasis[] {
    return [...this.#bases.values()].filter(({ facts }) => facts.dataSets.includes(dataSet))
  }

  find(id: string): HeldBasis | undefined {
    return this.#bases.get(id)
  }

  /** Whether anything that a run on a data set may have stood on has ended since a sequence: too often rather than too seldom. */
  hasShrunkSince(sequence: number, dataSet: DataSetId): boolean {
    return (this.#shrunkAt.get(dataSet) ?? -1) > sequence
  }

  apply(change: BasisChange, sequence: number): void {
    if (change.what === 'recorded') {
      this.#bases.set(change.basis.id, change.basis)
      return
    }
    if (change.what === 'contract_ended') {
      for (const dataSet of change.dataSets) this.#shrunkAt.set(dataSet, sequence)
      return
    }
    const known = this.#bases.get(change.basis)
    if (!known) return
    if (change.what === 'ended') this.#bases.delete(change.basis)
    else {
      const people = (known.people ?? new Bitset()).union(Bitset.of(change.added))
      this.#bases.set(known.id, { ...known, people: people.difference(Bitset.of(change.removed)) })
      if (change.removed.length === 0) return
    }
    this.#noteShrunk(known, sequence)
  }

  /** Takes the records as the database has them, after changes that were not seen one by one. */
  replace(bases: readonly HeldBasis[], sequence: number): void {
    for (const known of this.#bases.values()) this.#noteShrunk(known, sequence)
    this.#bases.clear()
    for (const basis of bases) this.#bases.set(basis.id, basis)
  }

  #noteShrunk({ facts }: HeldBasis, sequence: number): void {
    for (const dataSet of facts.dataSets) this.#shrunkAt.set(dataSet, sequence)
  }
}
