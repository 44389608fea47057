import { sql } from 'kysely'
import type { Bitset } from '../../kernel/bitset.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { partitionAfter } from './differencing.ts'
import type { CutPlan } from './differencing.ts'
import { mergeParts } from './alike.ts'
import { mergePartitions } from './merge-partitions.ts'
import { dataSetOfParts } from './partition-names.ts'
import {
  applyChange,
  applyDelta,
  decodeCells,
  decodePeople,
  encodeCells,
  encodeDelta,
  encodePeople,
} from './partition-delta.ts'
import { bytesOfPartition, countSizes, EMPTY_PARTITION } from './partition.ts'
import type { Partition } from './partition.ts'

/** Entries after which the cells are written down whole, so that a start reads at most this many. */
const SNAPSHOT_EVERY = 32
/** Partitions kept until it is seen whether their transaction committed; beyond that they are read back instead. */
const EXPECTED_MAX = 4

/** Whose partition of which data set. */
export interface PartitionKey {
  readonly acquirerGroup: string
  readonly dataSet: string
}

/** What an answer did to a partition, as the record holds it. */
export interface WrittenCut extends PartitionKey {
  readonly ask: string
  /** The head that it makes. */
  readonly head: number
  readonly entry: Entry
  /** Every so often the cells are written down whole. */
  readonly snapshot: Snapshot | undefined
}

interface Snapshot {
  readonly cellCount: number
  readonly cells: Uint8Array
  readonly rowShapes: Record<string, string>
}

/** Writes down what an answer does to a partition. */
export function writtenCut(
  { acquirerGroup, dataSet }: PartitionKey,
  { ask, plan: { draft, rowShapes } }: { ask: string; plan: CutPlan },
): WrittenCut {
  const { before } = draft
  const head = before.head + 1
  const shapes = Object.fromEntries([...rowShapes].filter(([value]) => !before.rowShapes.has(value)))
  const entry = { kind: 'cells' as const, delta: Buffer.from(encodeDelta(draft)), row_shapes: shapes }
  const snapshot =
    head % SNAPSHOT_EVERY === 0 ? snapshotOf(partitionAfter({ draft, rowShapes, isEmpty: false })) : undefined
  return { acquirerGroup, dataSet, ask, head, entry, snapshot }
}

function snapshotOf(partition: Partition): Snapshot {
  const { cellCount, rowShapes } = partition
  return { cellCount, cells: Buffer.from(encodeCells(partition)), rowShapes: Object.fromEntries(rowShapes) }
}

/** Cuts in the form that `keep_cuts` takes (migration 0046); their bytes are added to `bytes`. */
export function wireCuts(cuts: readonly WrittenCut[], bytes: Uint8Array[]): readonly object[] {
  return cuts.map(({ acquirerGroup, dataSet, ask, head, entry, snapshot }) => ({
    acquirer_group: acquirerGroup,
    data_set: dataSet,
    head,
    ask_id: ask,
    delta: bytes.push(entry.delta),
    row_shapes: entry.row_shapes,
    ...(snapshot && {
      cell_count: snapshot.cellCount,
      cells: bytes.push(snapshot.cells),
      all_shapes: snapshot.rowShapes,
    }),
  }))
}

/**
 * Keeps cuts, inside the caller's transaction.
 *
 * @throws Fault `fault.overloaded` when another answer cut one of the partitions meanwhile
 */
export async function writeCuts(tx: DatabaseTransaction, cuts: readonly WrittenCut[]): Promise<void> {
  const bytes: Uint8Array[] = []
  const wire = JSON.stringify(wireCuts(cuts, bytes))
  await sql`select keep_cuts(${wire}::jsonb, ${bytes}::bytea[])`.execute(tx).catch((error: unknown) => {
    throw cutFault(error)
  })
}

/** Raised by `keep_cuts`. */
const CUT_MEANWHILE = 'HG012'

/** What a statement that keeps cuts failed with, as a fault where another answer came first. */
export function cutFault(error: unknown): unknown {
  const isCut = error instanceof Error && 'code' in error && error.code === CUT_MEANWHILE
  return isCut
    ? new Fault('fault.overloaded', {
        what: 'Cannot release: another answer cut the partition meanwhile',
        cause: error,
      })
    : error
}

/** Writes a change of rows to every partition of a data set, and counts it. */
export async function noteChange(
  tx: DatabaseTransaction,
  { dataSet, people, cause }: { dataSet: string; people: Bitset; cause: string },
): Promise<void> {
  await sql`
    ${KEPT} select note_rows_changed(${dataSet}, ${Buffer.from(encodePeople(people))}::bytea, ${cause})`.execute(
    tx,
  )
}

