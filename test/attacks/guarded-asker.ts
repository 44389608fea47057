import { Bitset } from '../../src/kernel/bitset.ts'
import { Fault } from '../../src/kernel/faults.ts'
import type { Decline } from '../../src/protocol/reason.ts'
import type { ReleaseValue } from '../../src/protocol/release.ts'
import { rowShapesOf } from '../../src/site/asks/row-shapes.ts'
import { usedColumns } from '../../src/site/asks/used-columns.ts'
import { checkAlike, NO_PARTS } from '../../src/site/guard/alike.ts'
import { coverageOf } from '../../src/site/guard/coverage.ts'
import { admitNewcomers, checkKnown, partitionAfter } from '../../src/site/guard/differencing.ts'
import type { CollectedGroup } from '../../src/site/guard/collected-group.ts'
import { guardAnswer, releasedSets } from '../../src/site/guard/guard-answer.ts'
import type { AnswerContext } from '../../src/site/guard/guard-answer.ts'
import { contextWithout } from '../../src/site/guard/leave-out.ts'
import { chooseNarrowed, planNarrowing } from '../../src/site/guard/narrow-answer.ts'
import type { Narrowed } from '../../src/site/guard/narrow-answer.ts'
import { nameOfParts } from '../../src/site/guard/partition-names.ts'
import { EMPTY_PARTITION } from '../../src/site/guard/partition.ts'
import type { Partition } from '../../src/site/guard/partition.ts'
import { collectParts } from '../../src/site/query/alike/collect-parts.ts'
import type { CheckedQuery } from '../../src/site/query/bound/bound-query.ts'
import { checkQuestion } from '../../src/site/query/check-question.ts'
import { finishGroups } from '../../src/site/query/run/finish-groups.ts'
import { planAggregate } from '../../src/site/query/plan/plan-aggregate.ts'
import { planRows } from '../../src/site/query/plan/plan-rows.ts'
import type { PlanRelation } from '../../src/site/query/plan/plan-context.ts'
import { collectGroups } from '../../src/site/query/run/run-aggregate.ts'
import { runRows } from '../../src/site/query/run/run-rows.ts'
import { RowSpace } from '../site/guard/row-space.ts'
import { duckdbAlone } from '../site/query/two-engines.ts'
import type { TestEngine } from '../site/query/two-engines.ts'
import { GRANTED, PEOPLE, athletes, dataSetsOf, sessions } from './worlds.ts'
import type { World } from './worlds.ts'

/** The minimum group of every question of the attacks. */
export const K = 10

const manifests = new Map([athletes, sessions].map((manifest) => [String(manifest.dataSet), manifest]))

/** Whether a question gets past the gate, which sees no data. */
export function isTakenByTheGate(sql: string, mode: 'aggregate' | 'rows'): boolean {
  return checkQuestion(sql, { mode, dataSets: manifests }).ok
}

/** All that an asker is told, and what the site's operator reads beside it. */
export interface Told {
  readonly reason: string
  readonly decline?: Decline
  readonly columns: readonly string[]
  readonly rows: readonly (readonly ReleaseValue[])[]
  readonly remainder?: readonly ReleaseValue[] | undefined
  readonly peopleStep: number
}

/** A site's gate, engine and guard over one world; what stands around them has tests at the door. */
export class GuardedSite implements Disposable {
  readonly engine: TestEngine
  readonly world: World
  readonly #stop: () => void
  readonly #relations = new Map<string, Promise<ReadonlyMap<string, PlanRelation>>>()

  private constructor(world: World, { engine, stop }: { engine: TestEngine; stop: () => void }) {
    this.world = world
    this.engine = engine
    this.#stop = stop
  }

  static async open(world: World): Promise<GuardedSite> {
    const duckdb = await duckdbAlone({ threads: '1' })
    return new GuardedSite(world, { engine: duckdb.engine, stop: () => duckdb[Symbol.dispose]() })
  }

  asker(eligible: readonly number[] = GRANTED): GuardedAsker {
    return new GuardedAsker(this, eligible)
  }

  /** An asker of whom it is not asked that people are alike in what was asked: what an attack on that would come to. */
  unlikeAsker(eligible: readonly number[] = GRANTED): GuardedAsker {
    return new GuardedAsker(this, eligible, { isOfCellsAlone: true })
  }

  /** The tables, with exactly these people eligible. */
  relations(eligible: readonly number[]): Promise<ReadonlyMap<string, PlanRelation>> {
    const name = eligible.join()
    const made = this.#relations.get(name) ?? this.engine.relations(dataSetsOf(this.world), eligible)
    this.#relations.set(name, made)
    return made
  }

  [Symbol.dispose](): void {
    this.#stop()
  }
}

/** One acquirer with its history at a site. */
export class GuardedAsker {
  readonly #site: GuardedSite
  #eligible: readonly number[]
  #partitions = new Map<string, Partition>()
  /** Whether it is not asked that people are alike. */
  readonly isOfCellsAlone: boolean
  /** Members of each set that something was released about. */
  readonly sets: (readonly number[])[] = []

  constructor(site: GuardedSite, eligible: readonly number[], { isOfCellsAlone = false } = {}) {
    this.#site = site
    this.#eligible = eligible
    this.isOfCellsAlone = isOfCellsAlone
  }

  /** Only these people allow it from now on. */
  restrictTo(eligible: readonly number[]): void {
    this.#eligible = eligible
  }

  /** Sets of people that no combination of all answers can tell apart; the smallest is what an attacker has reached. */
  smallestClass(): number {
    const classes = new RowSpace(this.sets, PEOPLE).classes()
    return Math.min(Number.POSITIVE_INFINITY, ...classes.map((members) => members.length))
  }

