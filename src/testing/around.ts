/** The same thing with something done before or after one of its acts, each time it is done. */
export function around<T extends object>(
  target: T,
  method: keyof T,
  { before, after }: { readonly before?: () => Promise<void>; readonly after?: () => Promise<void> },
): T {
  return new Proxy(target, {
    get: (_, name) => {
      const found: unknown = Reflect.get(target, name)
      if (typeof found !== 'function') return found
      const call = (...values: readonly unknown[]): unknown => Reflect.apply(found, target, values)
      if (name !== method) return call
      return async (...values: readonly unknown[]) => {
        await before?.()
        const done: unknown = await call(...values)
        await after?.()
        return done
      }
    },
  })
}

/** An act that is done once, however often it is called for. */
export function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= act())
}
