import { join } from 'node:path'
import type { Clock } from '../kernel/clock.ts'
import { wipeReplaced } from '../kernel/crypto/replace-key-file.ts'
import { lockDirectory } from '../kernel/directory-lock.ts'
import { idSource } from '../kernel/id.ts'
import type { Log } from '../kernel/log.ts'
import type { Database } from '../kernel/postgres/database.ts'
import type { Random } from '../kernel/random.ts'
import { minimumGroupOf } from '../protocol/data-set.ts'
import type { Manifest } from '../protocol/data-set.ts'
import type { DataSetId } from '../protocol/wire.ts'
import type { ReceiptLog } from '../transparency/receipt-log.ts'
import { UseCache } from './asks/use-cache.ts'
import type { Safe } from './backup/safe.ts'
import type { KeptApart } from './backup/kept-apart.ts'
import { moveMisplaced } from './backup/move-misplaced.ts'
import { openBackupParts } from './backup/open-backup-parts.ts'
import { reservingNumbers } from './backup/reserve-numbers.ts'
import { siteDirectory } from './config.ts'
import type { SiteSettings } from './config.ts'
import type { ConsentContext } from './consent/change-grants.ts'
import { loadGrantMirror } from './consent/change-grants.ts'
import { EligibilityCache } from './consent/eligibility-cache.ts'
import { requestMark } from './record/request-mark.ts'
import type { GrantMirror } from './consent/grant-mirror.ts'
import { readDataSets } from './datasets/data-set-store.ts'
import type { DataSetRecord } from './datasets/data-set-store.ts'
import type { FinishParts } from './datasets/finish-import.ts'
import { resumeImports } from './datasets/resume-imports.ts'
import { retainedVault } from './datasets/retained-vault.ts'
import { siteEvents } from './events.ts'
import { FloorDesk } from './floor/floor-desk.ts'
import { PublishedOffers } from './floor/published-offers.ts'
import { Turns } from './floor/turns.ts'
import { openColludingGroups } from './guard/colluding-groups.ts'
import { GuardHolds } from './guard/guard-holds.ts'
import { openPartitionStore } from './guard/partition-store.ts'
import { loadEvidence } from './load-evidence.ts'
import { ContractStore } from './contracts/contract-store.ts'
import { AssessmentStore } from './assessments/assessment-store.ts'
import { WindDown } from './handover/wind-down.ts'
import { TransferRemovals } from './officer/transfer-removals.ts'
import { VaultMark } from './one-moment.ts'
import { openRecord } from './open-record.ts'
import { openEvidenceStore } from './place/evidence-store.ts'
import type { EvidenceStore } from './place/evidence-store.ts'
import { openPrivacyLedger } from './privacy/privacy-ledger.ts'
import type { PrivacyLedger } from './privacy/privacy-ledger.ts'
import { BUDGET_DELTA } from './privacy/privacy-loss.ts'
import { PinnedMembers } from './asks/pinned-members.ts'
import { ofGrownUps } from './principals/guardian-power.ts'
import { RecipientsBell } from './recipients/recipients-bell.ts'
import { finishMasterRotation } from './rotate-master-key.ts'
import { RowEnds } from './retention/row-ends.ts'
import { HiddenPeople } from './rights/hidden-people.ts'
import { resumeRights } from './rights/serve-rights.ts'
import type { SiteContext } from './site-context.ts'
import { readSiteKeys } from './site-keys.ts'
import type { SiteKeys } from './site-keys.ts'
import { lookupDigest } from './vault/keys/lookup-digest.ts'
import { openVault } from './vault/open-vault.ts'
import { personKeys } from './vault/keys/person-keys.ts'
import type { PersonKeys } from './vault/keys/person-keys.ts'
import type { Vault } from './vault/vault.ts'

/** What a site is started with. Everything of the outside world comes in here. */
export interface SiteStart {
  /** The site's own directory, for example `.hedgerow/sites/galway`. */
  readonly root: string
  readonly settings: SiteSettings
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  /** What is opened is a backup that is being restored or rehearsed: nothing of it serves. */
  readonly isRestoring?: boolean
}

const DAY_MS = 86_400_000
/** Bytes that partitions of acquirers may take in memory; others are read back from the record. */
const PARTITION_CACHE_BYTES = 64 * 1024 * 1024
const HOUR_MS = 3_600_000

/**
 * Opens everything below a site's doors: directory, record, keys, log, vault, grants, evidence; and sets right what a
 * crash left half done. What is opened is closed again with `opened`.
 */