/** The partition at the head of the record. */
export async function loadPartition(
  db: Database,
  key: PartitionKey,
  cache: PartitionCache,
): Promise<Partition> {
  const { acquirerGroup, dataSet } = key
  const { rows } = await sql<{ head: number; last_ask: string }>`
    select head, last_ask from partition where acquirer_group = ${acquirerGroup} and data_set = ${dataSet}`.execute(
    db,
  )
  const stored = rows[0]
  return stored ? rebuild(db, key, { head: stored.head, lastAsk: stored.last_ask, cache }) : EMPTY_PARTITION
}

/** A partition at a head: from memory as far as that goes, then from a snapshot and the entries after it. */
export async function rebuild(
  db: Database,
  key: PartitionKey,
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
  { acquirerGroup, dataSet }: PartitionKey,
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
  const { head, cell_count: cellCount, row_shapes: shapes } = snapshot
  const kept = decodeCells(snapshot.cells, cellCount)
  return {
    ...kept,
    cellCount,
    sizes: countSizes(kept.cells, cellCount),
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
  { acquirerGroup, dataSet }: PartitionKey,
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

/** A name for a key in memory. */
export function nameOf({ acquirerGroup, dataSet }: PartitionKey): string {
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
export class PartitionCache {
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

  /** What is kept, whichever head the record has by now: a guess. */
  peek(name: string): Partition | undefined {
    return this.#kept.get(name)
  }

  keep(name: string, partition: Partition): void {
    this.#kept.delete(name)
    this.#kept.set(name, partition)
    let bytes = [...this.#kept.values()].reduce((sum, kept) => sum + bytesOfPartition(kept), 0)
    for (const [oldest, kept] of this.#kept) {
      if (bytes <= this.#bytesMax || oldest === name) break
      this.#kept.delete(oldest)
      bytes -= bytesOfPartition(kept)
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

interface MergeFacts {
  readonly groups: { readonly into: string; readonly from: readonly string[] }
  readonly minimumGroupOf: (dataSet: string) => number
}

/**
 * Adds to what one group knows what others know, for each data set; gives the keys of what became more. What was kept for equal asks goes:
 * it was let through beside what one of them knew, and where it was only looked at (a dry run, a price over the limit) nobody has it yet.
 */
export async function mergeGroups(
  tx: DatabaseTransaction,
  { groups: { into, from }, minimumGroupOf }: MergeFacts,
): Promise<readonly PartitionKey[]> {
  const { rows } = await sql<{ acquirer_group: string; data_set: string }>`
    select acquirer_group, data_set from partition where acquirer_group = any(${[into, ...from]}::text[])
    order by data_set, acquirer_group for update`.execute(tx)
  await sql`delete from stored_release where acquirer_group = any(${[into, ...from]}::text[])`.execute(tx)
  // Nothing that others look at: what is read here is changed in its own memory.
  const cache = new PartitionCache(0)
  const grown = rows
    .filter(({ acquirer_group: group }) => group !== into)
    .map(({ acquirer_group: group, data_set: dataSet }) => ({ acquirerGroup: group, dataSet }))
  for (const key of grown) {
    const own = { acquirerGroup: into, dataSet: key.dataSet }
    const both = { into: await loadPartition(tx, own, cache), from: await loadPartition(tx, key, cache) }
    const answersTo = dataSetOfParts(key.dataSet)
    const minimumGroup = minimumGroupOf(answersTo ?? key.dataSet)
    const changes = await readChanges(tx, [own, key])
    // Those of the answers themselves come first, by their names.
    const plan = answersTo
      ? mergeParts(both, {
          answers: await loadPartition(tx, { acquirerGroup: into, dataSet: answersTo }, cache),
          changes,
          minimumGroup,
        })
      : mergePartitions({ ...both, changes, minimumGroup })
    await writeCuts(tx, [writtenCut(own, { ask: `collusion with ${key.acquirerGroup}`, plan })])
  }
  return grown.map(({ dataSet }) => ({ acquirerGroup: into, dataSet }))
}

/** The people of every change of rows that partitions have seen, each once. */
async function readChanges(db: Database, keys: readonly PartitionKey[]): Promise<readonly Bitset[]> {
  const groups = keys.map(({ acquirerGroup }) => acquirerGroup)
  const { rows } = await sql<{ delta: Uint8Array }>`
    select distinct delta from partition_entry
    where acquirer_group = any(${groups}::text[]) and data_set = ${keys[0]?.dataSet ?? ''} and kind = 'change'`.execute(
    db,
  )
  return rows.map(({ delta }) => decodePeople(delta))
}
