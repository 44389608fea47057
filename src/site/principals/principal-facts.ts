import { formatDate, instant, parseInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { Bitset } from '../../kernel/bitset.ts'
import { AGE_EVIDENCE, isAtLeast } from '../../protocol/law/age-evidence.ts'
import type { AgeEvidenceKind, Assurance } from '../../protocol/law/age-evidence.ts'
import type { Principals } from '../vault/vault.ts'
import { UNKNOWN_BIRTH_DAY } from '../vault/vault.ts'
import { weighBirthDay } from './weigh-age.ts'
import { weighResidence } from './weigh-residence.ts'
import type { Move } from './weigh-residence.ts'

/** Evidence of one person's age, as far as it counts. */
export interface HeldEvidence {
  readonly sequence: number
  readonly evidence: string
  readonly person: number
  readonly kind: AgeEvidenceKind
  readonly atLeast?: number | undefined
  readonly below?: number | undefined
  readonly givenAt: Instant
  readonly expires: Instant
}

/** A move of one person. */
export interface HeldMove extends Move {
  readonly sequence: number
  readonly person: number
}

/** What changed of what is known of people. */
export type PrincipalChange =
  | { readonly what: 'evidence'; readonly evidence: HeldEvidence }
  | { readonly what: 'evidence ended'; readonly person: number; readonly evidence: string }
  | { readonly what: 'move'; readonly move: HeldMove }
  | { readonly what: 'forgotten'; readonly person: number }

/** All that the record has of it. */
export interface HeldFacts {
  readonly evidence: readonly HeldEvidence[]
  readonly moves: readonly HeldMove[]
  /** The sequence of each person's last change. */
  readonly changedAt: ReadonlyMap<number, number>
}

/**
 * What is known of people for the rules of age besides their data: few people, laid over what the vault knows of everybody.
 * It is part of the mirror, so that a run that has begun before a change of it is computed again.
 */
export class PrincipalFacts {
  #evidence = new Map<number, HeldEvidence[]>()
  #moves = new Map<number, HeldMove[]>()
  /** The sequence of each person's last change. */
  #changedAt = new Map<number, number>()
  #version = 0
  /** What was laid over last, and the moments between which that stays so. */
  #known:
    | {
        readonly over: Principals
        readonly least: Assurance
        readonly version: number
        readonly since: number
        readonly before: number
        readonly result: Principals
      }
    | undefined

  apply(change: PrincipalChange, sequence: number): void {
    this.#version += 1
    switch (change.what) {
      case 'evidence': {
        const { evidence } = change
        push(this.#evidence, evidence.person, evidence)
        this.#changedAt.set(evidence.person, sequence)
        return
      }
      case 'evidence ended': {
        const left = this.#evidence.get(change.person)?.filter(({ evidence }) => evidence !== change.evidence)
        if (left) this.#evidence.set(change.person, left)
        this.#changedAt.set(change.person, sequence)
        return
      }
      case 'move':
        push(this.#moves, change.move.person, change.move)
        this.#changedAt.set(change.move.person, sequence)
        return
      case 'forgotten':
        this.#evidence.delete(change.person)
        this.#moves.delete(change.person)
        this.#changedAt.delete(change.person)
    }
  }

  /** Takes up all that the record has. */
  replace({ evidence, moves, changedAt }: HeldFacts): void {
    this.#version += 1
    this.#evidence = Map.groupBy(evidence, ({ person }) => person)
    this.#moves = Map.groupBy(moves, ({ person }) => person)
    this.#changedAt = new Map(changedAt)
  }

  /** Of whom something was told after a sequence: too many rather than too few. */
  since(sequence: number): Bitset {
    const people = new Bitset()
    for (const [person, last] of this.#changedAt) if (last > sequence) people.add(person)
    return people
  }

  /** Principals as they are judged at a moment; the very same object as long as that stays so. */
  over(principals: Principals, { now, least }: { now: Instant; least: Assurance }): Principals {
    if (this.#evidence.size === 0 && this.#moves.size === 0) return principals
    const known = this.#known
    const isSame = known?.over === principals && known.version === this.#version && known.least === least
    if (known && isSame && known.since <= now && now < known.before) return known.result
    const countries = new Map(principals.countries.map((country, code) => [country, code]))
    const result = {
      birthDay: this.#judgedBirthDays(principals, { now, least }),
      residence: this.#judgedResidences(principals, { now, countries }),
    }
    const version = this.#version
    this.#known = {
      over: principals,
      least,
      version,
      since: now,
      before: this.#nextChange(now),
      result: { ...result, countries: [...countries.keys()] },
    }
    return this.#known.result
  }

  #judgedBirthDays({ birthDay }: Principals, { now, least }: { now: Instant; least: Assurance }): Int32Array {
    const judged = birthDay.slice()
    for (const [person, all] of this.#evidence) {
      const claims = all
        .filter(({ givenAt, expires }) => givenAt <= now && now < expires)
        .map(({ kind, atLeast, below, givenAt }) => ({
          atLeast,
          below,
          givenOn: formatDate(givenAt),
          isTrusted: isAtLeast(AGE_EVIDENCE[kind].assurance, least),
        }))
      if (person < judged.length)
        judged[person] = weighBirthDay(birthDay[person] ?? UNKNOWN_BIRTH_DAY, claims)
    }
    return judged
  }

  #judgedResidences(
    { residence, countries: names }: Principals,
    { now, countries }: { now: Instant; countries: Map<string, number> },
  ): Uint16Array {
    const judged = residence.slice()
    for (const [person, moves] of this.#moves) {
      if (person >= judged.length) continue
      const data = names[residence[person] ?? 0] ?? ''
      const name = weighResidence(data, moves, formatDate(now)).join(' ')
      const code = countries.get(name) ?? countries.size
      countries.set(name, code)
      judged[person] = code
    }
    return judged
  }

  /** The next moment at which evidence runs out or a move begins to count. */
  #nextChange(now: Instant): number {
    let before = Infinity
    for (const { expires } of [...this.#evidence.values()].flat())
      if (expires > now) before = Math.min(before, expires)
    for (const { fromDay } of [...this.#moves.values()].flat()) {
      const begins = parseInstant(`${fromDay}T00:00:00Z`) ?? instant(0)
      if (begins > now) before = Math.min(before, begins)
    }
    return before
  }
}

function push<T>(lists: Map<number, T[]>, person: number, one: T): void {
  const list = lists.get(person)
  if (list) list.push(one)
  else lists.set(person, [one])
}
