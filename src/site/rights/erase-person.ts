import { Bitset } from '../../kernel/bitset.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { later } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { ErasureReason } from '../../protocol/rights/erasure.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import { rowsDisclosed } from '../asks/rows-recipients.ts'
import type { DisclosedRows } from '../asks/rows-recipients.ts'
import { withdrawReleases } from '../asks/withdraw-releases.ts'
import type { WithdrawParts } from '../asks/withdraw-releases.ts'
import { changeGrants } from '../consent/change-grants.ts'
import type { ConsentContext } from '../consent/change-grants.ts'
import type { LiveGrant } from '../consent/grant-store.ts'
import { revokeAllOf } from '../consent/revoke-grants.ts'
import { endAllOf } from '../principals/end-guardianship.ts'
import type { Backups } from '../backup/backups.ts'
import type { PartitionStore } from '../guard/partition-store.ts'
import { noteDisclosed } from '../recipients/note-recipients.ts'
import type { NotingParts } from '../recipients/note-recipients.ts'
import type { RecipientsBell } from '../recipients/recipients-bell.ts'
import { insertWithdrawals } from '../recipients/withdrawal-store.ts'
import type { PersonKeys } from '../vault/person-keys.ts'
import type { Vault } from '../vault/vault.ts'
import { storesWhenDeleted } from './erased-stores.ts'
import {
  findErasure,
  findErasureOf,
  forgetTraces,
  insertErasure,
  isFinished,
  saveDeleted,
  saveKeyDigest,
} from './erasure-store.ts'
import type { ErasureRecord } from './erasure-store.ts'
import { addForgotten } from './forgotten-list.ts'
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
  readonly reason: ErasureReason
  readonly requestedBy: string
  /** The mark under which answers to this person are kept (never the name itself). */
  readonly nameMark: Digest
  readonly requestKey?: string | undefined
  /** What the person is known by as a guardian of others: whoever is erased has power over nobody. */
  readonly guardianMark?: Uint8Array | undefined
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

/**
 * Erases a person (GDPR Art. 17), the first of two steps: when it resolves no query, function, export or operator
 * reads anything of them, and a later restart or crash changes nothing about it. A saga: noted in the record, with
 * the key destroyed, grants withdrawn and answers in waiting taken back in the same transaction; carried out in the
 * vault; written down as done with a receipt. Asking again gives the erasure that stands.
 */
export async function erasePerson(parts: ErasureParts, request: ErasureRequest): Promise<ErasureRecord> {
  const known = await findErasureOf(parts.db, { person: request.person, requestKey: request.requestKey })
  if (known) return known.state === 'begun' ? finishErasure(parts, known) : known
  // First: a run that begins now is without the person, and one that has begun is refused by what is noted next.
  parts.hidden.hideErased(request.person)
  const erasure = request.standing?.erasure ?? parts.ids.next('erasure')
  let isAnybodyTold = true
  try {
    isAnybodyTold = await noteErasure(parts, { ...request, erasure })
  } catch (error) {
    if (!(await findErasureOf(parts.db, { ...request, requestKey: undefined })))
      parts.hidden.showAgain(request.person)
    throw error
  }
  const noted = await findErasureOf(parts.db, { ...request, requestKey: undefined })
  if (!noted) throw new Fault('fault.internal', { what: 'Cannot find an erasure that was just noted' })
  return finishErasure(parts, noted, { isAnybodyTold })
}

