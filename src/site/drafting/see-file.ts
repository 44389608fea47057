import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { LIMITS } from '../../kernel/limits.ts'
import type { SEPARATORS } from '../../protocol/csv-form.ts'
import type { ColumnType } from '../../protocol/data-set.ts'
import type { ImportFormat } from '../../protocol/http/data-set-api.ts'
import { unusableFile } from '../datasets/import-problem.ts'
import type { ImportReader } from '../datasets/import-reader.ts'
import { pointerOf } from '../datasets/path-field.ts'
import { readCsv } from '../datasets/read-csv.ts'
import { ndjsonLines, requireObjectLines } from '../datasets/read-ndjson.ts'
import { isGzip, measureText, parseRecord, readFirstLine } from '../datasets/read-text.ts'
import { runOwn } from '../vault/own-sql.ts'

/** A column of a file of which nothing is known yet. */
export interface SeenColumn {
  readonly name: string
  /** Its values as texts; null where there is none. */
  readonly text: RawBuilder<unknown>
  /** The type that the file itself says; `text` where it says only that. Absent: the file says none. */
  readonly declared?: ColumnType | undefined
  /** A text of JSON, which may be a day: days can be nothing else there. */
  readonly mayBeDay?: boolean
}

/** A file as rows of the engine, without a manifest. */
export interface SeenFile {
  readonly relation: RawBuilder<unknown>
  readonly columns: readonly SeenColumn[]
}

/** Columns of a manifest at most. */
const COLUMNS_MAX = 200

/** Opens a file by its own names of columns. */
export async function seeFile(
  reader: ImportReader,
  file: {
    readonly path: string
    readonly sizeBytes: number
    readonly format: ImportFormat
    readonly separator: keyof typeof SEPARATORS
    /** Rows from the beginning; absent: all. */
    readonly rowsMax?: number | undefined
  },
): Promise<SeenFile> {
  const { path, sizeBytes, format } = file
  const isPacked = await isGzip(path)
  if (format !== 'parquet')
    await measureText(path, { isPacked, sizeBytes, lineBytesMax: LIMITS.importLineBytesMax[format] })
  const seen = await {
    csv: () => seeCsv({ ...file, isPacked }),
    ndjson: async () => {
      await requireObjectLines(path, { isPacked })
      return seeNdjson(reader, { ...file, isPacked })
    },
    parquet: () => seeParquet(reader, file),
  }[format]()
  if (seen.columns.length > COLUMNS_MAX)
    throw unusableFile(`it has more than ${COLUMNS_MAX} columns; a data set has at most so many`)
  const { rowsMax } = file
  if (rowsMax === undefined) return seen
  return { ...seen, relation: sql`(select * from ${seen.relation} limit ${sql.lit(rowsMax)})` }
}

async function seeCsv({
  path,
  isPacked,
  separator,
}: {
  path: string
  isPacked: boolean
  separator: keyof typeof SEPARATORS
}): Promise<SeenFile> {
  const names = parseRecord(await readFirstLine(path, { isPacked }), separator)
  return {
    relation: readCsv({ path, isPacked, fieldCount: names.length, separator }),
    columns: names.map((name, index) => ({ name, text: sql.id(`c${index}`) })),
  }
}

async function seeNdjson(
  { connection }: ImportReader,
  { path, isPacked, rowsMax }: { path: string; isPacked: boolean; rowsMax?: number | undefined },
): Promise<SeenFile> {
  const lines = ndjsonLines({ path, isPacked })
  const some = rowsMax === undefined ? lines : sql`(select * from ${lines} limit ${sql.lit(rowsMax)})`
  const objects = sql`(select line from ${some} where case when json_valid(line) then json_type(line) = 'OBJECT' else false end)`
  const kinds = await runOwn(
    connection,
    sql`
      select key, list(distinct json_type(line, '/' || replace(replace(key, '~', '~0'), '/', '~1')))
      from (select line, unnest(json_keys(line)) as key from ${objects})
      group by key order by min(key) limit ${sql.lit(COLUMNS_MAX + 1)}`,
  )
  const columns = kinds.getRowsJson().map(([key, found]): SeenColumn => {
    const name = typeof key === 'string' ? key : ''
    const seen = (Array.isArray(found) ? found.map(String) : []).filter((kind) => kind !== 'NULL')
    const declared = typeOfKinds(seen)
    const text = sql`nullif(line ->> ${sql.lit(pointerOf([name]))}, '')`
    return { name, text, declared, mayBeDay: declared === 'text' }
  })
  if (columns.length === 0) throw unusableFile('no line of it is a JSON object with members')
  return { relation: objects, columns }
}

const WHOLE_KINDS = ['BIGINT', 'UBIGINT']

function typeOfKinds(kinds: readonly string[]): ColumnType {
  const isOnly = (...allowed: readonly string[]) =>
    kinds.length > 0 && kinds.every((one) => allowed.includes(one))
  if (isOnly('BOOLEAN')) return 'boolean'
  if (isOnly(...WHOLE_KINDS)) return 'integer'
  if (isOnly(...WHOLE_KINDS, 'DOUBLE')) return 'number'
  if (isOnly('VARCHAR') || kinds.length === 0) return 'text'
  return 'json'
}

async function seeParquet({ connection }: ImportReader, { path }: { path: string }): Promise<SeenFile> {
  const relation = sql`read_parquet(${sql.lit(path)})`
  const found = await runOwn(connection, sql`describe select * from ${relation}`).catch(() => {
    throw unusableFile('it is not a whole Parquet file')
  })
  const columns = found.getRows().map(([name, type]): SeenColumn => {
    const raw = sql.id(String(name))
    const declared = typeOfParquet(String(type))
    if (declared === undefined)
      throw unusableFile(
        `its column "${String(name)}" has a Parquet type that no data set has; leave it out, or write it as a text`,
      )
    const text = declared === 'json' ? sql`to_json(${raw})::varchar` : sql`${raw}::varchar`
    return { name: String(name), text: sql`nullif(${text}, '')`, declared }
  })
  return { relation, columns }
}

/** The type of a manifest that takes one of Parquet (`read-parquet.ts` refuses what does not fit). */
function typeOfParquet(type: string): ColumnType | undefined {
  const list = /^(.*)\[\]$/s.exec(type)?.[1]
  if (list !== undefined) {
    const element = typeOfParquet(list)
    return element === 'boolean' || element === 'integer' || element === 'number' || element === 'text'
      ? `${element}[]`
      : 'json'
  }
  if (type === 'BOOLEAN') return 'boolean'
  if (/^U?(TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(type)) return 'integer'
  if (/^(FLOAT|DOUBLE|DECIMAL\(.*\))$/.test(type)) return 'number'
  if (type === 'DATE') return 'date'
  if (type.startsWith('TIMESTAMP')) return 'timestamp'
  if (type === 'VARCHAR' || type.startsWith('ENUM(')) return 'text'
  return /^(JSON$|STRUCT\(|MAP\()/.test(type) ? 'json' : undefined
}
