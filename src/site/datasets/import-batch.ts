import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { Mutex } from '../../kernel/mutex.ts'
import type { Bitset } from '../../kernel/bitset.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { findPolicy } from './data-set-store.ts'
import { finishImport } from './finish-import.ts'
import type { FinishParts } from './finish-import.ts'
import { dropIntents, findImport, saveIntent, saveNewPeople } from './import-store.ts'
import type { BatchName, ImportRecord, ReceivedForm } from './import-store.ts'
import type { NumberingParts } from './number-people.ts'

/** What importing needs of a site. */
export interface BatchParts extends NumberingParts, FinishParts {
  readonly clock: Clock
}

/** A batch on its way in; `digest` is of what it was made of. */
export interface BatchToImport extends BatchName {
  readonly digest: Digest
  readonly signal?: AbortSignal | undefined
}

/** What became of an import. */
export interface ImportedBatch extends BatchName {
  readonly rows: number
  /** People whom the site did not know before. */
  readonly newPeople: number
  readonly importedAt: Instant
  /** False: it was there already. */
  readonly isNew: boolean
}

/** One import at a time for each vault: it uses the whole machine, and people are numbered in turn. */
const turns = new WeakMap<object, Mutex>()

/** The turn of imports of a vault, for whatever may not happen while rows are on their way in. */
export function importTurn(vault: object): Mutex {
  const turn = turns.get(vault) ?? new Mutex()
  turns.set(vault, turn)
  return turn
}

/**
 * Imports a batch once, in the turn of imports: `move` brings its rows into the vault, whole or not at all; then it is written down with
 * its receipt.
 *
 * @throws Fault `fault.idempotency_conflict` when the batch was something else before
 */
export async function importBatch(
  parts: BatchParts,
  request: BatchToImport,
  move: () => Promise<void>,
): Promise<ImportedBatch> {
  const { dataSet, batch, digest } = request
  const { inMotion } = parts.vault
  const before = await findImport(parts.db, request)
  if (before && before.fileDigest !== digest) {
    if (before.doneAt !== undefined) {
      throw anotherFile(batch)
    }
    await parts.vault.discard({ dataSet, batch })
  }
  if (before?.doneAt !== undefined) return toImported(before, { importedAt: before.doneAt, isNew: false })
  try {
    await move()
  } catch (error) {
    // A crash leaves what was set aside for next time; whoever lives to say that it failed leaves nothing.
    const undone = await undo(parts, request).catch(() => undefined)
    if (undone === true) inMotion.end(dataSet, batch)
    const isUndone = undone ?? true
    // What failed after the vault had taken this very file is no failure: it could not even be undone.
    const isOther = before !== undefined && before.fileDigest !== digest
    if (isUndone || isOther) {
      inMotion.stick(dataSet, batch)
      request.signal?.throwIfAborted()
      throw error
    }
  }
  const done = await finishImport(parts, { dataSet, batch }).catch((error: unknown) => {
    inMotion.stick(dataSet, batch)
    throw error
  })
  inMotion.end(dataSet, batch)
  await parts.receipts.publish()
  return toImported(done, { importedAt: done.doneAt ?? parts.clock.now(), isNew: true })
}

/** Notes what is about to be taken, before anything of it is. */
export async function noteIntent(
  parts: BatchParts,
  { dataSet, batch, digest, rows, form }: BatchToImport & { rows: number; form: ReceivedForm },
): Promise<void> {
  const firstPerson = await parts.vault.personCount()
  const now = parts.clock.now()
  await saveIntent(parts.db, { dataSet, batch, fileDigest: digest, rows, firstPerson, form, now })
}

/** Notes whose rows are about to change, before the vault can show any of them. */
export async function keepNewPeople(
  parts: BatchParts,
  { dataSet, batch }: BatchName,
  { people, households }: { people: Bitset; households: Bitset },
): Promise<void> {
  const intent = await findImport(parts.db, { dataSet, batch })
  const first = intent?.firstPerson ?? 0
  const newHouseholds = [...households].filter((number) => number >= first).length
  const newPeople = (await parts.vault.personCount()) - first - newHouseholds
  const numbers = people.union(households)
  await parts.db.transaction().execute(async (tx) => {
    await saveNewPeople(tx, { dataSet, batch, newPeople, people: numbers })
    await parts.noteRows?.(tx, { dataSet, people: numbers, cause: `import ${batch}` })
  })
}

/** Gives whether nothing is left; not so when the vault has the whole batch. */
async function undo({ db, vault }: BatchParts, { dataSet, batch }: BatchName): Promise<boolean> {
  if ((await vault.findBatch({ dataSet, batch })) !== undefined) return false
  await vault.discard({ dataSet, batch })
  await dropIntents(db, [{ dataSet, batch }])
  return true
}

/**
 * Rows are checked and laid out by the terms of when they came; in the turn of imports, in which terms change too, these have to
 * be those in force.
 *
 * @throws Fault `fault.not_found`; `fault.conflict`
 */
export async function requirePolicy(
  db: Database,
  { dataSet, policy }: { readonly dataSet: DataSetId; readonly policy: Digest },
): Promise<void> {
  const inForce = await findPolicy(db, dataSet)
  if (inForce === policy) return
  if (inForce === undefined)
    throw new Fault('fault.not_found', { what: `Cannot import: there is no data set "${dataSet}"` })
  throw new Fault('fault.conflict', {
    what: `Cannot import into "${dataSet}": its manifest changed while the rows came; send them again`,
  })
}

/** The name of a batch stands for something else. */
export function anotherFile(batch: string): Fault {
  return new Fault('fault.idempotency_conflict', {
    what: `Cannot import: the batch "${batch}" was another file, or this one read in another way; under another name (--batch) every row of it is taken, those that are there already a second time`,
  })
}

/** An import as it is told. */
export function toImported(
  { dataSet, batch, rows, newPeople }: Pick<ImportRecord, 'dataSet' | 'batch' | 'rows' | 'newPeople'>,
  { importedAt, isNew }: { importedAt: Instant; isNew: boolean },
): ImportedBatch {
  return { dataSet, batch, rows, newPeople, importedAt, isNew }
}
