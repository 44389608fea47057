import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Money } from '../../kernel/money.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { Evidence } from '../../protocol/proof/evidence.ts'
import type { KeySet, Member } from '../../protocol/member.ts'
import type { LocalBooking } from '../floor/local-booking.ts'
import type { DeclaredMember } from '../guard/colluding-groups.ts'

/** Everything that the checks before the question look at, loaded once: the checks themselves are pure. */
export interface AskFacts {
  readonly ask: Ask
  /** SHA-256 of the signed ask: its name in receipts. */
  readonly askDigest: Digest
  readonly acquirer: Member & DeclaredMember
  /** The acquirer keeps the data itself, or puts its answers together with who does. */
  readonly isCustodian: boolean
  /** The acquirer's keys as this site believes them. */
  readonly acquirerKeys: KeySet
  /** The most this site may charge: its share of the network's hold. */
  readonly priceLimit: Money
  /** Of one that came on the local network. */
  readonly local?: LocalBooking | undefined
  /** The data set asked for; `undefined` when this site does not offer it. */
  readonly manifest: Manifest | undefined
  /** Where the site is, as last attested. */
  readonly evidence: Evidence | undefined
  /** Adequacy decisions and safeguards that no longer count at this site. */
  readonly removedGrounds: ReadonlySet<string>
  /** Why the use is of high risk though no impact assessment carries it; `undefined` when that is not so. */
  readonly unassessedRisk: string | undefined
  /** Why the data set may not be processed here, for want of a contract with its issuer; `undefined` when it may. */
  readonly contractLack: string | undefined
  readonly now: Instant
}
