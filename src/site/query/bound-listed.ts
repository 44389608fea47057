import { hmacSha256 } from '../../kernel/digest.ts'
import type { ReleaseValue } from '../../protocol/release.ts'
import type { ListedRows } from '../vault/vault.ts'
import { chooseGroups } from './choose-groups.ts'
import type { Seed } from './choose-groups.ts'
import { ExactSum } from './exact-sum.ts'
import { NO_STEP } from './plan-private.ts'
import { isOfRow, ROW_WEIGHT } from './private-design.ts'
import type { PrivateDesign, PrivateFigure, PrivateSeries } from './private-design.ts'
import { reachOf } from './private-grid.ts'
import type { PlaceWeight, PrivateGroup } from './private-group.ts'

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
  const groupsOf = new Int32Array(personCount)
  const everybody: Int32Array[] = []
  const adder = new GroupAdder(design, personCount)
  const whole = groups.map((group) => {
    const added = adder.add(group)
    everybody.push(adder.countGroups(groupsOf))
    return added
  })
  const { groupsMax } = design.bounds
  if (mostOf(groupsOf) <= groupsMax) return allOf(whole)
  const isChosen = chooseGroups(everybody, { groupsOf, groupsMax, seeds })
  return allOf(groups.map((group, index) => adder.add(group, (person) => isChosen(person, index))))
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
  /** By person number, 0 or the place in `people`, from 1. */
  readonly #placeOf: Int32Array
  /** For each row of the group the place of its person. */
  #places = new Int32Array(0)
  /** The people of the group, in the order of their first rows: so many as `count`. */
  #people = new Int32Array(0)
  #count = 0
  /** By their places, 1 for the people who count in the group. */
  #chosen = new Uint8Array(0)
  #given: Given = { rows: new Int32Array(0), distances: new Float64Array(0), squares: new Float64Array(0) }

  constructor(design: PrivateDesign, personCount: number) {
    this.#design = design
    this.#placeOf = new Int32Array(personCount)
  }

  /** Of the group that was last added, its people; each is in one group more. */
  countGroups(groupsOf: Int32Array): Int32Array {
    const people = this.#people.slice(0, this.#count)
    for (let place = 0; place < people.length; place += 1) {
      const person = people[place] ?? 0
      groupsOf[person] = (groupsOf[person] ?? 0) + 1
    }
    return people
  }

  /** Undefined where it could not be exact. */
  add({ keys, readRows }: ListedGroup, isChosen?: (person: number) => boolean): PrivateGroup | undefined {
    const rows = readRows()
    this.#number(rows.people)
    const people = this.#choose(isChosen)
    const { series: all, figures } = this.#design
    const series: PrivateGroup['series'][number][] = []
    const places: (readonly PlaceWeight[])[] = []
    let next = 0
    for (const [index, one] of all.entries()) {
      const steps = isOfRow(one) ? undefined : rows.values[next++]
      const sums = steps === undefined ? NOTHING : this.#addSeries(one, steps)
      if (sums === undefined) return undefined
      series.push(sums)
      if (steps === undefined) continue
      for (const figure of figures)
        if (figure.kind === 'place' && figure.series === index)
          places[placeNumber(figures, figure)] = this.#addPlaces(one, figure, steps)
    }
    return { keys, people: BigInt(people), series, places }
  }

  #choose(isChosen: ((person: number) => boolean) | undefined): number {
    if (isChosen === undefined) {
      this.#chosen.fill(1, 0, this.#count)
      return this.#count
    }
    let count = 0
    for (let place = 0; place < this.#count; place += 1) {
      const one = isChosen(this.#people[place] ?? 0) ? 1 : 0
      this.#chosen[place] = one
      count += one
    }
    return count
  }

  #number(rows: Int32Array): void {
    for (let place = 0; place < this.#count; place += 1) this.#placeOf[this.#people[place] ?? 0] = 0
    if (this.#places.length < rows.length) this.#grow(rows.length)
    const [placeOf, places, people] = [this.#placeOf, this.#places, this.#people]
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
    this.#count = count
  }

  #grow(rowCount: number): void {
    const most = Math.min(rowCount, this.#placeOf.length)
    this.#places = new Int32Array(rowCount)
    const people = new Int32Array(most)
    people.set(this.#people.subarray(0, most))
    this.#people = people
    this.#chosen = new Uint8Array(most)
    this.#given = {
      rows: new Int32Array(most),
      distances: new Float64Array(most),
      squares: new Float64Array(most),
    }
  }

  #addSeries(one: PrivateSeries, steps: Float64Array): PrivateGroup['series'][number] | undefined {
    const [given, chosen] = [this.#give(one, steps), this.#chosen]
    const { rowsMax } = this.#design.bounds
    const mostRows = mostOf(given.rows.subarray(0, this.#count))
    const distance = one.grid ? Number(reachOf(one.grid).distance) : 1
    if (mostRows * distance * (one.needsSquares ? distance : 1) > EXACT_MAX) return undefined
    const sums = { rows: new ExactSum(), distances: new ExactSum(), squares: new ExactSum() }
    for (let place = 0; place < this.#count; place += 1) {
      const rows = given.rows[place] ?? 0
      if (chosen[place] === 0 || rows === 0) continue
      sums.rows.add(one.isOfPeople ? 1 : Math.min(rows, rowsMax))
      if (one.grid) sums.distances.add(boundedPart(given.distances[place] ?? 0, rows, rowsMax))
      if (one.needsSquares) sums.squares.add(boundedPart(given.squares[place] ?? 0, rows, rowsMax))
    }
    return { rows: sums.rows.total, distances: sums.distances.total, squares: sums.squares.total }
  }

  #give(one: PrivateSeries, steps: Float64Array): Given {
    const places = this.#places
    const { rows, distances, squares } = this.#given
    rows.fill(0, 0, this.#count)
    distances.fill(0, 0, this.#count)
    if (one.needsSquares) squares.fill(0, 0, this.#count)
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

const NOTHING = { rows: 0n, distances: 0n, squares: 0n }

/** The how-manieth of the figures that are places it is. */
function placeNumber(figures: readonly PrivateFigure[], wanted: PrivateFigure): number {
  return figures.filter(({ kind }) => kind === 'place').indexOf(wanted)
}

/** Whoever has more rows than count, counts as that many rows of their own average; towards 0, as the engine divides. */
function boundedPart(sum: number, rows: number, rowsMax: number): number {
  if (rows <= rowsMax) return sum
  const product = sum * rowsMax
  // A quotient of whole numbers below 2^53 never rounds up to the next whole number.
  if (Math.abs(product) <= EXACT_MAX) return Math.trunc(product / rows)
  return Number((BigInt(sum) * BigInt(rowsMax)) / BigInt(rows))
}
