import { parseSync, scanSync } from 'libpg-query'
import { locationOf, textsOf } from './nodes.ts'
import { characterOf } from './refusal.ts'

/** A column of a data set, by its names. */
export interface NamedColumn {
  readonly dataSet: string
  readonly column: string
}

/**
 * Where a text that was understood reads a column, in characters from 1: the first place that names it, else a `*`
 * that stands for it, else the word itself, as in USING. `undefined` where nothing says it, as NATURAL JOIN.
 */
export function placeOfColumn(text: string, named: NamedColumn): number | undefined {
  const found: Found = { names: [], aliases: new Map() }
  gather(parseSync(text), found)
  const names = found.names.toSorted((one, other) => one.offset - other.offset)
  const same = names.filter(({ name }) => name === named.column)
  const isOwn = ({ relation }: Name): boolean =>
    relation === undefined || found.aliases.get(relation)?.has(named.dataSet) === true
  const place = same.find(isOwn) ?? same[0] ?? names.find(({ name }) => name === STAR)
  const offset = place?.offset ?? scanSync(text).tokens.find((token) => isWord(token, named.column))?.start
  return offset === undefined ? undefined : characterOf(text, offset)
}

interface Name {
  readonly name: string
  readonly relation: string | undefined
  readonly offset: number
}

interface Found {
  readonly names: Name[]
  /** By what a relation is called: which ones are called so. */
  readonly aliases: Map<string, Set<string>>
}

/** No name of a column. */
const STAR = ''

function gather(value: unknown, found: Found): void {
  if (typeof value !== 'object' || value === null) return
  if ('ColumnRef' in value) gatherName(value.ColumnRef, found)
  if ('RangeVar' in value) gatherRelation(value.RangeVar, found)
  for (const inner of Object.values(value)) gather(inner, found)
}

function gatherName(body: unknown, { names }: Found): void {
  const { fields = [] } = body as { readonly fields?: readonly Parameters<typeof textsOf>[0][number][] }
  const texts = fields.map((field) => textsOf([field])?.[0] ?? STAR)
  const offset = locationOf(body)
  if (offset !== undefined) names.push({ name: texts.at(-1) ?? STAR, relation: texts.at(-2), offset })
}

function gatherRelation(body: unknown, { aliases }: Found): void {
  const { relname = '', alias } = body as {
    readonly relname?: string
    readonly alias?: { aliasname?: string }
  }
  const name = alias?.aliasname ?? relname
  aliases.set(name, (aliases.get(name) ?? new Set<string>()).add(relname))
}

function isWord({ text }: { readonly text: string }, column: string): boolean {
  return text.toLowerCase() === column || text === `"${column}"`
}
