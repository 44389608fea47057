import { Bitset } from '../../kernel/bitset.ts'
import { epochDay } from '../../protocol/law/consent-ages.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Households } from './households.ts'
import { PersonIndex } from './person-index.ts'
import { tableOf } from './stored-columns.ts'
import { UNKNOWN_BIRTH_DAY } from './vault.ts'
import type { PersonFacts, Principals, RowDays } from './vault.ts'

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
  readonly #columns = new Map<DataSetId, Kept<readonly string[]>>()

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

  /** The columns of a data set's table, in its order. */
  columns(dataSet: DataSetId, read: () => Promise<readonly string[]>): Promise<readonly string[]> {
    return this.#keep(this.#columns, dataSet, read)
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

  /** This is known of people now, besides what was. */
  noteFacts(facts: readonly PersonFacts[]): void {
    if (facts.length > 0) amend(this.#principals, 'all', (known) => withFacts(known, facts))
  }

  /**
   * What is counted of rows, before some change. Counts are only gone on from where they were read before the change and nobody has
   * read them since: a number that is added twice is wrong.
   */
  counts(): Counts {
    return {
      numbers: known(this.#numbers),
      rowCounts: known(this.#rowCounts),
      rowsPerPerson: known(this.#rowsPerPerson),
    }
  }

  /** Rows came into a data set: of these people, or so many of each. */
  noteAppended(
    dataSet: DataSetId,
    came:
      | { readonly people: Bitset }
      | { readonly rows: ReadonlyMap<number, number>; readonly before: Counts },
  ): void {
    if (!this.isWithoutHouseholds()) {
      this.forgetAll()
      return
    }
    this.noteCorrected(dataSet)
    const people = 'people' in came ? came.people : Bitset.of(came.rows.keys())
    for (const sets of [this.#numbers, this.#people]) amend(sets, dataSet, (set) => set.union(people))
    if ('people' in came) {
      this.#rowsPerPerson.delete(dataSet)
      this.#rowCounts.delete(dataSet)
      return
    }
    const { numbers, rowCounts, rowsPerPerson } = came.before
    const had = numbers.get(dataSet)?.value
    const isOfNew = had !== undefined && people.intersectionCount(had) === 0
    const each = [...came.rows.values()]
    const sum = each.reduce((all, one) => all + one, 0)
    goOn(this.#rowCounts, { key: dataSet, from: rowCounts.get(dataSet), to: (count) => count + sum })
    const from = isOfNew ? rowsPerPerson.get(dataSet) : undefined
    goOn(this.#rowsPerPerson, { key: dataSet, from, to: (most) => Math.max(most, ...each) })
  }

  /** A data set has other rows than before; who is behind households is as it was. */
  noteReplaced(dataSet: DataSetId): void {
    this.noteCorrected(dataSet)
    for (const sets of [this.#numbers, this.#people]) sets.delete(dataSet)
    this.#rowsPerPerson.delete(dataSet)
    this.#rowCounts.delete(dataSet)
    this.#columns.delete(dataSet)
  }

  /** Rows of a data set may be of other days than before. */
  noteCorrected(dataSet: DataSetId): void {
    for (const sets of [this.#numbers, this.#people])
      for (const rows of sets.keys()) if (isOfDays(rows, dataSet)) sets.delete(rows)
  }

  /** People have no rows any more, so many less in each table, and nobody is found by these numbers. */
  noteForgotten(
    people: readonly number[],
    {
      numbers,
      rows,
      before,
    }: {
      readonly numbers: readonly number[]
      readonly rows: ReadonlyMap<string, number>
      readonly before: Counts
    },
  ): void {
    this.index.remove(numbers)
    if (!this.isWithoutHouseholds()) {
      this.forgetAll()
      return
    }
    for (const sets of [this.#numbers, this.#people])
      for (const name of sets.keys()) amend(sets, name, (set) => without(set, people))
    const goneOf = (dataSet: DataSetId) => rows.get(tableOf(dataSet)) ?? 0
    for (const dataSet of this.#rowsPerPerson.keys()) {
      const gone = goneOf(dataSet)
      const left = (before.rowCounts.get(dataSet)?.value ?? 0) - gone
      // Fewer rows than one person has at most are not those of somebody who has as many; and of people with one row each some are left.
      const isSame = (most: number) => gone < most || (most === 1 && left > 0)
      const to = (most: number) => (isSame(most) ? most : undefined)
      goOn(this.#rowsPerPerson, { key: dataSet, from: before.rowsPerPerson.get(dataSet), to })
    }
    for (const dataSet of this.#rowCounts.keys()) {
      const to = (count: number) => count - goneOf(dataSet)
      goOn(this.#rowCounts, { key: dataSet, from: before.rowCounts.get(dataSet), to })
    }
    amend(this.#principals, 'all', (all) => withoutFacts(all, people))
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
    this.#columns.clear()
  }

  /** Where rows have several people, who is behind them cannot be told from numbers alone. */
  isWithoutHouseholds(): boolean {
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

type Known<K, T> = ReadonlyMap<K, { readonly kept: Kept<T>; readonly value: T | undefined }>

/** What was counted of rows at some moment. */
export interface Counts {
  readonly numbers: Known<string, Bitset>
  readonly rowCounts: Known<DataSetId, number>
  readonly rowsPerPerson: Known<DataSetId, number>
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

/** What is kept, with what of it has been read. */
function known<K, T>(map: ReadonlyMap<K, Kept<T>>): Known<K, T> {
  return new Map([...map].map(([key, kept]) => [key, { kept, value: kept.value }]))
}

/** Puts a count in the place of one that it follows from, if that is still the one that is kept. */
function goOn<K>(
  map: Map<K, Kept<number>>,
  {
    key,
    from,
    to,
  }: {
    key: K
    from: { readonly kept: Kept<number>; readonly value: number | undefined } | undefined
    to: (count: number) => number | undefined
  },
): void {
  const value = from?.value === undefined || map.get(key) !== from.kept ? undefined : to(from.value)
  if (value === undefined) map.delete(key)
  else map.set(key, { reading: Promise.resolve(value), value })
}

function without(known: Bitset, people: readonly number[]): Bitset {
  if (!people.some((person) => known.has(person))) return known
  const rest = known.clone()
  for (const person of people) rest.delete(person)
  return rest
}

/** The later birth date wins and the newer residence, as in the table. */
function withFacts(known: Principals, facts: readonly PersonFacts[]): Principals {
  const [birthDay, residence] = [known.birthDay.slice(), known.residence.slice()]
  const countries = [...known.countries]
  for (const { person, birthDate, residence: country } of facts) {
    if (birthDate !== undefined)
      birthDay[person] = Math.max(birthDay[person] ?? UNKNOWN_BIRTH_DAY, epochDay(birthDate))
    if (country === undefined) continue
    if (!countries.includes(country)) countries.push(country)
    residence[person] = countries.indexOf(country)
  }
  return { birthDay, residence, countries }
}

function withRoomFor(known: Principals, count: number): Principals {
  if (known.birthDay.length >= count) return known
  const birthDay = new Int32Array(count).fill(UNKNOWN_BIRTH_DAY)
  birthDay.set(known.birthDay)
  const residence = new Uint16Array(count)
  residence.set(known.residence)
  return { ...known, birthDay, residence }
}

function withoutFacts(known: Principals, people: readonly number[]): Principals {
  const told = people.filter(
    (person) =>
      (known.birthDay[person] ?? UNKNOWN_BIRTH_DAY) !== UNKNOWN_BIRTH_DAY ||
      (known.residence[person] ?? 0) !== 0,
  )
  if (told.length === 0) return known
  const [birthDay, residence] = [known.birthDay.slice(), known.residence.slice()]
  for (const person of told) {
    birthDay[person] = UNKNOWN_BIRTH_DAY
    residence[person] = 0
  }
  return { ...known, birthDay, residence }
}
