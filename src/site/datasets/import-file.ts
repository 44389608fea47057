import { join } from 'node:path'
import { Fault } from '../../kernel/faults.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { ok } from '../../kernel/result.ts'
import { alikeForm, saidForm } from '../../protocol/csv-form.ts'
import type { CsvForm } from '../../protocol/csv-form.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { ImportFormat } from '../../protocol/http/data-set-api.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { RowChunk } from '../vault/vault.ts'
import { nameOfFile } from './batch-mark.ts'
import { checkFile } from './check-file.ts'
import { decodeFile } from './decode-file.ts'
import { findDataSet } from './data-set-store.ts'
import { importBatch, importTurn, keepNewPeople, noteIntent, requirePolicy } from './import-batch.ts'
import type { BatchParts, ImportedBatch } from './import-batch.ts'
import { unusableFile } from './import-problem.ts'
import { openReader } from './import-reader.ts'
import type { ImportReader } from './import-reader.ts'
import { numberHouseholds } from './number-households.ts'
import { numberPeople } from './number-people.ts'
import type { KeyRing } from './number-people.ts'
import { openSource } from './open-source.ts'
import { readRows } from './read-rows.ts'
import { requireRoom, roomForRows, withRoom } from './require-room.ts'
import type { ImportSource } from './source-field.ts'
import { spoolFile } from './spool-file.ts'
import type { FileSource, SpooledFile } from './spool-file.ts'

/** What importing needs of a site. */
export interface ImportParts extends BatchParts {
  /** The site's directory; streams are spooled below it. */
  readonly directory: string
  readonly threads?: number
  /** Rows after which a long file is made durable; `importPartRows` unless a test says otherwise. */
  readonly partRows?: number
}

