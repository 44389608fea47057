import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { keyColumnsOf } from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { runOwn } from '../vault/own-sql.ts'
import { malformedLines, unusableFile } from './import-problem.ts'
import type { LineProblem } from './import-problem.ts'
import type { ImportReader } from './import-reader.ts'
import { linesAtOffsets, linesOfRecords } from './read-text.ts'
import { expectedOf, KEY_CHARACTERS_MAX, sourceName } from './source-field.ts'
import type { ImportSource, SourceField } from './source-field.ts'

/** The table in the reader's engine of people in the file: `key`, `birth_date`, `residence`. */
export const KEYS_TABLE = 'seen'

/**
 * Reads the whole file once, on all threads, and gives its number of rows. Whatever is not what the manifest says is a
 * fault that names the first lines of it; nothing was taken then. The people of the file lie in `KEYS_TABLE` after.
 *
 * @throws Fault `fault.import_malformed`
 */
export async function checkFile(
  reader: ImportReader,
  { source, manifest, path }: { source: ImportSource; manifest: Manifest; path: string },
): Promise<{ readonly rows: number }> {
  const tests = testsOf(source, manifest)
  await collect(reader, { source, manifest, tests })
  await refuseRejects(reader, { source, path })
  const counts = tests.map((_, index) => sql`sum(${sql.id(`wrong_${index}`)})`)
  const { connection } = reader
  const totals = await runOwn(
    connection,
    sql`select sum(rows), ${sql.join(counts)} from ${sql.id(KEYS_TABLE)}`,
  )
  const [rows, ...wrong] = (totals.getRows()[0] ?? []).map(Number)
  if (!rows) throw unusableFile('it has no rows')
  const total = wrong.reduce((sum, count) => sum + count, 0)
  if (total === 0) {
    await collectOthers(reader, { source, manifest })
    return { rows }
  }
  throw malformedLines(await locate(reader, { source, tests, path }), { total, unit: unitOf(source) })
}

interface RowTest {
  readonly field?: SourceField
  readonly isWrong: RawBuilder<unknown>
  readonly expected: string
}

function testsOf({ fields, wrongRow }: ImportSource, manifest: Manifest): readonly RowTest[] {
  const ofFields: RowTest[] = fields.map((field) => ({
    field,
    isWrong: field.isWrong,
    expected: expectedOf(field.column, { isKey: field.column.name === manifest.person.key }),
  }))
  const keys = keyColumnsOf(manifest).flatMap(
    (name) => fields.find(({ column }) => column.name === name) ?? [],
  )
  for (const [index, field] of keys.entries()) {
    const [before, text] = [keys.slice(0, index), field.text]
    if (before.length === 0) continue
    const isTwice = sql.join(
      before.map((one) => sql`coalesce(${one.text} = ${text}, false)`),
      sql` or `,
    )
    const isLong = sql`coalesce(length(${text}) > ${sql.lit(KEY_CHARACTERS_MAX)}, false)`
    const expected = `expected another person than the columns before name, of at most ${KEY_CHARACTERS_MAX} characters`
    ofFields.push({ field, isWrong: sql`(${isTwice} or ${isLong})`, expected })
  }
  // A line that is wrong as a whole is one problem, not one in each of its fields.
  if (!wrongRow) return ofFields
  return [
    { isWrong: wrongRow.test, expected: wrongRow.expected },
    ...ofFields.map((test) => ({ ...test, isWrong: sql`(not ${wrongRow.test} and ${test.isWrong})` })),
  ]
}

/** One group a person: how many rows, how many of them are wrong in each way, and what is known of the person. */
async function collect(
  { connection }: ImportReader,
  { source, manifest, tests }: { source: ImportSource; manifest: Manifest; tests: readonly RowTest[] },
): Promise<void> {
  const fieldOf = (name: string | undefined) => source.fields.find(({ column }) => column.name === name)
  const key = fieldOf(manifest.person.key)
  const birthDate = fieldOf(manifest.person.birthDate)
  const residence = fieldOf(manifest.person.residence)
  const wrong = tests.map(({ isWrong }, index) => sql`count_if(${isWrong}) as ${sql.id(`wrong_${index}`)}`)
  const columns = [
    sql`${key ? key.text : sql`null`} as key`,
    sql`count(*) as rows`,
    birthDate ? sql`max(try_cast(${birthDate.typed} as date)) as birth_date` : sql`null::date as birth_date`,
    // Two residences of one person are none: what is not known counts as the strictest.
    residence
      ? sql`case when min(${residence.text}) = max(${residence.text}) then min(${residence.text}) end as residence`
      : sql`null::varchar as residence`,
    ...wrong,
  ]
  try {
    await runOwn(
      connection,
      sql`create or replace table ${sql.id(KEYS_TABLE)} as select ${sql.join(columns)} from ${source.relation} group by 1`,
    )
  } catch (error) {
    throw unreadable(error, source)
  }
}

