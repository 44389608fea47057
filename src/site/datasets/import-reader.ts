import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { LIMITS } from '../../kernel/limits.ts'
import { runOwn } from '../vault/own-sql.ts'

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
