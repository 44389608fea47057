import { Bitset } from '../../kernel/bitset.ts'
import { isPurposeWithin } from '../../protocol/law/purpose.ts'
import type { DataSetId } from '../../protocol/wire.ts'

/** One person's objection to a purpose (GDPR Art. 21), on one data set or on all that their issuer has here. */
export interface MirroredObjection {
  readonly sequence: number
  readonly person: number
  readonly purpose: string
  readonly dataSet?: DataSetId | undefined
}

/** Objections in force, in memory. They are few beside grants: one set of people for each purpose and data set. */
export class Objections {
  readonly #bySubject = new Map<
    string,
    { readonly purpose: string; readonly dataSet: DataSetId | undefined; readonly people: Set<number> }
  >()
  /** The sequence of each person's last objection. */
  readonly #lastOf = new Map<number, number>()

  add({ sequence, person, purpose, dataSet }: MirroredObjection): void {
    const name = `${dataSet ?? ''} ${purpose}`
    const known = this.#bySubject.get(name) ?? { purpose, dataSet, people: new Set<number>() }
    this.#bySubject.set(name, known)
    known.people.add(person)
    this.#lastOf.set(person, sequence)
  }

  remove({ person, purpose, dataSet }: MirroredObjection): void {
    this.#bySubject.get(`${dataSet ?? ''} ${purpose}`)?.people.delete(person)
  }

  /** Whoever objected to the purpose of a use or to a broader one. */
  people(dataSet: DataSetId, purpose: string): Bitset {
    const people = new Bitset()
    for (const objection of this.#bySubject.values()) {
      if (objection.dataSet !== undefined && objection.dataSet !== dataSet) continue
      if (!isPurposeWithin(purpose, objection.purpose)) continue
      for (const person of objection.people) people.add(person)
    }
    return people
  }

  /** Whoever objected to anything after a sequence: too many rather than too few. */
  since(sequence: number): Bitset {
    const people = new Bitset()
    for (const [person, last] of this.#lastOf) if (last > sequence) people.add(person)
    return people
  }
}
