import { Bitset } from '../../kernel/bitset.ts'
import { formatInstant, later } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { RestrictionReason } from '../../protocol/rights/restriction.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { PartitionStore } from '../guard/partition-store.ts'
import { holdKeys } from '../vault/keys/hold-keys.ts'
import type { PersonKeys } from '../vault/keys/person-keys.ts'
import type { Vault } from '../vault/vault.ts'
import { noteRecipients } from '../recipients/note-recipients.ts'
import type { NotingParts } from '../recipients/note-recipients.ts'
import type { RecipientsBell } from '../recipients/recipients-bell.ts'
import type { HiddenPeople } from './hidden-people.ts'
import { isOwnWord } from './own-word.ts'
import { addRestrictionReceipt, findRestriction, insertRestriction, saveLift } from './restriction-store.ts'
import type { RestrictionRecord } from './restriction-store.ts'

/** What restricting needs of a site. */
export interface RestrictionParts extends NotingParts {
  readonly db: Database
  readonly vault: Vault
  readonly clock: Clock
  readonly log: ReceiptLog
  readonly partitions: Pick<PartitionStore, 'noteChange'>
  readonly personKeys: PersonKeys
  readonly hidden: HiddenPeople
  readonly recipientsBell: RecipientsBell
  readonly manifests: () => ReadonlyMap<DataSetId, Manifest>
  readonly liftNoticeMs: number
  /** Puts the restriction where a restore finds it. */
  readonly keptApart: { note(): Promise<void> }
}

/**
 * Restricts the processing of a person (GDPR Art. 18): their data is stored and in their export, and in no result
 * from the moment this resolves, a run that has begun included. Restricting again gives the restriction that holds.
 */
export async function restrictPerson(
  parts: RestrictionParts,
  request: { person: number; issuer: MemberId; reason: RestrictionReason; requestedBy: string },
): Promise<RestrictionRecord> {
  const { person } = request
  const known = await findRestriction(parts.db, person)
  if (known && known.liftsAt === undefined) {
    await parts.keptApart.note()
    return known
  }
  parts.hidden.restrict(person, Infinity, request.reason)
  const restriction = parts.ids.next('restriction')
  try {
    await parts.db.transaction().execute(async (tx) => {
      await holdKeys(tx, [person])
      await insertRestriction(tx, { ...request, restriction, since: parts.clock.now() })
      // A run that has begun is refused by the count of changes, and computed again without the person.
      for (const dataSet of [...parts.manifests().keys()].toSorted()) {
        if (!(await parts.vault.people(dataSet)).has(person)) continue
        const numbers = (await parts.vault.households()).numbersOf(person)
        await parts.partitions.noteChange(tx, { dataSet, people: Bitset.of(numbers), cause: restriction })
      }
      await issueReceipt(tx, parts, { restriction, person })
      await noteRecipients(tx, parts, {
        kind: 'restriction',
        cause: restriction,
        person,
        issuer: request.issuer,
        now: parts.clock.now(),
      })
    })
  } catch (error) {
    const standing = await findRestriction(parts.db, person)
    if (standing === undefined) parts.hidden.unrestrict(person)
    else parts.hidden.restrict(person, standing.liftsAt ?? Infinity, standing.reason)
    throw error
  }
  await parts.keptApart.note()
  await parts.log.publish()
  parts.recipientsBell.ring()
  return required(await findRestriction(parts.db, person))
}

/**
 * Ends a restriction, after the person was told (GDPR Art. 18(3)): it is noted now, with a receipt that the person
 * finds, and takes effect at its moment whether or not anything runs then. The person's own word takes effect at once.
 */
export async function liftRestriction(
  parts: RestrictionParts,
  { person, by }: { person: number; by: string },
): Promise<RestrictionRecord> {
  const known = await findRestriction(parts.db, person)
  if (!known) throw new Fault('fault.not_found', { what: 'Cannot lift: there is no restriction' })
  if (known.liftsAt !== undefined) return known
  const { restriction } = known
  const now = parts.clock.now()
  const liftsAt = isOwnWord(by) ? now : later(now, parts.liftNoticeMs)
  await parts.db.transaction().execute(async (tx) => {
    if (!(await saveLift(tx, { restriction, now, liftsAt, by }))) return
    await issueReceipt(tx, parts, { restriction, person, liftsAt })
    await noteRecipients(tx, parts, {
      kind: 'restriction_lifting',
      cause: restriction,
      person,
      issuer: known.issuer,
      now,
      lifts: liftsAt,
    })
  })
  const done = required(await findRestriction(parts.db, person))
  parts.hidden.restrict(person, done.liftsAt ?? Infinity, done.reason)
  await parts.log.publish()
  parts.recipientsBell.ring()
  return done
}

async function issueReceipt(
  tx: DatabaseTransaction,
  { log, personKeys }: RestrictionParts,
  { restriction, person, liftsAt }: { restriction: string; person: number; liftsAt?: Instant },
): Promise<void> {
  const text = `restriction ${restriction}${liftsAt === undefined ? '' : ' lift'}`
  const subjectOf = await personKeys.subjectOf(tx, { person, text })
  const [receipt] = await log.issue(tx, [
    {
      kind: 'restriction',
      restriction,
      ...(liftsAt === undefined ? {} : { lifts: formatInstant(liftsAt) }),
      ...(subjectOf === undefined ? {} : { subjectOf }),
    },
  ])
  if (receipt) await addRestrictionReceipt(tx, { restriction, receipt: receipt.sequence })
}

function required(record: RestrictionRecord | undefined): RestrictionRecord {
  if (record) return record
  throw new Fault('fault.internal', { what: 'Cannot find a restriction that was just noted' })
}
