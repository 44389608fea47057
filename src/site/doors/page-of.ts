/** One page of a list. `nextCursor` is absent on the last. */
export interface Page<T> {
  readonly items: T[]
  readonly nextCursor?: string
}

/** Which page: `cursor` is one that the act itself gave. */
export interface PageRequest {
  readonly cursor?: string | undefined
  readonly limit: number
}

/** One page in wire form out of at least one element more than the page holds, if there are that many. */
export function pageOf<T, V>(
  found: readonly T[],
  { limit, cursorOf, viewOf }: { limit: number; cursorOf: (last: T) => string; viewOf: (one: T) => V },
): Page<V> {
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  const items = shown.map(viewOf)
  return found.length > limit && last !== undefined ? { items, nextCursor: cursorOf(last) } : { items }
}
