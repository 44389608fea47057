import type { Bitset } from '../../kernel/bitset.ts'
import type { Instant } from '../../kernel/clock.ts'
import { neededRecords } from '../../protocol/law/basis-needs.ts'
import type { BasisUseShape, NeededRecord } from '../../protocol/law/basis-needs.ts'
import type { BasisFacts } from '../../protocol/law/basis-record.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { Mode } from '../../protocol/mode.ts'
import { isPurposeWithin } from '../../protocol/law/purpose.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { HeldBasis } from './bases-in-force.ts'

/** A use, as far as a record of a legal basis has a say in it. */
export interface BasisUse {
  readonly dataSet: DataSetId
  readonly acquirer: string
  readonly purpose: string
  readonly mode: Mode
  readonly now: Instant
  /** Whether the assessment of an interest carries a use of a data set for a purpose today. */
  readonly isAssessed: AssessedInterest
}

export type AssessedInterest = (
  assessment: string,
  use: { readonly dataSet: DataSetId; readonly purpose: string; readonly now: Instant },
) => boolean

/** Whom the records cover that a use has to rest on. */
export interface BasisCover {
  /** Absent: everybody in the data set. */
  readonly people?: Bitset | undefined
  /** The records it rests on, by id. */
  readonly bases: readonly string[]
}

/**
 * Who may be used on the legal basis of a data set as far as records go: those whom, for each that is needed, one in force
 * covers. `undefined` when one is missing, has ended, or does not name this use: then nobody. Pure.
 */
export function decideBasis(
  bases: readonly HeldBasis[],
  use: BasisUse,
  { manifest, shape }: { manifest: Manifest; shape: BasisUseShape },
): BasisCover | undefined {
  const needs = neededRecords(manifest, shape)
  if (needs === 'impossible') return undefined
  let people: Bitset | undefined
  const found = new Set<string>()
  for (const need of needs) {
    const carrying = bases.filter(({ facts }) => carriesUse(facts, use, need))
    if (carrying.length === 0) return undefined
    for (const { id } of carrying) found.add(id)
    const covered = unitedPeople(carrying)
    if (covered) people = people?.intersection(covered) ?? covered
  }
  return { people, bases: [...found].toSorted() }
}

/** Whether a record carries a use of some columns now. */
function carriesUse(facts: BasisFacts, use: BasisUse, { kind, columns }: NeededRecord): boolean {
  const { dataSet, acquirer, purpose, mode, now } = use
  if (facts.kind !== kind || !facts.dataSets.includes(dataSet) || !isInTime(facts, now)) return false
  if (!facts.purposes.some((allowed) => isPurposeWithin(purpose, allowed))) return false
  if (facts.acquirers && !facts.acquirers.some((named) => named === acquirer)) return false
  if (facts.modes && !facts.modes.includes(mode)) return false
  if (!columns.every((column) => facts.columns?.includes(column) ?? true)) return false
  return facts.kind !== 'legitimate_interest' || use.isAssessed(facts.assessment, { dataSet, purpose, now })
}

/** Whether a record's time has come and is not over. */
export function isInTime({ validFrom, validUntil }: BasisFacts, now: Instant): boolean {
  return (validFrom ?? now) <= now && now < validUntil
}

/** Everybody whom one of the records covers; `undefined` for everybody there is. */
function unitedPeople(carrying: readonly HeldBasis[]): Bitset | undefined {
  let united: Bitset | undefined
  for (const { people } of carrying) {
    if (!people) return undefined
    united = united?.union(people) ?? people
  }
  return united
}
