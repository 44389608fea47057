import { hmacSha256 } from '../../../kernel/digest.ts'
import type { ReleaseValue } from '../../../protocol/release.ts'
import type { ListedRows } from '../../vault/vault.ts'
import { chooseGroups } from './choose-groups.ts'
import type { Seed } from './choose-groups.ts'
import { ExactSum } from './exact-sum.ts'
import { NO_STEP, PackedAdder, UnpackedRows } from './packed-rows.ts'
import { isOfRow, ROW_WEIGHT } from '../plan/private-design.ts'
import type { PrivateDesign, PrivateFigure, PrivateSeries } from '../plan/private-design.ts'
import { reachOf } from '../plan/private-grid.ts'
import type { PlaceWeight, PrivateGroup } from '../plan/private-group.ts'

/** One group, and its rows, which are good until those of another are read. */
export interface ListedGroup {
  readonly keys: readonly ReleaseValue[]
  readonly readRows: () => ListedRows
}

export interface ListedContext {
  readonly design: PrivateDesign
  /** Every person's number is below. */
  readonly personCount: number
  readonly choiceKey: string
}

/**
 * The groups with what one person gives bounded, from their rows: the same whole numbers as the engine's own statement
 * gives (`printBounded`). A group for each person takes an engine several times as long as arrays over their numbers.
 * Which groups a person with too many counts in is chosen by another keyed hash than there.
 *
 * Undefined where a sum could be past the whole numbers that doubles hold, or where two groups have the same keys.
 */
export function boundListed(
  groups: readonly ListedGroup[],
  context: ListedContext,
): readonly PrivateGroup[] | undefined {
  const { design, personCount, choiceKey } = context
  const seeds = groups.map(({ keys }) => seedOf(keys, choiceKey))
  if (new Set(seeds.map((seed) => seed.join())).size < seeds.length) return undefined
  const everybody: Int32Array[] = []
  const adder = new GroupAdder(design, personCount)
  const whole = groups.map((group) => {
    const added = adder.add(group)
    everybody.push(adder.people.slice())
    return added
  })
  const { groupsMax } = design.bounds
  const groupsOf = countGroups(everybody, { personCount, groupsMax })
  if (groupsOf === undefined) return allOf(whole)
  const isChosen = chooseGroups(everybody, { groupsOf, groupsMax, seeds })
  return allOf(groups.map((group, index) => adder.add(group, (person) => isChosen(person, index))))
}

/** By person number, in how many groups they stand; undefined where nobody stands in too many. */
function countGroups(
  everybody: readonly Int32Array[],
  { personCount, groupsMax }: { readonly personCount: number; readonly groupsMax: number },
): Int32Array | undefined {
  if (everybody.length <= groupsMax || areDisjoint(everybody, personCount)) return undefined
  const groupsOf = new Int32Array(personCount)
  for (const people of everybody) {
    for (let place = 0; place < people.length; place += 1) {
      const person = people[place] ?? 0
      groupsOf[person] = (groupsOf[person] ?? 0) + 1
    }
  }
  return mostOf(groupsOf) <= groupsMax ? undefined : groupsOf
}

/** By a bit each: a count for each is several times as long. */
function areDisjoint(everybody: readonly Int32Array[], personCount: number): boolean {
  const seen = new Int32Array(Math.ceil(personCount / 32))
  return everybody.every((people) => areNew(people, seen))
}

function areNew(people: Int32Array, seen: Int32Array): boolean {
  for (let place = 0; place < people.length; place += 1) {
    const person = people[place] ?? 0
    const word = seen[person >>> 5] ?? 0
    const bit = 1 << (person & 31)
    if ((word & bit) !== 0) return false
    seen[person >>> 5] = word | bit
  }
  return true
}

function allOf<T>(items: readonly (T | undefined)[]): readonly T[] | undefined {
  const found = items.filter((item) => item !== undefined)
  return found.length === items.length ? found : undefined
}

/** What chooses a group follows from its keys and the question alone: which other groups there are has no part in it. */
function seedOf(keys: readonly ReleaseValue[], choiceKey: string): Seed {
  const seed = Buffer.from(hmacSha256(Buffer.from(choiceKey), JSON.stringify(keys)))
  return [seed.readUInt32BE(0), seed.readUInt32BE(4)]
}

/** Up to here every whole number is a double. */
const EXACT_MAX = 2 ** 53

/** What each person of a group gives to a series; by the places of the people. */
interface Given {
  readonly rows: Int32Array
  readonly distances: Float64Array
  readonly squares: Float64Array
}

