import { sql } from 'kysely'
import type { Bitset } from '../../kernel/bitset.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { markChanged } from './differencing.ts'
import type { CutPlan } from './differencing.ts'
import {
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

export interface HoldRequest {
  /** The acquirer, or the name of the group that it is declared to collude with. */
  readonly acquirerGroup: string
  readonly dataSets: readonly string[]
  /** What `changeCounts` gave before the run; a run over rows that changed meanwhile is refused. */
  readonly seenChanges: ReadonlyMap<string, number>
}

/** The durable partitions, with a bounded number of them in memory. */
export interface PartitionStore {
  /** How often rows of the data sets changed; to be read before a run and given to `hold` after it. */
  changeCounts(dataSets: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** The partition as it stands, to choose newcomers by; nothing is held. */
  read(acquirerGroup: string, dataSet: string): Promise<Partition>
  /** @throws `fault.overloaded` when rows changed during the run: it must run again. */
  hold(request: HoldRequest): Promise<PartitionHold>
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
  return {
    changeCounts: (dataSets) => readChangeCounts(db, dataSets),
    read: (acquirerGroup, dataSet) => loadPartition(db, { acquirerGroup, dataSet }, cache),
    hold: async ({ acquirerGroup, dataSets, seenChanges }) => {
      const keys = dataSets.map((dataSet) => ({ acquirerGroup, dataSet }))
      const release = await queue.enter(keys.map(nameOf).toSorted())
      try {
        const partitions = new Map<string, Partition>()
        for (const key of keys) partitions.set(key.dataSet, await loadPartition(db, key, cache))
        return holdOf({ acquirerGroup, partitions, seenChanges, cache, release })
      } catch (error) {
        release()
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

interface HoldFacts {
  readonly acquirerGroup: string
  readonly partitions: ReadonlyMap<string, Partition>
  readonly seenChanges: ReadonlyMap<string, number>
  readonly cache: PartitionCache
  readonly release: () => void
}

function holdOf({ acquirerGroup, partitions, seenChanges, cache, release }: HoldFacts): PartitionHold {
  return {
    partition: (dataSet) => partitions.get(dataSet) ?? EMPTY_PARTITION,
    commitCuts: async (tx, { ask, plans }) => {
      await requireUnchanged(tx, seenChanges)
      for (const { dataSet, plan } of plans) {
        if (plan.isEmpty) continue
        const key = { acquirerGroup, dataSet }
        await appendEntry(tx, key, { ask, plan })
        cache.expect(nameOf(key), { partition: plan.after, ask })
      }
    },
    [Symbol.dispose]: release,
  }
}

async function readChangeCounts(
  db: Database,
  dataSets: readonly string[],
  lock = sql``,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ data_set: string; change_count: number }>`
    select data_set, change_count from data_set_change
    where data_set = any(${[...dataSets]}) order by data_set ${lock}`.execute(db)
  const counts = new Map(rows.map((row) => [row.data_set, row.change_count]))
  return new Map(dataSets.map((dataSet) => [dataSet, counts.get(dataSet) ?? 0]))
}

async function requireUnchanged(tx: DatabaseTransaction, seen: ReadonlyMap<string, number>): Promise<void> {
  const now = await readChangeCounts(tx, [...seen.keys()], sql`for share`)
  for (const [dataSet, count] of seen) {
    if (now.get(dataSet) !== count)
      throw new Fault('fault.overloaded', {
        what: `Cannot release: rows of "${dataSet}" changed during the run`,
      })
  }
}

async function appendEntry(
  tx: DatabaseTransaction,
  { acquirerGroup, dataSet }: Key,
  { ask, plan }: { ask: string; plan: CutPlan },
): Promise<void> {
  const { before, after } = plan
  const { rows } = await sql<{ head: number }>`
    insert into partition (acquirer_group, data_set, head, last_ask) values (${acquirerGroup}, ${dataSet}, ${after.head}, ${ask})
    on conflict (acquirer_group, data_set) do update set head = excluded.head, last_ask = excluded.last_ask
    where partition.head = ${before.head}
    returning head`.execute(tx)
  if (rows.length !== 1)
    throw new Fault('fault.overloaded', {
      what: 'Cannot release: another answer cut the partition meanwhile',
    })
  const shapes = JSON.stringify(
    Object.fromEntries([...after.rowShapes].filter(([value]) => !before.rowShapes.has(value))),
  )
  await sql`
    insert into partition_entry (acquirer_group, data_set, head, kind, ask_id, delta, row_shapes)
    values (${acquirerGroup}, ${dataSet}, ${after.head}, 'cells', ${ask}, ${Buffer.from(encodeDelta(before, after))}, ${shapes}::jsonb)`.execute(
    tx,
  )
  if (after.head % SNAPSHOT_EVERY !== 0) return
  await sql`
    insert into partition_snapshot (acquirer_group, data_set, head, cell_count, cells, row_shapes)
    values (${acquirerGroup}, ${dataSet}, ${after.head}, ${after.cellCount}, ${Buffer.from(encodeCells(after.cells))}, ${JSON.stringify(Object.fromEntries(after.rowShapes))}::jsonb)
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

/** The partition at the head of the record: from memory as far as that goes, then from a snapshot and the entries after it. */
async function loadPartition(db: Database, key: Key, cache: PartitionCache): Promise<Partition> {
  const { acquirerGroup, dataSet } = key
  const { rows } = await sql<{ head: number; last_ask: string }>`
    select head, last_ask from partition where acquirer_group = ${acquirerGroup} and data_set = ${dataSet}`.execute(
    db,
  )
  const stored = rows[0]
  if (!stored) return EMPTY_PARTITION
  const name = nameOf(key)
  const kept = cache.find(name, { head: stored.head, ask: stored.last_ask })
  if (kept?.head === stored.head) return kept
  let partition = kept ?? (await readSnapshot(db, key))
  for (const entry of await readEntries(db, key, { after: partition.head, until: stored.head }))
    partition = applyEntry(partition, entry)
  if (partition.head !== stored.head)
    throw new Fault('fault.internal', {
      what: `Cannot rebuild the partition of "${dataSet}": entries are missing`,
    })
  cache.keep(name, partition)
  return partition
}

async function readSnapshot(db: Database, { acquirerGroup, dataSet }: Key): Promise<Partition> {
  const { rows } = await sql<{
    head: number
    cell_count: number
    cells: Uint8Array
    row_shapes: Record<string, string>
  }>`
    select head, cell_count, cells, row_shapes from partition_snapshot where acquirer_group = ${acquirerGroup} and data_set = ${dataSet}`.execute(
    db,
  )
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
  return { ...markChanged(partition, decodePeople(delta)).after, head: partition.head + 1 }
}

function nameOf({ acquirerGroup, dataSet }: Key): string {
  return `${acquirerGroup}\0${dataSet}`
}

/** The partitions used last, up to a number of bytes; and those that will stand if a transaction commits. */
class PartitionCache {
  readonly #kept = new Map<string, Partition>()
  readonly #expected = new Map<string, { readonly partition: Partition; readonly ask: string }>()
  readonly #bytesMax: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** The newest partition that is at or before the head of the record; one that a roll-back left behind is forgotten. */
  find(name: string, { head, ask }: { head: number; ask: string }): Partition | undefined {
    const expected = this.#expected.get(name)
    this.#expected.delete(name)
    if (expected?.partition.head === head && expected.ask === ask) this.keep(name, expected.partition)
    const kept = this.#kept.get(name)
    if (!kept || kept.head > head) return undefined
    this.keep(name, kept)
    return kept
  }

  keep(name: string, partition: Partition): void {
    this.#kept.delete(name)
    this.#kept.set(name, partition)
    let bytes = [...this.#kept.values()].reduce(
      (sum, { cells, sizes }) => sum + cells.byteLength + 2 * sizes.byteLength,
      0,
    )
    for (const [oldest, { cells, sizes }] of this.#kept) {
      if (bytes <= this.#bytesMax || oldest === name) break
      this.#kept.delete(oldest)
      bytes -= cells.byteLength + 2 * sizes.byteLength
    }
  }

  expect(name: string, expected: { readonly partition: Partition; readonly ask: string }): void {
    this.#expected.delete(name)
    this.#expected.set(name, expected)
    for (const oldest of this.#expected.keys()) {
      if (this.#expected.size <= EXPECTED_MAX) break
      this.#expected.delete(oldest)
    }
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
