import type { Bitset } from '../../kernel/bitset.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/random.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetRecord } from '../datasets/data-set-store.ts'
import type { DataSetId, MemberId, SiteId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { EligibilityCache } from '../consent/eligibility-cache.ts'
import type { GrantMirror } from '../consent/grant-mirror.ts'
import type { ColludingGroups } from '../guard/colluding-groups.ts'
import type { GuardHolds } from '../guard/guard-holds.ts'
import type { PartitionStore } from '../guard/partition-store.ts'
import type { RefusalLimits } from '../guard/refusal-budget.ts'
import type { ContractStore } from '../contracts/contract-store.ts'
import type { AssessmentStore } from '../assessments/assessment-store.ts'
import type { RowEnds } from '../retention/row-ends.ts'
import type { PrivacyLedger } from '../privacy/privacy-ledger.ts'
import type { EvidenceStore } from '../place/evidence-store.ts'
import type { SiteKeys } from '../site-keys.ts'
import type { PinnedMembers } from './pinned-members.ts'
import type { Principals, Vault } from '../vault/vault.ts'

/** What answering an ask needs of the rest of the site. */
export interface SiteParts {
  readonly site: SiteId
  /** The member that runs the site. */
  readonly custodian: MemberId
  readonly territory: string
  readonly keys: SiteKeys
  readonly clock: Clock
  readonly db: Database
  readonly log: ReceiptLog
  readonly vault: Vault
  /** What is known of people for the rules of age, with evidence and moves as they count at a moment. */
  readonly principals: (now: Instant) => Promise<Principals>
  readonly mirror: GrantMirror
  readonly eligibilityCache: EligibilityCache
  readonly restricted: (dataSet: DataSetId) => Bitset
  readonly partitions: PartitionStore
  /** Which acquirers are guarded as one. */
  readonly groups: ColludingGroups
  /** Whom a restore made the guard hold. */
  readonly holds: GuardHolds
  readonly refusalLimits: RefusalLimits
  /** Which rows have ended by a date of their own. */
  readonly rowEnds: Pick<RowEnds, 'upTo' | 'kept' | 'isOf'>
  readonly ledger: PrivacyLedger
  /** Of noise: the machine's cryptographic source. */
  readonly random: Random
  readonly pins: PinnedMembers
  readonly evidence: EvidenceStore
  /** Grounds for transfers that count no more, by the settings or the officer. */
  readonly removedGrounds: () => ReadonlySet<string>
  readonly assessments: AssessmentStore
  /** Under which contracts data is processed here. */
  readonly contracts: ContractStore
  /** False once the site winds down: then nothing is offered to anybody. */
  readonly isOffering: () => boolean
  /** The manifests in force, by data set. */
  readonly manifests: () => ReadonlyMap<DataSetId, Manifest>
  /** All data sets by name, retired ones too, as the record had them when `manifests` were read. */
  readonly dataSets: () => readonly DataSetRecord[]
  /** Reads the manifests anew and publishes the offers again. */
  readonly offersChanged: () => Promise<void>
}

/** The same for one ask. */
export interface AskParts extends SiteParts {
  /** Waits until the ask has taken what its time class takes: comes before anything that carries a time. */
  readonly untilTimeClass: () => Promise<void>
}
