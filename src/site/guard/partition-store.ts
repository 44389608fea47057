import { sql } from 'kysely'
import type { Bitset } from '../../kernel/bitset.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { CutPlan } from './differencing.ts'
import {
  appendEntry,
  loadPartition,
  mergeGroups,
  nameOf,
  noteChange,
  PartitionCache,
  rebuild,
} from './partition-record.ts'
import { EMPTY_PARTITION } from './partition.ts'
import type { Partition } from './partition.ts'

/** Partitions of one acquirer, held so that nobody else cuts them until they are let go. */
export interface PartitionHold extends Disposable {
  /** How often rows had changed when the run began: whoever commits must find it so, with the counts locked. */
  readonly changes: ReadonlyMap<string, number>
  /** The partition of one of the data sets as it stands in the record. */
  partition(dataSet: string): Partition
  /** Keeps accepted cuts, inside the caller's transaction; they are in force once that commits. */
  commitCuts(
    tx: DatabaseTransaction,
    facts: {
      readonly ask: string
      readonly plans: readonly { readonly dataSet: string; readonly plan: CutPlan }[]
    },
  ): Promise<void>
}

/** The partitions as they stood before a run, to choose newcomers by; nothing is held. `hold` goes on from it after the run. */
export interface PartitionLook {
  readonly acquirerGroup: string
  readonly dataSets: readonly string[]
  /** How often rows of the data sets had changed. The reservation refuses an answer when that is no longer so. */
  readonly changes: ReadonlyMap<string, number>
  partition(dataSet: string): Partition
  /** How often partitions were cut here until then, by name. */
  readonly cuts: ReadonlyMap<string, number>
}

/** The durable partitions, with a bounded number of them in memory. One process writes them. */
export interface PartitionStore {
  /** `acquirerGroup` is the acquirer, or the name of the group that it is declared to collude with. */
  look(acquirerGroup: string, dataSets: readonly string[]): Promise<PartitionLook>
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
  const merged = new Set<string>()
  return {
    look: (acquirerGroup, dataSets) => look(db, { acquirerGroup, dataSets, cache, cuts }),
    hold: async (seen) => {
      const { acquirerGroup, dataSets } = seen
      const keys = dataSets.map((dataSet) => ({ acquirerGroup, dataSet }))
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
        return holdOf({ seen, partitions, cache, cuts, leave })
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

interface LookFacts {
  readonly acquirerGroup: string
  readonly dataSets: readonly string[]
  readonly cache: PartitionCache
  readonly cuts: ReadonlyMap<string, number>
}

/** Counts of changes and heads come from one statement: a head that is newer than its count would hide a change. */
async function look(
  db: Database,
  { acquirerGroup, dataSets, cache, cuts }: LookFacts,
): Promise<PartitionLook> {
  const seenCuts = new Map(cuts)
  const { rows } = await sql<{
    data_set: string
    change_count: number
    head: number | null
    last_ask: string | null
  }>`
    ${KEPT} select d.data_set, coalesce(c.change_count, 0) as change_count, p.head, p.last_ask
    from unnest(${[...dataSets]}::text[]) as d(data_set)
    left join data_set_change c on c.data_set = d.data_set
    left join partition p on p.data_set = d.data_set and p.acquirer_group = ${acquirerGroup}`.execute(db)
  const partitions = new Map<string, Partition>()
  for (const { data_set: dataSet, head, last_ask: lastAsk } of rows) {
    if (head === null || lastAsk === null) continue
    partitions.set(dataSet, await rebuild(db, { acquirerGroup, dataSet }, { head, lastAsk, cache }))
  }
  return {
    acquirerGroup,
    dataSets,
    changes: new Map(rows.map((row) => [row.data_set, row.change_count])),
    cuts: seenCuts,
    partition: (dataSet) => partitions.get(dataSet) ?? EMPTY_PARTITION,
  }
}

interface HoldFacts {
  readonly seen: PartitionLook
  readonly partitions: ReadonlyMap<string, Partition>
  readonly cache: PartitionCache
  readonly cuts: Map<string, number>
  readonly leave: () => void
}

function holdOf({
  seen: { acquirerGroup, changes },
  partitions,
  cache,
  cuts,
  leave,
}: HoldFacts): PartitionHold {
  const cut = new Set<string>()
  return {
    changes,
    partition: (dataSet) => partitions.get(dataSet) ?? EMPTY_PARTITION,
    commitCuts: async (tx, { ask, plans }) => {
      for (const { dataSet, plan } of plans) {
        if (plan.isEmpty) continue
        const key = { acquirerGroup, dataSet }
        cut.add(nameOf(key))
        cache.expect(nameOf(key), { ask, ...(await appendEntry(tx, key, { ask, plan })) })
      }
    },
    [Symbol.dispose]: () => {
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
