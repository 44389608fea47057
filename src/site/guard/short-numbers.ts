/**
 * Numbers from 0 on of which most are small, by their places: a byte each, and of those from 255 on the place and the number beside
 * them. Sizes of cells are such: of 255 people and more there are few cells, however many there are of fewer.
 */
export interface ShortNumbers {
  /** Empty where all numbers are 0; 255 stands for one that is at least that. */
  readonly bytes: Uint8Array
  /** The places of those, rising, and after all of them the numbers. */
  readonly long: Int32Array
}

const LONG = 255

/** All of them 0. */
export const ALL_ZERO: ShortNumbers = { bytes: new Uint8Array(0), long: new Int32Array(0) }

export function shortened(numbers: Int32Array): ShortNumbers {
  const bytes = new Uint8Array(numbers.length)
  let isZero = true
  let longCount = 0
  for (let place = 0; place < numbers.length; place += 1) {
    const number = numbers[place] ?? 0
    if (number !== 0) isZero = false
    if (number >= LONG) longCount += 1
    bytes[place] = Math.min(number, LONG)
  }
  if (isZero) return ALL_ZERO
  const long = new Int32Array(2 * longCount)
  let next = 0
  for (let place = 0; next < longCount; place += 1) {
    if (bytes[place] !== LONG) continue
    long[next] = place
    long[longCount + next] = numbers[place] ?? 0
    next += 1
  }
  return { bytes, long }
}

export function numberAt({ bytes, long }: ShortNumbers, place: number): number {
  const byte = bytes[place] ?? 0
  if (byte < LONG) return byte
  const longCount = long.length / 2
  let [from, to] = [0, longCount]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((long[middle] ?? 0) < place) from = middle + 1
    else to = middle
  }
  return long[longCount + from] ?? 0
}

/** The first of them, each in four bytes, in memory of its own. */
export function lengthened({ bytes, long }: ShortNumbers, count: number): Int32Array {
  const numbers = new Int32Array(count)
  numbers.set(bytes.subarray(0, count))
  const longCount = long.length / 2
  for (let at = 0; at < longCount; at += 1) {
    const place = long[at] ?? 0
    if (place < count) numbers[place] = long[longCount + at] ?? 0
  }
  return numbers
}

export function bytesOfShort({ bytes, long }: ShortNumbers): number {
  return bytes.byteLength + long.byteLength
}
