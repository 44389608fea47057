import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { LIMITS } from '../../kernel/limits.ts'
import { isScalarType } from '../../protocol/data-set.ts'
import type { Column, ColumnType, Manifest, ScalarType } from '../../protocol/data-set.ts'
import { runOwn } from '../vault/own-sql.ts'
import { unusableFile } from './import-problem.ts'
import type { ImportReader } from './import-reader.ts'
import { pathField } from './path-field.ts'
import { sourceName, textField, wrongTest } from './source-field.ts'
import type { ImportSource, SourceField } from './source-field.ts'

const WHOLE = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT))$/
const TYPES: Readonly<Record<ColumnType, RegExp>> = {
  boolean: /^BOOLEAN$/,
  integer: WHOLE,
  number: /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))$/,
  text: /^(VARCHAR|ENUM\(.*\))$/s,
  // Days at midnight, as data frames write them; what has a zone is another day elsewhere.
  date: /^(DATE|TIMESTAMP(_S|_MS|_NS)?)$/,
  timestamp: /^TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?$/,
  json: /^(VARCHAR|JSON|STRUCT\(.*\)|MAP\(.*\)|.*\[\])$/s,
  'boolean[]': /^BOOLEAN\[\]$/,
  'integer[]': /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT))\[\]$/,
  'number[]': /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))\[\]$/,
  'text[]': /^(VARCHAR|ENUM\([^[]*\))\[\]$/s,
}

/** Parquet: the file says its types itself, and they must be those of the manifest or narrower. */
export async function parquetSource(
  reader: ImportReader,
  { path, sizeBytes, manifest }: { path: string; sizeBytes: number; manifest: Manifest },
): Promise<ImportSource> {
  const relation = sql`read_parquet(${sql.lit(path)})`
  const types = await readTypes(reader, relation)
  requireColumns(types, manifest)
  await requireNoBomb(reader, { path, sizeBytes, columns: types.size })
  return {
    format: 'parquet',
    isPacked: false,
    relation,
    fields: manifest.columns.map((column) =>
      isScalarType(column.type) && !column.path
        ? parquetField(column, { type: column.type, isKey: column.name === manifest.person.key })
        : documentField(column, types.get(sourceName(column))),
    ),
  }
}

const CELL_BYTES = 8

/** Refuses a file that says its rows in far fewer bytes than any measurements take. Only its index is read. */
async function requireNoBomb(
  { connection }: ImportReader,
  { path, sizeBytes, columns }: { path: string; sizeBytes: number; columns: number },
): Promise<void> {
  const found = await runOwn(
    connection,
    sql`select sum(num_rows)::double from parquet_file_metadata(${sql.lit(path)})`,
  )
  const bytes = Number(found.getRows()[0]?.[0] ?? 0) * columns * CELL_BYTES
  const { importParquetFactorMax: factor, importUnpackedFreeBytes: free } = LIMITS
  if (bytes > Math.max(free, sizeBytes * factor))
    throw unusableFile(
      `it has more than ${factor.toLocaleString('en')} times as much in its rows as in its bytes; send it as CSV, or in parts`,
    )
}

async function readTypes(
  { connection }: ImportReader,
  relation: RawBuilder<unknown>,
): Promise<ReadonlyMap<string, string>> {
  try {
    const found = await runOwn(connection, sql`describe select * from ${relation}`)
    return new Map(found.getRows().map(([name, type]) => [String(name), String(type)]))
  } catch {
    throw unusableFile('it is not a whole Parquet file')
  }
}

/** A document or a list: as a JSON text, unless it is one already. */
function documentField(column: Column, type: string | undefined): SourceField {
  const raw = sql.id(sourceName(column))
  const text = type === 'VARCHAR' || type === 'JSON' ? sql`${raw}::varchar` : sql`to_json(${raw})::varchar`
  const document = sql`nullif(nullif(${text}, ''), 'null')`
  return column.path ? pathField(column, document) : textField(column, document, { isKey: false })
}

function parquetField(column: Column, { type, isKey }: { type: ScalarType; isKey: boolean }): SourceField {
  const raw = sql.id(sourceName(column))
  const text: RawBuilder<unknown> = sql`nullif(${raw}::varchar, '')`
  const typed = typedOf(type, { raw, text })
  const isFinite = column.type === 'number' || column.type === 'date' || column.type === 'timestamp'
  const isMissing = isFinite ? sql`not coalesce(isfinite(${typed}), false)` : sql`${typed} is null`
  const isMistyped =
    column.type === 'date' ? sql`(${isMissing} or ${raw}::timestamp <> ${typed}::timestamp)` : isMissing
  return { column, text, typed, isWrong: wrongTest(column, { text, isKey, isMistyped }) }
}

function typedOf(
  type: ScalarType,
  { raw, text }: { raw: RawBuilder<unknown>; text: RawBuilder<unknown> },
): RawBuilder<unknown> {
  switch (type) {
    case 'text':
      return text
    case 'boolean':
      return raw
    case 'integer':
      return sql`try_cast(${raw} as bigint)`
    case 'number':
      return sql`try_cast(${raw} as double)`
    case 'date':
      return sql`try_cast(${raw} as date)`
    case 'timestamp':
      return sql`try_cast(${raw} as timestamp)`
  }
}

function requireColumns(types: ReadonlyMap<string, string>, manifest: Manifest): void {
  const wanted = new Map(manifest.columns.map((column) => [sourceName(column), column]))
  const problems = [...types.keys()].flatMap((name, index) =>
    wanted.has(name)
      ? []
      : [{ field: `field ${index + 1}`, expected: 'expected the name of a column in the manifest' }],
  )
  for (const [name, column] of wanted) {
    const type = types.get(name)
    const isKey = column.name === manifest.person.key
    const inFile = column.path ? 'json' : column.type
    if (type === undefined) problems.push({ field: 'schema', expected: `expected a column "${name}"` })
    else if (!TYPES[inFile].test(type) && !(isKey && column.type === 'text' && WHOLE.test(type))) {
      problems.push({
        field: `column "${name}"`,
        expected: `expected a Parquet type that holds ${inFile}`,
      })
    }
  }
  const [first] = problems
  if (first) throw unusableFile(`${first.field}: ${first.expected}`, problems)
}
