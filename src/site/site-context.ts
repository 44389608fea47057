import type { Fault } from '../kernel/faults.ts'
import type { IdSource } from '../kernel/id.ts'
import type { MemberId } from '../protocol/wire.ts'
import type { ConsentContext } from './consent/change-grants.ts'
import type { VaultMark } from './one-moment.ts'
import type { OpenBackupParts } from './backup/open-backup-parts.ts'
import type { SiteParts } from './asks/site-parts.ts'
import type { UseCache } from './asks/use-cache.ts'
import type { SiteEvents } from './events.ts'
import type { FloorDesk } from './floor/floor-desk.ts'
import type { PublishedOffers } from './floor/published-offers.ts'
import type { Turns } from './floor/turns.ts'
import type { WindDown } from './handover/wind-down.ts'
import type { TransferRemovals } from './officer/transfer-removals.ts'
import type { RecipientsBell } from './recipients/recipients-bell.ts'
import type { TrustedAttester } from './principals/verify-age-proof.ts'
import type { HiddenPeople } from './rights/hidden-people.ts'
import type { PersonKeys } from './vault/keys/person-keys.ts'

/** A site's parts, open and wired: what its doors and its line act on. */
export interface SiteContext extends SiteParts, OpenBackupParts {
  readonly root: string
  readonly custodian: MemberId
  readonly ids: IdSource
  readonly events: SiteEvents
  readonly personKeys: PersonKeys
  /** By which vault and record know each other. */
  readonly vaultMark: VaultMark
  readonly consent: ConsentContext
  readonly transferRemovals: TransferRemovals
  readonly hidden: HiddenPeople
  readonly erasureWindowMs: number
  /** Whose credentials about ages are believed. */
  readonly ageAttesters: readonly TrustedAttester[]
  /** Rung when recipients of rows have to be told something, or the network to delete something. */
  readonly recipientsBell: RecipientsBell
  readonly noticeDueMs: number
  readonly windDown: WindDown
  /** How long before a restriction ends its person is told. */
  readonly liftNoticeMs: number
  readonly vaultThreads: number
  /** What may be approved without reaching the network. */
  readonly floor: FloorDesk
  readonly published: PublishedOffers
  /** Of asks on the local network that could be the same. */
  readonly localTurns: Turns
  readonly useCache: UseCache
  /** Resolves when the site's own PostgreSQL or its vault has ended though nobody stopped it. */
  readonly ended: Promise<Fault>
}