/** The largest of numbers from 0 on. */
function mostOf(numbers: Int32Array): number {
  let most = 0
  for (let at = 0; at < numbers.length; at += 1) most = Math.max(most, numbers[at] ?? 0)
  return most
}

/** Adds up one group after another, in the same memory. */
class GroupAdder {
  readonly #design: PrivateDesign
  /** The series whose rows are listed. */
  readonly #listed: readonly PrivateSeries[]
  readonly #packed: PackedAdder
  readonly #unpacked = new UnpackedRows()
  /** By person number, 0 or the place among the people, from 1; all 0 between two groups. */
  readonly #placeOf: Int32Array
  /** For each row of the group the place of its person. */
  #places = new Int32Array(0)
  /** Room for the people of a group. */
  #room = new Int32Array(0)
  /** The people of the group, each once. */
  #people: Int32Array = this.#room
  /** By their places, 1 for the people who count in the group. */
  #chosen = new Uint8Array(0)
  #given: Given = { rows: new Int32Array(0), distances: NO_SUMS, squares: NO_SUMS }

  constructor(design: PrivateDesign, personCount: number) {
    this.#design = design
    this.#listed = design.series.filter((one) => !isOfRow(one))
    this.#placeOf = new Int32Array(personCount)
    this.#packed = new PackedAdder(personCount)
  }

  /** The people of the group that was last added, until the next is. */
  get people(): Int32Array {
    return this.#people
  }

  /** Undefined where it could not be exact. */
  add({ keys, readRows }: ListedGroup, isChosen?: (person: number) => boolean): PrivateGroup | undefined {
    const listed = readRows()
    const given = 'doubles' in listed ? this.#givePacked(listed.doubles) : undefined
    const rows = 'doubles' in listed ? !given && this.#unpacked.unpack(listed.doubles) : listed
    if (rows) this.#number(rows.people)
    const people = this.#choose(isChosen)
    const { series: all, figures } = this.#design
    const series: PrivateGroup['series'][number][] = []
    const places: (readonly PlaceWeight[])[] = []
    let next = 0
    for (const [index, one] of all.entries()) {
      const steps = isOfRow(one) || !rows ? undefined : rows.values[next++]
      const sums = isOfRow(one) ? NOTHING : this.#addSeries(one, given ?? this.#give(one, steps))
      if (sums === undefined) return undefined
      series.push(sums)
      if (steps === undefined) continue
      for (const figure of figures)
        if (figure.kind === 'place' && figure.series === index)
          places[placeNumber(figures, figure)] = this.#addPlaces(one, figure, steps)
    }
    return { keys, people: BigInt(people), series, places }
  }

  /** Undefined where rows have to be looked at one by one. */
  #givePacked(packed: Float64Array): Given | undefined {
    const [one, ...others] = this.#listed
    if (one === undefined || others.length > 0 || one.needsSquares) return undefined
    if (this.#design.figures.some(({ kind }) => kind === 'place')) return undefined
    const sums = this.#packed.add(packed, farthestOf(one))
    if (sums === undefined) return undefined
    this.#people = sums.people
    return { ...sums, squares: NO_SUMS }
  }

  #choose(isChosen: ((person: number) => boolean) | undefined): number {
    const people = this.#people
    if (people.length > this.#chosen.length) this.#chosen = new Uint8Array(people.length)
    if (isChosen === undefined) {
      this.#chosen.fill(1, 0, people.length)
      return people.length
    }
    let count = 0
    for (let place = 0; place < people.length; place += 1) {
      const one = isChosen(people[place] ?? 0) ? 1 : 0
      this.#chosen[place] = one
      count += one
    }
    return count
  }

  /** Finds the people of rows, in the order of their first ones. */
  #number(rows: Int32Array): void {
    if (this.#places.length < rows.length) this.#grow(rows.length)
    const [placeOf, places, people] = [this.#placeOf, this.#places, this.#room]
    let count = 0
    for (let row = 0; row < rows.length; row += 1) {
      const person = rows[row] ?? 0
      let place = placeOf[person] ?? 0
      if (place === 0) {
        people[count] = person
        count += 1
        place = count
        placeOf[person] = place
      }
      places[row] = place - 1
    }
    for (let place = 0; place < count; place += 1) placeOf[people[place] ?? 0] = 0
    this.#people = people.subarray(0, count)
  }

  #grow(rowCount: number): void {
    const most = Math.min(rowCount, this.#placeOf.length)
    this.#places = new Int32Array(rowCount)
    this.#room = new Int32Array(most)
    this.#given = {
      rows: new Int32Array(most),
      distances: new Float64Array(most),
      squares: new Float64Array(most),
    }
  }