/** A file to import as one batch. */
export interface ImportRequest {
  readonly dataSet: DataSetId
  readonly file: FileSource
  readonly format: ImportFormat
  /** How a CSV file is written, where that is not the plain form. */
  readonly form?: CsvForm | undefined
  /** The idempotency key; absent: made from the file's contents under a key of the site. */
  readonly batch?: string | undefined
  /** Whether the data set may be stored here now; decided by `site/place`. */
  readonly mayStore: () => Promise<Outcome<unknown>> | Outcome<unknown>
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** How far an import is. While a file is checked, its number of rows is not known yet. */
export interface ImportProgress {
  readonly step: 'checking' | 'numbering' | 'storing' | 'done'
  readonly rows: number
  readonly rowsTotal?: number
  readonly bytes: number
  readonly bytesTotal: number
}

/** Where streams are spooled: private, inside the perimeter, removed after. */
export function spoolDirectory(directory: string): string {
  return join(directory, 'vault', 'spool')
}

/**
 * Imports a file as one batch: the whole file is checked first, then all of its rows are taken or none. Rows of a long
 * file are set aside part by part, durable but unread, and taken together at the end; after a crash the same request
 * goes on with the part that is missing. The same batch again changes nothing.
 *
 * Intent in the record, work in the vault, done with its `ingest` receipt in the record. Declines are those of
 * `mayStore`. Numbers beyond a column's bounds are kept: clamping is the gate's.
 *
 * @throws Fault `fault.import_malformed` with the lines that are wrong, never their values; `fault.not_found`;
 * `fault.idempotency_conflict` when the batch was another file; `fault.conflict` when the terms changed while it came; `fault.disk_full`
 */
export async function importFile(
  parts: ImportParts,
  request: ImportRequest,
): Promise<Outcome<ImportedBatch>> {
  const known = await findDataSet(parts.db, request.dataSet)
  if (!known || known.retiredAt !== undefined) {
    throw new Fault('fault.not_found', { what: `Cannot import: there is no data set "${request.dataSet}"` })
  }
  const allowed = await request.mayStore()
  if (!allowed.ok) return allowed
  await using file = await spoolFile(request.file, {
    directory: spoolDirectory(parts.directory),
    random: parts.random,
    signal: request.signal,
  })
  const batch = request.batch ?? nameOfFile(parts.lookupKeys, file.digest)
  const form = saidForm(request.form ?? {})
  // The same file read in another way is another batch, and by its name not taken beside the first.
  const alike = alikeForm(form ?? {})
  const digest = alike ? digestOfJson({ file: file.digest, form: alike }) : file.digest
  const encoding = form?.encoding
  await using spooled = encoding
    ? await decodeFile(file, {
        encoding,
        directory: spoolDirectory(parts.directory),
        random: parts.random,
        signal: request.signal,
      })
    : undefined
  return await importTurn(parts.vault).run(() =>
    importSpooled(parts, {
      ...request,
      form,
      batch,
      digest,
      spooled: spooled ?? file,
      manifest: known.manifest,
      policy: known.manifestDigest,
    }),
  )
}

interface BatchImport extends ImportRequest {
  readonly batch: string
  /** What the batch is known again by. */
  readonly digest: Digest
  /** Its text in UTF-8. */
  readonly spooled: SpooledFile
  readonly manifest: Manifest
  /** The digest of that manifest. */
  readonly policy: Digest
}

async function importSpooled(parts: ImportParts, request: BatchImport): Promise<Outcome<ImportedBatch>> {
  const { dataSet, batch, digest, spooled, signal, onProgress } = request
  const named = { dataSet, batch, digest, signal }
  const done = await importBatch(parts, named, () =>
    moveFile(parts, request).catch(async (error: unknown) => {
      throw await withRoom(error, { directory: parts.directory, bytes: roomFor(request) })
    }),
  )
  if (done.isNew) onProgress?.(progressOf(spooled, { step: 'done', rows: done.rows, rowsTotal: done.rows }))
  return ok(done)
}

/** All of a file; how many rows it has makes no difference that matters. */
function roomFor({ spooled: { sizeBytes }, format, manifest }: BatchImport): number {
  return roomForRows(1, { sizeBytes, rows: 1, format, manifest })
}

async function moveFile(parts: ImportParts, request: BatchImport): Promise<void> {
  const { manifest, policy, spooled, format, form, dataSet, batch, digest, onProgress } = request
  await requirePolicy(parts.db, { dataSet, policy })
  onProgress?.(progressOf(spooled, { step: 'checking', rows: 0 }))
  using reader = await openReader(spooled.path, { threads: parts.threads ?? LIMITS.vaultThreads })
  const { path, sizeBytes } = spooled
  const source = await openSource(reader, { path, sizeBytes, format, manifest, form })
  const { rows } = await checkFile(reader, { source, manifest, path })
  request.signal?.throwIfAborted()
  onProgress?.(progressOf(spooled, { step: 'numbering', rows: 0, rowsTotal: rows }))
  await noteIntent(parts, { dataSet, batch, digest, rows, form: source })
  const { ring, people } = await numberPeople(parts, reader, manifest)
  const households = await numberHouseholds(parts, reader, { source, manifest })
  await keepNewPeople(parts, { dataSet, batch }, { people, households })
  await moveRows(parts, { request, reader, source, ring, rows })
}

interface Move {
  readonly request: BatchImport
  readonly reader: ImportReader
  readonly source: ImportSource
  readonly ring: KeyRing
  readonly rows: number
}

async function moveRows(parts: ImportParts, move: Move): Promise<void> {
  const { request, reader, source, ring, rows } = move
  const { manifest, batch, dataSet } = request
  const { partRows = LIMITS.importPartRows } = parts
  const file = { ...request, sizeBytes: request.spooled.sizeBytes, rows }
  const requireRoomFor = (moved: number) => requireRoom(parts.directory, roomForRows(moved, file))
  const beforeShown = () => parts.vault.inMotion.begin(dataSet, batch)
  const from = await parts.vault.rowsAside({ dataSet, batch })
  const chunks = watched(readRows(reader, { source, manifest, ring, random: parts.random, from }), move, from)
  if (rows <= partRows && from === 0) {
    await requireRoomFor(rows)
    const taken = await parts.vault.append({ manifest, batch, beforeShown }, requireAll(chunks, rows))
    requireCount(taken.rows, rows)
    return
  }
  let aside = from
  while (aside < rows) {
    await requireRoomFor(Math.min(partRows, rows - aside))
    const part = portion(chunks, partRows)
    const next = await parts.vault.setAside({ manifest, batch, from: aside }, part)
    if (next === aside) break
    aside = next
  }
  requireCount(aside, rows)
  await requireRoomFor(rows / 2)
  await parts.vault.take({ dataSet, batch, beforeShown })
}

/** Passes chunks on, says how far it is, and stops when it is told to. */
async function* watched(
  chunks: AsyncIterable<RowChunk>,
  { request, rows }: Move,
  from: number,
): AsyncGenerator<RowChunk> {
  let moved = from
  for await (const chunk of chunks) {
    request.signal?.throwIfAborted()
    yield chunk
    moved += chunk.rowCount
    if (moved % PROGRESS_ROWS < chunk.rowCount) {
      request.onProgress?.(progressOf(request.spooled, { step: 'storing', rows: moved, rowsTotal: rows }))
    }
  }
}

const PROGRESS_ROWS = 100_000

/** Chunks until there are so many rows, and leaves the rest where it is. */
async function* portion(chunks: AsyncGenerator<RowChunk>, rowsMax: number): AsyncGenerator<RowChunk> {
  let rows = 0
  while (rows < rowsMax) {
    const next = await chunks.next()
    if (next.done) return
    rows += next.value.rowCount
    yield next.value
  }
}

/** Breaks off inside the transaction, before anything is taken, when the file is not what it was. */
async function* requireAll(chunks: AsyncIterable<RowChunk>, expected: number): AsyncGenerator<RowChunk> {
  let rows = 0
  for await (const chunk of chunks) {
    rows += chunk.rowCount
    yield chunk
  }
  requireCount(rows, expected)
}

function requireCount(rows: number, expected: number): void {
  if (rows !== expected) throw unusableFile('it changed while it was read')
}

function progressOf(
  { sizeBytes }: SpooledFile,
  { step, rows, rowsTotal }: { step: ImportProgress['step']; rows: number; rowsTotal?: number },
): ImportProgress {
  const share = step === 'done' ? 1 : rowsTotal ? rows / rowsTotal : 0
  return {
    step,
    rows,
    ...(rowsTotal === undefined ? {} : { rowsTotal }),
    bytes: Math.round(sizeBytes * share),
    bytesTotal: sizeBytes,
  }
}
