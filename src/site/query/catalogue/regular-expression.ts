/**
 * Regular expressions of a question: the part of the grammar that means the same to PostgreSQL's engine and to RE2, read and
 * written anew, so that neither is given anything else. Letters, `.`, classes, anchors, groups, alternatives and counted
 * repeats. Both engines match these in time that grows with the text and not faster.
 */

/** Longest pattern, and most states when its counted repeats are written out. */
const LENGTH_MAX = 200
const STATES_MAX = 1_000
const REPEATS_MAX = 50
const DEPTH_MAX = 10

/** What `\d`, `\w` and `\s` stand for: ASCII only, in either engine. */
const ESCAPED_CLASSES: Readonly<Record<string, string>> = {
  d: '0-9',
  w: 'A-Za-z0-9_',
  s: ' \t\n\r\f\v',
}

interface Reading {
  readonly signs: readonly string[]
  at: number
}

/** A part of a pattern as both engines read it, and how many states it comes to. */
interface Part {
  readonly text: string
  readonly states: number
}

/** The pattern as it is given to an engine; `undefined` when it is not of that grammar. */
export function readRegularExpression(pattern: string): string | undefined {
  const signs = Array.from(pattern)
  if (signs.length > LENGTH_MAX || signs.length === 0) return undefined
  const reading: Reading = { signs, at: 0 }
  const read = readAlternatives(reading, 0)
  return read && reading.at === signs.length && read.states <= STATES_MAX ? read.text : undefined
}

/**
 * The same for `~*`, as a pattern that spells out both cases of each ASCII letter; `undefined` also where another letter with two cases
 * stands in it, which engines fold differently.
 */
export function readInEitherCase(pattern: string): string | undefined {
  const read = readRegularExpression(pattern)
  if (read === undefined || Array.from(read).some((sign) => sign > '\x7f' && hasCases(sign))) return undefined
  return read.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]|[A-Za-z]/gsu, (part) => {
    if (part.startsWith('\\')) return part
    return part.startsWith('[')
      ? `[${bothCases(part.slice(1, -1))}]`
      : `[${part.toLowerCase()}${part.toUpperCase()}]`
  })
}

function hasCases(sign: string): boolean {
  return sign.toLowerCase() !== sign.toUpperCase()
}

/** Members of a class: each letter, and each range of letters, in either case. */
function bothCases(members: string): string {
  return members.replaceAll(/\\.|[A-Za-z]-[A-Za-z]|[A-Za-z]/gsu, (part) =>
    part.startsWith('\\') ? part : `${part.toLowerCase()}${part.toUpperCase()}`,
  )
}

/** A pattern of SIMILAR TO as a regular expression: `%` is anything, `_` any sign, and points and anchors are signs. */
export function similarAsRegular(pattern: string): string {
  // Too long whatever it says; to look in it for classes that never close would take the square of that.
  if (pattern.length > 2 * LENGTH_MAX) return pattern
  const regular = pattern.replaceAll(/\\.|\[\^?[^\]]*\]|[%_.^$]/gsu, (part) => {
    if (part === '%') return '.*'
    if (part === '_') return '.'
    return part.length === 1 ? `\\${part}` : part
  })
  return `^(${regular})$`
}

function readAlternatives(reading: Reading, depth: number): Part | undefined {
  if (depth > DEPTH_MAX) return undefined
  const branches: Part[] = []
  do {
    const branch = readBranch(reading, depth)
    if (branch === undefined) return undefined
    branches.push(branch)
  } while (take(reading, '|'))
  return { text: branches.map(({ text }) => text).join('|'), states: total(branches) + 1 }
}

/** Atoms after one another, at least one: an empty branch is not written the same in both. */
function readBranch(reading: Reading, depth: number): Part | undefined {
  const parts: Part[] = []
  for (let sign = next(reading); sign !== undefined && sign !== '|' && sign !== ')'; sign = next(reading)) {
    const atom = readAtom(reading, depth)
    const isAnchor = sign === '^' || sign === '$'
    const part = atom && (isAnchor ? atom : readQuantified(reading, atom))
    if (part === undefined) return undefined
    parts.push(part)
  }
  return parts.length === 0
    ? undefined
    : { text: parts.map(({ text }) => text).join(''), states: total(parts) }
}

