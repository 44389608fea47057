/** The words of a set that are not 0, and where they stand. To be read only. */
export interface PackedWords {
  readonly places: Int32Array
  readonly words: Uint32Array
}

/**
 * A set of small whole numbers, one bit each. People of a site are numbered densely, so a set of a million people
 * takes 125 kB and its union or intersection with another a few microseconds.
 *
 * Numbers start at 0. A set grows when a larger number is added.
 */
export class Bitset {
  /** Either all words or the packed ones are there, or both: a small set of large numbers stays packed. */
  #plain: Uint32Array | undefined
  /** What is found when asked for, and forgotten on a change. */
  #packed: PackedWords | undefined
  #count: number | undefined

  constructor(capacity = 0) {
    this.#plain = new Uint32Array(Math.ceil(capacity / 32))
  }

  /** The set of packed words; they are kept, not copied. */
  static ofPacked(packed: PackedWords): Bitset {
    const set = new Bitset()
    set.#plain = undefined
    set.#packed = packed
    return set
  }

  static of(members: Iterable<number>): Bitset {
    const set = new Bitset()
    for (const member of members) set.add(member)
    return set
  }

  /** Reads bytes in which bit 0 of byte 0 stands for number 0 (least significant bit first). */
  static fromBytes(bytes: Uint8Array): Bitset {
    const set = new Bitset(bytes.length * 8)
    new Uint8Array(set.#words.buffer).set(bytes)
    return set
  }

  /** Least significant bit first, without trailing zero bytes: equal sets give equal bytes. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#words.buffer)
    let end = bytes.length
    while (end > 0 && bytes[end - 1] === 0) end -= 1
    return bytes.slice(0, end)
  }

  /** The bits themselves, 32 to a word, for passes over very many sets; a view, to be read only. Words past its end are 0. */
  words(): Uint32Array {
    return this.#words
  }

  /** One more than the largest number that the set has room for: every member is below it. */
  get capacity(): number {
    if (this.#plain) return this.#plain.length * 32
    const { places } = this.packed()
    return places.length === 0 ? 0 : ((places.at(-1) ?? 0) + 1) * 32
  }

  /** The words that are not 0 with their places, rising: a pass over a thousand small sets of large numbers takes these. */
  packed(): PackedWords {
    this.#packed ??= pack(this.#plain ?? new Uint32Array(0))
    return this.#packed
  }

  /** How much memory it takes, with what was found of it. */
  get byteLength(): number {
    const packed = this.#packed ? this.#packed.places.byteLength + this.#packed.words.byteLength : 0
    return packed + (this.#plain?.byteLength ?? 0)
  }

  add(member: number): void {
    if (member >>> 0 !== member)
      throw new RangeError(`Cannot add ${member} to a set of whole numbers from 0 to 2^32 - 1`)
    const index = member >>> 5
    const words = this.#changeable(index + 1)
    words[index] = (words[index] ?? 0) | (1 << (member & 31))
  }

  delete(member: number): void {
    const index = member >>> 5
    const words = this.#changeable(0)
    if (member >>> 0 === member && index < words.length)
      words[index] = (words[index] ?? 0) & ~(1 << (member & 31))
  }

  has(member: number): boolean {
    const words = this.#words
    return member >>> 0 === member && ((words[member >>> 5] ?? 0) & (1 << (member & 31))) !== 0
  }

  /** How many members there are. */
  count(): number {
    this.#count ??= this.#countMembers()
    return this.#count
  }

  get isEmpty(): boolean {
    if (this.#packed) return this.#packed.places.length === 0
    const words = this.#words
    for (let index = 0; index < words.length; index += 1) if (words[index] !== 0) return false
    return true
  }

  clone(): Bitset {
    const copy = new Bitset()
    copy.#plain = this.#words.slice()
    return copy
  }

  union(other: Bitset): Bitset {
    const [long, short] = this.capacity >= other.capacity ? [this, other] : [other, this]
    const result = long.clone()
    result.addAll(short)
    return result
  }

  /** Adds every member of `other` to this set, in place: a union of many sets without a copy for each. */
  addAll(other: Bitset): void {
    const theirs = other.packed()
    const words = this.#changeable((theirs.places.at(-1) ?? -1) + 1)
    for (let index = 0; index < theirs.places.length; index += 1) {
      const place = theirs.places[index] ?? 0
      words[place] = (words[place] ?? 0) | (theirs.words[index] ?? 0)
    }
  }

  intersection(other: Bitset): Bitset {
    const [ours, theirs] = [this.#words, other.#words]
    const length = Math.min(ours.length, theirs.length)
    const result = new Bitset(length * 32)
    const words = result.#words
    for (let index = 0; index < length; index += 1) {
      words[index] = (ours[index] ?? 0) & (theirs[index] ?? 0)
    }
    return result
  }

  /** The members that are not in `other`. */
  difference(other: Bitset): Bitset {
    const result = this.clone()
    const [words, theirs] = [result.#words, other.#words]
    const length = Math.min(words.length, theirs.length)
    for (let index = 0; index < length; index += 1) {
      words[index] = (words[index] ?? 0) & ~(theirs[index] ?? 0)
    }
    return result
  }

  /** The members that are in exactly one of the two. */
  toggled(other: Bitset): Bitset {
    return other.isEmpty ? this : this.difference(other).union(other.difference(this))
  }

  intersectionCount(other: Bitset): number {
    const { places, words } = this.packed()
    const plain = other.#plain
    if (!plain) return sharedCount(this.packed(), other.packed())
    let total = 0
    for (let index = 0; index < places.length; index += 1) {
      total += countBits((words[index] ?? 0) & (plain[places[index] ?? 0] ?? 0))
    }
    return total
  }

  /** Visits every member, rising: several times as fast as iterating, for passes over everybody. */
  forEach(visit: (member: number) => void): void {
    const { places, words } = this.packed()
    for (let at = 0; at < places.length; at += 1) {
      const from = (places[at] ?? 0) * 32 + 31
      let word = words[at] ?? 0
      while (word !== 0) {
        const lowest = word & -word
        word ^= lowest
        visit(from - Math.clz32(lowest))
      }
    }
  }

  /** The members in rising order. */
  *[Symbol.iterator](): Iterator<number> {
    const words = this.#words
    for (let index = 0; index < words.length; index += 1) {
      let word = words[index] ?? 0
      while (word !== 0) {
        const lowest = word & -word
        yield index * 32 + (31 - Math.clz32(lowest))
        word ^= lowest
      }
    }
  }

  #countMembers(): number {
    const { words } = this.packed()
    let total = 0
    for (let index = 0; index < words.length; index += 1) total += countBits(words[index] ?? 0)
    return total
  }

  /** All words, made of the packed ones when first asked for. */
  get #words(): Uint32Array {
    this.#plain ??= unpack(this.packed())
    return this.#plain
  }

  /** All words, at least so many, of which some will be changed. */
  #changeable(wordCount: number): Uint32Array {
    let words = this.#words
    this.#packed = undefined
    this.#count = undefined
    if (wordCount <= words.length) return words
    words = new Uint32Array(Math.max(wordCount, words.length * 2))
    words.set(this.#words)
    this.#plain = words
    return words
  }
}

/** Room to gather in, so that a pass over a thousand sets does not ask for a thousand pieces of memory. */
let scratchPlaces = new Int32Array(0)
let scratchWords = new Uint32Array(0)

function pack(words: Uint32Array): PackedWords {
  const { length } = words
  if (scratchPlaces.length < length) {
    scratchPlaces = new Int32Array(length)
    scratchWords = new Uint32Array(length)
  }
  const places = scratchPlaces
  const values = scratchWords
  let count = 0
  let index = 0
  while (index < length) {
    // Most words of a small set are 0, and eight at a time are passed over in the time of one.
    while (index + 8 <= length && areZero(words, index)) index += 8
    const end = Math.min(index + 8, length)
    for (; index < end; index += 1) {
      const word = words[index] ?? 0
      if (word === 0) continue
      places[count] = index
      values[count] = word
      count += 1
    }
  }
  return { places: places.slice(0, count), words: values.slice(0, count) }
}

function unpack({ places, words }: PackedWords): Uint32Array {
  const all = new Uint32Array((places.at(-1) ?? -1) + 1)
  for (let index = 0; index < places.length; index += 1) all[places[index] ?? 0] = words[index] ?? 0
  return all
}

/** Gathers sets one after another from numbers in any order, again and again; each takes as long as it has numbers. */
export class BitGatherer {
  #words = new Uint32Array(1_024)
  /** One bit for each word that is not 0. */
  #used = new Uint32Array(32)

  add(member: number): void {
    const index = member >>> 5
    if (index >= this.#words.length) this.#grow(index + 1)
    this.#words[index] = (this.#words[index] ?? 0) | (1 << (member & 31))
    this.#used[index >>> 5] = (this.#used[index >>> 5] ?? 0) | (1 << (index & 31))
  }

  /** The set of what was added, and begins the next. */
  take(): Bitset {
    const [words, used] = [this.#words, this.#used]
    let wordCount = 0
    for (let at = 0; at < used.length; at += 1) wordCount += countBits(used[at] ?? 0)
    const packed = { places: new Int32Array(wordCount), words: new Uint32Array(wordCount) }
    let next = 0
    for (let at = 0; at < used.length; at += 1) {
      let bits = used[at] ?? 0
      used[at] = 0
      while (bits !== 0) {
        const lowest = bits & -bits
        bits ^= lowest
        const place = at * 32 + 31 - Math.clz32(lowest)
        packed.places[next] = place
        packed.words[next] = words[place] ?? 0
        words[place] = 0
        next += 1
      }
    }
    return Bitset.ofPacked(packed)
  }

  #grow(wordCount: number): void {
    const length = Math.ceil(Math.max(wordCount, this.#words.length * 2) / 32) * 32
    const [words, used] = [new Uint32Array(length), new Uint32Array(length / 32)]
    words.set(this.#words)
    used.set(this.#used)
    this.#words = words
    this.#used = used
  }
}

function sharedCount(left: PackedWords, right: PackedWords): number {
  let total = 0
  let at = 0
  for (let index = 0; index < left.places.length; index += 1) {
    const place = left.places[index] ?? 0
    while (at < right.places.length && (right.places[at] ?? 0) < place) at += 1
    if (right.places[at] === place) total += countBits((left.words[index] ?? 0) & (right.words[at] ?? 0))
  }
  return total
}

function areZero(words: Uint32Array, at: number): boolean {
  return (
    ((words[at] ?? 0) |
      (words[at + 1] ?? 0) |
      (words[at + 2] ?? 0) |
      (words[at + 3] ?? 0) |
      (words[at + 4] ?? 0) |
      (words[at + 5] ?? 0) |
      (words[at + 6] ?? 0) |
      (words[at + 7] ?? 0)) ===
    0
  )
}

/** How many bits of 32 are set. */
export function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
