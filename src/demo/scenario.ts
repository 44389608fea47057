import type { Mode } from '../protocol/mode.ts'
import type { ReasonCode } from '../protocol/reason.ts'

/** One ask of the demonstration and what must come of it. */
export interface Scenario {
  readonly name: string
  readonly acquirer: string
  /** Why, as a DPV term. */
  readonly purpose: string
  /** The question in words, for the table. */
  readonly wish: string
  readonly sql: string
  readonly mode: Mode
  /** How much an answer of mode `private` may tell of one person. */
  readonly epsilon?: number
  readonly legalBasis: string
  readonly offer: string
  /** Names of sites; absent: any. */
  readonly sites?: readonly string[]
  readonly within?: readonly string[]
  readonly releaseTo: string
  readonly transferBasis?: string
  /** The most to pay, in EUR cents; absent: what the tariffs can come to. */
  readonly maxPriceMinor?: number
  /** The ask is signed with a key that is not the acquirer's. */
  readonly isForged?: boolean
  readonly expected: Expectation
}

/** What must come back: a decline of the network, or a reason from each site. */
export type Expectation =
  | { readonly by: 'network'; readonly reason: ReasonCode }
  | { readonly by: 'sites'; readonly reasons: Readonly<Record<string, readonly ReasonCode[]>> }
