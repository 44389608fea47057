import { sql } from 'kysely'
import type { Bitset } from '../../kernel/bitset.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { partitionAfter } from './differencing.ts'
import type { CutPlan } from './differencing.ts'
import {
  applyChange,
  applyDelta,
  decodeCells,
  decodePeople,
  encodeCells,
  encodeDelta,
  encodePeople,
} from './partition-delta.ts'
import { countSizes, EMPTY_PARTITION } from './partition.ts'
import type { Partition } from './partition.ts'

/** Entries after which the cells are written down whole, so that a start reads at most this many. */
const SNAPSHOT_EVERY = 32
/** Partitions kept until it is seen whether their transaction committed; beyond that they are read back instead. */
const EXPECTED_MAX = 4

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
  hold(look: PartitionLook): Promise<PartitionHold>
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
}: {
  db: Database
  cacheBytesMax: number
}): PartitionStore {
  const cache = new PartitionCache(cacheBytesMax)
  const queue = new KeyQueue()
  const cuts = new Map<string, number>()
  return {
    look: (acquirerGroup, dataSets) => look(db, { acquirerGroup, dataSets, cache, cuts }),
    hold: async (seen) => {
      const { acquirerGroup, dataSets } = seen
      const keys = dataSets.map((dataSet) => ({ acquirerGroup, dataSet }))
      const leave = await queue.enter(keys.map(nameOf).toSorted())
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
    noteChange: (tx, facts) => noteChange(tx, facts),
  }
}

interface Key {
  readonly acquirerGroup: string
  readonly dataSet: string
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
    select d.data_set, coalesce(c.change_count, 0) as change_count, p.head, p.last_ask
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

/** Writes what an answer did to a partition; gives the entry and the head that it makes. */
async function appendEntry(
  tx: DatabaseTransaction,
  { acquirerGroup, dataSet }: Key,
  { ask, plan: { draft, rowShapes } }: { ask: string; plan: CutPlan },
): Promise<{ readonly entry: Entry; readonly head: number }> {
  const { before } = draft
  const head = before.head + 1
  const { rows } = await sql<{ head: number }>`
    insert into partition (acquirer_group, data_set, head, last_ask) values (${acquirerGroup}, ${dataSet}, ${head}, ${ask})
    on conflict (acquirer_group, data_set) do update set head = excluded.head, last_ask = excluded.last_ask
    where partition.head = ${before.head}
    returning head`.execute(tx)
  if (rows.length !== 1)
    throw new Fault('fault.overloaded', {
      what: 'Cannot release: another answer cut the partition meanwhile',
    })
  const shapes = Object.fromEntries([...rowShapes].filter(([value]) => !before.rowShapes.has(value)))
  const delta = Buffer.from(encodeDelta(draft))
  await sql`
    insert into partition_entry (acquirer_group, data_set, head, kind, ask_id, delta, row_shapes)
    values (${acquirerGroup}, ${dataSet}, ${head}, 'cells', ${ask}, ${delta}, ${JSON.stringify(shapes)}::jsonb)`.execute(
    tx,
  )
  if (head % SNAPSHOT_EVERY === 0)
    await writeSnapshot(tx, { acquirerGroup, dataSet }, partitionAfter({ draft, rowShapes, isEmpty: false }))
  return { head, entry: { kind: 'cells', delta, row_shapes: shapes } }
}

async function writeSnapshot(
  tx: DatabaseTransaction,
  { acquirerGroup, dataSet }: Key,
  { head, cellCount, cells, rowShapes }: Partition,
): Promise<void> {
  await sql`
    insert into partition_snapshot (acquirer_group, data_set, head, cell_count, cells, row_shapes)
    values (${acquirerGroup}, ${dataSet}, ${head}, ${cellCount}, ${Buffer.from(encodeCells(cells))}, ${JSON.stringify(Object.fromEntries(rowShapes))}::jsonb)
    on conflict (acquirer_group, data_set) do update
    set head = excluded.head, cell_count = excluded.cell_count, cells = excluded.cells, row_shapes = excluded.row_shapes`.execute(
    tx,
  )
}

async function noteChange(
  tx: DatabaseTransaction,
  { dataSet, people, cause }: { dataSet: string; people: Bitset; cause: string },
): Promise<void> {
  await sql`
    insert into data_set_change (data_set, change_count) values (${dataSet}, 1)
    on conflict (data_set) do update set change_count = data_set_change.change_count + 1`.execute(tx)
  await sql`
    with moved as (
      update partition set head = head + 1, last_ask = ${cause} where data_set = ${dataSet} returning acquirer_group, data_set, head
    )
    insert into partition_entry (acquirer_group, data_set, head, kind, ask_id, delta, row_shapes)
    select acquirer_group, data_set, head, 'change', ${cause}, ${Buffer.from(encodePeople(people))}::bytea, '{}'::jsonb from moved`.execute(
    tx,
  )
}

/** The partition at the head of the record. */
async function loadPartition(db: Database, key: Key, cache: PartitionCache): Promise<Partition> {
  const { acquirerGroup, dataSet } = key
  const { rows } = await sql<{ head: number; last_ask: string }>`
    select head, last_ask from partition where acquirer_group = ${acquirerGroup} and data_set = ${dataSet}`.execute(
    db,
  )
  const stored = rows[0]
  return stored ? rebuild(db, key, { head: stored.head, lastAsk: stored.last_ask, cache }) : EMPTY_PARTITION
}

/** A partition at a head: from memory as far as that goes, then from a snapshot and the entries after it. */
async function rebuild(
  db: Database,
  key: Key,
  { head, lastAsk, cache }: { head: number; lastAsk: string; cache: PartitionCache },
): Promise<Partition> {
  const name = nameOf(key)
  const kept = cache.find(name, { head, ask: lastAsk })
  if (kept?.head === head) return kept
  // Nobody else may go on from it while entries are read and applied to its memory.
  cache.take(name)
  let partition = kept ?? (await readSnapshot(db, key, head))
  for (const entry of await readEntries(db, key, { after: partition.head, until: head }))
    partition = applyEntry(partition, entry)
  if (partition.head !== head)
    throw new Fault('fault.internal', {
      what: `Cannot rebuild the partition of "${key.dataSet}": entries are missing`,
    })
  cache.keep(name, partition)
  return partition
}

/** The newest snapshot, unless a cut that came meanwhile made a newer one: then all entries are gone through. */
async function readSnapshot(
  db: Database,
  { acquirerGroup, dataSet }: Key,
  until: number,
): Promise<Partition> {
  const { rows } = await sql<{
    head: number
    cell_count: number
    cells: Uint8Array
    row_shapes: Record<string, string>
  }>`
    select head, cell_count, cells, row_shapes from partition_snapshot
    where acquirer_group = ${acquirerGroup} and data_set = ${dataSet} and head <= ${until}`.execute(db)
  const snapshot = rows[0]
  if (!snapshot) return EMPTY_PARTITION
  const cells = decodeCells(snapshot.cells)
  const { head, cell_count: cellCount, row_shapes: shapes } = snapshot
  return {
    cells,
    cellCount,
    ...countSizes(cells, cellCount),
    rowShapes: new Map(Object.entries(shapes)),
    head,
  }
}

interface Entry {
  readonly kind: 'cells' | 'change'
  readonly delta: Uint8Array
  readonly row_shapes: Record<string, string>
}

async function readEntries(
  db: Database,
  { acquirerGroup, dataSet }: Key,
  { after, until }: { after: number; until: number },
): Promise<readonly Entry[]> {
  const { rows } = await sql<Entry>`
    select kind, delta, row_shapes from partition_entry
    where acquirer_group = ${acquirerGroup} and data_set = ${dataSet} and head > ${after} and head <= ${until} order by head`.execute(
    db,
  )
  return rows
}

function applyEntry(partition: Partition, { kind, delta, row_shapes: shapes }: Entry): Partition {
  if (kind === 'cells') return applyDelta(partition, { delta, rowShapes: new Map(Object.entries(shapes)) })
  return applyChange(partition, decodePeople(delta))
}

function nameOf({ acquirerGroup, dataSet }: Key): string {
  return `${acquirerGroup}\0${dataSet}`
}

/** A cut that stands in the record if the transaction of this ask is committed. */
interface ExpectedCut {
  readonly ask: string
  readonly head: number
  readonly entry: Entry
}

/**
 * The partitions used last, up to a number of bytes, and the cuts that will stand if a transaction commits. A partition
 * goes on in its own memory, so one that was handed out is not to be relied on after a cut (`PartitionLook.cuts`).
 */
class PartitionCache {
  readonly #kept = new Map<string, Partition>()
  readonly #expected = new Map<string, ExpectedCut>()
  readonly #bytesMax: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** The newest partition that is at or before the head of the record; one that a roll-back left behind is forgotten. */
  find(name: string, { head, ask }: { head: number; ask: string }): Partition | undefined {
    const kept = this.#kept.get(name)
    if (!kept || kept.head > head) return undefined
    const expected = this.#expected.get(name)
    this.#expected.delete(name)
    const isNext = expected?.head === head && expected.ask === ask && kept.head === head - 1
    this.#kept.delete(name)
    const found = isNext ? applyEntry(kept, expected.entry) : kept
    this.keep(name, found)
    return found
  }

  keep(name: string, partition: Partition): void {
    this.#kept.delete(name)
    this.#kept.set(name, partition)
    let bytes = [...this.#kept.values()].reduce((sum, kept) => sum + bytesOf(kept), 0)
    for (const [oldest, kept] of this.#kept) {
      if (bytes <= this.#bytesMax || oldest === name) break
      this.#kept.delete(oldest)
      bytes -= bytesOf(kept)
    }
  }

  take(name: string): void {
    this.#kept.delete(name)
  }

  expect(name: string, expected: ExpectedCut): void {
    this.#expected.delete(name)
    this.#expected.set(name, expected)
    for (const oldest of this.#expected.keys()) {
      if (this.#expected.size <= EXPECTED_MAX) break
      this.#expected.delete(oldest)
    }
  }
}

function bytesOf({ cells, sizes, unknownSizes }: Partition): number {
  return cells.byteLength + sizes.byteLength + unknownSizes.byteLength
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
