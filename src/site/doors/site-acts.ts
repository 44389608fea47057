import type { Swept } from '../retention/sweep-retention.ts'
import type { RequestMark } from '../record/request-mark.ts'
import type { z } from 'zod'
import type { Instant } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { CsvForm } from '../../protocol/csv-form.ts'
import type { BackupView } from '../../protocol/http/backup-api.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetRecord } from '../datasets/data-set-store.ts'
import type { ReceiptBundle } from '../../protocol/decision.ts'
import type { ErasureReason, ErasureView } from '../../protocol/rights/erasure.ts'
import type { GrantRequest, GrantTerms } from '../../protocol/consent/grant.ts'
import type { retentionViewSchema } from '../../protocol/http/retention-api.ts'
import type { KeySet } from '../../protocol/member.ts'
import type { ReceiptKind } from '../../protocol/proof/receipt.ts'
import type {
  ColumnValues,
  CorrectionView,
  RestrictionReason,
  RestrictionView,
} from '../../protocol/rights/restriction.ts'
import type {
  RevocationRequest,
  evidenceViewSchema,
  grantViewSchema,
  grantsChangedSchema,
  receiptListItemSchema,
  siteViewSchema,
} from '../../protocol/http/site-api.ts'
import type {
  ImportFormat,
  batchViewSchema,
  dataSetViewSchema,
  describedViewSchema,
} from '../../protocol/http/data-set-api.ts'
import type {
  columnUsesSchema,
  explainRequestSchema,
  explanationSchema,
} from '../../protocol/http/question-api.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import type { HandedOver, HandOverRequest } from '../handover/hand-over.ts'
import type { SentPart } from '../handover/handed-over.ts'
import type { HandOverArrival } from '../../protocol/http/hand-over-api.ts'
import type { AccessActs } from './access-acts.ts'
import type { LocalAskActs } from './local-ask-acts.ts'
import type { OfficerActs } from './officer-acts.ts'
import type { PortionToAsk } from '../rights/people-to-ask.ts'
import type { PersonReading, Reader } from '../rights/person-reading.ts'
import type { Page, PageRequest } from './page-of.ts'
import type { PersonActs } from './person-acts.ts'
import type { PrincipalActs } from './principal-acts.ts'
import type { SentNoticeView } from '../recipients/notice-view.ts'
import type { CorrectionRequest } from '../rights/note-corrections.ts'
import type { NamedPerson } from '../rights/named-person.ts'
import type { RequestActs } from './request-acts.ts'

/** Who calls a site: its operator, an issuer that places data here, or a person about whom there is data. */
export type SiteCaller =
  /** `officer`: it is their data-protection officer who reads for them, and does nothing else. */
  | { readonly kind: 'operator'; readonly officer?: MemberId | undefined }
  | { readonly kind: 'issuer'; readonly member: MemberId; readonly officer?: MemberId | undefined }
  /** A supervisory authority, which reads and proves and does nothing else. */
  | { readonly kind: 'regulator'; readonly member: MemberId }
  /** `person` is the key by which `issuer` knows them; `identities` are all under which they are signed in, that one first. */
  | {
      readonly kind: 'person'
      readonly issuer: MemberId
      readonly person: string
      readonly identities: readonly PersonIdentity[]
    }
  /** A person who speaks for a child: `issuer` and `person` name the child, `guardian` is who calls. Made by `speak-for.ts` only. */
  | {
      readonly kind: 'guardian'
      readonly guardianship: string
      readonly issuer: MemberId
      readonly person: string
      readonly identities: readonly PersonIdentity[]
      readonly guardian: PersonIdentity
    }

/**
 * The same, and an acquirer on the local network, who gets through to asks alone, and a data-protection officer, who gets
 * through to what it may read, in the place of whoever named it: an issuer, or else the custodian.
 */
