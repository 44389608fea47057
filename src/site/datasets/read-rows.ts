import { BLOB, DuckDBBlobValue, DuckDBScalarFunction, INTEGER, VARCHAR } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import type { Random } from '../../kernel/random.ts'
import { keyColumnsOf, placeOf } from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { engineType, typeName } from '../vault/engine-types.ts'
import { streamOwn } from '../vault/own-sql.ts'
import { cellContext } from '../vault/keys/person-keys.ts'
import { EngineChunk } from '../vault/row-chunk.ts'
import { nonceSource, seal } from '../vault/keys/seal-cell.ts'
import { PERSON_COLUMN, storedColumns } from '../vault/stored-columns.ts'
import type { StoredColumn } from '../vault/stored-columns.ts'
import type { ImportReader } from './import-reader.ts'
import { NUMBERS_TABLE } from './number-people.ts'
import type { KeyRing } from './number-people.ts'
import { HOUSEHOLDS_TABLE } from './number-households.ts'
import type { ImportSource, SourceField } from './source-field.ts'

/**
 * The rows of a checked file in the file's order, from row `from` on, as the vault stores them: numbers in place of
 * people's keys, sealed where the manifest says. The engine moves whole chunks; only sealed values pass through here.
 */
export async function* readRows(
  reader: ImportReader,
  {
    source,
    manifest,
    ring,
    random,
    from,
  }: { source: ImportSource; manifest: Manifest; ring: KeyRing; random: Random; from: number },
): AsyncGenerator<EngineChunk> {
  await reader.keepOrder()
  const fieldOf = (name: string): SourceField => {
    const field = source.fields.find(({ column }) => column.name === name)
    if (!field)
      throw new Fault('fault.internal', { what: `Cannot read the column "${name}": the file has none` })
    return field
  }
  const columns = storedColumns(manifest).map((stored, index) => {
    const field = fieldOf(stored.column.name)
    if (!stored.isSealed) return sql`${field.typed}::${typeName(engineType(stored))}`
    const sealed = sealing(reader, { manifest, ring, random, stored, index })
    return sealed(sql.id(`n${placeOf(manifest, stored.column)}`, 'position'), field.text)
  })
  const keys = keyColumnsOf(manifest).map((name) => fieldOf(name).text)
  const rows = sql`
    select ${keys.length === 1 ? sql`n0.number` : sql`coalesce(h.number, n0.number)`} as ${sql.id(PERSON_COLUMN)}, ${sql.join(columns)}
    from ${source.relation} f ${sql.join(joinsOf(keys), sql` `)}
    offset ${sql.lit(from)}`
  for await (const chunk of streamOwn(reader.connection, rows)) yield new EngineChunk(chunk)
}

/** Each person that a row names, by `n` and their place; and those who stand behind it together as `h`. */
function joinsOf(keys: readonly RawBuilder<unknown>[]): readonly RawBuilder<unknown>[] {
  const people = keys.map(
    (key, place) =>
      sql`left join ${sql.id(NUMBERS_TABLE)} ${sql.id(`n${place}`)} on ${sql.id(`n${place}`, 'key')} = ${key}`,
  )
  if (keys.length === 1) return people
  const same = keys.map((key, place) => sql`${sql.id('h', `key_${place}`)} is not distinct from ${key}`)
  return [...people, sql`left join ${sql.id(HOUSEHOLDS_TABLE)} h on ${sql.join(same, sql` and `)}`]
}

/** A function of the reader's engine that seals one column; it is called with whole vectors. */
function sealing(
  { connection }: ImportReader,
  {
    manifest,
    ring,
    random,
    stored,
    index,
  }: { manifest: Manifest; ring: KeyRing; random: Random; stored: StoredColumn; index: number },
): (position: RawBuilder<unknown>, text: RawBuilder<unknown>) => RawBuilder<unknown> {
  const name = `seal_${index}`
  const context = cellContext({ dataSet: manifest.dataSet, column: stored.column.name })
  const nextNonce = nonceSource(random)
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      returnType: BLOB,
      parameterTypes: [INTEGER, VARCHAR],
      // The same text twice must not give the same bytes.
      volatile: true,
      specialHandling: true,
      mainFunction: (_, input, output) => {
        const positions = input.getColumnVector(0)
        const texts = input.getColumnVector(1)
        for (let row = 0; row < input.rowCount; row += 1) {
          const position: unknown = positions.getItem(row)
          const text: unknown = texts.getItem(row)
          if (typeof text !== 'string' || typeof position !== 'number') {
            output.setItem(row, null)
            continue
          }
          const sealed = seal(text, { key: ring.keyAt(position), nonce: nextNonce(), context })
          output.setItem(row, new DuckDBBlobValue(sealed))
        }
        output.flush()
      },
    }),
  )
  return (position, text) => sql`${sql.id(name)}(${position}, ${text})`
}