/** Gives whether somebody was given rows of the person, and is to be told. */
async function noteErasure(
  parts: ErasureParts,
  request: ErasureRequest & { erasure: string },
): Promise<boolean> {
  const { person, erasure, requestedBy, standing } = request
  let disclosed: readonly DisclosedRows[] = []
  await changeGrants(parts.consent, {
    body: { erase: erasure },
    facts: { by: requestedBy },
    act: async (tx, { last, now }) => {
      const isNew = await insertErasure(tx, {
        ...request,
        requestKey: request.requestKey,
        requestedAt: standing?.requestedAt ?? now,
        permanentBy: later(now, parts.erasureWindowMs),
        subjectOf:
          standing?.subjectOf ??
          (await parts.personKeys.subjectOf(tx, { person, text: `erasure ${erasure}` })),
      })
      if (!isNew) return { change: { sequence: last, newTerms: [], given: [], revoked: [] }, unchanged: 0 }
      await noteRows(tx, parts, { person, erasure })
      await withdrawReleases(tx, { person, parts, now })
      const own = await revokeAllOf(tx, person, { context: parts.consent, last, now, by: requestedBy })
      const ofWards = await endGuardianships(tx, parts, { ...request, last: last + own.length, now })
      const revoked = [...own, ...ofWards]
      disclosed = await noteWithdrawn(tx, parts, { ...request, now })
      await forgetTraces(tx, request)
      const destroyed = await parts.personKeys.destroyKey(tx, person)
      const keyDigest = standing?.keyDigest ?? destroyed
      if (keyDigest) await saveKeyDigest(tx, { erasure, keyDigest })
      return {
        change: {
          sequence: last + revoked.length,
          newTerms: [],
          given: [],
          revoked,
          principals: [{ what: 'forgotten', person }],
        },
        unchanged: 0,
      }
    },
  })
  return disclosed.length > 0
}

/** Whoever is erased speaks for nobody. */
async function endGuardianships(
  tx: DatabaseTransaction,
  parts: ErasureParts,
  { guardianMark, requestedBy, last, now }: ErasureRequest & { last: number; now: Instant },
): Promise<readonly LiveGrant[]> {
  if (!guardianMark) return []
  return endAllOf(tx, parts, { mark: guardianMark, last, now, by: requestedBy })
}

/** Whoever was given rows of the person is told, and the network deletes what is sealed; values in waiting go with the key. */
async function noteWithdrawn(
  tx: DatabaseTransaction,
  parts: ErasureParts,
  { person, erasure, issuer, now }: ErasureRequest & { erasure: string; now: Instant },
): Promise<readonly DisclosedRows[]> {
  const numbers = (await parts.vault.households()).numbersOf(person)
  const disclosed = await rowsDisclosed(tx, { person, numbers })
  await insertWithdrawals(tx, { erasure, person, now, asks: disclosed })
  const event = { kind: 'erasure', cause: erasure, person, issuer, now } as const
  await noteDisclosed(tx, parts, { event, disclosed: disclosed.filter(({ isPushed }) => isPushed) })
  return disclosed
}

/** Rows of the person are about to go: an answer that was computed over them and is not decided yet must not be. */
async function noteRows(
  tx: DatabaseTransaction,
  parts: ErasureParts,
  { person, erasure }: { person: number; erasure: string },
): Promise<void> {
  for (const dataSet of [...parts.manifests().keys()].toSorted()) {
    if (!(await parts.vault.people(dataSet)).has(person)) continue
    const numbers = (await parts.vault.households()).numbersOf(person)
    await parts.partitions.noteChange(tx, { dataSet, people: Bitset.of(numbers), cause: erasure })
  }
}

/** Carries out an erasure that is noted. Doing it again, after a crash at any point, does no harm. */
export async function finishErasure(
  parts: ErasureParts,
  noted: ErasureRecord,
  { isAnybodyTold }: { readonly isAnybodyTold: boolean } = { isAnybodyTold: true },
): Promise<ErasureRecord> {
  const { erasure, person, keyDigest } = noted
  if (keyDigest) await addForgotten(parts.forgottenList, { ...noted, keyDigest })
  await parts.backups.strikeOut({ person, erasure })
  await parts.vault.forget(person)
  if (isAnybodyTold) parts.recipientsBell.ring()
  const subject = noted.subjectOf === undefined ? {} : { subjectOf: noted.subjectOf }
  await parts.log
    .issueBy([{ kind: 'erasure', erasure, grade: 'deleted', ...subject }], async (on, [receipt]) => {
      const stores = storesWhenDeleted()
      if (receipt) await saveDeleted(on, { erasure, now: parts.clock.now(), stores, receipt })
    })
    .catch((error: unknown) => {
      // Whoever asked at the same time was first.
      if (!isFinished(error)) throw error
    })
  await parts.log.publish()
  const done = await findErasure(parts.db, erasure)
  if (!done) throw new Fault('fault.internal', { what: 'Cannot find an erasure that was just done' })
  return done
}
