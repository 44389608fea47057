import type { KeyObject } from 'node:crypto'
import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Random } from '../../kernel/random.ts'
import { isScalarType, placeOf } from '../../protocol/data-set.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'
import { epochDay } from '../../protocol/law/consent-ages.ts'
import type { ColumnValues } from '../../protocol/rights/restriction.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { findDataSet } from '../datasets/data-set-store.ts'
import { termsTurn } from '../datasets/describe-data-set.ts'
import { findNotices } from '../recipients/recipient-notice-store.ts'
import { openPersonText, sealPersonText } from '../vault/keys/person-text.ts'
import { cellContext } from '../vault/keys/person-keys.ts'
import { seal } from '../vault/keys/seal-cell.ts'
import { isSealed } from '../vault/stored-columns.ts'
import { storedText } from '../vault/stored-json.ts'
import { UNKNOWN_BIRTH_DAY } from '../vault/vault.ts'
import type { CorrectedValue, RowCorrection } from '../vault/vault.ts'
import { isOwnWord } from './own-word.ts'
import { checkCorrection, correctionProblems } from './check-correction.ts'
import { beginCorrection, countCorrection } from './note-corrections.ts'
import type {
  BegunCorrection,
  CorrectionParts,
  CorrectionRecord,
  CorrectionRequest,
} from './note-corrections.ts'

/**
 * Corrects values in a person's rows (GDPR Art. 16): every run that begins after it resolves reads the new ones, and to
 * the guard the person is changed, so that no answer tells the difference. A saga: what is to be written is noted sealed
 * under the person's key, written into the vault, and noted as done with a receipt, the values gone.
 *
 * @throws Fault `fault.request_malformed` naming each column, `fault.not_found` when no row is meant
 */
export async function correctPerson(
  parts: CorrectionParts,
  request: CorrectionRequest,
): Promise<CorrectionRecord> {
  const key = (await parts.personKeys.keyOf(parts.db, request.person))?.reveal()
  return correct(parts, { ...request, key, correction: parts.ids.next('correction') })
}

/** Makes a correction under the id that it had, in a site that was restored from before it. */
export async function correctAgain(
  parts: CorrectionParts,
  request: Omit<CorrectionRequest, 'set' | 'where'> & {
    readonly correction: string
    readonly sealed: Uint8Array
  },
): Promise<CorrectionRecord> {
  const { person, correction, sealed } = request
  const key = (await parts.personKeys.keyOf(parts.db, person))?.reveal()
  const text = key && openPersonText(sealed, { key, use: correction })
  if (text === undefined)
    throw new Fault('fault.backup_safe', { what: `Cannot read the correction "${correction}" in the safe` })
  return correct(parts, { ...request, ...(JSON.parse(text) as BegunCorrection['values']), key })
}

type AskedCorrection = CorrectionRequest & {
  readonly correction: string
  readonly key: KeyObject | undefined
}

async function correct(parts: CorrectionParts, request: AskedCorrection): Promise<CorrectionRecord> {
  if (!Object.values(request.set).includes(null))
    return correctBy(parts.manifests().get(request.dataSet), parts, request)
  // Nobody has a gap in a column that terms require: they do not come to require it while a correction makes one.
  return termsTurn(parts.db).run(async () => correctBy(await manifestNow(parts, request), parts, request))
}

/** The terms in force by the record: memory may not know of the newest yet. */
async function manifestNow(
  { db }: CorrectionParts,
  { dataSet }: CorrectionRequest,
): Promise<Manifest | undefined> {
  const known = await findDataSet(db, dataSet)
  return known?.retiredAt === undefined ? known?.manifest : undefined
}

