import type { KeyObject } from 'node:crypto'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { SharedWrite } from '../../kernel/group-commit.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { ColumnValues } from '../../protocol/rights/restriction.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { Backups } from '../backup/backups.ts'
import type { PartitionStore } from '../guard/partition-store.ts'
import { noteRecipients } from '../recipients/note-recipients.ts'
import type { NotingParts } from '../recipients/note-recipients.ts'
import type { RecipientsBell } from '../recipients/recipients-bell.ts'
import { subjectUnder } from '../vault/person-keys.ts'
import type { PersonKeys } from '../vault/person-keys.ts'
import type { Vault } from '../vault/vault.ts'

/** What correcting needs of a site. */
export interface CorrectionParts extends NotingParts {
  readonly db: Database
  readonly vault: Vault
  readonly clock: Clock
  readonly log: ReceiptLog
  readonly recipientsBell: RecipientsBell
  readonly partitions: Pick<PartitionStore, 'noteChange'>
  readonly personKeys: PersonKeys
  readonly manifests: () => ReadonlyMap<DataSetId, Manifest>
  readonly backups: Pick<Backups, 'noteDone'>
}

/** A correction that was made. */
export interface CorrectionRecord {
  readonly correction: string
  readonly person: number
  readonly dataSet: string
  readonly columns: readonly string[]
  readonly rows: number
  readonly requestedBy: string
  readonly correctedAt: Instant
  readonly receipt: number
  /** Acquirers that were given what is corrected, and are told. */
  readonly recipients: readonly MemberId[]
}

export interface CorrectionRequest {
  readonly person: number
  readonly issuer: MemberId
  readonly requestedBy: string
  readonly dataSet: DataSetId
  readonly set: ColumnValues
  /** Only rows in which these columns have these values; empty: all rows of the person. */
  readonly where: ColumnValues
}

/** A correction that is noted, with its values. */
export interface BegunCorrection {
  readonly correction: string
  readonly person: number
  readonly dataSet: DataSetId
  readonly manifest: Manifest
  readonly requestedBy: string
  readonly values: { readonly set: ColumnValues; readonly where: ColumnValues }
  readonly key: KeyObject
}

/** A correction that is about to be made, its values sealed. */
interface BeginningCorrection {
  readonly parts: CorrectionParts
  readonly request: CorrectionRequest & { readonly correction: string }
  readonly body: Uint8Array
}

/** A correction whose rows are changed. */
interface CountedCorrection {
  readonly parts: CorrectionParts
  readonly begun: BegunCorrection
  readonly rows: number
}

/** Corrections that are noted in one transaction: all that are of one data set wait for each other otherwise. */
const NOTED_AT_ONCE = 32

interface CorrectionLines {
  readonly beginning: SharedWrite<BeginningCorrection, true>
  readonly counting: SharedWrite<CountedCorrection, { readonly made: CorrectionRecord | undefined }>
}

const lines = new WeakMap<ReceiptLog, CorrectionLines>()

/** What is noted in one record by callers who come at the same time is one write. */
function linesOf({ log }: CorrectionParts): CorrectionLines {
  const known = lines.get(log) ?? {
    beginning: new SharedWrite(begin, NOTED_AT_ONCE),
    counting: new SharedWrite(count, NOTED_AT_ONCE),
  }
  lines.set(log, known)
  return known
}

/** Notes that a correction is to be made. */
export async function beginCorrection(beginning: BeginningCorrection): Promise<void> {
  await linesOf(beginning.parts).beginning.add(beginning)
}

/**
 * Writes down that rows are changed: to the guard, to recipients, in a receipt. `undefined` where that was done before.
 */
export async function countCorrection(counted: CountedCorrection): Promise<CorrectionRecord | undefined> {
  return (await linesOf(counted.parts).counting.add(counted)).made
}

async function begin(all: readonly BeginningCorrection[]): Promise<readonly true[]> {
  const [first] = all
  await first?.parts.db.transaction().execute(async (tx) => {
    for (const { parts, request, body } of all)
      await sql`
        ${KEPT} insert into correction (correction, person, issuer, data_set, columns, body, state, requested_by, requested_ms)
        values (${request.correction}, ${request.person}, ${request.issuer}, ${request.dataSet},
          ${Object.keys(request.set)}::text[], ${Buffer.from(body)}, 'begun', ${request.requestedBy}, ${parts.clock.now()})`.execute(
        tx,
      )
    for (const { parts, request } of byDataSet(all, ({ request: { dataSet } }) => dataSet))
      await noteChange(tx, parts, { ...request, cause: request.correction })
  })
  return all.map(() => true)
}

async function count(all: readonly CountedCorrection[]) {
  const [first] = all
  if (!first) return []
  return first.parts.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ correction: string }>`
      ${KEPT} select correction from correction
      where correction = any(${all.map(({ begun }) => begun.correction)}::text[]) and state = 'begun' order by id for update`.execute(
      tx,
    )
    const open = new Set(rows.map(({ correction }) => correction))
    const counting = all.filter(({ begun }) => open.has(begun.correction))
    for (const { parts, begun } of byDataSet(counting, ({ begun: { dataSet } }) => dataSet))
      await noteChange(tx, parts, { ...begun, cause: `${begun.correction} done` })
    const made = new Map<string, CorrectionRecord>()
    for (const one of counting) made.set(one.begun.correction, await countOne(tx, one))
    return all.map(({ begun }) => ({ made: made.get(begun.correction) }))
  })
}

/** In the order in which whoever else locks several data sets does. */
function byDataSet<T>(all: readonly T[], dataSetOf: (one: T) => string): readonly T[] {
  return all.toSorted((one, other) => (dataSetOf(one) < dataSetOf(other) ? -1 : 1))
}

async function noteChange(
  tx: DatabaseTransaction,
  parts: CorrectionParts,
  { dataSet, person, cause }: { dataSet: DataSetId; person: number; cause: string },
): Promise<void> {
  await parts.partitions.noteChange(tx, { dataSet, people: await numbersOf(parts, person), cause })
}

async function countOne(
  tx: DatabaseTransaction,
  { parts, begun, rows }: CountedCorrection,
): Promise<CorrectionRecord> {
  const { correction, person, dataSet, manifest, values, key, requestedBy } = begun
  const now = parts.clock.now()
  const event = { kind: 'correction', cause: correction, person, issuer: manifest.issuer, now } as const
  const recipients =
    rows > 0 ? await noteRecipients(tx, parts, { ...event, correction: { dataSet, values, key } }) : []
  const subjectOf = subjectUnder(key, `correction ${correction}`)
  const [receipt] = await parts.log.issue(tx, [{ kind: 'correction', correction, dataSet, subjectOf }])
  await sql`
    ${KEPT} update correction set state = 'done', body = null, done_ms = ${now}::bigint, rows = ${rows}::integer,
      receipt = ${receipt?.sequence ?? null}::bigint where correction = ${correction}`.execute(tx)
  return {
    correction,
    person,
    dataSet,
    columns: Object.keys(values.set),
    rows,
    requestedBy,
    correctedAt: now,
    receipt: receipt?.sequence ?? 0,
    recipients,
  }
}

/** Every number whose rows are about a person: to the guard all of them change. */
async function numbersOf({ vault }: Pick<CorrectionParts, 'vault'>, person: number): Promise<Bitset> {
  return Bitset.of((await vault.households()).numbersOf(person))
}
