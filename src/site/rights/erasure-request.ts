import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { ErasureCause } from '../../protocol/rights/erasure.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { WithdrawParts } from '../asks/withdraw-releases.ts'
import type { Backups } from '../backup/backups.ts'
import type { ConsentContext } from '../consent/change-grants.ts'
import type { PartitionStore } from '../guard/partition-store.ts'
import type { NotingParts } from '../recipients/note-recipients.ts'
import type { RecipientsBell } from '../recipients/recipients-bell.ts'
import type { PersonKeys } from '../vault/keys/person-keys.ts'
import type { Vault } from '../vault/vault.ts'
import type { HiddenPeople } from './hidden-people.ts'

/** What erasing needs of a site. */
export interface ErasureParts extends WithdrawParts, NotingParts {
  readonly db: Database
  readonly vault: Vault
  readonly clock: Clock
  readonly log: ReceiptLog
  readonly consent: ConsentContext
  readonly partitions: Pick<PartitionStore, 'noteChange'>
  readonly personKeys: PersonKeys
  readonly hidden: HiddenPeople
  readonly recipientsBell: RecipientsBell
  readonly manifests: () => ReadonlyMap<DataSetId, Manifest>
  /** The file of people who were erased; it is in no backup. */
  readonly forgottenList: string
  readonly backups: Pick<Backups, 'turn' | 'strikeOut' | 'heldUntil'>
  /** Within this time of the request nothing is in any file. */
  readonly erasureWindowMs: number
}

/** Who is to be erased, why, and at whose word. */
export interface ErasureRequest {
  readonly person: number
  readonly issuer: MemberId
  readonly reason: ErasureCause
  readonly requestedBy: string
  /** The mark under which answers to this person are kept (never the name itself). */
  readonly nameMark: Digest
  readonly requestKey?: string | undefined
  /** The record was just asked: there is no erasure of this person or under this key. */
  readonly isUnknown?: boolean
  /** What the person is known by as a guardian of others: whoever is erased has power over nobody. */
  readonly guardianMark?: Uint8Array | undefined
  /** Who of the people whose requests ask the same is kept: of them nothing is done. Absent: nobody. */
  readonly whoIsKept?: WhoIsKept | undefined
  /** Of an erasure that stands and is made again in a site that was restored from before it. */
  readonly standing?:
    | {
        readonly erasure: string
        readonly requestedAt: Instant
        readonly keyDigest?: Digest | undefined
        readonly subjectOf?: Digest | undefined
      }
    | undefined
}

/** Asked when erasures are noted, where nothing that counts can come meanwhile: in the turn of grant changes, with the keys claimed. */
export type WhoIsKept = (
  tx: DatabaseTransaction,
  asked: { readonly people: readonly number[]; readonly now: Instant },
) => Promise<ReadonlySet<number>>