  #addSeries(one: PrivateSeries, given: Given): PrivateGroup['series'][number] | undefined {
    const [chosen, count] = [this.#chosen, this.#people.length]
    const { rowsMax } = this.#design.bounds
    const mostRows = mostOf(given.rows.subarray(0, count))
    const distance = farthestOf(one)
    if (mostRows * distance * (one.needsSquares ? distance : 1) > EXACT_MAX) return undefined
    const people = { rows: given.rows.subarray(0, count), chosen, rowsMax }
    return {
      rows: sumOfRows({ ...people, rowsMax: one.isOfPeople ? 1 : rowsMax }),
      distances: one.grid ? sumOfParts(given.distances, people) : 0n,
      squares: one.needsSquares ? sumOfParts(given.squares, people) : 0n,
    }
  }

  #give(one: PrivateSeries, steps: Float64Array = NO_SUMS): Given {
    const [places, count] = [this.#places, this.#people.length]
    const { rows, distances, squares } = this.#given
    rows.fill(0, 0, count)
    distances.fill(0, 0, count)
    if (one.needsSquares) squares.fill(0, 0, count)
    for (let row = 0; row < steps.length; row += 1) {
      const step = steps[row] ?? NO_STEP
      if (step === NO_STEP) continue
      const place = places[row] ?? 0
      rows[place] = (rows[place] ?? 0) + 1
      distances[place] = (distances[place] ?? 0) + step
      if (one.needsSquares) squares[place] = (squares[place] ?? 0) + step * step
    }
    return this.#given
  }

  /** What stands on the places of a quantile's grid: whoever has more rows than count weighs less with each. Uses what `#give` left. */
  #addPlaces(
    { grid }: PrivateSeries,
    { places: { step: width } }: Extract<PrivateFigure, { kind: 'place' }>,
    steps: Float64Array,
  ): readonly PlaceWeight[] {
    if (grid === undefined) throw new Error('Cannot place a quantile: it has no grid')
    const [least, wide, weight] = [Number(grid.least), Number(width), Number(ROW_WEIGHT)]
    const { rowsMax } = this.#design.bounds
    const weights = new Map<number, number>()
    for (let row = 0; row < steps.length; row += 1) {
      const value = steps[row] ?? NO_STEP
      const person = this.#places[row] ?? 0
      if (value === NO_STEP || this.#chosen[person] === 0) continue
      const place = Math.floor((value - least) / wide)
      const own = Math.min(weight, Math.trunc((weight * rowsMax) / (this.#given.rows[person] ?? 1)))
      weights.set(place, (weights.get(place) ?? 0) + own)
    }
    return [...weights]
      .map(([place, total]) => ({ place, weight: BigInt(total) }))
      .toSorted((one, other) => one.place - other.place)
  }
}

const NO_SUMS = new Float64Array(0)
const NOTHING = { rows: 0n, distances: 0n, squares: 0n }

/** The largest distance of a step to the middle. */
function farthestOf({ grid }: PrivateSeries): number {
  return grid ? Number(reachOf(grid).distance) : 1
}

/** The how-manieth of the figures that are places it is. */
function placeNumber(figures: readonly PrivateFigure[], wanted: PrivateFigure): number {
  return figures.filter(({ kind }) => kind === 'place').indexOf(wanted)
}

/** The people of a group by their places: the rows of each that count, and 1 for who is chosen. */
interface PlacedRows {
  readonly rows: Int32Array
  readonly chosen: Uint8Array
  readonly rowsMax: number
}

/** The rows of those chosen, of each at most so many: fewer than are listed, so that a double holds them. */
function sumOfRows({ rows, chosen, rowsMax }: PlacedRows): bigint {
  let sum = 0
  for (let place = 0; place < rows.length; place += 1)
    if (chosen[place] === 1) sum += Math.min(rows[place] ?? 0, rowsMax)
  return BigInt(sum)
}

function sumOfParts(parts: Float64Array, { rows, chosen, rowsMax }: PlacedRows): bigint {
  const sum = new ExactSum()
  for (let place = 0; place < rows.length; place += 1)
    if (chosen[place] === 1) sum.add(boundedPart(parts[place] ?? 0, rows[place] ?? 0, rowsMax))
  return sum.total
}

/** Whoever has more rows than count, counts as that many rows of their own average; towards 0, as the engine divides. */
function boundedPart(sum: number, rows: number, rowsMax: number): number {
  if (rows <= rowsMax) return sum
  const product = sum * rowsMax
  // A quotient of whole numbers below 2^53 never rounds up to the next whole number.
  if (Math.abs(product) <= EXACT_MAX) return Math.trunc(product / rows)
  return Number((BigInt(sum) * BigInt(rowsMax)) / BigInt(rows))
}
