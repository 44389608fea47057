import type { Manifest } from '../../protocol/data-set.ts'
import type { Decline } from '../../protocol/reason.ts'

/** What a question may say that nobody sealed: comments, literals and quoted names are taken out, bare words stay. */
const QUOTED =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)/g

/**
 * The decline of a question as it may travel. The network carries it in clear and must not learn a literal of a sealed
 * question; what stands in double quotes there is as often a literal in the wrong quotes as a name. So the detail
 * quotes only names that are public and bare words of the question; the position tells its author the rest.
 */
export function declineInNames(
  decline: Decline,
  { text, manifests }: { text: string; manifests: ReadonlyMap<string, Manifest> },
): Decline {
  if (decline.detail === undefined) return decline
  const known = new Set(
    text
      .replaceAll(QUOTED, ' ')
      .toLowerCase()
      .match(/[\p{L}_][\p{L}\p{N}_$]*/gu),
  )
  for (const { dataSet, columns } of manifests.values()) {
    known.add(dataSet)
    for (const { name } of columns) known.add(name)
  }
  const detail = decline.detail.replaceAll(/"([^"]*)"/g, (quoted, name: string) =>
    name.split('.').every((part) => known.has(part.toLowerCase())) ? quoted : '"…"',
  )
  return { ...decline, detail }
}
