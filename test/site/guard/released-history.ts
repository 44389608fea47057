import { Bitset } from '../../../src/kernel/bitset.ts'
import type { CollectedGroup, CollectedMeasure } from '../../../src/site/guard/collected-group.ts'
import { guardAnswer } from '../../../src/site/guard/guard-answer.ts'
import type { AnswerContext, GuardedAnswer } from '../../../src/site/guard/guard-answer.ts'
import { contextWithout, withoutPeople } from '../../../src/site/guard/leave-out.ts'
import { chooseNarrowed, planNarrowing } from '../../../src/site/guard/narrow-answer.ts'
import type { Narrowed } from '../../../src/site/guard/narrow-answer.ts'
import { EMPTY_PARTITION } from '../../../src/site/guard/partition.ts'
import type { Partition } from '../../../src/site/guard/partition.ts'
import type { UsedColumn } from '../../../src/site/guard/known-columns.ts'
import { checkKnown, partitionAfter } from '../../../src/site/guard/differencing.ts'
import { applyChange } from '../../../src/site/guard/partition-delta.ts'
import { RefusedCuts } from '../../../src/site/guard/row-cuts.ts'
import type { Outcome, ReasonCode } from '../../../src/protocol/reason.ts'

/** A group over people who each give one row of value 1, with one measure over `contributing`. */
export function groupOf(key: string, people: Bitset, contributing: Bitset = people): CollectedGroup {
  return { keys: [key], people, measures: [sumOver(contributing)] }
}

/** A sum to which each of the people gives 1. */
export function sumOver(people: Bitset, facts: Partial<CollectedMeasure> = {}): CollectedMeasure {
  const count = people.count()
  return {
    kind: 'sum',
    count,
    sum: count,
    sumOfSquares: count,
    people,
    largestShare: 0,
    absoluteSum: count,
    ...facts,
  }
}

/** The guard as a site uses it, over people who each give 1: about everybody, else about those it can do with. */
export function guardOrNarrow(
  groups: readonly CollectedGroup[],
  context: AnswerContext,
): Outcome<GuardedAnswer> {
  return guardWithFewer(groups, context).answer
}

/** The same, and who was left out. */
export function guardWithFewer(
  groups: readonly CollectedGroup[],
  context: AnswerContext,
): { readonly answer: Outcome<GuardedAnswer>; readonly left: Bitset } {
  const refused = new RefusedCuts()
  const given = {
    groups,
    context: { ...context, refused },
    whole: guardAnswer(groups, { ...context, refused }),
  }
  const tried: Narrowed[] = []
  let leaving = planNarrowing(given)
  while (leaving) {
    const rest = restOf(groups, leaving.people)
    tried.push({ leaving, narrowed: guardAnswer(rest, contextWithout(context, leaving)) })
    leaving = planNarrowing(given, tried)
  }
  const answer = chooseNarrowed(given, tried)
  // Nothing is tried after one that is of use.
  const used = answer.ok && answer.value.isNarrowed ? tried.at(-1) : undefined
  return { answer, left: used?.leaving.people ?? new Bitset() }
}

function restOf(groups: readonly CollectedGroup[], without: Bitset): readonly CollectedGroup[] {
  return groups
    .map((group) => withoutPeople(group, without))
    .filter(({ people }) => !people.isEmpty)
    .map((group) => ({
      ...group,
      measures: group.measures.map((measure) => {
        const count = (measure.counted ?? measure.people).count()
        return { ...measure, count, sum: measure.people.count(), absoluteSum: count }
      }),
    }))
}

/** The people from one number up to, and without, another. */
export function range(from: number, to: number): Bitset {
  const set = new Bitset()
  for (let person = from; person < to; person += 1) set.add(person)
  return set
}

export interface HistoryAsk {
  readonly eligible: Bitset
  readonly groups: readonly CollectedGroup[]
  readonly rowShapes?: ReadonlyMap<string, string>
  /** Names what is used; it may be anything where it is absent. */
  readonly use?: string
  /** Larger than that of the other asks, as of columns of a special category. */
  readonly minimumGroup?: number
}

