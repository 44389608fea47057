import { realpath, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../kernel/faults.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Random } from '../kernel/random.ts'
import { saidForm } from '../protocol/csv-form.ts'
import type { CsvForm } from '../protocol/csv-form.ts'
import type { ImportFormat } from '../protocol/http/data-set-api.ts'
import { decodeFile } from './datasets/decode-file.ts'
import { unusableFile } from './datasets/import-problem.ts'
import { openReader } from './datasets/import-reader.ts'
import type { ImportReader } from './datasets/import-reader.ts'
import { readAs } from './datasets/read-as.ts'
import { isGzip, readFirstLine } from './datasets/read-text.ts'
import { countColumns } from './drafting/column-facts.ts'
import { draftDirectory } from './drafting/draft-directory.ts'
import { watched } from './drafting/draft-progress.ts'
import type { DraftWatch } from './drafting/draft-progress.ts'
import { draftText, guessKeys, namedColumns } from './drafting/draft-text.ts'
import type { DraftColumn } from './drafting/draft-text.ts'
import { guessColumn } from './drafting/guess-column.ts'
import { guessEncoding, guessForm, guessSeparator } from './drafting/guess-form.ts'
import { measureRanges, measureRowsMost } from './drafting/measure-columns.ts'
import { requireNames } from './drafting/require-names.ts'
import { seeFile } from './drafting/see-file.ts'
import type { SeenFile } from './drafting/see-file.ts'
import { countRejects, unreadable } from './datasets/check-file.ts'

