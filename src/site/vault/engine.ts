import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { makeDirectory } from '../../kernel/make-directory.ts'

import type { Fault } from '../../kernel/faults.ts'
import { Mutex } from '../../kernel/mutex.ts'
import { VAULT_CATALOGUE, generationPath, snapshotPath } from './generations.ts'
import { runOwn } from './own-sql.ts'
import { vaultEnd, vaultFault } from './vault-fault.ts'

/** How much of the machine the vault may take; `vaultMemoryMiB` and `vaultThreads` unless a site says otherwise. */
export interface EngineLimits {
  readonly memoryMiB: number
  readonly threads: number
}

/** The catalogue, in memory, of tables of eligible people; nothing of it reaches the disk. */
export const ELIGIBLE_CATALOGUE = 'eligible'

/** A locked-down DuckDB on a generation of the vault's file. */
export interface Engine extends AsyncDisposable {
  readonly directory: string
  readonly generation: number
  readonly path: string
  /** The only connection that changes the file, and whoever uses it has the vault's turn to write. */
  readonly writer: DuckDBConnection
  /** For the vault's own reads and for the tables in memory, inside `reading`. */
  readonly reader: DuckDBConnection
  readonly reading: Mutex
  /** A connection that sees both catalogues, for permitted statements. */
  connect(): Promise<DuckDBConnection>
  /** One that sees the vault's file alone, for copying it. */
  connectToCopy(): Promise<DuckDBConnection>
  /** Closes it without folding its log into the file, which is about to be removed. */
  abandon(): void
  /** Resolves when the engine has ended; it answers nothing any more. */
  readonly ended: Promise<Fault>
  /** Looks at a failure: one that ends the engine is told to `ended`. */
  note(error: unknown): void
}

/**
 * Opens the vault's file and locks the engine down: no file but this one, the next generation's and a snapshot's, no network, no
 * extension, no spilling, and no way to change any of it afterwards (second line behind the gate; security model,
 * Enforcing SQL). Answers are PostgreSQL's where a setting decides: whole division, order of nulls, UTC.
 *
 * @throws Fault `fault.directory_in_use`, `fault.directory_version`, `fault.disk_full`, `fault.vault`
 */
export async function openEngine(
  { directory, generation }: { directory: string; generation: number },
  limits: EngineLimits,
): Promise<Engine> {
  makeDirectory(directory)
  const path = generationPath(directory, generation)
  try {
    const instance = await DuckDBInstance.create(path, settings(limits))
    const writer = await instance.connect()
    await lockDown(writer, [generationPath(directory, generation + 1), snapshotPath(directory)])
    const connect = async () => {
      const connection = await instance.connect()
      await connection.run(`set search_path = '${VAULT_CATALOGUE}.main,${ELIGIBLE_CATALOGUE}.main'`)
      return connection
    }
    const reader = await connect()
    const { promise: ended, resolve: end } = Promise.withResolvers<Fault>()
    const close = () => {
      reader.closeSync()
      writer.closeSync()
      instance.closeSync()
    }
    return {
      directory,
      generation,
      path,
      writer,
      reader,
      reading: new Mutex(),
      connect,
      connectToCopy: () => instance.connect(),
      ended,
      note: (error) => {
        const fault = vaultEnd(error)
        if (fault) end(fault)
      },
      abandon: close,
      [Symbol.asyncDispose]: async () => {
        await writer.run('checkpoint').catch(() => undefined)
        close()
      },
    }
  } catch (error) {
    throw vaultFault(error, 'Cannot open the vault')
  }
}

function settings({ memoryMiB, threads }: EngineLimits): Record<string, string> {
  return {
    threads: String(threads),
    memory_limit: `${memoryMiB}MiB`,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_unsigned_extensions: 'false',
    integer_division: 'true',
    default_null_order: 'nulls_last_on_asc_first_on_desc',
    // An error that quotes the statement would carry its literals.
    errors_as_json: 'false',
  }
}

async function lockDown(connection: DuckDBConnection, copies: readonly string[]): Promise<void> {
  await connection.run(`attach ':memory:' as ${ELIGIBLE_CATALOGUE}`)
  await connection.run(`set global TimeZone = 'UTC'`)
  const endings = ['', '.wal', '.wal.checkpoint', '.wal.recovery']
  const paths = copies.flatMap((path) => endings.map((ending) => sql.lit(`${path}${ending}`)))
  await runOwn(connection, sql`set allowed_paths = [${sql.join(paths)}]`)
  // Closing folds the log into the file by itself where that is wanted.
  await connection.run('pragma disable_checkpoint_on_shutdown')
  await connection.run('set enable_external_access = false')
  await connection.run('set lock_configuration = true')
}

/** Runs statements of one connection as one transaction: all or nothing. */
export async function inTransaction<T>(connection: DuckDBConnection, act: () => Promise<T>): Promise<T> {
  await connection.run('begin')
  try {
    const value = await act()
    await connection.run('commit')
    return value
  } catch (error) {
    await connection.run('rollback').catch(() => undefined)
    throw error
  }
}
