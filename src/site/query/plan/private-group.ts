import type { ReleaseValue } from '../../../protocol/release.ts'

/** What stands on one place of a quantile's grid. */
export interface PlaceWeight {
  readonly place: number
  readonly weight: bigint
}

/** One group before noise, in exact whole numbers with what one person gives bounded. */
export interface PrivateGroup {
  readonly keys: readonly ReleaseValue[]
  readonly people: bigint
  readonly series: readonly { readonly rows: bigint; readonly distances: bigint; readonly squares: bigint }[]
  /** For each figure that is a place, in their order: what stands on the places, rising. */
  readonly places: readonly (readonly PlaceWeight[])[]
}
