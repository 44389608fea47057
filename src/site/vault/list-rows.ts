import { AsyncLocalStorage } from 'node:async_hooks'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { GroupCommit } from '../../kernel/group-commit.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Engine } from './engine.ts'
import { peopleList, readOwn } from './own-sql.ts'
import { ofDays } from './row-days.ts'
import { PERSON_COLUMN, tableOf } from './stored-columns.ts'
import type { RowDays, Vault, VaultResult } from './vault.ts'
import type { ReadApart, Turn } from './vault-turns.ts'

/** Numbers whose rows are read by one statement. */
const READ_AT_ONCE = 64

/** The two lists of rows of a data set, in the order in which they lie. */
export function rowLists({
  reading,
  looking,
  apart,
}: {
  readonly reading: Turn
  readonly looking: Turn
  readonly apart: ReadApart
}): Pick<Vault, 'listRows' | 'listRowsOf'> {
  const lines = new Map<DataSetId, GroupCommit<number, VaultResult>>()
  // What reads for several is of no caller's course of events: it holds no engine that one of them holds.
  const readTogether = AsyncLocalStorage.bind((dataSet: DataSetId, numbers: readonly number[]) =>
    // Without a value to bind it is planned and run in one step: one way to the engine, and no transaction.
    looking('list rows', (engine) => listTogether(engine, { dataSet, numbers })),
  )
  const lineOf = (dataSet: DataSetId) => {
    const line =
      lines.get(dataSet) ?? new GroupCommit((numbers) => readTogether(dataSet, numbers), READ_AT_ONCE)
    lines.set(dataSet, line)
    return line
  }
  return {
    listRows: (dataSet, person, days) =>
      days === undefined
        ? lineOf(dataSet).add(person)
        : reading('list rows', (engine) => listRows(engine, { dataSet, person, days })),
    listRowsOf: (dataSet, people, days) =>
      apart('list rows', (connection) => listRowsOf(connection, { dataSet, people, days })),
  }
}

/**
 * The rows of each number, read by one statement: a part for each. The engine holds an equality against a column as it reads it and
 * passes over everything else, but looks at every column of all rows for a list of numbers (measured, four of 100,000 people: 5.6 ms
 * of the processor, and 2.2 so).
 */
async function listTogether(
  engine: Engine,
  { dataSet, numbers }: { dataSet: DataSetId; numbers: readonly number[] },
): Promise<readonly VaultResult[]> {
  const [person = 0, ...more] = numbers
  if (more.length === 0) return [await listRows(engine, { dataSet, person, days: undefined })]
  const [own, table] = [sql.id(PERSON_COLUMN), sql.id(tableOf(dataSet))]
  const parts = [...new Set(numbers)].map(
    (number) => sql`select ${own}, * exclude (${own}) from ${table} where ${own} = ${sql.lit(number)}`,
  )
  const all = await readOwn(engine.reader, sql`${sql.join(parts, sql` union all `)}`)
  const whose = all.column(0)
  const places = Map.groupBy(whose.keys(), (row) => Number(whose[row]))
  return numbers.map((number) => rowsAt(all, places.get(number) ?? []))
}

/** As many as the engine gives at a time. */
const PIECE_ROWS = 2_048

/** Some rows of a result, without its first column. */
function rowsAt(all: VaultResult, places: readonly number[]): VaultResult {
  const at = <T>(values: readonly T[]): readonly T[] => {
    const own: T[] = []
    for (const place of places) {
      const value = values[place]
      if (value !== undefined) own.push(value)
    }
    return own
  }
  const columns = all.columns.slice(1)
  const column: VaultResult['column'] = (index) => at(all.column(index + 1))
  return {
    columns,
    rowCount: places.length,
    column,
    doubles: (index) => {
      const doubles = all.doubles(index + 1)
      return Float64Array.from(places, (place) => doubles[place] ?? Number.NaN)
    },
    bytes: (index) => at(all.bytes(index + 1)),
    sets: (index) => at(all.sets(index + 1)),
    listed: (index) => at(all.listed(index + 1)),
    rows: () => {
      const values = columns.map((_, index) => column(index))
      return places.map((_, row) => values.map((own) => own[row] ?? null))
    },
    pieces: () =>
      Array.from({ length: Math.ceil(places.length / PIECE_ROWS) }, (_, piece) =>
        rowsAt(all, places.slice(piece * PIECE_ROWS, (piece + 1) * PIECE_ROWS)),
      ),
  }
}

async function listRows(
  { reader }: Engine,
  { dataSet, person, days }: { dataSet: DataSetId; person: number; days: RowDays | undefined },
): Promise<VaultResult> {
  const query = sql`
    select * exclude (${sql.id(PERSON_COLUMN)}) from ${sql.id(tableOf(dataSet))}
    where ${sql.id(PERSON_COLUMN)} = ${sql.lit(person)} and ${ofDays(days)}`
  return readOwn(reader, query)
}

async function listRowsOf(
  connection: DuckDBConnection,
  { dataSet, people, days }: { dataSet: DataSetId; people: readonly number[]; days: RowDays | undefined },
): Promise<VaultResult> {
  const person = sql.id(PERSON_COLUMN)
  return readOwn(
    connection,
    sql`select * from ${sql.id(tableOf(dataSet))} where ${person} in ${peopleList(people)} and ${ofDays(days)} order by ${person}`,
  )
}
