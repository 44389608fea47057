import { DuckDBBlobValue } from '@duckdb/node-api'
import type { DuckDBConnection, DuckDBDataChunk, DuckDBResultReader, DuckDBValue } from '@duckdb/node-api'
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import type { RawBuilder } from 'kysely'
import { convertResult } from './convert-result.ts'
import { NOBODY } from './vault.ts'
import type { VaultResult } from './vault.ts'

/**
 * The vault's own SQL goes through the same template as the record's: identifiers by `sql.id`, values bound. DuckDB
 * reads PostgreSQL's quoting and numbered parameters, so kysely's compiler for it serves here without a connection.
 */
const compiler = new Kysely<unknown>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

/**
 * Runs one of our own statements and reads all it gives. One with values is planned and then run; beside changes that has to be
 * in one transaction, because over rows that came in between a plan fails or reads wrongly (`vault-turns.ts`).
 */
export async function runOwn(
  connection: DuckDBConnection,
  query: RawBuilder<unknown>,
): Promise<DuckDBResultReader> {
  const { sql: text, parameters } = query.compile(compiler)
  return connection.runAndReadAll(text, valuesOf(parameters))
}

/** The same, as a result of the port. */
export async function readOwn(
  connection: DuckDBConnection,
  query: RawBuilder<unknown>,
): Promise<VaultResult> {
  const { sql: text, parameters } = query.compile(compiler)
  const result = await connection.run(text, valuesOf(parameters))
  const columns = result
    .columnNames()
    .map((name, index) => ({ name, type: result.columnType(index).toString() }))
  return convertResult(columns, await result.fetchAllChunks())
}

/** Runs one of our own statements to its end and gives its chunks: what they hold is made values of when it is asked for. */
export async function chunksOwn(
  connection: DuckDBConnection,
  query: RawBuilder<unknown>,
): Promise<readonly DuckDBDataChunk[]> {
  const { sql: text, parameters } = query.compile(compiler)
  return (await connection.run(text, valuesOf(parameters))).fetchAllChunks()
}

/** Runs one of our own statements and gives its chunks as they come. */
export async function* streamOwn(
  connection: DuckDBConnection,
  query: RawBuilder<unknown>,
): AsyncGenerator<DuckDBDataChunk> {
  const { sql: text, parameters } = query.compile(compiler)
  const result = await connection.stream(text, valuesOf(parameters))
  // The next chunk is computed off this thread while the one before is worked on.
  let next = result.fetchChunk()
  for (;;) {
    const chunk = await next
    if (!chunk || chunk.rowCount === 0) return
    next = result.fetchChunk()
    // An error of a chunk that nobody waits for (the consumer stopped) must not end the process.
    next.catch(() => undefined)
    yield chunk
  }
}

/** A list of people to be looked for with `in`; one value whatever their number. */
export function peopleList(people: readonly number[]): RawBuilder<unknown> {
  const text = people.length === 0 ? String(NOBODY) : people.join(',')
  return sql`(select unnest(cast(string_split(${text}, ',') as integer[])))`
}

/** Without any, the engine plans and runs in one step. */
function valuesOf(parameters: readonly unknown[]): DuckDBValue[] | undefined {
  return parameters.length === 0 ? undefined : parameters.map(toEngineValue)
}

function toEngineValue(value: unknown): DuckDBValue {
  if (value instanceof Uint8Array) return new DuckDBBlobValue(value)
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return value
  throw new TypeError('Cannot bind a value of this kind')
}
