import type { Bitset } from '../../kernel/bitset.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { Recent } from '../../kernel/recent.ts'
import type { CutPlan } from './differencing.ts'
import { lookIntoRecord } from './look-into-record.ts'
import type { LookRequest, RecordLook } from './look-into-record.ts'
import {
  loadPartition,
  mergeGroups,
  nameOf,
  noteChange,
  PartitionCache,
  rebuild,
  writtenCut,
} from './partition-record.ts'
import type { WrittenCut } from './partition-record.ts'
import { nameOfParts } from './partition-names.ts'
import { EMPTY_PARTITION } from './partition.ts'
import type { Partition } from './partition.ts'

/** Partitions of one acquirer, held so that nobody else cuts them until they are let go. */
export interface PartitionHold extends Disposable {
  /** How often rows had changed when the run began: whoever commits must find it so, with the counts locked. */
  readonly changes: ReadonlyMap<string, number>
  /** The partition of one of the data sets as it stands in the record. */
  partition(dataSet: string): Partition
  /** No other hold of the group has ended since it was looked: what was found of it then still stands. */
  readonly isUndisturbed: boolean
  /** Accepted cuts as they have to be written while it is held; they are in force once that is committed. */
  cutsOf(facts: {
    readonly ask: string
    readonly plans: readonly { readonly dataSet: string; readonly plan: CutPlan }[]
  }): readonly WrittenCut[]
}

/** The partitions as they stood before a run, to choose newcomers by; nothing is held. `hold` goes on from it after the run. */
export interface PartitionLook extends Pick<
  RecordLook,
  'changes' | 'terms' | 'epoch' | 'refusals' | 'stored'
> {
  readonly acquirerGroup: string
  readonly dataSets: readonly string[]
  partition(dataSet: string): Partition
  /** How often partitions were cut here until then, by name. */
  readonly cuts: ReadonlyMap<string, number>
  /** How many holds of the group had ended here until then. */
  readonly holds: number
}

/** The durable partitions, with a bounded number of them in memory. One process writes them. */
export interface PartitionStore {
  /** `acquirerGroup` is the acquirer, or the name of the group that it is declared to collude with. */
  look(request: LookRequest): Promise<PartitionLook>
  /** Whether it was looked lately for the same question of the same group: then its answer may be stored. Only a hint. */
  hasLooked(request: LookRequest): boolean
  /** The partition as it was last seen here, or the first one: what a look will most likely find. Only a hint. */
  expected(key: Pick<LookRequest, 'acquirerGroup'> & { readonly dataSet: string }): Partition
  /** Undefined when the group became part of another one meanwhile: what was looked at is no longer what counts. */
  hold(look: PartitionLook): Promise<PartitionHold | undefined>
  /**
   * Makes one group of several: what each of them knows is added to what the first knows, in one transaction with
   * `also`. Answers to them wait meanwhile.
   */
  merge(
    groups: { readonly into: string; readonly from: readonly string[] },
    also: (tx: DatabaseTransaction) => Promise<void>,
  ): Promise<void>
  /**
   * Notes that rows of people changed, for every acquirer that had answers. Called before the vault shows the change
   * and again after it, so that no run can have read the old rows and count as having read the new ones.
   */
  noteChange(
    tx: DatabaseTransaction,
    facts: { readonly dataSet: string; readonly people: Bitset; readonly cause: string },
  ): Promise<void>
}

