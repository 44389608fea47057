import type { Node } from '@pgsql/types'

/** The texts of a list of `String` nodes; `undefined` when something else stands among them. */
export function textsOf(nodes: readonly Node[]): readonly string[] | undefined {
  const texts: string[] = []
  for (const node of nodes) {
    if (!('String' in node)) return undefined
    texts.push(node.String.sval ?? '')
  }
  return texts
}

/** Where a node stands, if it says so. */
export function offsetOf(node: Node | undefined): number | undefined {
  if (node === undefined) return undefined
  const [body] = Object.values(node) as readonly unknown[]
  return locationOf(body)
}

/** The place that the body of a node says itself. */
export function locationOf(body: unknown): number | undefined {
  const location = typeof body === 'object' && body !== null && 'location' in body ? body.location : undefined
  return typeof location === 'number' && location >= 0 ? location : undefined
}

/** Nodes that are looked at for a place where one is missing. */
const LOOKED_AT_MAX = 100

/** The first place that is said by something or within it; places within are in the order of the fields. */
export function offsetWithin(body: unknown): number | undefined {
  const waiting = [body]
  for (let looked = 0; looked < LOOKED_AT_MAX && waiting.length > 0; looked += 1) {
    const next = waiting.pop()
    const offset = locationOf(next)
    if (offset !== undefined) return offset
    if (typeof next === 'object' && next !== null)
      waiting.push(...Object.values(next).slice(0, LOOKED_AT_MAX).toReversed())
  }
  return undefined
}
