import type { Bitset } from '../../kernel/bitset.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Households } from './households.ts'
import { PersonIndex } from './person-index.ts'
import { UNKNOWN_BIRTH_DAY } from './vault.ts'
import type { Principals, RowDays } from './vault.ts'

/** Something that is read again and again. `value` is there once the reading is over. */
interface Kept<T> {
  readonly reading: Promise<T>
  value?: T
}

/**
 * What the vault reads again and again, kept until something changes. The common changes, somebody comes, rows come,
 * somebody is forgotten, are made good in what is kept, so that one person costs nobody a pass over everybody. Each can be
 * made good twice without harm: what is kept may have been read just after it was committed. What is still being read
 * meanwhile may be from before or after it, and is let go.
 */
export class VaultMemory {
  readonly index = new PersonIndex()
  /** By `nameOfRows`, as the next. */
  readonly #numbers = new Map<string, Kept<Bitset>>()
  readonly #people = new Map<string, Kept<Bitset>>()
  readonly #rowsPerPerson = new Map<DataSetId, Kept<number>>()
  readonly #rowCounts = new Map<DataSetId, Kept<number>>()
  readonly #households = new Map<'all', Kept<Households>>()
  readonly #principals = new Map<'all', Kept<Principals>>()
  readonly #personCount = new Map<'all', Kept<number>>()

  personCount(read: () => Promise<number>): Promise<number> {
    return this.#keep(this.#personCount, 'all', read)
  }

  people(rows: string, read: () => Promise<Bitset>): Promise<Bitset> {
    return this.#keep(this.#people, rows, read)
  }

  numbers(rows: string, read: () => Promise<Bitset>): Promise<Bitset> {
    return this.#keep(this.#numbers, rows, read)
  }

  households(read: () => Promise<Households>): Promise<Households> {
    return this.#keep(this.#households, 'all', read)
  }

  rowsPerPerson(dataSet: DataSetId, read: () => Promise<number>): Promise<number> {
    return this.#keep(this.#rowsPerPerson, dataSet, read)
  }

  rowCount(dataSet: DataSetId, read: () => Promise<number>): Promise<number> {
    return this.#keep(this.#rowCounts, dataSet, read)
  }

  principals(read: () => Promise<Principals>): Promise<Principals> {
    return this.#keep(this.#principals, 'all', read)
  }

  /** People have these numbers, some of them new; no more is known of those. */
  noteNumbered(lookups: readonly Uint8Array[], numbers: Int32Array): void {
    this.index.noteNumbered(lookups, numbers)
    const count = numbers.reduce((most, number) => Math.max(most, number + 1), 0)
    amend(this.#personCount, 'all', (known) => Math.max(known, count))
    amend(this.#principals, 'all', (known) => withRoomFor(known, count))
  }

  /** Rows of these numbers came into a data set. */
  noteAppended(dataSet: DataSetId, people: Bitset): void {
    if (!this.#isWithoutHouseholds()) {
      this.forgetAll()
      return
    }
    this.noteCorrected(dataSet)
    for (const sets of [this.#numbers, this.#people]) amend(sets, dataSet, (known) => known.union(people))
    this.#rowsPerPerson.delete(dataSet)
    this.#rowCounts.delete(dataSet)
  }

  /** Rows of a data set may be of other days than before. */
  noteCorrected(dataSet: DataSetId): void {
    for (const sets of [this.#numbers, this.#people])
      for (const rows of sets.keys()) if (isOfDays(rows, dataSet)) sets.delete(rows)
  }

  /** Somebody has no rows any more, and is not found by these lookup digests. */
  noteForgotten(person: number, lookups: readonly Uint8Array[]): void {
    if (!this.#isWithoutHouseholds()) {
      this.forgetAll()
      this.index.noteForgotten()
      return
    }
    this.index.remove(lookups)
    for (const sets of [this.#numbers, this.#people])
      for (const rows of sets.keys()) amend(sets, rows, (known) => without(known, person))
    this.#rowsPerPerson.clear()
    this.#rowCounts.clear()
    amend(this.#principals, 'all', (known) => withoutFacts(known, person))
  }

  /** Anything may have changed. */
  forgetAll(): void {
    this.index.noteChange()
    this.#numbers.clear()
    this.#people.clear()
    this.#rowsPerPerson.clear()
    this.#rowCounts.clear()
    this.#households.clear()
    this.#principals.clear()
    this.#personCount.clear()
  }

  /** Where rows have several people, who is behind them cannot be told from numbers alone. */
  #isWithoutHouseholds(): boolean {
    return this.#households.get('all')?.value?.isEmpty === true
  }

  #keep<K, T>(map: Map<K, Kept<T>>, key: K, read: () => Promise<T>): Promise<T> {
    const known = map.get(key)
    if (known) return known.reading
    const kept: Kept<T> = { reading: read() }
    map.set(key, kept)
    kept.reading.then(
      (value) => {
        kept.value = value
      },
      () => this.forgetAll(),
    )
    return kept.reading
  }
}

/** Names a data set, or rows of some days of it. */
export function nameOfRows(dataSet: DataSetId, days: RowDays | undefined): string {
  return days ? JSON.stringify([dataSet, days.column, days.from, days.besides]) : dataSet
}

function isOfDays(rows: string, dataSet: DataSetId): boolean {
  return rows.startsWith(`["${dataSet}",`)
}

/** Puts something else in the place of what is kept; what is not read to the end is let go. */
function amend<K, T>(map: Map<K, Kept<T>>, key: K, change: (known: T) => T): void {
  const known = map.get(key)?.value
  if (known === undefined) {
    map.delete(key)
    return
  }
  const value = change(known)
  map.set(key, { reading: Promise.resolve(value), value })
}

function without(known: Bitset, person: number): Bitset {
  if (!known.has(person)) return known
  const rest = known.clone()
  rest.delete(person)
  return rest
}

function withRoomFor(known: Principals, count: number): Principals {
  if (known.birthDay.length >= count) return known
  const birthDay = new Int32Array(count).fill(UNKNOWN_BIRTH_DAY)
  birthDay.set(known.birthDay)
  const residence = new Uint16Array(count)
  residence.set(known.residence)
  return { ...known, birthDay, residence }
}

function withoutFacts(known: Principals, person: number): Principals {
  const isUnknown =
    (known.birthDay[person] ?? UNKNOWN_BIRTH_DAY) === UNKNOWN_BIRTH_DAY &&
    (known.residence[person] ?? 0) === 0
  if (isUnknown) return known
  const [birthDay, residence] = [known.birthDay.slice(), known.residence.slice()]
  birthDay[person] = UNKNOWN_BIRTH_DAY
  residence[person] = 0
  return { ...known, birthDay, residence }
}