export type DoorCaller =
  | SiteCaller
  | { readonly kind: 'acquirer'; readonly member: MemberId }
  | { readonly kind: 'officer'; readonly officer: MemberId; readonly issuer?: MemberId | undefined }
  /** An application that asks for decisions and gets through to nothing else; without an issuer the custodian named it. */
  | { readonly kind: 'enforcement_point'; readonly point: MemberId; readonly issuer?: MemberId | undefined }

/** A person as one issuer knows them. */
export interface PersonIdentity {
  readonly issuer: MemberId
  readonly person: string
}

/** Wire forms of what the acts answer. */
export type SiteView = z.input<typeof siteViewSchema>
export type DataSetView = z.input<typeof dataSetViewSchema>
export type DescribedView = z.input<typeof describedViewSchema>
export type BatchView = z.input<typeof batchViewSchema>
export type ColumnUsesView = z.input<typeof columnUsesSchema>
export type ExplainRequest = z.output<typeof explainRequestSchema>
export type ExplanationView = z.input<typeof explanationSchema>
export type GrantView = z.input<typeof grantViewSchema>
export type GrantsChanged = z.input<typeof grantsChangedSchema>
export type EvidenceView = z.input<typeof evidenceViewSchema>
export type ReceiptListItem = z.input<typeof receiptListItemSchema>

/** Whose things: only those of this issuer, or all (absent). */
export interface Scope {
  readonly issuer?: MemberId | undefined
}

/** Whose grants are looked at, and by whom; absent from a request: everybody's, and nobody by name. */
export type GrantReading = PersonReading | (Reader & { readonly person: string })

/** Who changes grants (`operator`, `issuer:NAME`, `person` or `guardian:ID`), and the key under which it happens once. */
export interface ChangeBy {
  readonly by: string
  readonly guardianship?: string | undefined
  readonly idempotencyKey?: string | undefined
}

/**
 * What the door of a site calls. The door has checked who may; the acts decide everything else. Each answers in wire
 * form, throws a `Fault` for what the caller did wrong, and takes what it changes as done only when it is durable.
 */