function readAtom(reading: Reading, depth: number): Part | undefined {
  const sign = reading.signs[reading.at++] ?? ''
  if (sign === '.' || sign === '^' || sign === '$') return { text: sign, states: 1 }
  if (sign === '[') return readClass(reading)
  if (sign === '\\') return readEscape(reading)
  if (sign === '(') {
    const inner = next(reading) === '?' ? undefined : readAlternatives(reading, depth + 1)
    return inner && take(reading, ')') ? { text: `(${inner.text})`, states: inner.states } : undefined
  }
  return isPlain(sign) ? { text: sign, states: 1 } : undefined
}

/** A sign that stands for itself. */
function isPlain(sign: string): boolean {
  return !/[*+?{}[\]()|\\^$.\0]/.test(sign)
}

function readEscape(reading: Reading): Part | undefined {
  const sign = reading.signs[reading.at++] ?? ''
  const members = ESCAPED_CLASSES[sign.toLowerCase()]
  if (members !== undefined && /^[a-z]$/i.test(sign))
    return { text: `[${sign === sign.toLowerCase() ? '' : '^'}${members}]`, states: 1 }
  return /^[!-/:-@[-`{-~]$/.test(sign) ? { text: `\\${sign}`, states: 1 } : undefined
}

function readClass(reading: Reading): Part | undefined {
  const isNegated = take(reading, '^')
  const members: string[] = []
  while (!take(reading, ']')) {
    const member = readMember(reading)
    if (member === undefined) return undefined
    members.push(member)
  }
  return members.length === 0
    ? undefined
    : { text: `[${isNegated ? '^' : ''}${members.join('')}]`, states: 1 }
}

/** One sign, a range of ASCII letters or digits, or `\d`, `\w`, `\s`. */
function readMember(reading: Reading): string | undefined {
  const sign = reading.signs[reading.at++]
  // `[:` and its kin begin a class within the class.
  if (sign === undefined || sign === '\0' || sign === '[') return undefined
  if (sign === '\\') {
    const escaped = reading.signs[reading.at++] ?? ''
    return ESCAPED_CLASSES[escaped] ?? (/^[!-/:-@[-`{-~]$/.test(escaped) ? `\\${escaped}` : undefined)
  }
  const until = next(reading) === '-' ? reading.signs[reading.at + 1] : undefined
  if (until !== undefined && until !== ']') {
    reading.at += 2
    return isRange(sign, until) ? `${sign}-${until}` : undefined
  }
  return /[\^-]/.test(sign) ? `\\${sign}` : sign
}

function isRange(from: string, until: string): boolean {
  return from <= until && [/^[a-z]{2}$/, /^[A-Z]{2}$/, /^\d{2}$/].some((kind) => kind.test(from + until))
}

/** A quantifier, if one follows. A second one would mean another way of matching. */
function readQuantified(reading: Reading, atom: Part): Part | undefined {
  const sign = next(reading)
  if (sign !== '*' && sign !== '+' && sign !== '?' && sign !== '{') return atom
  reading.at += 1
  const counted = sign === '{' ? readCounts(reading) : { text: sign, most: 2 }
  if (counted === undefined || /^[*+?{]$/.test(next(reading) ?? '')) return undefined
  return { text: `${atom.text}${counted.text}`, states: atom.states * counted.most }
}

/** `{2}`, `{2,}`, `{2,5}`. */
function readCounts(reading: Reading): { readonly text: string; readonly most: number } | undefined {
  const end = reading.signs.indexOf('}', reading.at)
  const [, least = '', comma, most = ''] =
    /^(\d{1,2})(,?)(\d{0,2})$/.exec(reading.signs.slice(reading.at, Math.max(end, reading.at)).join('')) ?? []
  const greatest = Math.max(Number(least), Number(most))
  if (
    least === '' ||
    greatest > REPEATS_MAX ||
    (most !== '' && (comma === '' || Number(most) < Number(least)))
  )
    return undefined
  reading.at = end + 1
  return { text: `{${Number(least)}${comma ?? ''}${most === '' ? '' : Number(most)}}`, most: greatest + 1 }
}

function next({ signs, at }: Reading): string | undefined {
  return signs[at]
}

function take(reading: Reading, sign: string): boolean {
  if (next(reading) !== sign) return false
  reading.at += 1
  return true
}

function total(parts: readonly Part[]): number {
  return parts.reduce((sum, { states }) => sum + states, 0)
}
