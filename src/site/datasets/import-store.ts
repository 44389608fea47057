import { deflateSync, inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { ImportFormat } from '../../protocol/http/data-set-api.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { dataSetIdSchema, digestSchema } from '../../protocol/wire.ts'

/** An import as the record has it: meant, or done. */
export interface ImportRecord {
  /** Rises with time. */
  readonly id: number
  readonly dataSet: DataSetId
  readonly batch: string
  readonly fileDigest: Digest
  readonly rows: number
  readonly newPeople: number
  /** How many people the site had before. */
  readonly firstPerson: number
  readonly doneAt?: Instant
  /** Its receipt in the site's log. */
  readonly receipt?: number
}

interface ImportRow {
  readonly id: bigint
  readonly data_set: string
  readonly batch: string
  readonly file_digest: string
  readonly rows: bigint
  readonly first_person: number
  readonly new_people: number
  readonly done_ms: bigint | null
  readonly receipt: bigint | null
}

const COLUMNS = sql.raw('id, data_set, batch, file_digest, rows, first_person, new_people, done_ms, receipt')

export interface BatchName {
  readonly dataSet: DataSetId
  readonly batch: string
}

/** One import by its batch. */
export async function findImport(
  db: Database,
  { dataSet, batch }: BatchName,
): Promise<ImportRecord | undefined> {
  const { rows } = await sql<ImportRow>`
    select ${COLUMNS} from import_batch where data_set = ${dataSet} and batch = ${batch}`.execute(db)
  return rows[0] && toRecord(rows[0])
}

/** Several imports by their batches. */
export async function findImports(
  db: Database,
  names: readonly BatchName[],
): Promise<readonly ImportRecord[]> {
  const { rows } = await sql<ImportRow>`
    ${KEPT} select ${COLUMNS} from import_batch
    where (data_set, batch) in (select * from unnest(${dataSetsOf(names)}::text[], ${batchesOf(names)}::text[]))`.execute(
    db,
  )
  return rows.map(toRecord)
}

/** What is about to be done. */
export interface ImportIntent extends BatchName {
  readonly fileDigest: Digest
  readonly rows: number
  readonly firstPerson: number
  readonly form: ReceivedForm
  readonly now: Instant
}

/** In which form rows were received. */
export interface ReceivedForm {
  readonly format: ImportFormat
  /** With gzip. */
  readonly isPacked: boolean
}

/** Notes what is about to be done. One that was meant before and never done gives way. */
export async function saveIntent(db: Database, intent: ImportIntent): Promise<void> {
  const { dataSet, batch, fileDigest, rows, firstPerson, form, now } = intent
  await sql`
    insert into import_batch (data_set, batch, file_digest, rows, first_person, new_people, state, started_ms, format, is_packed)
    values (${dataSet}, ${batch}, ${fileDigest}, ${rows}, ${firstPerson}, 0, 'intent', ${now}, ${form.format}, ${form.isPacked})
    on conflict (data_set, batch) do update
      set file_digest = excluded.file_digest, rows = excluded.rows, started_ms = excluded.started_ms,
        format = excluded.format, is_packed = excluded.is_packed
      where import_batch.state = 'intent'`.execute(db)
}

/** The same of several whose people have been told apart already; their rows came as JSON. */
export async function saveIntents(
  db: Database,
  intents: readonly (Omit<ImportIntent, 'now' | 'form'> & {
    readonly newPeople: number
    readonly people: Bitset
  })[],
  now: Instant,
): Promise<void> {
  await sql`
    ${KEPT} insert into import_batch (data_set, batch, file_digest, rows, first_person, new_people, people, state, started_ms, format, is_packed)
    select data_set, batch, file_digest, rows, first_person, new_people, people, 'intent', ${now}::bigint, 'ndjson', false
    from unnest(${dataSetsOf(intents)}::text[], ${batchesOf(intents)}::text[],
      ${intents.map(({ fileDigest }) => fileDigest)}::text[], ${intents.map(({ rows }) => rows)}::bigint[],
      ${intents.map(({ firstPerson }) => firstPerson)}::integer[], ${intents.map(({ newPeople }) => newPeople)}::integer[],
      ${intents.map(({ people }) => deflateSync(people.toBytes()))}::bytea[])
      as meant (data_set, batch, file_digest, rows, first_person, new_people, people)
    on conflict (data_set, batch) do update
      set file_digest = excluded.file_digest, rows = excluded.rows, first_person = excluded.first_person,
        new_people = excluded.new_people, people = excluded.people, started_ms = excluded.started_ms,
        format = excluded.format, is_packed = excluded.is_packed
      where import_batch.state = 'intent'`.execute(db)
}

function dataSetsOf(names: readonly BatchName[]): readonly string[] {
  return names.map(({ dataSet }) => dataSet)
}

function batchesOf(names: readonly BatchName[]): readonly string[] {
  return names.map(({ batch }) => batch)
}

/** Notes how many people an import brought, and whose rows it changes, as soon as they have numbers. */
export async function saveNewPeople(
  db: Database,
  { dataSet, batch, newPeople, people }: BatchName & { newPeople: number; people: Bitset },
): Promise<void> {
  await sql`
    update import_batch set new_people = ${newPeople}, people = ${deflateSync(people.toBytes())}
    where data_set = ${dataSet} and batch = ${batch} and state = 'intent'`.execute(db)
}

/** Notes that imports are done; gives those that were still open, in the order given. */
export async function saveDone<Done extends BatchName & { readonly rows: number }>(
  tx: Database,
  imports: readonly Done[],
  now: Instant,
): Promise<readonly Done[]> {
  const { rows: changed } = await sql<{ data_set: string; batch: string }>`
    ${KEPT} update import_batch as i set state = 'done', rows = done.rows, done_ms = ${now}
    from unnest(${dataSetsOf(imports)}::text[], ${batchesOf(imports)}::text[],
      ${imports.map(({ rows }) => rows)}::bigint[]) as done (data_set, batch, rows)
    where i.data_set = done.data_set and i.batch = done.batch and i.state = 'intent'
    returning i.data_set, i.batch`.execute(tx)
  const open = new Set(changed.map((row) => nameOf({ dataSet: row.data_set, batch: row.batch })))
  return imports.filter((one) => open.has(nameOf(one)))
}

/** A name of a batch among those of all data sets. */
export function nameOf({ dataSet, batch }: { readonly dataSet: string; readonly batch: string }): string {
  return `${dataSet}\0${batch}`
}

/** Whose rows an import changes. */
export async function readImportPeople(tx: Database, { dataSet, batch }: BatchName): Promise<Bitset> {
  const { rows } = await sql<{ people: Uint8Array | null }>`
    select people from import_batch where data_set = ${dataSet} and batch = ${batch}`.execute(tx)
  const people = rows[0]?.people
  return people ? Bitset.fromBytes(inflateSync(people)) : new Bitset()
}

/** Notes the receipts of imports. */
export async function saveReceipts(
  tx: Database,
  imports: readonly (BatchName & { readonly receipt: number })[],
): Promise<void> {
  await sql`
    ${KEPT} update import_batch as i set receipt = issued.receipt
    from unnest(${dataSetsOf(imports)}::text[], ${batchesOf(imports)}::text[],
      ${imports.map(({ receipt }) => receipt)}::bigint[]) as issued (data_set, batch, receipt)
    where i.data_set = issued.data_set and i.batch = issued.batch`.execute(tx)
}

/** Forgets what was meant and never done. */
export async function dropIntents(db: Database, names: readonly BatchName[]): Promise<void> {
  await sql`
    delete from import_batch where state = 'intent'
      and (data_set, batch) in (select * from unnest(${dataSetsOf(names)}::text[], ${batchesOf(names)}::text[]))`.execute(
    db,
  )
}

/** Imports that were meant and not done, oldest first. */
export async function readOpenImports(db: Database): Promise<readonly ImportRecord[]> {
  const { rows } = await sql<ImportRow>`
    select ${COLUMNS} from import_batch where state = 'intent' order by id`.execute(db)
  return rows.map(toRecord)
}

/** Imports of a data set that are done, oldest first, after the one with the id `after`. */
export async function readImports(
  db: Database,
  { dataSet, after, limit }: { dataSet: DataSetId; after: number; limit: number },
): Promise<readonly ImportRecord[]> {
  const { rows } = await sql<ImportRow>`
    select ${COLUMNS} from import_batch
    where data_set = ${dataSet} and state = 'done' and id > ${after} order by id limit ${limit}`.execute(db)
  return rows.map(toRecord)
}

/** In which forms the rows of a data set were received, the newest first, each once; undefined of those that came before it was noted. */
export async function readReceivedForms(
  db: Database,
  dataSet: DataSetId,
): Promise<readonly (ReceivedForm | undefined)[]> {
  const { rows } = await sql<{ format: ImportFormat | null; is_packed: boolean | null }>`
    select format, is_packed from import_batch where data_set = ${dataSet} and state = 'done'
    group by format, is_packed order by max(id) desc`.execute(db)
  return rows.map(({ format, is_packed }) =>
    format === null ? undefined : { format, isPacked: is_packed ?? false },
  )
}

/** Rows and batches of each data set. */
export async function countImports(
  db: Database,
): Promise<ReadonlyMap<string, { readonly rows: number; readonly batches: number }>> {
  const { rows } = await sql<{ data_set: string; rows: string; batches: bigint }>`
    select data_set, sum(rows) as rows, count(*) as batches from import_batch
    where state = 'done' group by data_set`.execute(db)
  return new Map(rows.map((row) => [row.data_set, { rows: Number(row.rows), batches: Number(row.batches) }]))
}

function toRecord(row: ImportRow): ImportRecord {
  return {
    id: Number(row.id),
    dataSet: dataSetIdSchema.parse(row.data_set),
    batch: row.batch,
    fileDigest: digestSchema.parse(row.file_digest),
    rows: Number(row.rows),
    newPeople: row.new_people,
    firstPerson: row.first_person,
    ...(row.done_ms === null ? {} : { doneAt: instant(Number(row.done_ms)) }),
    ...(row.receipt === null ? {} : { receipt: Number(row.receipt) }),
  }
}
