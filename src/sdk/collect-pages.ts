/** Everything of a list that comes in pages, up to `itemsMax`. */
export async function collectPages<T>(
  page: (
    cursor: string | undefined,
  ) => Promise<{ readonly items: readonly T[]; readonly nextCursor?: string | undefined }>,
  itemsMax = 10_000,
): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const { items: more, nextCursor } = await page(cursor)
    items.push(...more)
    cursor = nextCursor
  } while (cursor !== undefined && items.length < itemsMax)
  return items
}