/** A file of which somebody wants to make a data set. */
export interface FileToDraft extends DraftWatch {
  readonly path: string
  readonly format: ImportFormat
  readonly dataSet: string
  readonly issuer?: string | undefined
  /** The column that says of whom a row is, as the file calls it; absent: one is guessed. */
  readonly key?: string | undefined
  /** How a CSV file is written, as far as it was said; the rest is guessed. */
  readonly form: CsvForm
  /** Rows from the beginning that are looked at; absent: all. */
  readonly rowsMax?: number | undefined
  /** Where a text is written anew that is not in UTF-8, to be removed after. */
  readonly directory: string
  readonly random: Random
  /** What the file calls its columns are their names, though they look like values. */
  readonly hasNames?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** A draft, and what was seen: counts and guesses, no value of a person. */
export interface ManifestDraft {
  readonly text: string
  readonly columns: readonly DraftColumn[]
  readonly rows: number
  readonly form: CsvForm
  readonly doubts: readonly string[]
}

/**
 * Drafts a manifest from a file on this machine: types, whether a column may be empty, bounds rounded outward, and guesses of what is about
 * whom. Nothing leaves the machine, and no value of a person stands in the draft. It is no manifest until somebody has decided.
 *
 * @throws Fault `fault.import_malformed` where the file cannot be read, or its first line seems to be no names
 */
export async function draftManifest(file: FileToDraft): Promise<ManifestDraft> {
  await using directory = await draftDirectory(file.directory)
  try {
    // By a name of ours: the engine would take some signs of another for a pattern.
    const path = join(directory.path, 'file')
    await symlink(await realpath(file.path), path)
    return await draftFrom({ ...file, path, directory: directory.path })
  } catch (error) {
    file.signal?.throwIfAborted()
    throw inWordsOfDraft(error)
  }
}

function inWordsOfDraft(error: unknown): unknown {
  if (!(error instanceof Fault) || error.code !== 'fault.import_malformed') return error
  const why = error.message.replace(/^Cannot import the file: (.*); nothing was taken$/s, '$1')
  return new Fault(error.code, { what: `Cannot draft from the file: ${why}`, errors: error.errors })
}

async function draftFrom(file: FileToDraft): Promise<ManifestDraft> {
  const { path, format, form, directory, random, signal } = file
  const { size: sizeBytes } = await stat(path)
  if (sizeBytes === 0) throw unusableFile('it is empty')
  file.onProgress?.({ step: 'reading' })
  if (format !== 'csv') return lookAt(file, { path, sizeBytes, form: {} })
  const encoding = saidForm({ encoding: form.encoding ?? (await guessEncoding(path)) })?.encoding
  await using decoded =
    encoding === undefined
      ? undefined
      : await decodeFile({ path, sizeBytes }, { encoding, directory, random, signal })
  const text = decoded ?? { path, sizeBytes }
  const isPacked = await isGzip(text.path)
  const separator = form.separator ?? guessSeparator(await readFirstLine(text.path, { isPacked }))
  return await lookAt(file, {
    ...text,
    form: { ...form, separator, ...(encoding === undefined ? {} : { encoding }) },
  })
}

interface TextToSee {
  readonly path: string
  readonly sizeBytes: number
  readonly form: CsvForm
}

async function lookAt(file: FileToDraft, text: TextToSee): Promise<ManifestDraft> {
  using reader = await openReader(text.path, { threads: LIMITS.vaultThreads })
  file.signal?.throwIfAborted()
  const stop = () => reader.connection.interrupt()
  file.signal?.addEventListener('abort', stop)
  try {
    return await lookWith(reader, { file, text })
  } catch (error) {
    if (!isOfEngine(error)) throw error
    throw unreadable(error, { format: file.format, isPacked: await isGzip(text.path) })
  } finally {
    file.signal?.removeEventListener('abort', stop)
  }
}

/** What it throws has neither a name nor a code of its own. */
function isOfEngine(error: unknown): boolean {
  return error instanceof Error && Object.getPrototypeOf(error) === Error.prototype && !('code' in error)
}

async function lookWith(
  reader: ImportReader,
  { file, text: { path, sizeBytes, form } }: { file: FileToDraft; text: TextToSee },
): Promise<ManifestDraft> {
  const { format, rowsMax, hasNames, signal } = file
  const separator = form.separator ?? 'comma'
  const seen = await seeFile(reader, { path, sizeBytes, format, separator, rowsMax })
  const names = seen.columns.map(({ name }) => name)
  requireNames(names, { format, hasNames })
  const facts = await countColumns(reader, seen, file)
  signal?.throwIfAborted()
  const rows = (facts[0]?.values ?? 0) + (facts[0]?.empty ?? 0)
  if (rows === 0) throw unusableFile('it has no rows')
  requireNames(names, { format, facts, hasNames })
  const guessed = format === 'csv' ? guessForm(facts, form) : { form, doubts: [] }
  const torn = format === 'parquet' ? 0 : await countRejects(reader)
  const doubts = [
    ...guessed.doubts,
    ...(torn === 0
      ? []
      : [
          `${torn} ${torn === 1 ? 'line has' : 'lines have'} another shape than the first: an import would refuse ${torn === 1 ? 'it' : 'them'}`,
        ]),
  ]
  const found = namedColumns(facts.map((one) => guessColumn(one)))
  const said = file.key === undefined ? undefined : saidKey(found, file.key)
  const guesses =
    said === undefined ? found : found.map((column) => (column === said.column ? said.key : column))
  const keys = said === undefined ? guessKeys(guesses) : [said.key]
  const columns = await measured(reader, { seen, columns: guesses, keys, form: guessed.form, watch: file })
  const [key] = keys
  const rowsMost =
    key &&
    (await watched(reader, { ...file, step: 'rows' }, () =>
      measureRowsMost(reader, { seen, column: key.facts.column }),
    ))
  const { dataSet, issuer } = file
  const text = draftText({
    dataSet,
    issuer,
    columns,
    key,
    rowsMost,
    isWhole: rowsMax === undefined || rows < rowsMax,
  })
  return { text, columns, rows, form: saidForm(guessed.form) ?? {}, doubts }
}

/** The column that somebody says tells of whom a row is, and what it then is: it names people, whatever it looks like. */
function saidKey(columns: readonly DraftColumn[], key: string): { column: DraftColumn; key: DraftColumn } {
  const found = columns.find(({ name, facts: { column } }) => column.name === key || name === key)
  // Not by its name: what somebody typed may be a person's key.
  if (found === undefined) throw unusableFile('it has no column of the name that --key says')
  const why = 'it says of whom a row is (--key)'
  return { column: found, key: { ...found, sensitivity: 'direct_identifier', why } }
}

/** More of them would tell no more, and each is another way through the file. */
const KEYS_MEASURED_MAX = 4

async function measured(
  reader: ImportReader,
  {
    seen,
    columns,
    keys,
    form,
    watch,
  }: {
    seen: SeenFile
    columns: readonly DraftColumn[]
    keys: readonly DraftColumn[]
    form: CsvForm
    watch: DraftWatch
  },
): Promise<readonly DraftColumn[]> {
  const numbers = columns.filter(({ type }) => type === 'integer' || type === 'number')
  const ranges = await measureRanges(reader, {
    seen,
    texts: numbers.map(({ type, facts: { column } }) => readAs(form, { type }, column.text)),
    keys: keys.slice(0, KEYS_MEASURED_MAX).map(({ facts: { column } }) => column),
    watch,
  })
  return columns.map((column) => {
    const index = numbers.indexOf(column)
    return index === -1 ? column : { ...column, range: ranges[index] }
  })
}
