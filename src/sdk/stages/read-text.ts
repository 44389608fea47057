import type { ColumnRef, Node, SelectStmt } from '@pgsql/types'

/** A stretch of a text in bytes of its UTF-8 form, as PostgreSQL's grammar and its scanner count. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** One word or sign of a text. */
interface Word extends Span {
  readonly text: string
}

/** A question as PostgreSQL's own grammar and scanner read it. */
export interface ReadText {
  readonly bytes: Buffer
  readonly select: SelectStmt
  readonly words: readonly Word[]
}

/** Reads one SELECT; `undefined` for anything else, which a site declines with its place. */
export async function readText(sql: string): Promise<ReadText | undefined> {
  const select = await parseSelect(sql)
  if (select === undefined) return undefined
  const { scanSync } = await grammar()
  const words = scanSync(sql).tokens.filter(({ tokenName }) => !tokenName.endsWith('COMMENT'))
  return { bytes: Buffer.from(sql), select, words }
}

/** PostgreSQL's own, loaded by whoever reads a text: most verbs of the command line read none. */
const grammar = () => import('libpg-query')

/** Where a text names `$1`, `$2`, …, in order. */
export async function parametersOf(sql: string): Promise<readonly (Span & { readonly number: number })[]> {
  const { loadModule, scanSync } = await grammar()
  await loadModule()
  return scanSync(sql)
    .tokens.filter(({ tokenName }) => tokenName === 'PARAM')
    .map(({ start, end, text }) => ({ start, end, number: Number(text.slice(1)) }))
}

/** The tree of one SELECT; `undefined` when the text is none, or is nested deeper than can be read. */
export async function parseSelect(sql: string): Promise<SelectStmt | undefined> {
  // The grammar would see less than is there.
  if (sql.includes('\0') || !sql.isWellFormed()) return undefined
  const { loadModule, parseSync } = await grammar()
  await loadModule()
  try {
    const [first, second] = parseSync(sql).stmts ?? []
    const { stmt } = first ?? {}
    return stmt && 'SelectStmt' in stmt && second === undefined ? stmt.SelectStmt : undefined
  } catch {
    return undefined
  }
}

/** Where a SELECT of a sub-query stands, without its parentheses. */
export function spanOfSelect({ words }: ReadText, { targetList }: SelectStmt): Span | undefined {
  const at = firstTargetAt(targetList)
  if (at === undefined) return undefined
  const open = enclosing(words, at)
  return open === undefined ? undefined : spanWithin(words, open)
}

/** Behind the word SELECT of a SELECT; `undefined` where ALL or DISTINCT follows. */
export function afterSelectWord({ words }: ReadText, { targetList }: SelectStmt): number | undefined {
  const at = firstTargetAt(targetList)
  const word = words[words.findIndex(({ start }) => start === at) - 1]
  return word?.text.toLowerCase() === 'select' ? word.end : undefined
}

/** Where a name with its parts stands. */
export function spanOfColumn(
  { words }: ReadText,
  { fields = [], location = 0 }: ColumnRef,
): Span | undefined {
  const first = words.findIndex(({ start }) => start === location)
  // Between the parts stand points.
  const last = words[first + 2 * (fields.length - 1)]
  return first < 0 || last === undefined ? undefined : { start: location, end: last.end }
}

/** Where the body of a CTE stands, without its parentheses; `offset` is that of its name. */
export function spanOfBody({ words }: ReadText, offset: number): Span | undefined {
  const as = words.findIndex(({ start, text }) => start > offset && text.toLowerCase() === 'as')
  const open = as < 0 ? -1 : words.findIndex(({ text }, index) => index > as && text === '(')
  return open < 0 ? undefined : spanWithin(words, open)
}

/** Whether the first word of a stretch is WITH, and where it ends. */
export function withWord({ words }: ReadText, { start }: Span): number | undefined {
  const first = words.find((word) => word.start >= start)
  return first?.text.toLowerCase() === 'with' ? first.end : undefined
}

function firstTargetAt([target]: readonly Node[] = []): number | undefined {
  return target && 'ResTarget' in target ? (target.ResTarget.location ?? 0) : undefined
}

/** The innermost parenthesis that is open at a place. */
function enclosing(words: readonly Word[], offset: number): number | undefined {
  let depth = 0
  for (let index = words.findLastIndex(({ start }) => start < offset); index >= 0; index -= 1) {
    const text = words[index]?.text
    if (text === ')') depth += 1
    else if (text === '(') {
      if (depth === 0) return index
      depth -= 1
    }
  }
  return undefined
}

/** What stands in the parentheses of which the first is the word at `open`. */
function spanWithin(words: readonly Word[], open: number): Span | undefined {
  let depth = 0
  for (const { text, start } of words.slice(open)) {
    if (text === '(') depth += 1
    else if (text === ')') depth -= 1
    if (depth === 0) return { start: words[open]?.end ?? 0, end: start }
  }
  return undefined
}
