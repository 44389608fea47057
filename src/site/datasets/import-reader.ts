import { DuckDBInstance, DuckDBScalarFunction, VARCHAR } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { LIMITS } from '../../kernel/limits.ts'
import { LIST_TYPES } from '../../protocol/data-set.ts'
import { runOwn } from '../vault/own-sql.ts'
import { storedText } from '../vault/stored-json.ts'

/** An engine of its own, in memory, that may read one file and nothing else. */
export interface ImportReader extends Disposable {
  readonly connection: DuckDBConnection
  /** From here on rows come in the order of the file: on one thread, and no join is turned round. */
  keepOrder(): Promise<void>
}

/** Opens the engine for one file. */
export async function openReader(path: string, { threads }: { threads: number }): Promise<ImportReader> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${LIMITS.importReaderMemoryMiB}MiB`,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  })
  const connection = await instance.connect()
  registerStoredText(connection)
  await runOwn(connection, sql`set allowed_paths = [${sql.lit(path)}]`)
  await runOwn(connection, sql`set enable_external_access = false`)
  await runOwn(connection, sql`set global TimeZone = 'UTC'`)
  return {
    connection,
    keepOrder: async () => {
      await runOwn(connection, sql`set threads = 1`)
      await runOwn(connection, sql`set disabled_optimizers = 'join_order,build_side_probe_side'`)
    },
    [Symbol.dispose]: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** A function of the engine: a JSON text as the vault keeps a column of the type named second; null where it cannot be kept so. */
export const STORED_TEXT = 'stored_text'

function registerStoredText(connection: DuckDBConnection): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name: STORED_TEXT,
      returnType: VARCHAR,
      parameterTypes: [VARCHAR, VARCHAR],
      specialHandling: true,
      mainFunction: (_, input, output) => {
        const [texts, types] = [input.getColumnVector(0), input.getColumnVector(1)]
        for (let row = 0; row < input.rowCount; row += 1) {
          const [text, type]: readonly unknown[] = [texts.getItem(row), types.getItem(row)]
          const form = type === 'json' ? 'json' : LIST_TYPES.find((list) => list === type)
          output.setItem(row, typeof text === 'string' && form ? (storedText(text, form) ?? null) : null)
        }
        output.flush()
      },
    }),
  )
}
