import { Bitset } from '../../kernel/bitset.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { lookupDigest } from '../vault/keys/lookup-digest.ts'
import { cellContext } from '../vault/keys/person-keys.ts'
import type { KeySource } from '../vault/keys/person-keys.ts'
import { nonceSource, seal } from '../vault/keys/seal-cell.ts'
import { NOBODY } from '../vault/vault.ts'
import type { ArrivingBatch, ExpectedNumbers, PersonFacts, RowChunk } from '../vault/vault.ts'
import { finishImport, finishImports, noteChanges } from './finish-import.ts'
import { anotherFile, importTurn, requirePolicy, toImported } from './import-batch.ts'
import type { BatchParts, BatchToImport, ImportedBatch } from './import-batch.ts'
import { dropIntents, findImports, nameOf, saveIntents } from './import-store.ts'
import type { BatchName, ImportRecord } from './import-store.ts'
import type { SeenPerson } from './number-people.ts'

/** A small batch whose rows are what the manifest says. */
export interface RowsToImport extends BatchToImport {
  readonly manifest: Manifest
  /** The digest of that manifest. */
  readonly policy: Digest
  readonly rowCount: number
  /** Each once. */
  readonly people: readonly SeenPerson[]
  readonly chunkOf: (layout: RowsLayout) => RowChunk
}

/** Numbers and keys of the people of a batch, in their order. */
export interface RowsLayout {
  readonly numbers: readonly number[]
  readonly keyAt: (index: number) => Uint8Array
}

/** What became of one of several batches. */
export type BecomeOfRows =
  | { readonly imported: ImportedBatch; readonly receipt?: number | undefined }
  | { readonly fault: unknown }

/**
 * Imports small batches of several callers together, in the turn of imports: one transaction of the record for all that is meant, one of
 * the vault for all rows and whoever they bring, one of the record for all that is done. Each batch has a receipt of its own, and what
 * is wrong with one is no matter of the others: where they could not be taken together, each is taken alone.
 */
export async function importTogether(
  parts: BatchParts,
  batches: readonly RowsToImport[],
): Promise<readonly BecomeOfRows[]> {
  const became = await importTurn(parts.vault).run(() => takeOnce(parts, batches))
  const receipts = [...became.values()].flatMap((one) => ('imported' in one ? (one.receipt ?? []) : []))
  if (receipts.length > 0) await parts.receipts.publishOver(Math.max(...receipts))
  return batches.map((batch) => became.get(batch) ?? missing())
}

type Became = Map<RowsToImport, BecomeOfRows>

/** Takes what has not been taken. Of several with one name the first is, and the others then find it there. */
async function takeOnce(parts: BatchParts, batches: readonly RowsToImport[]): Promise<Became> {
  if (batches.length === 0) return new Map()
  const firsts = [...Map.groupBy(batches, nameOf).values()].flatMap(([first]) => first ?? [])
  const known = new Map((await findImports(parts.db, firsts)).map((one) => [nameOf(one), one]))
  const before: Became = new Map()
  for (const batch of firsts) {
    const one = known.get(nameOf(batch))
    const became = one && (await becomeOfKnown(parts, batch, one))
    if (became) before.set(batch, became)
  }
  const taken = await takeAll(
    parts,
    firsts.filter((batch) => !before.has(batch)),
  )
  const again = await takeOnce(
    parts,
    batches.filter((batch) => !firsts.includes(batch)),
  )
  return new Map([...before, ...taken, ...again])
}

/** What became of a batch that the record knows; undefined where it was meant before and nothing of it is in the vault. */
async function becomeOfKnown(
  parts: BatchParts,
  batch: RowsToImport,
  known: ImportRecord,
): Promise<BecomeOfRows | undefined> {
  try {
    const done = known.doneAt === undefined ? await finishKnown(parts, known) : known
    if (!done) return undefined
    if (done.fileDigest !== batch.digest) return { fault: anotherFile(batch.batch) }
    return { imported: toImported(done, { importedAt: done.doneAt ?? parts.clock.now(), isNew: false }) }
  } catch (fault) {
    return { fault }
  }
}

/** Writes down what the vault has; what was only set aside goes. */
async function finishKnown(parts: BatchParts, known: ImportRecord): Promise<ImportRecord | undefined> {
  if ((await parts.vault.findBatch(known)) === undefined) {
    await parts.vault.discard(known)
    return undefined
  }
  const done = await finishImport(parts, known)
  parts.vault.inMotion.end(known.dataSet, known.batch)
  await parts.receipts.publish()
  return done
}

/** Takes all of the batches; where that cannot be, each alone. */
async function takeAll(parts: BatchParts, batches: readonly RowsToImport[]): Promise<Became> {
  const [first, ...others] = batches
  if (!first) return new Map()
  try {
    const meant = await meanAll(parts, batches)
    const rows = await moveAll(parts, meant)
    return await finishAll(parts, { meant, rows })
  } catch (fault) {
    if (others.length === 0) return new Map([[first, { fault }]])
    const alone: Became = new Map()
    for (const batch of batches)
      for (const [key, became] of await takeOnce(parts, [batch])) alone.set(key, became)
    return alone
  }
}

/** A batch of which the record knows that it is about to be taken. */
interface MeantBatch extends BatchName {
  readonly asked: RowsToImport
  readonly arriving: ArrivingBatch
  readonly people: Bitset
  readonly newPeople: number
  /** The digest of its manifest. */
  readonly policy: Digest
}

interface Meant {
  readonly batches: readonly MeantBatch[]
  readonly expected: ExpectedNumbers
  readonly facts: readonly PersonFacts[]
}

/**
 * Notes what is about to be taken, whose rows that changes, and the keys of people, before the vault has anything of it. Numbers of
 * people who are new are in the turn of imports what they will be.
 */
