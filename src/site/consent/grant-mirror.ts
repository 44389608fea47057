import type { Bitset } from '../../kernel/bitset.ts'
import type { Instant } from '../../kernel/clock.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Mutex } from '../../kernel/mutex.ts'
import { PrincipalFacts } from '../principals/principal-facts.ts'
import type { HeldFacts, PrincipalChange } from '../principals/principal-facts.ts'
import type { GrantTerms } from '../../protocol/consent/grant.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { BasesInForce } from './bases-in-force.ts'
import type { BasisChange, HeldBasis } from './bases-in-force.ts'
import { Objections } from './objections.ts'
import type { MirroredObjection } from './objections.ts'
import { PeopleUnderTerms } from './people-under-terms.ts'
import type { PersonInterval } from './people-under-terms.ts'

/** Distinct terms of the record's dictionary. */
export interface KnownTerms {
  readonly id: number
  readonly terms: GrantTerms
}

/** A grant as the mirror takes it: whose, under which terms, how long. */
export interface MirroredGrant extends PersonInterval {
  readonly terms: number
}

/** What one committed change of the record did. */
export interface GrantChange {
  /** The record's sequence after it. */
  readonly sequence: number
  readonly newTerms: readonly KnownTerms[]
  readonly given: readonly MirroredGrant[]
  readonly revoked: readonly (MirroredGrant & { readonly sequence: number })[]
  readonly objected?: readonly MirroredObjection[] | undefined
  readonly objectionsWithdrawn?: readonly MirroredObjection[] | undefined
  /** How many refusals were noted; they change nothing here. */
  readonly refused?: number | undefined
  readonly bases?: readonly BasisChange[] | undefined
  /** All records of legal bases that have not been ended, in place of those that were known. */
  readonly allBases?: readonly HeldBasis[] | undefined
  readonly principals?: readonly PrincipalChange[] | undefined
  /** All that is known of people besides their data, in place of what was. */
  readonly allPrincipals?: HeldFacts | undefined
  /** How many agreements were taken back before they became a grant. */
  readonly unagreed?: number | undefined
  /** How many grants wait for another guardian to agree; they are nowhere here yet. */
  readonly awaiting?: number | undefined
}

/**
 * The grants in force, in memory: for each distinct terms the people who gave them. It follows the record by its
 * sequence number; a grant or revocation is acknowledged only once this has applied it, so whoever reads here after
 * an acknowledgement sees it. Two million grants of a million people take some forty megabytes.
 */
export class GrantMirror {
  /** Changes of grants happen one after another, so that the mirror applies them in the order of the record. */
  readonly changes = new Mutex()
  readonly #terms = new Map<number, KnownTerms>()
  readonly #termsByDigest = new Map<Digest, KnownTerms>()
  readonly #termsByDataSet = new Map<string, KnownTerms[]>()
  readonly #people = new Map<number, PeopleUnderTerms>()
  /** Sequence of the last revocation by person, 0 for none. */
  readonly #revokedAt = new Map<string, Float64Array<ArrayBuffer>>()
  readonly #objections = new Objections()
  readonly #bases = new BasesInForce()
  /** What people are judged by besides their data. */
  readonly principals = new PrincipalFacts()
  #sequence = 0

  /** Everything up to this sequence of the record has been applied. */
  get sequence(): number {
    return this.#sequence
  }

  /** The distinct terms under which anybody ever gave a grant on a data set. */
  termsOf(dataSet: DataSetId): readonly KnownTerms[] {
    return this.#termsByDataSet.get(dataSet) ?? []
  }

  /** The same by their digest. */
  termsBy(digest: Digest): KnownTerms | undefined {
    return this.#termsByDigest.get(digest)
  }

  /** Adds the people with a grant under these terms that holds at `now` to a set; gives the next moment that may change it. */
  collect(terms: number, { into, now }: { into: Bitset; now: Instant }): number {
    return this.#people.get(terms)?.collect(into, now) ?? Infinity
  }

  /**
   * People who had a grant on a data set revoked, or of whose age or residence something was told, after a sequence: a run
   * that saw that sequence may not release them.
   * It says too many rather than too few: another grant of theirs may still cover the use.
   */
  revokedSince(sequence: number, dataSet: DataSetId): Bitset {
    const people = this.#objections.since(sequence)
    people.addAll(this.principals.since(sequence))
    const last = this.#revokedAt.get(dataSet)
    if (!last || sequence >= this.#sequence) return people
    for (let person = 0; person < last.length; person += 1) {
      if ((last[person] ?? 0) > sequence) people.add(person)
    }
    return people
  }

  /** Whoever objected to a purpose, or to a broader one, on a data set. */
  objectors(dataSet: DataSetId, purpose: string): Bitset {
    return this.#objections.people(dataSet, purpose)
  }

  /** Records of legal bases on a data set that have not been ended. */
  basesOf(dataSet: DataSetId): readonly HeldBasis[] {
    return this.#bases.of(dataSet)
  }

  /** Whether a legal basis that a run on a data set may stand on has ended, or covers fewer people, since a sequence. */
  hasBasisEndedSince(sequence: number, dataSet: DataSetId): boolean {
    return this.#bases.hasShrunkSince(sequence, dataSet)
  }

  /** Applies a change that the record has committed. Each is applied once, in order. */
  apply(change: GrantChange): void {
    for (const known of change.newTerms) this.#learn(known)
    for (const grant of change.given) this.#peopleUnder(grant.terms).add(grant)
    for (const [terms, revoked] of Map.groupBy(change.revoked, (grant) => grant.terms)) {
      this.#peopleUnder(terms).remove(revoked)
      const dataSet = this.#terms.get(terms)?.terms.dataSet
      if (dataSet !== undefined)
        for (const { person, sequence } of revoked) this.#noteRevoked(dataSet, person, sequence)
    }
    for (const objection of change.objectionsWithdrawn ?? []) this.#objections.remove(objection)
    for (const objection of change.objected ?? []) this.#objections.add(objection)
    if (change.allBases) this.#bases.replace(change.allBases, change.sequence)
    for (const basis of change.bases ?? []) this.#bases.apply(basis, change.sequence)
    if (change.allPrincipals) this.principals.replace(change.allPrincipals)
    for (const known of change.principals ?? []) this.principals.apply(known, change.sequence)
    this.#sequence = change.sequence
  }

  #learn(known: KnownTerms): void {
    if (this.#terms.has(known.id)) return
    this.#terms.set(known.id, known)
    this.#termsByDigest.set(digestOfJson(known.terms), known)
    const { dataSet } = known.terms
    // In place: copied for each, a hundred thousand different terms took minutes.
    const theirs = this.#termsByDataSet.get(dataSet)
    if (theirs) theirs.push(known)
    else this.#termsByDataSet.set(dataSet, [known])
  }

  #peopleUnder(terms: number): PeopleUnderTerms {
    const known = this.#people.get(terms)
    if (known) return known
    const people = new PeopleUnderTerms()
    this.#people.set(terms, people)
    return people
  }

  #noteRevoked(dataSet: DataSetId, person: number, sequence: number): void {
    let last = this.#revokedAt.get(dataSet)
    if (!last || person >= last.length) {
      const longer = new Float64Array(Math.max(1_024, person + 1, (last?.length ?? 0) * 2))
      if (last) longer.set(last)
      last = longer
      this.#revokedAt.set(dataSet, last)
    }
    last[person] = sequence
  }
}
