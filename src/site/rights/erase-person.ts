import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { SharedWrite } from '../../kernel/group-commit.ts'
import { erasureInReceipts } from '../../protocol/rights/erasure.ts'
import { storesWhenDeleted } from './erased-stores.ts'
import type { ErasureParts, ErasureRequest } from './erasure-request.ts'
import { findErasure, findErasureOf, isFinished, saveDeleted } from './erasure-store.ts'
import type { ErasureRecord } from './erasure-store.ts'
import { addForgotten } from './forgotten-list.ts'
import { noteErasure } from './note-erasures.ts'

/**
 * Erases a person (GDPR Art. 17), the first of two steps: when it resolves no query, function, export or operator
 * reads anything of them, and a later restart or crash changes nothing about it. A saga: noted in the record, with
 * the key destroyed, grants withdrawn and answers in waiting taken back in the same transaction; carried out in the
 * vault; written down as done with a receipt. Asking again gives the erasure that stands.
 */
export async function erasePerson(parts: ErasureParts, request: ErasureRequest): Promise<ErasedPerson> {
  const erased = await eraseUnlessKept(parts, request)
  if (erased) return erased
  throw new Fault('fault.internal', { what: 'Cannot keep whoever is to be erased whatever there is of them' })
}

/** The same, or nothing where the request says that the person is kept. */
export async function eraseUnlessKept(
  parts: ErasureParts,
  request: ErasureRequest,
): Promise<ErasedPerson | undefined> {
  const { person, requestKey, isUnknown } = request
  const known = isUnknown === true ? undefined : await findErasureOf(parts.db, { person, requestKey })
  if (known) return known.state === 'begun' ? finishErasure(parts, known) : { ...known, isAnybodyTold: true }
  // First: a run that begins now is without the person, and one that has begun is refused by what is noted next.
  parts.hidden.hideErased(request.person)
  const erasure = request.standing?.erasure ?? parts.ids.next('erasure')
  const done = await noteErasure({ parts, request: { ...request, erasure } }).catch(
    async (error: unknown) => {
      if (!(await findErasureOf(parts.db, { ...request, requestKey: undefined })))
        parts.hidden.showAgain(request.person)
      throw error
    },
  )
  if (done.noted) return finishErasure(parts, done.noted, done)
  // Whoever asked at the same time was first.
  const noted = await findErasureOf(parts.db, { ...request, requestKey: undefined })
  if (!noted && done.isKept) {
    parts.hidden.showAgain(request.person)
    return undefined
  }
  if (!noted) throw new Fault('fault.internal', { what: 'Cannot find an erasure that was just noted' })
  return finishErasure(parts, noted)
}

/** An erasure that stands; whether anybody was, or may have been, given rows of the person and is told. */
export type ErasedPerson = ErasureRecord & { readonly isAnybodyTold: boolean }

/** Carries out an erasure that is noted. Doing it again, after a crash at any point, does no harm. */
export async function finishErasure(
  parts: ErasureParts,
  noted: ErasureRecord,
  { isAnybodyTold }: { readonly isAnybodyTold: boolean } = { isAnybodyTold: true },
): Promise<ErasedPerson> {
  const { erasure, person, keyDigest } = noted
  if (person === undefined)
    throw new Fault('fault.internal', { what: 'Cannot finish an erasure of many as that of one person' })
  if (keyDigest) await addForgotten(parts.forgottenList, { ...noted, keyDigest })
  await parts.backups.strikeOut({ person, erasure })
  await parts.vault.forget(person)
  if (isAnybodyTold) parts.recipientsBell.ring()
  const done = await writtenDown(parts, noted).catch((error: unknown) => {
    // Whoever asked at the same time was first.
    if (!isFinished(error)) throw error
  })
  const receipt = done?.receipts.at(-1)
  await (receipt === undefined ? parts.log.publish() : parts.log.publishOver(receipt))
  if (done) return { ...done, isAnybodyTold }
  const found = await findErasure(parts.db, erasure)
  if (!found) throw new Fault('fault.internal', { what: 'Cannot find an erasure that was just done' })
  return { ...found, isAnybodyTold: true }
}

/** Erasures that are written down as done in one statement. */
const DONE_AT_ONCE = 64

const lines = new WeakMap<ErasureParts['log'], SharedWrite<ErasureRecord, ErasureRecord>>()

/** Writes down that an erasure is done, with its receipt; with those that are done at the same time. */
function writtenDown({ log, clock }: ErasureParts, noted: ErasureRecord): Promise<ErasureRecord> {
  const line =
    lines.get(log) ?? new SharedWrite((all) => writeDown({ log, now: clock.now() }, all), DONE_AT_ONCE)
  lines.set(log, line)
  return line.add(noted)
}

async function writeDown(
  { log, now }: { log: ErasureParts['log']; now: Instant },
  all: readonly ErasureRecord[],
): Promise<readonly ErasureRecord[]> {
  const stores = storesWhenDeleted()
  const erasures = all.map(({ erasure }) => erasure)
  const issued = await log.issueBy(
    all.map(({ erasure, subjectOf }) => ({
      kind: 'erasure',
      erasure: erasureInReceipts(erasure),
      grade: 'deleted',
      ...(subjectOf === undefined ? {} : { subjectOf }),
    })),
    (on, receipts) => saveDeleted(on, { erasures, now, stores, receipts }),
  )
  return all.map((noted, index) => {
    const receipt = issued[index]
    if (!receipt) throw new Fault('fault.internal', { what: 'The log gave too few receipts' })
    return {
      ...noted,
      state: 'deleted',
      deletedAt: now,
      stores,
      receipts: [...noted.receipts, receipt.sequence],
    }
  })
}
