import type { ReleaseValue } from '../../../protocol/release.ts'

/** By their keys, nulls last: the order in which an engine met them is nobody's to see. */
export function compareKeys(left: readonly ReleaseValue[], right: readonly ReleaseValue[]): number {
  for (const [index, a] of left.entries()) {
    const b = right[index] ?? null
    if (a === b) continue
    if (a === null || b === null) return a === null ? 1 : -1
    return a < b ? -1 : 1
  }
  return 0
}