export function openPartitionStore({
  db,
  cacheBytesMax,
  minimumGroupOf,
}: {
  db: Database
  cacheBytesMax: number
  /** Least people of a cell by the terms of a data set, for when groups are made one. */
  minimumGroupOf: (dataSet: string) => number
}): PartitionStore {
  const cache = new PartitionCache(cacheBytesMax)
  const queue = new KeyQueue()
  const cuts = new Map<string, number>()
  const holds = new Map<string, number>()
  const merged = new Set<string>()
  const looked = new Recent(LIMITS.questionsRememberedMax)
  return {
    look: (request) => {
      looked.add(lookedName(request))
      return look(db, request, { cache, cuts, holds })
    },
    hasLooked: (request) => looked.has(lookedName(request)),
    expected: (key) => cache.peek(nameOf(key)) ?? EMPTY_PARTITION,
    hold: async (seen) => {
      const { acquirerGroup, dataSets } = seen
      const keys = [...dataSets, ...dataSets.map(nameOfParts)].map((dataSet) => ({ acquirerGroup, dataSet }))
      const leave = await queue.enter([acquirerGroup])
      if (merged.has(acquirerGroup)) {
        leave()
        return undefined
      }
      try {
        const partitions = new Map<string, Partition>()
        for (const key of keys) {
          // Cut by nobody since: a change of rows is found by the reservation, so nothing has to be read again.
          const isAsSeen = cuts.get(nameOf(key)) === seen.cuts.get(nameOf(key))
          const partition = isAsSeen ? seen.partition(key.dataSet) : await loadPartition(db, key, cache)
          partitions.set(key.dataSet, partition)
        }
        return holdOf({ seen, partitions, cache, cuts, holds, leave })
      } catch (error) {
        leave()
        throw error
      }
    },
    merge: async ({ into, from }, also) => {
      const leave = await queue.enter([into, ...from].toSorted())
      try {
        const grown = await db.transaction().execute(async (tx) => {
          const keys = await mergeGroups(tx, { groups: { into, from }, minimumGroupOf })
          await also(tx)
          return keys
        })
        for (const group of from) merged.add(group)
        for (const name of grown.map(nameOf)) cuts.set(name, (cuts.get(name) ?? 0) + 1)
      } finally {
        leave()
      }
    },
    noteChange: (tx, facts) => noteChange(tx, facts),
  }
}

function lookedName({ acquirerGroup, question }: LookRequest): string {
  return `${question} ${acquirerGroup}`
}

interface LookMemory {
  readonly cache: PartitionCache
  readonly cuts: ReadonlyMap<string, number>
  readonly holds: ReadonlyMap<string, number>
}

async function look(
  db: Database,
  request: LookRequest,
  { cache, cuts, holds }: LookMemory,
): Promise<PartitionLook> {
  const { acquirerGroup, dataSets } = request
  const before = { cuts: new Map(cuts), holds: holds.get(acquirerGroup) ?? 0 }
  const found = await lookIntoRecord(db, request)
  const partitions = new Map<string, Partition>()
  for (const [dataSet, { head, lastAsk }] of found.heads)
    partitions.set(dataSet, await rebuild(db, { acquirerGroup, dataSet }, { head, lastAsk, cache }))
  const { changes, terms, epoch, refusals, stored } = found
  return {
    acquirerGroup,
    dataSets,
    changes,
    terms,
    epoch,
    refusals,
    stored,
    ...before,
    partition: (dataSet) => partitions.get(dataSet) ?? EMPTY_PARTITION,
  }
}

interface HoldFacts {
  readonly seen: PartitionLook
  readonly partitions: ReadonlyMap<string, Partition>
  readonly cache: PartitionCache
  readonly cuts: Map<string, number>
  readonly holds: Map<string, number>
  readonly leave: () => void
}

function holdOf({
  seen: { acquirerGroup, changes, holds: before },
  partitions,
  cache,
  cuts,
  holds,
  leave,
}: HoldFacts): PartitionHold {
  const cut = new Set<string>()
  const ended = holds.get(acquirerGroup) ?? 0
  return {
    changes,
    isUndisturbed: ended === before,
    partition: (dataSet) => partitions.get(dataSet) ?? EMPTY_PARTITION,
    cutsOf: ({ ask, plans }) => {
      const written = plans
        .filter(({ plan }) => !plan.isEmpty)
        .map(({ dataSet, plan }) => writtenCut({ acquirerGroup, dataSet }, { ask, plan }))
      for (const one of written) {
        cut.add(nameOf(one))
        cache.expect(nameOf(one), one)
      }
      return written
    },
    [Symbol.dispose]: () => {
      holds.set(acquirerGroup, ended + 1)
      // Counted when it is over, whether or not it was committed: who looked before then has to look again.
      for (const name of cut) cuts.set(name, (cuts.get(name) ?? 0) + 1)
      leave()
    },
  }
}

/** Lets one caller at a time have a set of names; names come in one order, so that nobody waits in a circle. */
class KeyQueue {
  readonly #last = new Map<string, Promise<void>>()

  async enter(names: readonly string[]): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = names.map((name) => this.#last.get(name))
    for (const name of names) this.#last.set(name, promise)
    for (const turn of before) await turn
    return () => {
      for (const name of names) if (this.#last.get(name) === promise) this.#last.delete(name)
      resolve()
    }
  }
}