export interface SiteActs extends PersonActs, RequestActs, LocalAskActs {
  /** What the record knows a caller, a person and a request by that it remembers. */
  readonly requestMark: RequestMark
  site(): Promise<SiteView>
  listDataSets(page: PageRequest & Scope): Promise<Page<DataSetView>>
  /** `undefined` when there is none of this name. */
  findDataSet(dataSet: DataSetId): Promise<Pick<DataSetRecord, 'manifest' | 'manifestDigest'> | undefined>
  /** With exact counts of what is in it; one that there is. */
  viewDataSet(dataSet: DataSetId): Promise<DataSetView>
  describeDataSet(manifest: Manifest): Promise<DescribedView>
  retireDataSet(dataSet: DataSetId): Promise<DataSetView>
  importRows(request: {
    manifest: Manifest
    policy: Digest
    batch: string
    rows: readonly ColumnValues[]
  }): Promise<BatchView>
  /** Reads the file as it comes; when `signal` is aborted nothing of the batch stays. */
  importBatch(request: {
    dataSet: DataSetId
    batch?: string | undefined
    format: ImportFormat
    form?: CsvForm | undefined
    file: AsyncIterable<Uint8Array>
    signal: AbortSignal
  }): Promise<BatchView>
  columnUses(manifest: Manifest): Promise<ColumnUsesView>
  /** What the engine would be given for a question, or the decline of the gate. */
  explainQuestion(request: ExplainRequest): Promise<ExplanationView>
  listBatches(request: PageRequest & { dataSet: DataSetId }): Promise<Page<BatchView>>
  listGrants(
    request: PageRequest & Scope & { dataSet?: DataSetId | undefined; reading?: GrantReading | undefined },
  ): Promise<Page<GrantView>>
  giveGrants(grants: readonly GrantRequest[], change: ChangeBy): Promise<GrantsChanged>
  revokeGrants(revocations: readonly RevocationRequest[], change: ChangeBy): Promise<GrantsChanged>
  previewGrant(
    terms: GrantTerms & { readonly validUntil?: Instant | undefined },
  ): Promise<{ notice: Digest; answers: { question: string; answer: string }[] }>
  refuseGrant(refusal: GrantTerms & { readonly person: string }, change: ChangeBy): Promise<GrantsChanged>
  evidence(): Promise<EvidenceView>
  /** A compact JWS over evidence, with `typ` of evidence, by the operator's key. */
  giveEvidence(evidence: string): Promise<EvidenceView>
  listReceipts(
    request: PageRequest & Scope & { kind?: ReceiptKind | undefined },
  ): Promise<Page<ReceiptListItem>>
  /** `undefined` when there is none, or none in the scope. */
  findReceipt(request: Scope & { sequence: number }): Promise<ReceiptBundle | undefined>
  checkpoint(): Promise<string | undefined>
  /** A tile by its path after `/tile/`. */
  tile(path: string): Promise<Uint8Array | undefined>
  /** Gives the erasure that stands when it was asked for before; `fault.not_found` for whoever is not known. */
  erasePerson(
    request: NamedPerson & { reason: ErasureReason; isAtOnce: boolean; requestKey?: string | undefined },
  ): Promise<ErasureView>
  correctPerson(
    request: NamedPerson & Pick<CorrectionRequest, 'dataSet' | 'set' | 'where'>,
  ): Promise<CorrectionView>
  restrictPerson(request: NamedPerson & { reason: RestrictionReason }): Promise<RestrictionView>
  findRestriction(person: NamedPerson): Promise<RestrictionView>
  liftRestriction(person: NamedPerson): Promise<RestrictionView>
  listErasures(request: PageRequest & Scope): Promise<Page<ErasureView>>
  /** `issuers`: only an erasure of one of theirs. */
  findErasure(request: {
    erasure: string
    issuers?: readonly MemberId[] | undefined
  }): Promise<ErasureView | undefined>
  completeErasures(): Promise<number>
  retention(scope: Scope): Promise<z.input<typeof retentionViewSchema>>
  /** Gives the rows that were changed. */
  sweepRetention(): Promise<Swept>
  listSentNotices(request: PageRequest & Scope & { state: 'open' | 'all' }): Promise<Page<SentNoticeView>>
  personNotices(reading: PersonReading): Promise<{ items: SentNoticeView[] }>
  registerIssuer(issuer: { member: MemberId; keys: KeySet }): Promise<void>
  /** The signing key of an issuer that is known here, by its key id. */
  issuerKey(member: string, keyId: string): Promise<PublicJwk | undefined>
  readiness(): Promise<{ readonly isReady: boolean; readonly checks: Readonly<Record<string, boolean>> }>
  metrics(): Promise<string>
  readonly officer: OfficerActs
  readonly access: AccessActs
  readonly principals: PrincipalActs
  /** A data set's hand-over, whole. */
  handOver(request: HandOverRequest): Promise<HandedOver>
  /** Bytes of a hand-over, noted when all of them were sent. */
  notedWhole(body: ReadableStream<Uint8Array>, sent: SentPart): ReadableStream<Uint8Array>
  /** That such bytes arrived; `undefined` when none with this digest were sent. */
  noteArrival(arrived: Omit<SentPart, 'to'> & { digest: Digest }): Promise<HandOverArrival | undefined>
  /** Whom an issuer has to ask again, from where a cursor says on, some at a time. */
  peopleToAsk(request: {
    manifest: Manifest
    reading: Reader
    cursor?: string | undefined
    limit: number
  }): AsyncGenerator<PortionToAsk>
  windDown(reason: string): Promise<{ since: string; reason: string }>
  /** Whom a restore made the guard hold. */
  listHolds(): string[]
  /** Gives who is left; `fault.not_found` for somebody who is not held. */
  liftHold(request: { acquirer: string; reason: string }): Promise<string[]>
  listBackups(): Promise<BackupView[]>
  makeBackup(): Promise<BackupView>
  /** Gives those that are left; one that is not there is no failure. */
  destroyBackup(backup: string): Promise<BackupView[]>
}