export async function openSite(
  { root, settings, log, clock, random, isRestoring = false }: SiteStart,
  opened: AsyncDisposableStack,
  onOffersChanged: () => void,
): Promise<SiteContext> {
  opened.use(await lockDirectory(root))
  await finishMasterRotation({ root, settings, log, clock, random })
  // What a rotation that was cut off has left of an old key.
  for (const use of ['operator', 'signing']) await wipeReplaced(join(siteDirectory(root).keys, `${use}.jwk`))
  const keys = await readSiteKeys(siteDirectory(root).keys)
  const { db, ended, receipts } = await openRecord({ root, settings, log, clock, keys }, opened)
  const ofPeople = personKeys({ wrappingKey: keys.wrapping, random })
  const common = { root, settings, clock }
  if (!isRestoring) await moveMisplaced(root, { settings, log })
  const ofBackups = await openBackupParts({
    ...common,
    db,
    log: receipts,
    keys,
    personKeys: ofPeople,
    isRestoring,
  })
  const { stored, vaultMark } = await openOwnVault({ ...common, db, random, ...ofBackups.backups }, opened)
  let dataSets = await readDataSets(db)
  let manifests = activeManifests(dataSets)
  const present = () => manifests
  const rights = rightsParts({ settings, clock, random })
  const vault = retainedVault(stored, { clock, manifests: present, held: rights.held })
  const ledger = ledgerOf(db, settings)
  const guard = await openGuard({ db, clock, settings, budgets: ledger, manifests: present, stored })
  const core = { db, receipts, clock, vault, manifests: present }
  const noteRows: FinishParts['noteRows'] = (tx, facts) => guard.partitions.noteChange(tx, facts)
  await resumeImports({ ...core, ...ofBackups, directory: root, noteRows })
  const evidence = await openEvidence(root, { db, receipts, clock, settings, keys })
  const mirror = await loadGrantMirror(db)
  const site = {
    root,
    ...ofSettings(settings),
    keys,
    clock,
    random,
    db,
    ended: Promise.race([ended, vault.ended]),
    log: receipts,
    vault,
    vaultMark,
    principals: judgedPrincipals({ mirror, vault, settings }),
    mirror,
    ...emptyCaches(),
    ...rights,
    ...ofBackups,
    ...guard,
    ledger,
    pins: new PinnedMembers(db),
    ...(await openFloor(db)),
    evidence,
    ...(await openOfficerParts(db, settings)),
    personKeys: ofPeople,
    events: siteEvents(log),
    manifests: present,
    dataSets: () => dataSets,
    consent: consentContext({ ...core, mirror, keys, ofPeople, keptApart: ofBackups.keptApart, settings }),
    offersChanged: async () => {
      dataSets = await readDataSets(db)
      manifests = activeManifests(dataSets)
      onOffersChanged()
    },
  }
  await resumeRights(site)
  return site
}

/** What is known of people for the rules of age, with evidence and moves as they count at a moment. */
function judgedPrincipals(parts: {
  mirror: GrantMirror
  vault: Vault
  settings: SiteSettings
}): SiteContext['principals'] {
  const { leastAssurance: least } = parts.settings.age
  return async (now) => parts.mirror.principals.over(await parts.vault.principals(), { now, least })
}

/** Whom no run may use, and how erasures are carried out. */
function rightsParts({
  settings: { erasure, restriction, notices },
  clock,
  random,
}: Pick<SiteStart, 'settings' | 'clock' | 'random'>) {
  const hidden = new HiddenPeople()
  return {
    ids: idSource(clock, random),
    hidden,
    recipientsBell: new RecipientsBell(),
    noticeDueMs: notices.dueDays * DAY_MS,
    restricted: () => hidden.at(clock.now()),
    held: () => hidden.heldAt(clock.now()),
    erasureWindowMs: erasure.windowHours * HOUR_MS,
    liftNoticeMs: restriction.noticeHours * HOUR_MS,
  }
}

/** What answering on the local network goes by. */
async function openFloor(db: Database) {
  return {
    floor: await FloorDesk.open(db),
    published: await PublishedOffers.open(db),
    localTurns: new Turns(),
  }
}

async function openOfficerParts(db: Database, { removedTransferGrounds }: SiteSettings) {
  const transferRemovals = await TransferRemovals.open(db, removedTransferGrounds)
  const windDown = await WindDown.open(db)
  return {
    assessments: await AssessmentStore.open(db),
    contracts: await ContractStore.open(db),
    transferRemovals,
    windDown,
    removedGrounds: () => transferRemovals.ids,
    isOffering: () => windDown.state === undefined,
  }
}

/** The vault, if it is the one that belongs to the record; numbers of people are reserved in the safe before it gives them. */
async function openOwnVault(
  { root, settings, clock, db, random, safe }: Omit<SiteStart, 'log'> & { db: Database; safe: Safe },
  opened: AsyncDisposableStack,
): Promise<{ stored: Vault; vaultMark: VaultMark }> {
  const directory = siteDirectory(root).vault
  const vault = opened.use(await openVault({ directory, clock, limits: vaultLimits(settings) }))
  const vaultMark = await VaultMark.open({ db, vault, random })
  return { stored: await reservingNumbers(vault, safe), vaultMark }
}

