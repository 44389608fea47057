import { Fault } from '../../kernel/faults.ts'

/** A cursor that is a number: where the page before ended. */
export function numberCursor(cursor: string | undefined): bigint | undefined {
  if (cursor === undefined) return undefined
  if (/^\d{1,18}$/.test(cursor)) return BigInt(cursor)
  throw new Fault('fault.request_malformed', {
    what: 'Cannot read the request: some fields are not what was expected',
    errors: [{ field: 'cursor', expected: 'expected what the page before gave as "nextCursor"' }],
  })
}

/** One page of a list that is in memory and sorted: those after the cursor, and where the next page begins. */
export function pageAfter<T>(
  all: readonly T[],
  { cursor, limit, nameOf }: { cursor: string | undefined; limit: number; nameOf: (item: T) => string },
): { items: T[]; nextCursor?: string } {
  const rest = cursor === undefined ? all : all.filter((item) => nameOf(item) > cursor)
  const items = rest.slice(0, limit)
  const last = items.at(-1)
  return rest.length > limit && last !== undefined ? { items, nextCursor: nameOf(last) } : { items }
}
