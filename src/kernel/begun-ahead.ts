/**
 * What several sources give, one source after the other; the first piece of each is begun at once, so that whoever reads them waits for
 * the slowest and not for all. However it ends, every source is ended.
 */
export async function* begunAhead<T>(sources: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const begun = sources.map((source) => ({ source, first: source.next() }))
  // One that fails fails where its turn comes; until then, or if it never does, it must not end the process.
  for (const { first } of begun) first.catch(() => undefined)
  try {
    for (const { source, first } of begun) {
      let next = await first
      while (next.done !== true) {
        yield next.value
        next = await source.next()
      }
    }
  } finally {
    await Promise.allSettled(sources.map((source) => source.return(undefined)))
  }
}
