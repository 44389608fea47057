import { Bitset } from '../../kernel/bitset.ts'

/** What rows that an acquirer was given let be known of one column. */
export interface KnownColumn {
  /** Whose rows used it in any way: it may be known. */
  readonly seen: Bitset
  /** Whose value was shown as it is, and whose rows have not changed since: it is known. */
  readonly exact: Bitset
}

/** By column, `NO_COLUMN` and `ANY_COLUMN` among them. */
export type KnownColumns = ReadonlyMap<string, KnownColumn>

/** A column that a question of mode `rows` uses. */
export interface UsedColumn {
  readonly name: string
  /** Whether it is shown as it is, of a data set with one row a person. */
  readonly isShown: boolean
}

/** Stands for being in a release of rows at all, also where it shows no column. Whoever is known and not in it had rows before columns were kept. */
export const NO_COLUMN: UsedColumn = { name: '', isShown: true }
/** Stands for rows from before columns were kept, once there are others beside them: any column may be known of these people. */
const ANY_COLUMN: UsedColumn = { name: '*', isShown: false }

export const NOTHING_KNOWN: KnownColumns = new Map()

/** What is known once columns of people were given, beside what was known before. */
export function addedBy(
  known: KnownColumns,
  { people, columns }: { readonly people: Bitset; readonly columns: readonly UsedColumn[] },
): KnownColumns {
  const added = new Map<string, KnownColumn>()
  for (const { name, isShown } of columns) {
    const { seen, exact } = known.get(name) ?? NOBODY
    const more = { seen: people.difference(seen), exact: isShown ? people.difference(exact) : new Bitset() }
    if (!more.seen.isEmpty || !more.exact.isEmpty) added.set(name, more)
  }
  return added
}

/** Notes of people who are known that they had rows before columns were kept, unless all of their rows are of columns that are kept. */
export function addedAsAny(known: KnownColumns, people: Bitset): KnownColumns {
  const columns = [ANY_COLUMN]
  return addedBy(known, { people: people.difference(seenIn(known, NO_COLUMN)), columns })
}

/** Both together. */
export function joinKnown(known: KnownColumns, added: KnownColumns): KnownColumns {
  if (added.size === 0) return known
  const joined = new Map(known)
  for (const [name, { seen, exact }] of added) {
    const before = known.get(name) ?? NOBODY
    joined.set(name, { seen: before.seen.union(seen), exact: before.exact.union(exact) })
  }
  return joined
}

/** What is known once rows of people changed: their values are others, though perhaps not all of them. */
export function withoutExact(known: KnownColumns, people: Bitset): KnownColumns {
  if (known.values().every(({ exact }) => exact.intersectionCount(people) === 0)) return known
  return new Map(
    known.entries().map(([name, { seen, exact }]) => [name, { seen, exact: exact.difference(people) }]),
  )
}

/** A cell of people all of whom are in rows that were given. */
interface KnownCell {
  readonly size: number
  /** Least people of whom a sum may let something be known. */
  readonly least: number
}

/**
 * Of cells of people all of whom are in rows, those of which some column is known of most and not of a few: a sum over the cell,
 * less what is known, is about these. None or a minimum group must be unknown of every column; where it may be known and may
 * not, as of a column that only chose the rows, the ones who surely do not know count.
 */
export function partlyKnown(
  known: KnownColumns,
  cells: ReadonlyMap<number, KnownCell>,
  cellOf: (person: number) => number,
): ReadonlySet<number> {
  const weak = new Set<number>()
  if (cells.size === 0) return weak
  const countIn = (people: Bitset): ReadonlyMap<number, number> => {
    const counts = new Map<number, number>()
    people.forEach((person) => {
      const cell = cellOf(person)
      if (cells.has(cell)) counts.set(cell, (counts.get(cell) ?? 0) + 1)
    })
    return counts
  }
  const kept = seenIn(known, NO_COLUMN).difference(seenIn(known, ANY_COLUMN))
  const areKept = countIn(kept)
  for (const { seen, exact } of [...known.values(), NOBODY]) {
    const [maySee, see] = [countIn(seen.intersection(kept)), countIn(exact)]
    for (const [cell, { size, least }] of cells) {
      // Of whom the columns are not kept, this one may be known as any other.
      const mayKnow = (maySee.get(cell) ?? 0) + size - (areKept.get(cell) ?? 0)
      if (size - mayKnow < least && (see.get(cell) ?? 0) < size) weak.add(cell)
    }
  }
  return weak
}

function seenIn(known: KnownColumns, { name }: UsedColumn): Bitset {
  return (known.get(name) ?? NOBODY).seen
}

const NOBODY: KnownColumn = { seen: new Bitset(), exact: new Bitset() }

/** As bytes: for each column its name and both sets, each behind its length. */
export function encodeKnown(known: KnownColumns): Uint8Array {
  if (known.size === 0) return new Uint8Array()
  const parts = known
    .entries()
    .flatMap(([name, { seen, exact }]) => [Buffer.from(name), seen.toBytes(), exact.toBytes()])
  return Buffer.concat(
    [...parts].flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(part.length)
      return [length, part]
    }),
  )
}

/** Reads what `encodeKnown` wrote. */
export function decodeKnown(bytes: Uint8Array): KnownColumns {
  const buffer = Buffer.from(bytes)
  let at = 0
  const next = (): Buffer => {
    const from = at + 4
    at = from + buffer.readUInt32LE(at)
    return buffer.subarray(from, at)
  }
  const known = new Map<string, KnownColumn>()
  while (at < buffer.length) {
    const name = next().toString()
    known.set(name, { seen: Bitset.fromBytes(next()), exact: Bitset.fromBytes(next()) })
  }
  return known
}

/** How much memory it takes. */
export function bytesOfKnown(known: KnownColumns): number {
  return known.values().reduce((sum, { seen, exact }) => sum + wordBytes(seen) + wordBytes(exact), 0)
}

function wordBytes(people: Bitset): number {
  const { places, words } = people.packed()
  return places.byteLength + words.byteLength
}
