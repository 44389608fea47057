import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { GrantTerms } from '../../protocol/consent/grant.ts'

/** A request with its person as a number and its terms in their normal form. */
export interface ReadyGrant {
  /** Its place in the request. */
  readonly index: number
  readonly person: number
  /** Of a guardian's grant that the issuer passes on: the key of the guardian. */
  readonly guardian?: string | undefined
  readonly terms: GrantTerms
  readonly digest: Digest
  readonly validFrom?: Instant | undefined
  readonly validUntil?: Instant | undefined
  readonly replaces: boolean
}
