import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { GroupCommit } from '../../kernel/group-commit.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { ok } from '../../kernel/result.ts'
import { isScalarType, keyColumnsOf } from '../../protocol/data-set.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { ColumnValues } from '../../protocol/rights/restriction.ts'
import { cellContext } from '../vault/keys/person-keys.ts'
import { nonceSource, seal } from '../vault/keys/seal-cell.ts'
import { storedColumns } from '../vault/stored-columns.ts'
import type { StoredColumn } from '../vault/stored-columns.ts'
import { storedText } from '../vault/stored-json.ts'
import type { RowChunk, VaultValue } from '../vault/vault.ts'
import { expectedValue, isOfColumn } from './column-value.ts'
import { markOfRows } from './batch-mark.ts'
import type { BatchParts, ImportedBatch } from './import-batch.ts'
import { importTogether } from './import-together.ts'
import type { BecomeOfRows, RowsLayout, RowsToImport } from './import-together.ts'
import type { SeenPerson } from './number-people.ts'
import { KEY_CHARACTERS_MAX } from './source-field.ts'

/** A few rows to import as one batch, by the names of the manifest's columns. */
export interface RowsRequest {
  readonly manifest: Manifest
  /** The digest of that manifest, as the record has it. */
  readonly policy: Digest
  readonly batch: string
  readonly rows: readonly ColumnValues[]
  /** Whether the data set may be stored here now; decided by `site/place`. */
  readonly mayStore: () => Promise<Outcome<unknown>> | Outcome<unknown>
}

/** Calls whose rows are taken together. */
const CALLS_AT_ONCE = 64

const groups = new WeakMap<object, GroupCommit<RowsToImport, BecomeOfRows>>()

/** The small imports of one vault: those of callers who come at the same time are taken by one write, each with a receipt of its own. */
function groupOf(parts: BatchParts): GroupCommit<RowsToImport, BecomeOfRows> {
  const known =
    groups.get(parts.vault) ?? new GroupCommit((some) => importTogether(parts, some), CALLS_AT_ONCE)
  groups.set(parts.vault, known)
  return known
}

/**
 * Imports a few rows as one batch: what `importFile` does for a file, without a file and without an engine to read it. All rows are
 * checked first, then all are taken or none; the same batch again changes nothing. Declines are those of `mayStore`.
 *
 * @throws Fault `fault.import_malformed` with the rows that are wrong, never their values; `fault.idempotency_conflict`;
 * `fault.conflict` where rows may be about several people, or the manifest has changed
 */
export async function importRows(parts: BatchParts, request: RowsRequest): Promise<Outcome<ImportedBatch>> {
  const allowed = await request.mayStore()
  if (!allowed.ok) return allowed
  const { manifest, policy, batch, rows } = request
  requireSound(manifest, rows)
  const { people, places } = peopleOf(manifest, rows)
  const became = await groupOf(parts).add({
    dataSet: manifest.dataSet,
    batch,
    digest: markOfRows(parts.lookupKeys, rows),
    manifest,
    policy,
    rowCount: rows.length,
    people,
    chunkOf: (layout) => chunkOf(rows, { manifest, places, random: parts.random, ...layout }),
  })
  if ('imported' in became) return ok(became.imported)
  throw became.fault
}

function requireSound(manifest: Manifest, rows: readonly ColumnValues[]): void {
  if (keyColumnsOf(manifest).length > 1) {
    throw new Fault('fault.conflict', {
      what: `Cannot import rows into "${manifest.dataSet}" one by one: they may be about several people; send a file`,
    })
  }
  const columns = new Map(manifest.columns.map((column) => [column.name, column]))
  const problems = rows.flatMap((row, index) => rowProblems(row, { columns, manifest, index }))
  if (problems.length === 0) return
  throw new Fault('fault.import_malformed', {
    what: `Cannot import the rows: ${problems[0]?.field ?? ''}: ${problems[0]?.expected ?? ''}; nothing was taken`,
    errors: problems.slice(0, LIMITS.importLineProblemsReportedMax),
  })
}

