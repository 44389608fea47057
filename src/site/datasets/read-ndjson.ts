import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { isScalarType } from '../../protocol/data-set.ts'
import type { Column, Manifest, ScalarType } from '../../protocol/data-set.ts'
import { kindsOf, pathField, pointerOf } from './path-field.ts'
import { unusableFile } from './import-problem.ts'
import { readBytes } from './read-text.ts'
import { sourceName, textField, wrongTest } from './source-field.ts'
import type { ImportSource, SourceField } from './source-field.ts'

/**
 * Newline-delimited JSON: one object a line, its members the columns of the manifest and no others. A member that is
 * missing is null. Lines are read as texts first, so that a broken one is known by its number.
 */
export function ndjsonSource({
  path,
  isPacked,
  manifest,
}: {
  path: string
  isPacked: boolean
  manifest: Manifest
}): ImportSource {
  const names = manifest.columns.map(sourceName)
  const paths = sql`[${sql.join(names.map((name) => sql.lit(pointerOf([name]))))}]`
  const isObject = sql`case when json_valid(line) then json_type(line) = 'OBJECT' else false end`
  const relation = sql`(
    select line, is_object,
      case when is_object then line ->> ${paths} end as texts,
      case when is_object then json_type(line, ${paths}) end as types
    from (select line, ${isObject} as is_object from ${ndjsonLines({ path, isPacked })}))`
  const known = sql`list_has_all([${sql.join(names.map((name) => sql.lit(name)))}], json_keys(line))`
  return {
    format: 'ndjson',
    isPacked,
    relation,
    fields: manifest.columns.map((column, index) =>
      isScalarType(column.type) && !column.path
        ? jsonField(column, {
            type: column.type,
            position: index + 1,
            isKey: column.name === manifest.person.key,
          })
        : documentField(column),
    ),
    wrongRow: {
      test: sql`(case when is_object then not ${known} else true end)`,
      expected: 'expected one JSON object with members that are columns in the manifest',
    },
  }
}

/**
 * Refuses one JSON document over several lines, where each line would be said to be none.
 *
 * @throws Fault `fault.import_malformed`
 */
export async function requireObjectLines(path: string, { isPacked }: { isPacked: boolean }): Promise<void> {
  for await (const bytes of readBytes(path, { isPacked })) {
    const [line = ''] = new TextDecoder().decode(bytes).split('\n')
    if (/^\s*\[/.test(line) || /^\s*\{\s*$/.test(line))
      throw unusableFile(
        'it seems to be one JSON document, expected one object a line; a list is written so by: jq -c ".[]" FILE > NEW-FILE.ndjson',
      )
    return
  }
}

/** The lines of a text, each as `line`. */
export function ndjsonLines({ path, isPacked }: { path: string; isPacked: boolean }): RawBuilder<unknown> {
  return sql`read_csv(${sql.lit(path)}, auto_detect = false, header = false, delim = '\u0001', quote = '', escape = '',
    columns = {'line': 'VARCHAR'}, compression = ${sql.lit(isPacked ? 'gzip' : 'none')}, store_rejects = true)`
}

/** A document or a list: what stands at the member, as it is written there. */
function documentField(column: Column): SourceField {
  const member = sql`case when is_object then line -> ${sql.lit(pointerOf([sourceName(column)]))} end`
  const text = sql`nullif((${member})::varchar, 'null')`
  return column.path ? pathField(column, text) : textField(column, text, { isKey: false })
}

/** A single value, of a kind that the column takes. */
function jsonField(
  column: Column,
  { type, position, isKey }: { type: ScalarType; position: number; isKey: boolean },
): SourceField {
  const text: RawBuilder<unknown> = sql`nullif(texts[${sql.lit(position)}], '')`
  const field = textField(column, text, { isKey })
  const kind = sql`types[${sql.lit(position)}]`
  const isMistyped = sql`(${kind} not in (${kindsOf(type, { isKey })}) or ${field.isWrong})`
  return { ...field, isWrong: wrongTest(column, { text, isKey, isMistyped }) }
}