async function meanAll(parts: BatchParts, batches: readonly RowsToImport[]): Promise<Meant> {
  const { vault, lookupKeys, db } = parts
  const seen = batches.flatMap(({ manifest: { issuer }, people }) =>
    people.map((one) => ({ ...one, issuer })),
  )
  const expected = await vault.expectNumbers(
    seen.map(({ issuer, key }) => lookupDigest(lookupKeys, { issuer, personKey: key })),
  )
  const policies = new Map(
    batches.map(({ dataSet, policy }) => [nameOf({ dataSet, batch: policy }), { dataSet, policy }]),
  )
  for (const one of policies.values()) await requirePolicy(db, one)
  const numbers = [...expected.numbers]
  const meant = await db.transaction().execute(async (tx) => {
    const keys = await parts.keys.ensureKeys(tx, numbers)
    const meantBatches = meantOf(parts, batches, { numbers, keys, first: expected.first })
    const now = parts.clock.now()
    await saveIntents(
      tx,
      meantBatches.map(({ asked, ...one }) => ({
        ...one,
        fileDigest: asked.digest,
        rows: asked.rowCount,
        firstPerson: expected.first,
      })),
      now,
    )
    await noteChanges(tx, parts.noteRows, { batches: meantBatches, what: 'import' })
    return meantBatches
  })
  const facts = factsOf(seen.map((one, index) => ({ ...one, person: numbers[index] ?? NOBODY })))
  return { batches: meant, expected, facts }
}

interface NumberedTogether {
  /** Of all people of all batches, one batch after the other. */
  readonly numbers: readonly number[]
  readonly keys: KeySource
  readonly first: number
}

function meantOf(
  parts: BatchParts,
  batches: readonly RowsToImport[],
  { numbers, keys, first }: NumberedTogether,
): readonly MeantBatch[] {
  const nextNonce = nonceSource(parts.random)
  const counted = new Set<number>()
  let start = 0
  return batches.map((asked) => {
    const { manifest, batch, people, chunkOf } = asked
    const { dataSet } = manifest
    const from = start
    start += people.length
    const own = numbers.slice(from, start)
    const keyAt = (index: number) => keys.keyAt(from + index)
    const newcomers = own.filter((number) => number >= first && !counted.has(number))
    for (const number of newcomers) counted.add(number)
    const context = cellContext({ dataSet, column: manifest.person.key })
    const sealKey = (index: number) =>
      seal(people[index]?.key ?? '', { key: keyAt(index), nonce: nextNonce(), context })
    const rows = chunkOf({ numbers: own, keyAt })
    return {
      dataSet,
      batch,
      asked,
      arriving: { manifest, batch, rows, people: own, seal: sealKey },
      people: Bitset.of(own),
      newPeople: newcomers.length,
      policy: asked.policy,
    }
  })
}

/** What is known of each person, once: the later birth date and the newer residence of several. */
function factsOf(seen: readonly (SeenPerson & { readonly person: number })[]): readonly PersonFacts[] {
  const facts = new Map<number, PersonFacts>()
  for (const { person, birthDate, residence } of seen) {
    if (birthDate === undefined && residence === undefined) continue
    const known = facts.get(person)
    const dates = [known?.birthDate, birthDate].filter((date) => date !== undefined)
    facts.set(person, {
      person,
      birthDate: dates.toSorted().at(-1),
      residence: residence ?? known?.residence,
    })
  }
  return [...facts.values()]
}

/** Brings rows and people into the vault, all or nothing; gives the rows of each batch. */
async function moveAll(parts: BatchParts, meant: Meant): Promise<readonly number[]> {
  const { vault } = parts
  const { batches, expected, facts } = meant
  for (const { dataSet, batch } of batches) vault.inMotion.begin(dataSet, batch)
  try {
    const taken = await vault.takeTogether({ expected, facts, batches: batches.map((one) => one.arriving) })
    return taken.map(({ rows }) => rows)
  } catch (error) {
    // What failed after the vault had taken all of it is no failure. Whoever lives to say that it failed leaves nothing.
    const rows = await takenAfterAll(parts, batches).catch(() => undefined)
    for (const { dataSet, batch } of batches) {
      if (rows === 'undone') vault.inMotion.end(dataSet, batch)
      else if (rows === undefined) vault.inMotion.stick(dataSet, batch)
    }
    if (Array.isArray(rows)) return rows
    throw error
  }
}

async function takenAfterAll(
  { db, vault }: BatchParts,
  batches: readonly MeantBatch[],
): Promise<readonly number[] | 'undone'> {
  const rows: number[] = []
  for (const batch of batches) {
    const known = await vault.findBatch(batch)
    if (known !== undefined) rows.push(known)
  }
  if (rows.length === batches.length) return rows
  await dropIntents(db, batches)
  return 'undone'
}

async function finishAll(
  parts: BatchParts,
  { meant: { batches }, rows }: { readonly meant: Meant; readonly rows: readonly number[] },
): Promise<Became> {
  const { inMotion } = parts.vault
  const taken = batches.map((one, index) => ({
    ...one,
    fileDigest: one.asked.digest,
    rows: rows[index] ?? 0,
  }))
  try {
    const { doneAt: importedAt, receipt } = await finishImports(parts, taken)
    for (const { dataSet, batch } of batches) inMotion.end(dataSet, batch)
    return new Map(
      taken.map((one) => [one.asked, { imported: toImported(one, { importedAt, isNew: true }), receipt }]),
    )
  } catch (error) {
    for (const { dataSet, batch } of batches) inMotion.stick(dataSet, batch)
    throw error
  }
}

function missing(): never {
  throw new Fault('fault.internal', { what: 'Cannot import: what became of a batch is not known' })
}
