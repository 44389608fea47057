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
  const location = typeof body === 'object' && body !== null && 'location' in body ? body.location : undefined
  return typeof location === 'number' && location >= 0 ? location : undefined
}