async function correctBy(
  manifest: Manifest | undefined,
  parts: CorrectionParts,
  request: AskedCorrection,
): Promise<CorrectionRecord> {
  if (!manifest || manifest.issuer !== request.issuer)
    throw new Fault('fault.not_found', { what: 'Cannot correct: there is no such data set of this issuer' })
  checkCorrection(manifest, { ...request, now: parts.clock.now() })
  const { person, dataSet, key, correction } = request
  if (!key || !(await parts.vault.people(dataSet)).has(person))
    throw new Fault('fault.not_found', { what: 'Cannot correct: the person has no rows there' })
  const { set, where } = request
  const body = sealPersonText(JSON.stringify({ set, where }), { key, use: correction, random: parts.random })
  await beginCorrection({ parts, request, body })
  return finishCorrection(parts, {
    correction,
    person,
    dataSet,
    manifest,
    requestedBy: request.requestedBy,
    values: { set, where },
    key,
  })
}

/** Keeps what is corrected in the safe, sealed under the person's key, while a backup could be restored without it. */
async function keepInSafe(
  { backups, personKeys, db, clock, random }: CorrectionParts,
  { correction, person, dataSet, manifest: { issuer }, requestedBy: by, values, key }: BegunCorrection,
): Promise<void> {
  const mark = (await personKeys.marksOf(db, [person])).get(person)
  if (mark === undefined) return
  const sealed = sealPersonText(JSON.stringify(values), { key, use: correction, random })
  const body = Buffer.from(sealed).toString('base64url')
  await backups.noteDone({ time: clock.now(), correction, key: mark, issuer, dataSet, by, body })
}

async function finishCorrection(parts: CorrectionParts, begun: BegunCorrection): Promise<CorrectionRecord> {
  const { correction, dataSet } = begun
  const done = await parts.vault.inMotion.during({ dataSet, cause: correction }, async () => {
    const corrected = await correctRows(parts, begun)
    if (corrected > 0) await keepInSafe(parts, begun)
    return countCorrection({ parts, begun, rows: corrected })
  })
  await (done === undefined ? parts.log.publish() : parts.log.publishOver(done.receipt))
  // Where somebody else has counted it, who is told is not known here.
  if (done === undefined || done.recipients.length > 0) parts.recipientsBell.ring()
  const made = done ?? (await findCorrection(parts.db, correction))
  if (made.rows === 0)
    throw new Fault('fault.not_found', { what: 'Cannot correct: no row of the person is meant' })
  return made
}

/**
 * Writes the values into every row that is about the person. In one that is about others too a column under somebody's key is
 * theirs to correct whom it is about, and what the rules of age go by is of whom the row names first.
 */
async function correctRows(parts: CorrectionParts, begun: BegunCorrection): Promise<number> {
  const { person, manifest, values, key } = begun
  const households = await parts.vault.households()
  const facts = await believedFacts(parts, begun)
  let rows = 0
  for (const number of households.numbersOf(person)) {
    const place = households.placesOf(number).indexOf(person)
    const set = Object.entries(values.set).filter(([name]) => {
      const column = manifest.columns.find((known) => known.name === name)
      return column === undefined || !isSealed(column) || placeOf(manifest, column) === place
    })
    if (set.length === 0) continue
    const corrected = await parts.vault.correct({
      manifest,
      number,
      person,
      set: storedValues(Object.fromEntries(set), { manifest, key, random: parts.random }),
      where: new Map(Object.entries(values.where)),
      facts: place === 0 ? facts : {},
    })
    rows += corrected.rows
  }
  return rows
}

/**
 * Makes corrections that a crash left half done; one of somebody who was erased meanwhile has nothing left to correct, and one that
 * the terms no longer allow is not made.
 */
export async function resumeCorrections(parts: CorrectionParts): Promise<void> {
  const { rows } = await sql<OpenCorrection>`
    select correction, person, data_set, requested_by, body from correction where state = 'begun' order by id`.execute(
    parts.db,
  )
  for (const open of rows) {
    const begun = await begunAgain(parts, open)
    if (!begun) {
      await sql`
        update correction set state = 'done', body = null, rows = 0, done_ms = ${parts.clock.now()}
        where correction = ${open.correction}`.execute(parts.db)
      continue
    }
    await finishCorrection(parts, begun).catch((error: unknown) => {
      if (!(error instanceof Fault && error.code === 'fault.not_found')) throw error
    })
  }
}

