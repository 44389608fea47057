/** Who stands in which groups, and what chooses among them. */
export interface GroupChoice {
  /** By person number, in how many groups they stand. */
  readonly groupsOf: Int32Array
  readonly groupsMax: number
  /** Of each group two numbers of 32 bits, from its keys and a secret. */
  readonly seeds: readonly Seed[]
}

export type Seed = readonly [number, number]

/**
 * Of people in more than `groupsMax` groups, chooses so many, by the smallest keyed hashes of person and group. What is
 * chosen of a person follows from the person's own groups alone: neither other people nor the order of anything has a
 * part in it, so whoever is taken away changes at most `groupsMax` groups (`docs/explanation/noise.md`). Of equal
 * hashes, one pair in four thousand million, the group with the smaller seed comes first.
 *
 * @param everybody by group, its people, each once
 */
export function chooseGroups(
  everybody: readonly Int32Array[],
  { groupsOf, groupsMax, seeds }: GroupChoice,
): (person: number, group: number) => boolean {
  const bySeed = seeds
    .map((seed, group) => ({ seed, group }))
    .toSorted((one, other) => one.seed[0] - other.seed[0] || one.seed[1] - other.seed[1])
  const rankOf = new Int32Array(seeds.length)
  for (const [rank, { group }] of bySeed.entries()) rankOf[group] = rank
  const ranks = ranksByPerson(
    bySeed.map(({ group }) => everybody[group] ?? new Int32Array(0)),
    { groupsOf, groupsMax },
  )
  const lastHash = new Float64Array(groupsOf.length).fill(Number.POSITIVE_INFINITY)
  const lastRank = new Int32Array(groupsOf.length)
  for (let person = 0; person < groupsOf.length; person += 1) {
    const own = ranks.of.subarray(ranks.starts[person], ranks.starts[person + 1])
    if (own.length === 0) continue
    const hashes = Float64Array.from(own, (rank) => hashOf(person, bySeed[rank]?.seed))
    const last = lastChosen(hashes, groupsMax)
    lastHash[person] = hashes[last] ?? 0
    lastRank[person] = own[last] ?? 0
  }
  return (person, group) => {
    const most = lastHash[person] ?? 0
    if (most === Number.POSITIVE_INFINITY) return true
    const hash = hashOf(person, seeds[group])
    return hash < most || (hash === most && (rankOf[group] ?? 0) <= (lastRank[person] ?? 0))
  }
}

/** The groups of each person who has too many, by rank and rising: those of person `p` stand from `starts[p]` on. */
function ranksByPerson(
  byRank: readonly Int32Array[],
  { groupsOf, groupsMax }: Pick<GroupChoice, 'groupsOf' | 'groupsMax'>,
): { readonly starts: Int32Array; readonly of: Int32Array } {
  const starts = new Int32Array(groupsOf.length + 1)
  for (let person = 0; person < groupsOf.length; person += 1) {
    const count = groupsOf[person] ?? 0
    starts[person + 1] = (starts[person] ?? 0) + (count > groupsMax ? count : 0)
  }
  const next = starts.slice()
  const of = new Int32Array(starts.at(-1) ?? 0)
  for (const [rank, people] of byRank.entries()) {
    for (const person of people) {
      if ((groupsOf[person] ?? 0) <= groupsMax) continue
      of[next[person] ?? 0] = rank
      next[person] = (next[person] ?? 0) + 1
    }
  }
  return { starts, of }
}

/** Where the `count`-th smallest of more hashes stands; of equal ones the earlier comes first. */
function lastChosen(hashes: Float64Array, count: number): number {
  let last = -1
  for (let chosen = 0; chosen < count; chosen += 1) {
    let next = -1
    for (let at = 0; at < hashes.length; at += 1)
      if ((last < 0 || comesBefore(hashes, last, at)) && (next < 0 || comesBefore(hashes, at, next)))
        next = at
    last = next
  }
  return last
}

function comesBefore(hashes: Float64Array, left: number, right: number): boolean {
  const [one = 0, other = 0] = [hashes[left], hashes[right]]
  return one < other || (one === other && left < right)
}

/** 32 bits of a person's number mixed with a group's seed: the last steps of MurmurHash3, twice. */
function hashOf(person: number, seed: Seed | undefined): number {
  const [first, second] = seed ?? [0, 0]
  return mix(mix(person ^ first) ^ second) >>> 0
}

function mix(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
  return mixed ^ (mixed >>> 16)
}
