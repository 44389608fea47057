/**
 * Of each person, by their number, the number of their cell: its lower 16 bits and, once a number is longer than that, the bits above.
 * Two bytes a person while there are at most 65,536 cells, then three, and four past 16 million cells.
 */
export interface CellNumbers {
  readonly lower: Uint16Array
  /** Empty while no number is longer than 16 bits. */
  readonly upper: Uint8Array | Uint16Array
}

/** Nobody in any cell. */
export const NO_NUMBERS: CellNumbers = { lower: new Uint16Array(0), upper: new Uint8Array(0) }

/** For how many people and cells there has to be room. */
interface Room {
  readonly personCount: number
  readonly cellCount: number
}

/** The same numbers with room for more people and for more cells, in the same memory where that is large enough, else all of it is other. */
export function withRoom(numbers: CellNumbers, room: Room): CellNumbers {
  const isWide = bytesAbove(room.cellCount) <= bytesOfEach(numbers)
  return isWide && room.personCount <= numbers.lower.length ? numbers : copyOfNumbers(numbers, room)
}

/** The same numbers in other memory, with room for more; whoever is new is in cell 0. */
export function copyOfNumbers(
  numbers: CellNumbers,
  { personCount, cellCount }: Room = { personCount: 0, cellCount: 1 },
): CellNumbers {
  const length = Math.max(personCount, numbers.lower.length)
  const upperBytes = Math.max(bytesAbove(cellCount), bytesOfEach(numbers))
  const upperLength = upperBytes === 0 ? 0 : length
  const copy = {
    lower: new Uint16Array(length),
    upper: upperBytes === 2 ? new Uint16Array(upperLength) : new Uint8Array(upperLength),
  }
  copy.lower.set(numbers.lower)
  copy.upper.set(numbers.upper)
  return copy
}

/** Bytes of a number above its lower 16 bits. */
function bytesOfEach({ upper }: CellNumbers): number {
  return upper.length === 0 ? 0 : upper.BYTES_PER_ELEMENT
}

/** How many cells there is room for. */
export function roomOf(numbers: CellNumbers): number {
  return 2 ** (16 + 8 * bytesOfEach(numbers))
}

function bytesAbove(cellCount: number): 0 | 1 | 2 {
  if (cellCount <= 2 ** 16) return 0
  return cellCount <= 2 ** 24 ? 1 : 2
}

/** The cell that somebody is in. */
export function cellAt({ lower, upper }: CellNumbers, person: number): number {
  const low = lower[person] ?? 0
  return upper.length === 0 ? low : low | ((upper[person] ?? 0) << 16)
}

/** Puts somebody into a cell whose number there is room for. */
export function putInto({ lower, upper }: CellNumbers, person: number, cell: number): void {
  lower[person] = cell
  if (upper.length > 0) upper[person] = cell >>> 16
}

/** How much memory they take. */
export function bytesOfNumbers({ lower, upper }: CellNumbers): number {
  return lower.byteLength + upper.byteLength
}