/**
 * An acquirer who keeps every answer: `vectors` holds, for each released sum, the secrets it adds up. A person has one
 * secret for each version of their rows (`unit`), as after a correction it is another number.
 */
export class History {
  readonly vectors: (readonly number[])[] = []
  /** Those of them that are of answers with a larger minimum group. */
  readonly strictVectors: (readonly number[])[] = []
  readonly #minimumGroup: number
  readonly #guard: typeof guardAnswer
  readonly #units: number[]
  readonly #personOfUnit: number[]
  partition: Partition = EMPTY_PARTITION

  constructor(facts: {
    readonly personCount: number
    readonly minimumGroup: number
    readonly beside?: History
    /** Whether people may be left out so that the others can be answered for. */
    readonly narrows?: boolean
  }) {
    this.#minimumGroup = facts.minimumGroup
    this.#guard = facts.narrows ? guardOrNarrow : guardAnswer
    this.#units = facts.beside
      ? facts.beside.#units
      : Array.from({ length: facts.personCount }, (_, person) => person)
    this.#personOfUnit = facts.beside ? facts.beside.#personOfUnit : [...this.#units]
  }

  get unitCount(): number {
    return this.#personOfUnit.length
  }

  personOf(unit: number): number {
    return this.#personOfUnit[unit] ?? -1
  }

  /** Asks, keeps what came, and gives the reason. */
  ask({ eligible, groups, rowShapes = new Map(), use, minimumGroup = this.#minimumGroup }: HistoryAsk): {
    reason: ReasonCode
    note?: string
    rows: number
    answer?: GuardedAnswer
  } {
    const settings = { minimumGroup, dominanceBp: 1_000, groupsMax: 10_000 }
    const answer = this.#guard(groups, {
      settings,
      partitions: [{ dataSet: 'secrets', partition: this.partition, eligible, use }],
      rowShapes,
    })
    if (!answer.ok) {
      const { code, operatorNote } = answer.error
      return operatorNote === undefined
        ? { reason: code, rows: 0 }
        : { reason: code, note: operatorNote, rows: 0 }
    }
    for (const { plan } of answer.value.plans) this.partition = partitionAfter(plan)
    const { released, remainder } = answer.value
    for (const row of remainder ? [...released, remainder] : released) {
      for (const set of [
        row.people,
        ...row.measures.flatMap(({ people, counted }) => (counted ? [people, counted] : [people])),
      ]) {
        const vector = [...set].map((person) => this.#units[person] ?? -1)
        this.vectors.push(vector)
        if (minimumGroup > this.#minimumGroup) this.strictVectors.push(vector)
      }
    }
    const rows = answer.value.released.length
    return this.#guard === guardAnswer
      ? { reason: 'approved', rows }
      : {
          reason: answer.value.isNarrowed ? 'partial.differencing' : 'approved',
          rows,
          answer: answer.value,
        }
  }

  /** Rows of these people leave in the clear, if the guard lets them: of the summed column unless told otherwise. */
  releaseRows(people: Bitset, columns: readonly UsedColumn[] = [shown(SUMMED)]): boolean {
    const checked = checkKnown(this.partition, { people, columns, minimumGroup: this.#minimumGroup })
    if (!checked.ok) return false
    this.partition = partitionAfter(checked.value)
    if (columns.some(({ name, isShown }) => name === SUMMED && isShown))
      for (const person of people) this.vectors.push([this.#units[person] ?? -1])
    return true
  }

  /** Rows of these people change, as every acquirer of the same people is to note. */
  change(people: Bitset, beside: readonly History[] = []): void {
    for (const history of [this, ...beside]) history.partition = applyChange(history.partition, people)
    for (const person of people) {
      this.#units[person] = this.#personOfUnit.length
      this.#personOfUnit.push(person)
    }
  }
}

/** The column that everybody's sums are of. */
export const SUMMED = 'x'

/** A column that rows show as it is. */
export function shown(name: string): UsedColumn {
  return { name, isShown: true }
}