  async ask(sql: string, mode: 'aggregate' | 'rows' = 'aggregate'): Promise<Told> {
    const checked = checkQuestion(sql, { mode, dataSets: manifests })
    if (!checked.ok) return declinedWith(checked.error)
    try {
      return mode === 'rows' ? await this.#askRows(checked.value) : await this.#askGroups(checked.value)
    } catch (error) {
      // An engine that fails is no answer at all: whoever compares worlds must see it.
      if (error instanceof Fault) return { ...NOTHING, reason: `${error.code}: ${error.message}` }
      throw error
    }
  }

  async #askGroups(checked: CheckedQuery): Promise<Told> {
    const eligible = admitNewcomers(this.#partition(checked), Bitset.of(this.#eligible), K)
    const { plan, groups, context } = await this.#collect(checked, eligible)
    if (!groups.ok) return declinedWith(groups.error)
    const { runner } = this.#site.engine
    const parts = await collectParts(checked, groups.value, { context, runner })
    if (!parts.ok) return declinedWith(parts.error)
    const rowShapes = rowShapesOf(checked)
    if (!rowShapes.ok) return declinedWith(rowShapes.error)
    const guarded = await this.#guardOrNarrow(checked, groups.value, {
      settings: { minimumGroup: K, dominanceBp: 1_000, groupsMax: 10_000 },
      partitions: checked.dataSets.map((dataSet) => ({
        dataSet,
        partition: this.#partitions.get(dataSet) ?? EMPTY_PARTITION,
        apart: this.#partitions.get(nameOfParts(dataSet)),
        eligible,
      })),
      parts: this.isOfCellsAlone ? undefined : parts.value,
      rowShapes: rowShapes.value,
    })
    if (!guarded.ok) return declinedWith(guarded.error)
    const finished = await finishGroups(plan, guarded.value, this.#site.engine.runner)
    if (!finished.ok) return declinedWith(finished.error)
    for (const { dataSet, plan: cuts } of guarded.value.plans)
      this.#partitions.set(dataSet, partitionAfter(cuts))
    for (const set of releasedSets(guarded.value)) this.sets.push([...set])
    const people = releasedSets(guarded.value).reduce((all, set) => all.union(set), new Bitset())
    return {
      reason: guarded.value.isNarrowed ? 'partial.differencing' : 'approved',
      columns: finished.value.columns.map(({ name }) => name),
      rows: finished.value.rows,
      remainder: finished.value.remainder,
      peopleStep: stepFor(people),
    }
  }

  async #collect(checked: CheckedQuery, eligible: Bitset) {
    const relations = await this.#site.relations([...eligible])
    const context = { dialect: 'duckdb' as const, relations }
    const plan = planAggregate(checked, context)
    return {
      plan,
      context,
      groups: await collectGroups(plan, this.#site.engine.runner, { dominanceBp: 1_000 }),
    }
  }

  async #guardOrNarrow(checked: CheckedQuery, groups: readonly CollectedGroup[], context: AnswerContext) {
    const given = { groups, context, whole: guardAnswer(groups, context) }
    const tried: Narrowed[] = []
    const [first] = context.partitions
    let leaving = first && planNarrowing(given)
    while (first && leaving) {
      const rest = await this.#collect(checked, first.eligible.difference(leaving.people))
      if (!rest.groups.ok) return rest.groups
      const narrowed = guardAnswer(rest.groups.value, contextWithout(context, leaving))
      tried.push({ leaving, narrowed })
      leaving = planNarrowing(given, tried)
    }
    return chooseNarrowed(given, tried)
  }

  async #askRows(checked: CheckedQuery): Promise<Told> {
    const relations = await this.#site.relations(this.#eligible)
    const answer = await runRows(
      planRows(checked, { dialect: 'duckdb', relations }),
      this.#site.engine.runner,
    )
    if (!answer.ok) return declinedWith(answer.error)
    const people = Bitset.of(answer.value.people)
    const context = { dialect: 'duckdb' as const, relations }
    const parts = await collectParts(checked, [{ people }], { context, runner: this.#site.engine.runner })
    if (!parts.ok) return declinedWith(parts.error)
    for (const dataSet of checked.dataSets) {
      const columns = usedColumns(checked, dataSet)
      const partition = this.#partitions.get(dataSet) ?? EMPTY_PARTITION
      const known = checkKnown(partition, { people, columns, minimumGroup: K })
      if (!known.ok) return declinedWith({ code: 'declined.differencing', operatorNote: known.error.note })
      const apart = this.#partitions.get(nameOfParts(dataSet)) ?? EMPTY_PARTITION
      const told = { parts: this.isOfCellsAlone ? NO_PARTS : parts.value, given: { people, columns } }
      const facts = { dataSet, partition, apart, eligible: people, sets: [], minimumGroup: K }
      const alike = checkAlike({ ...facts, ...told })
      if (!alike.ok) return declinedWith({ code: 'declined.differencing', operatorNote: alike.error.note })
      this.#partitions.set(nameOfParts(dataSet), partitionAfter(alike.value))
      this.#partitions.set(dataSet, partitionAfter(known.value))
    }
    return {
      reason: 'approved',
      columns: answer.value.columns.map(({ name }) => name),
      rows: answer.value.rows,
      peopleStep: stepFor(people),
    }
  }

  #partition({ dataSets }: CheckedQuery): Partition {
    return this.#partitions.get(String(dataSets[0])) ?? EMPTY_PARTITION
  }
}

const NOTHING = { columns: [], rows: [], peopleStep: 0 }

function declinedWith(decline: Decline): Told {
  return { ...NOTHING, reason: decline.code, decline }
}

function stepFor(people: Bitset): number {
  return coverageOf({ people: people.count(), dataSetPeople: PEOPLE, minimumGroup: K }).peopleStep
}