function vaultLimits({ vault: { memoryMb, threads } }: SiteSettings) {
  return { memoryMiB: memoryMb, threads }
}

function ofSettings({ site, custodian, territory, age, vault }: SiteSettings) {
  return { site, custodian, territory, ageAttesters: age.attesters, vaultThreads: vault.threads }
}

function emptyCaches(): Pick<SiteContext, 'eligibilityCache' | 'useCache'> {
  return { eligibilityCache: new EligibilityCache(), useCache: new UseCache() }
}

/** The site's statements of place, with the one that was laid beside it taken up. */
async function openEvidence(
  root: string,
  {
    db,
    receipts,
    clock,
    settings,
    keys,
  }: {
    db: Database
    receipts: ReceiptLog
    clock: Clock
    settings: SiteSettings
    keys: SiteKeys
  },
): Promise<EvidenceStore> {
  const operatorKey = keys.operator.publicJwk
  const store = await openEvidenceStore({ db, operatorKey, formerOperatorKeys: keys.formerOperators })
  const { site, territory } = settings
  await loadEvidence(root, { db, store, receipts, clock, site, territory, operatorKey })
  return store
}

/** What each person may lose in a year, by the site's settings. */
function ledgerOf(db: Database, { privacy }: SiteSettings): PrivacyLedger {
  return openPrivacyLedger({
    db,
    budgets: {
      personAndAcquirer: { epsilon: privacy.epsilonPerPersonAndAcquirer, delta: BUDGET_DELTA },
      person: { epsilon: privacy.epsilonPerPerson, delta: BUDGET_DELTA },
    },
  })
}

type Guard = Pick<SiteContext, 'partitions' | 'groups' | 'holds' | 'refusalLimits' | 'rowEnds'>

/** What acquirers know, and who of them is guarded as one. */
async function openGuard(parts: {
  db: Database
  clock: Clock
  settings: SiteSettings
  budgets: PrivacyLedger
  /** With everything that is still in it. */
  stored: Vault
  manifests: () => ReadonlyMap<DataSetId, Manifest>
}): Promise<Guard> {
  const partitions = openPartitionStore({
    db: parts.db,
    cacheBytesMax: PARTITION_CACHE_BYTES,
    minimumGroupOf: (dataSet) => leastGroupOf(parts.manifests(), dataSet),
  })
  const holds = await GuardHolds.open(parts.db)
  const groups = await openColludingGroups({
    ...parts,
    partitions,
    holds,
    declared: parts.settings.colluding,
  })
  const { most, windowDays } = parts.settings.refusals
  const rowEnds = await RowEnds.open({ db: parts.db, vault: parts.stored, partitions })
  return { partitions, groups, holds, rowEnds, refusalLimits: { most, windowMs: windowDays * DAY_MS } }
}

/** By the terms of a data set; of one that is offered no longer nothing is known, so no group is enough. */
function leastGroupOf(manifests: ReadonlyMap<string, Manifest>, dataSet: string): number {
  const manifest = manifests.get(dataSet)
  return manifest ? minimumGroupOf(manifest, false) : Number.POSITIVE_INFINITY
}

function activeManifests(records: readonly DataSetRecord[]): ReadonlyMap<DataSetId, Manifest> {
  return new Map(
    records
      .filter(({ retiredAt }) => retiredAt === undefined)
      .map(({ manifest }) => [manifest.dataSet, manifest]),
  )
}

function consentContext(parts: {
  db: Database
  mirror: GrantMirror
  receipts: ReceiptLog
  clock: Clock
  vault: Vault
  keys: SiteKeys
  ofPeople: PersonKeys
  manifests: () => ReadonlyMap<DataSetId, Manifest>
  keptApart: KeptApart
  settings: SiteSettings
}): ConsentContext {
  const { db, mirror, receipts, clock, vault, keys, ofPeople, manifests, keptApart, settings } = parts
  const judged = { vault, principals: judgedPrincipals({ mirror, vault, settings }), ...ofSettings(settings) }
  return {
    db,
    mirror,
    receipts,
    clock,
    findManifest: (dataSet) => manifests().get(dataSet),
    findPeople: async (dataSet, personKeysOfIssuer) => {
      const issuer = manifests().get(dataSet)?.issuer
      if (issuer === undefined) return personKeysOfIssuer.map(() => -1)
      const lookups = personKeysOfIssuer.map((personKey) => lookupDigest(keys.lookup, { issuer, personKey }))
      return vault.findPeople(lookups)
    },
    markOf: (dataSet, personKey) => {
      const issuer = manifests().get(dataSet)?.issuer
      return issuer === undefined ? undefined : lookupDigest(keys.lookup, { issuer, personKey })
    },
    ofGrownUps: (guardianships, now) => ofGrownUps(judged, guardianships, now),
    requestMark: requestMark(keys.lookup),
    keepApart: () => keptApart.note(),
    subjectOf: (subjects) => ofPeople.subjectsOf(db, subjects),
  }
}
