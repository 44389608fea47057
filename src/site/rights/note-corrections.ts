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
import type { IssuedReceipt, ReceiptLog } from '../../transparency/receipt-log.ts'
import { peopleGivenRows } from '../asks/rows-given.ts'
import type { Backups } from '../backup/backups.ts'
import type { PartitionStore } from '../guard/partition-store.ts'
import { noteRecipients } from '../recipients/note-recipients.ts'
import type { NotingParts } from '../recipients/note-recipients.ts'
import type { RecipientsBell } from '../recipients/recipients-bell.ts'
import { subjectUnder } from '../vault/keys/person-keys.ts'
import type { PersonKeys } from '../vault/keys/person-keys.ts'
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
    await insertBegun(tx, all)
    await noteChanges(
      tx,
      all.map(({ parts, request }) => ({ parts, ...request, cause: request.correction })),
    )
  })
  return all.map(() => true)
}

async function insertBegun(tx: DatabaseTransaction, all: readonly BeginningCorrection[]): Promise<void> {
  const each = <T>(valueOf: (one: BeginningCorrection['request']) => T) =>
    all.map(({ request }) => valueOf(request))
  // Lists of different lengths cannot be bound as one: the names of columns come as JSON.
  await sql`
    ${KEPT} insert into correction (correction, person, issuer, data_set, columns, body, state, requested_by, requested_ms)
    select correction, person, issuer, data_set, array(select jsonb_array_elements_text(columns::jsonb)), body, 'begun',
      requested_by, requested_ms
    from unnest(${each(({ correction }) => correction)}::text[], ${each(({ person }) => person)}::integer[],
      ${each(({ issuer }) => issuer)}::text[], ${each(({ dataSet }) => dataSet)}::text[],
      ${each(({ set }) => JSON.stringify(Object.keys(set)))}::text[], ${all.map(({ body }) => Buffer.from(body))}::bytea[],
      ${each(({ requestedBy }) => requestedBy)}::text[], ${all.map(({ parts }) => parts.clock.now())}::bigint[])
      as made (correction, person, issuer, data_set, columns, body, requested_by, requested_ms)`.execute(tx)
}

async function count(all: readonly CountedCorrection[]) {
  const [first] = all
  if (!first) return []
  const { made, receipts } = await first.parts.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ correction: string }>`
      ${KEPT} select correction from correction
      where correction = any(${all.map(({ begun }) => begun.correction)}::text[]) and state = 'begun' order by id for update`.execute(
      tx,
    )
    const open = new Set(rows.map(({ correction }) => correction))
    const counting = all.filter(({ begun }) => open.has(begun.correction))
    await noteChanges(
      tx,
      counting.map(({ parts, begun }) => ({ parts, ...begun, cause: `${begun.correction} done` })),
    )
    return countOpen(tx, counting, first.parts)
  })
  first.parts.log.committed(receipts)
  return all.map(({ begun }) => ({ made: made.get(begun.correction) }))
}

interface ChangedRows {
  readonly parts: CorrectionParts
  readonly dataSet: DataSetId
  readonly person: number
  readonly cause: string
}

/**
 * To the guard, those of several in one data set are one change: what an answer may cut is the same as after one for each. Data sets in
 * the order in which whoever else locks several of them does.
 */
async function noteChanges(tx: DatabaseTransaction, all: readonly ChangedRows[]): Promise<void> {
  const byDataSet = [...Map.groupBy(all, ({ dataSet }) => dataSet)]
  for (const [dataSet, theirs] of byDataSet.toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const [first] = theirs
    if (!first) continue
    const numbers: number[] = []
    for (const { parts, person } of theirs) numbers.push(...(await numbersOf(parts, person)))
    const people = Bitset.of(numbers)
    await first.parts.partitions.noteChange(tx, { dataSet, people, cause: first.cause })
  }
}

/** The corrections that nobody has counted yet, by their names; recipients first, and then a receipt for each. */
async function countOpen(
  tx: DatabaseTransaction,
  counting: readonly CountedCorrection[],
  { log, clock }: CorrectionParts,
): Promise<{
  readonly made: ReadonlyMap<string, CorrectionRecord>
  readonly receipts: readonly IssuedReceipt[]
}> {
  if (counting.length === 0) return { made: new Map(), receipts: [] }
  const now = clock.now()
  const recipients = await noteGiven(tx, counting, now)
  const receipts = await log.issue(
    tx,
    counting.map(({ begun: { correction, dataSet, key } }) => ({
      kind: 'correction',
      correction,
      dataSet,
      subjectOf: subjectUnder(key, `correction ${correction}`),
    })),
  )
  const made = counting.map(({ begun, rows }, index): CorrectionRecord => ({
    correction: begun.correction,
    person: begun.person,
    dataSet: begun.dataSet,
    columns: Object.keys(begun.values.set),
    rows,
    requestedBy: begun.requestedBy,
    correctedAt: now,
    receipt: receipts[index]?.sequence ?? 0,
    recipients: recipients.get(begun.correction) ?? [],
  }))
  await sql`
    ${KEPT} update correction as c set state = 'done', body = null, done_ms = ${now}::bigint, rows = made.rows, receipt = made.receipt
    from unnest(${made.map(({ correction }) => correction)}::text[], ${made.map(({ rows }) => rows)}::integer[],
      ${made.map(({ receipt }) => receipt)}::bigint[]) as made (correction, rows, receipt)
    where c.correction = made.correction`.execute(tx)
  return { made: new Map(made.map((one) => [one.correction, one])), receipts }
}

/** Whoever was given what is corrected is told; by correction. Of most people nobody was given rows. */
async function noteGiven(
  tx: DatabaseTransaction,
  counting: readonly CountedCorrection[],
  now: Instant,
): Promise<ReadonlyMap<string, readonly MemberId[]>> {
  const changed = counting.filter(({ rows }) => rows > 0)
  const given = await peopleGivenRows(
    tx,
    changed.map(({ begun }) => begun.person),
  )
  const recipients = new Map<string, readonly MemberId[]>()
  for (const { parts, begun } of changed) {
    const { correction, person, dataSet, manifest, values, key } = begun
    if (!given.has(person)) continue
    const event = { kind: 'correction', cause: correction, person, issuer: manifest.issuer, now } as const
    recipients.set(
      correction,
      await noteRecipients(tx, parts, { ...event, correction: { dataSet, values, key } }),
    )
  }
  return recipients
}

/** Every number whose rows are about a person: to the guard all of them change. */
async function numbersOf(
  { vault }: Pick<CorrectionParts, 'vault'>,
  person: number,
): Promise<readonly number[]> {
  return (await vault.households()).numbersOf(person)
}
