import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { silentLog } from '../kernel/log.ts'
import { connect } from '../kernel/postgres/open-postgres.ts'
import { testDatabaseUrl } from './test-postgres.ts'
import { whenMissing } from '../kernel/when-missing.ts'

/** Every file below a directory, whole; one that goes away meanwhile is none. */
export async function filesOf(directory: string): Promise<readonly Buffer[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const read = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name)).catch(whenMissing(Buffer.alloc(0)))),
  )
  return read
}

/** Where the PostgreSQL that the tests of a process share keeps its files, with everything flushed to them. */
export async function postgresDirectory(): Promise<string> {
  await using postgres = await connect(await testDatabaseUrl(), {
    name: 'look',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  await sql`checkpoint`.execute(postgres.db)
  const { rows } = await sql<{ data_directory: string }>`show data_directory`.execute(postgres.db)
  return join(rows[0]?.data_directory ?? '', '..')
}