function rowProblems(
  row: ColumnValues,
  { columns, manifest, index }: { columns: ReadonlyMap<string, Column>; manifest: Manifest; index: number },
): readonly FieldProblem[] {
  const at = (name: string, expected: string) => ({ field: `rows[${index}].${name}`, expected })
  const unknown = Object.keys(row)
    .filter((name) => !columns.has(name))
    .map(() => at('*', 'expected columns of the data set only'))
  const wrong = [...columns.values()].flatMap((column) => {
    const value = row[column.name] ?? null
    const isKey = column.name === manifest.person.key
    if (value === null)
      return isKey || column.isRequired ? [at(column.name, 'expected a value; it may not be empty')] : []
    if (!isOfColumn(value, column)) return [at(column.name, expectedValue(column))]
    const isTooLong = isKey && (String(value) === '' || String(value).length > KEY_CHARACTERS_MAX)
    return isTooLong
      ? [at(column.name, `expected a key of at most ${KEY_CHARACTERS_MAX} characters, and not empty`)]
      : []
  })
  return [...unknown, ...wrong]
}

/** The people of rows, each once, and of each row whose it is by its place among them. */
function peopleOf(
  { person }: Manifest,
  rows: readonly ColumnValues[],
): Pick<RowsToImport, 'people'> & Pick<Laying, 'places'> {
  const byKey = Map.groupBy(rows, (row) => String(row[person.key]))
  const keys = [...byKey.keys()]
  const placeOf = new Map(keys.map((key, place) => [key, place]))
  const factOf = (row: ColumnValues, column: string | undefined) => {
    const value = column === undefined ? null : row[column]
    return typeof value === 'string' ? value : undefined
  }
  const people = keys.map((key): SeenPerson => {
    const own = byKey.get(key) ?? []
    const birthDate = own
      .flatMap((row) => factOf(row, person.birthDate) ?? [])
      .toSorted()
      .at(-1)
    // Two residences of one person are none: what is not known counts as the strictest.
    const residences = new Set(own.flatMap((row) => factOf(row, person.residence) ?? []))
    const [residence] = residences
    const isCountry = residences.size === 1 && residence !== undefined && /^[A-Z]{2}$/.test(residence)
    return { key, ...(birthDate === undefined ? {} : { birthDate }), ...(isCountry ? { residence } : {}) }
  })
  return { people, places: rows.map((row) => placeOf.get(String(row[person.key])) ?? -1) }
}

interface Laying extends RowsLayout {
  readonly manifest: Manifest
  /** Whose each row is, by the place among the people. */
  readonly places: readonly number[]
  readonly random: BatchParts['random']
}

/** Rows as the vault stores them: numbers in place of people's keys, sealed where the manifest says. */
function chunkOf(
  rows: readonly ColumnValues[],
  { manifest, places, numbers, keyAt, random }: Laying,
): RowChunk {
  const stored = storedColumns(manifest)
  const nextNonce = nonceSource(random)
  return {
    rowCount: rows.length,
    values: (index) => {
      const column = stored[index - 1]
      if (!column) return places.map((place) => numbers[place] ?? -1)
      const { name } = column.column
      const context = cellContext({ dataSet: manifest.dataSet, column: name })
      return rows.map((row, at): VaultValue => {
        const value = storedForm(row[name] ?? null, column)
        if (value === null || !column.isSealed) return value
        return seal(String(value), { key: keyAt(places[at] ?? -1), nonce: nextNonce(), context })
      })
    },
  }
}

/** Documents and lists in the one form in which the vault keeps them; a list in clear is one to the engine. */
function storedForm(value: ColumnValues[string], { column, isSealed }: StoredColumn): VaultValue {
  const { type } = column
  if (typeof value !== 'string' || isScalarType(type)) return value
  const text = storedText(value, type) ?? null
  return text === null || isSealed || type === 'json' ? text : (JSON.parse(text) as VaultValue[])
}
