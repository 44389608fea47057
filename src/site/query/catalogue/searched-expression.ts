import { readRegularExpression } from './regular-expression.ts'

/**
 * Regular expressions of which it matters *what* they find: the part of the grammar in which the first of the longest matches
 * (PostgreSQL) is the one that a search by preference takes (RE2). Signs and classes one after another, each with how often it may
 * come, and groups that come once.
 *
 * Why both find the same: of two ways to match from one place, the one preferred is, after each sign of the text, at an atom that is no
 * later than the other's, for where they part it takes a sign by an earlier atom, and where they meet it goes on as
 * preferred. At its end only atoms are left that need not come, so if the other could go on, it would have. So it is the
 * longest, and has in each first part of the pattern as much as can be. An alternative, or a group that may come or not,
 * breaks this: of `(a|ab)(c|bcd)` and of `a?(ab)?` the engines find different parts.
 */
export interface SearchedExpression {
  /** As both engines are given it. */
  readonly text: string
  /** Fewest signs that a match has; never none, because engines go on from an empty match in different ways. */
  readonly least: number
  /** The same of each group. */
  readonly groups: readonly number[]
}

const PARTS = /\\.|\[(?:\\.|[^\]\\])*\]|\{\d+,?\d*\}|./gsu
const GROUPS_MAX = 9

/** The pattern as it is searched for; `undefined` when engines could find different parts by it. */
export function readSearched(
  pattern: string,
  read: (pattern: string) => string | undefined = readRegularExpression,
): SearchedExpression | undefined {
  const text = read(pattern)
  const parts = text?.match(PARTS)
  if (text === undefined || !parts) return undefined
  const groups: number[] = []
  let [least, before, isWithin] = [0, 0, false]
  for (const [index, part] of parts.entries()) {
    const following = parts[index + 1] ?? ''
    if (part === '|') return undefined
    if (part === '^' || part === '$') {
      // In the middle it would hold nowhere, or only where something is empty.
      if (index !== (part === '^' ? 0 : parts.length - 1)) return undefined
    } else if (part === '(') {
      if (isWithin || groups.length === GROUPS_MAX) return undefined
      ;[before, isWithin] = [least, true]
    } else if (part === ')') {
      if (isCount(following)) return undefined
      groups.push(least - before)
      isWithin = false
    } else if (!isCount(part)) least += leastOf(following)
  }
  return least === 0 ? undefined : { text, least, groups }
}

function isCount(part: string): boolean {
  return /^([*+?]|\{\d.*\})$/.test(part)
}

/** How often an atom comes at least, by what stands behind it. */
function leastOf(count: string): number {
  if (count === '*' || count === '?') return 0
  return count.startsWith('{') && isCount(count) ? Number.parseInt(count.slice(1), 10) : 1
}

/** The pattern with a group around all of it, where it has none: what SUBSTRING gives is what the first group found. */
export function readFound(pattern: string): string | undefined {
  const searched = readSearched(pattern)
  return searched && (searched.groups.length === 0 ? `(${searched.text})` : searched.text)
}

/**
 * Whether what is put in for a match is never longer than the match, so that no text grows: signs, and `\1` to `\9` for what a
 * group found, each once. Any other backslash is read in different ways.
 */
export function isReplacement(replacement: string, { least, groups }: SearchedExpression): boolean {
  const named = replacement.match(/\\./gsu) ?? []
  const numbers = named.map((name) => Number(name.slice(1)))
  const written = replacement.replaceAll(/\\[1-9]/g, '')
  const found = numbers.reduce((sum, number) => sum + (groups[number - 1] ?? Number.NaN), 0)
  return (
    new Set(numbers).size === numbers.length &&
    !written.includes('\\') &&
    Buffer.byteLength(written) + found <= least
  )
}
