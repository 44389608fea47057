/**
 * What a JSON text says; `undefined`, which no JSON text says, for one that is none, and for one that readers take differently (I-JSON,
 * RFC 7493): an object has a member twice, of which one reader takes the first and another the last, so that one would check what another
 * does not use; a text has half of a surrogate pair, or a NUL, which PostgreSQL does not hold. What it should have been is the
 * caller's to check.
 */
export function parseJson(text: string): unknown {
  const value = parseLastOfEach(text)
  if (value === undefined || membersIn(text) !== membersOf(value)) return undefined
  return ODD_ESCAPE.test(text) && hasOddText(value) ? undefined : value
}

/** The same of bytes, which must be UTF-8. */
export function parseJsonBytes(bytes: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

/** The same of a text that is nobody's word, such as a value in a person's row: of a member that is there twice the last. */
export function parseLastOfEach(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Without one there can be neither a NUL nor half of a pair: bytes that are UTF-8 hold none. */
const ODD_ESCAPE = /\\u(?:0000|[dD][89a-fA-F])/

const QUOTE = '"'
const BACKSLASH = 0x5c
const COLON = 0x3a

/** How many members the objects of a good JSON text have: its colons outside of strings. */
function membersIn(text: string): number {
  let count = 0
  let at = 0
  while (at < text.length) {
    const quote = text.indexOf(QUOTE, at)
    const until = quote === -1 ? text.length : quote
    for (; at < until; at += 1) if (text.charCodeAt(at) === COLON) count += 1
    if (quote === -1) break
    at = endOfString(text, quote) + 1
  }
  return count
}

/** Where the string that begins at a quote ends. */
function endOfString(text: string, quote: number): number {
  for (let end = text.indexOf(QUOTE, quote + 1); ; end = text.indexOf(QUOTE, end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === BACKSLASH) before -= 1
    if ((end - before) % 2 === 1) return end
  }
}

/** How many there are in what was read. Without recursion: a text may be nested deeper than calls can be. */
function membersOf(value: unknown): number {
  let count = 0
  const open: object[] = isObject(value) ? [value] : []
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const inside: readonly unknown[] = Array.isArray(next) ? next : Object.values(next)
    if (inside !== next) count += inside.length
    for (const each of inside) if (isObject(each)) open.push(each)
  }
  return count
}

function hasOddText(value: unknown): boolean {
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === 'string' && (next.includes('\0') || !next.isWellFormed())) return true
    if (isObject(next)) for (const each of Object.entries(next).flat()) open.push(each)
  }
  return false
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