interface OpenCorrection {
  readonly correction: string
  readonly person: number
  readonly data_set: DataSetId
  readonly requested_by: string
  readonly body: Uint8Array | null
}

async function begunAgain(
  parts: CorrectionParts,
  { correction, person, data_set: dataSet, requested_by: requestedBy, body }: OpenCorrection,
): Promise<BegunCorrection | undefined> {
  const key = (await parts.personKeys.keyOf(parts.db, person))?.reveal()
  const manifest = parts.manifests().get(dataSet)
  const text = key && body && openPersonText(body, { key, use: correction })
  if (!key || !manifest || typeof text !== 'string') return undefined
  const values = JSON.parse(text) as BegunCorrection['values']
  if (correctionProblems(manifest, { ...values, now: parts.clock.now() }).length > 0) return undefined
  return { correction, person, dataSet, manifest, requestedBy, values, key }
}

/** Values as the vault stores them: sealed under the person's key where their column is. */
function storedValues(
  values: ColumnValues,
  { manifest, key, random }: { manifest: Manifest; key: KeyObject; random: Random },
): ReadonlyMap<string, CorrectedValue> {
  const { dataSet } = manifest
  return new Map(
    Object.entries(values).map(([name, value]): readonly [string, CorrectedValue] => {
      const column = manifest.columns.find((known) => known.name === name)
      if (value === null || !column) return [name, value]
      if (!isSealed(column)) return [name, unsealedValue(value, column)]
      const context = cellContext({ dataSet, column: name })
      return [name, seal(String(value), { key, nonce: random.bytes(NONCE_BYTES), context })]
    }),
  )
}

const NONCE_BYTES = 12

/** Documents and lists in the one form that they are kept in. */
function unsealedValue(value: CorrectedValue, { type }: Column): CorrectedValue {
  return typeof value !== 'string' || isScalarType(type) ? value : (storedText(value, type) ?? null)
}

/**
 * What the rules of age go by after a correction. The issuer is believed. What a person or a guardian says stands in the rows,
 * and makes nobody older and moves nobody: for that there is evidence, and a move that the issuer tells.
 */
async function believedFacts(
  { vault }: CorrectionParts,
  { manifest, values, requestedBy, person }: BegunCorrection,
): Promise<RowCorrection['facts']> {
  const facts = factsOf(manifest, values.set)
  if (!isOwnWord(requestedBy)) return facts
  const { birthDate } = facts
  if (typeof birthDate !== 'string') return {}
  const known = (await vault.principals()).birthDay[person] ?? UNKNOWN_BIRTH_DAY
  return known !== UNKNOWN_BIRTH_DAY && epochDay(birthDate) > known ? { birthDate } : {}
}

function factsOf({ person }: Manifest, set: ColumnValues) {
  const factOf = (column: string | undefined, isKnown: (text: string) => boolean) => {
    const value = column === undefined ? undefined : set[column]
    if (value === undefined) return undefined
    return typeof value === 'string' && isKnown(value) ? value : null
  }
  const birthDate = factOf(person.birthDate, () => true)
  const residence = factOf(person.residence, (text) => /^[A-Z]{2}$/.test(text))
  return {
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(residence === undefined ? {} : { residence }),
  }
}

async function findCorrection(db: Database, correction: string): Promise<CorrectionRecord> {
  const { rows } = await sql<{
    person: number
    data_set: string
    columns: readonly string[]
    rows: number
    requested_by: string
    done_ms: bigint
    receipt: bigint
  }>`select * from correction where correction = ${correction}`.execute(db)
  const [row] = rows
  if (!row) throw new Fault('fault.internal', { what: 'Cannot find a correction that was just made' })
  const told = await findNotices(db, { cause: correction })
  return {
    correction,
    person: row.person,
    dataSet: row.data_set,
    columns: row.columns,
    rows: row.rows,
    requestedBy: row.requested_by,
    correctedAt: instant(Number(row.done_ms)),
    receipt: Number(row.receipt),
    recipients: [...new Set(told.map(({ acquirer }) => acquirer))].toSorted(),
  }
}