/** Adds whoever is named beside somebody else only. */
async function collectOthers(
  { connection }: ImportReader,
  { source, manifest }: { source: ImportSource; manifest: Manifest },
): Promise<void> {
  for (const name of manifest.person.others?.keys ?? []) {
    const field = source.fields.find(({ column }) => column.name === name)
    if (!field) continue
    await runOwn(
      connection,
      sql`
        insert into ${sql.id(KEYS_TABLE)} (key, rows)
        select distinct ${field.text}, 0 from ${source.relation}
        where ${field.text} is not null and ${field.text} not in (select key from ${sql.id(KEYS_TABLE)})`,
    )
  }
}

/** The engine's own message is kept back: it quotes lines and values. */
export function unreadable(
  error: unknown,
  { format, isPacked }: Pick<ImportSource, 'format' | 'isPacked'>,
): Fault {
  const message = error instanceof Error ? error.message : ''
  if (/Out of Memory/i.test(message)) return unusableFile('it names more people than fit into memory')
  if (format === 'parquet') return unusableFile('it is not a whole Parquet file')
  if (isPacked) return unusableFile('its gzip packing is broken')
  return unusableFile('its lines cannot be told apart')
}

const SHAPES: Readonly<Record<string, string>> = {
  'MISSING COLUMNS': 'expected as many fields as the first line has; the line is torn or too short',
  'TOO MANY COLUMNS': 'expected as many fields as the first line has; the line is too long',
  'UNQUOTED VALUE': 'expected a closing double quote',
  'INVALID ENCODING':
    'expected UTF-8; another encoding is said with --encoding, such as --encoding windows-1252',
  'LINE SIZE OVER MAXIMUM': 'expected a line of at most 2000000 bytes',
}

/** How many lines of the text that was read last have another shape than its first. */
export async function countRejects({ connection }: ImportReader): Promise<number> {
  const counted = await runOwn(connection, sql`select count(distinct line_byte_position) from reject_errors`)
  return Number(counted.getRows()[0]?.[0])
}

/** Lines of another shape than the file's: the engine set them aside with their place in the file. */
async function refuseRejects(
  reader: ImportReader,
  { source, path }: { source: ImportSource; path: string },
): Promise<void> {
  if (source.format === 'parquet') return
  const total = await countRejects(reader)
  if (total === 0) return
  const found = await runOwn(
    reader.connection,
    sql`
      select line_byte_position, min(error_type::varchar) from reject_errors
      group by 1 order by 1 limit ${sql.lit(LIMITS.importLineProblemsReportedMax)}`,
  )
  const rejects = found.getRows().map(([offset, kind]) => ({ offset: Number(offset), kind: String(kind) }))
  const lines = await linesAtOffsets(path, {
    isPacked: source.isPacked,
    offsets: rejects.map(({ offset }) => offset),
  })
  const problems = rejects.map(({ offset, kind }) => ({
    line: lines.get(offset) ?? 0,
    expected: SHAPES[kind] ?? 'expected a line of CSV',
  }))
  throw malformedLines(problems, { total, unit: 'line' })
}

/** Reads the file again in its order to find the first wrong values. */
async function locate(
  reader: ImportReader,
  { source, tests, path }: { source: ImportSource; tests: readonly RowTest[]; path: string },
): Promise<readonly LineProblem[]> {
  await reader.keepOrder()
  const wrong = tests.flatMap(({ isWrong, field }, index) => [
    sql`${isWrong} as ${sql.id(`wrong_${index}`)}`,
    sql`${field?.help ?? sql`null`} as ${sql.id(`help_${index}`)}`,
  ])
  const helps = tests.map((_, index) => sql.id(`help_${index}`))
  const any = tests.map((_, index) => sql.id(`wrong_${index}`))
  const found = await runOwn(
    reader.connection,
    sql`
      select record, ${sql.join([...any, ...helps])}
      from (select row_number() over () as record, ${sql.join(wrong)} from ${source.relation})
      where ${sql.join(any, sql` or `)}
      order by record limit ${sql.lit(LIMITS.importLineProblemsReportedMax)}`,
  )
  const rows = found.getRows().map(([record, ...flags]) => ({
    record: Number(record),
    flags: flags.slice(0, tests.length),
    helps: flags.slice(tests.length),
  }))
  const lineOf = await linesOf(source, { path, records: rows.map(({ record }) => record) })
  return rows
    .flatMap(({ record, flags, helps: said }) =>
      tests.flatMap(({ field, expected }, index) =>
        flags[index] === true
          ? [
              {
                line: lineOf(record),
                column: field && sourceName(field.column),
                expected: helped(expected, said[index]),
              },
            ]
          : [],
      ),
    )
    .slice(0, LIMITS.importLineProblemsReportedMax)
}

function helped(expected: string, help: unknown): string {
  return typeof help === 'string' ? `${expected}; ${help}` : expected
}

async function linesOf(
  { format, isPacked }: ImportSource,
  { path, records }: { path: string; records: readonly number[] },
): Promise<(record: number) => number> {
  // In NDJSON a record is a line; in Parquet there are only rows.
  if (format !== 'csv') return (record) => record
  const lines = await linesOfRecords(path, { isPacked, records })
  return (record) => lines.get(record) ?? 0
}

function unitOf({ format }: ImportSource): 'line' | 'row' {
  return format === 'parquet' ? 'row' : 'line'
}
