import type { Bitset } from '../../kernel/bitset.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { endedColumns, keptRows, retentionEnd } from '../../protocol/law/retention.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { RowDays, Vault, VaultResult, VaultValue } from '../vault/vault.ts'

/** What retention goes by. */
export interface RetentionFacts {
  readonly clock: Clock
  readonly manifests: () => ReadonlyMap<DataSetId, Manifest>
  /** Whose data outlasts its retention. */
  readonly held: () => Bitset
}

/**
 * The vault as everybody but the sweep sees it: from the moment at which its retention ends a data set has no people and
 * no rows, a row that ends by a date of its own is not there, and a column has no values, whether or not anything was deleted yet. Those who are held stay, for
 * themselves and their issuer: no run may use them, because they are restricted too.
 */
export function retainedVault(vault: Vault, { clock, manifests, held }: RetentionFacts): Vault {
  const isOver = (dataSet: DataSetId): boolean => {
    const manifest = manifests().get(dataSet)
    return manifest !== undefined && retentionEnd(manifest.retention) <= clock.now()
  }
  const emptied = (dataSet: DataSetId): ReadonlySet<string> => {
    const manifest = manifests().get(dataSet)
    return new Set(manifest ? endedColumns(manifest, clock.now()) : [])
  }
  // A row is held for any of those whom it is about.
  const heldNumbers = async () => (await vault.households()).numbersOfAny(held())
  const keptDays = (dataSet: DataSetId, besides: readonly number[] = []): RowDays | undefined => {
    const manifest = manifests().get(dataSet)
    const kept = manifest && keptRows(manifest, clock.now())
    return kept && { ...kept, besides }
  }
  return {
    ...vault,
    people: async (dataSet) => {
      if (isOver(dataSet)) return (await vault.people(dataSet)).intersection(held())
      const days = keptDays(dataSet)
      const people = await vault.people(dataSet, days)
      return days ? withThem(people, (await vault.people(dataSet)).intersection(held())) : people
    },
    numbers: async (dataSet) => {
      if (isOver(dataSet)) return (await vault.numbers(dataSet)).intersection(await heldNumbers())
      const days = keptDays(dataSet)
      const numbers = await vault.numbers(dataSet, days)
      return days
        ? withThem(numbers, (await vault.numbers(dataSet)).intersection(await heldNumbers()))
        : numbers
    },
    listRows: async (dataSet, number) => {
      if ((await heldNumbers()).has(number)) return vault.listRows(dataSet, number)
      const rows = await vault.listRows(dataSet, number, keptDays(dataSet))
      return isOver(dataSet) ? noRows(rows) : withoutColumns(rows, emptied(dataSet), () => false)
    },
    listRowsOf: async (dataSet, wanted) => {
      const holding = await heldNumbers()
      const seen = isOver(dataSet) ? wanted.filter((number) => holding.has(number)) : wanted
      const besides = seen.filter((number) => holding.has(number))
      const rows = await vault.listRowsOf(dataSet, seen, keptDays(dataSet, besides))
      const numbers = rows.column(0)
      return withoutColumns(rows, emptied(dataSet), (row) => holding.has(Number(numbers[row])))
    },
    correct: (correction) => vault.correct({ ...correction, days: keptDays(correction.manifest.dataSet) }),
  }
}

/** A set with some more, or itself where there are none: the vault keeps what it gave. */
function withThem(people: Bitset, others: Bitset): Bitset {
  return others.isEmpty ? people : people.union(others)
}

function noRows(rows: VaultResult): VaultResult {
  return {
    columns: rows.columns,
    rowCount: 0,
    column: () => [],
    doubles: () => new Float64Array(),
    bytes: () => [],
    sets: () => [],
    listed: () => [],
    rows: () => [],
    pieces: () => [],
  }
}

/** Rows in which some columns are empty, but those of people who are held. */
function withoutColumns(
  rows: VaultResult,
  ended: ReadonlySet<string>,
  isHeld: (row: number) => boolean,
): VaultResult {
  if (ended.size === 0) return rows
  const isEnded = rows.columns.map(({ name }) => ended.has(name))
  const column = (index: number): readonly VaultValue[] => {
    const values = rows.column(index)
    return isEnded[index] === true ? values.map((value, row) => (isHeld(row) ? value : null)) : values
  }
  return {
    columns: rows.columns,
    rowCount: rows.rowCount,
    column,
    doubles: (index) =>
      isEnded[index] === true
        ? Float64Array.from(rows.doubles(index), (value, row) => (isHeld(row) ? value : Number.NaN))
        : rows.doubles(index),
    bytes: (index) =>
      isEnded[index] === true
        ? rows.bytes(index).map((value, row) => (isHeld(row) ? value : null))
        : rows.bytes(index),
    sets: (index) => rows.sets(index),
    listed: (index) => rows.listed(index),
    rows: () => {
      const columns = rows.columns.map((_, index) => column(index))
      return Array.from({ length: rows.rowCount }, (_, row) => columns.map((values) => values[row] ?? null))
    },
    pieces: () => {
      let next = 0
      return rows.pieces().map((piece) => {
        const start = next
        next += piece.rowCount
        return withoutColumns(piece, ended, (row) => isHeld(start + row))
      })
    },
  }
}
