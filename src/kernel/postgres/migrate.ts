import {
  DummyDriver,
  Kysely,
  OperationNodeTransformer,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import type { KyselyPlugin, QueryId, RawNode } from 'kysely'
import { Migrator } from 'kysely/migration'
import type { Digest } from '../digest.ts'
import { digestOfJson } from '../digest.ts'
import { Fault } from '../faults.ts'
import type { Database } from './database.ts'
import { faultOf } from './fault-of.ts'

/** One step of a schema, forward only. It runs once per database, in a transaction with the others of its start. */
export interface Migration {
  up(db: Database): Promise<void>
}

/** The schema of a server: its steps by name, in order of their names. */
export type Migrations = Readonly<Record<string, Migration>>

/** Any number that nothing else locks by: two servers on one database bring it up to date one after the other. */
const SCHEMA_LOCK = 74_000_001

/**
 * Brings a database to the newest schema; names sort (`0010-create-grants`). All pending steps are one transaction.
 *
 * The digest of each step's statements is recorded. A step that is in the database but not here was made by a newer
 * version, and a step whose statements changed after it had run is a mistake: both are refused before anything is touched.
 *
 * @throws Fault `fault.directory_version`, or what `faultOf` makes of a failure
 */
export async function migrate(db: Database, migrations: Migrations): Promise<void> {
  const digests = new Map<string, Digest>()
  for (const [name, migration] of Object.entries(migrations)) digests.set(name, await digestOfStep(migration))
  await requireSameHistory(db, digests)
  const isOld = (await versionOf(db)) < STORAGE_SINCE
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(isOld ? inOldWords(migrations) : { ...migrations }) },
    migrationTableName: 'schema_step',
    migrationLockTableName: 'schema_step_lock',
    allowUnorderedMigrations: true,
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error !== undefined) {
    const failed = results?.find(({ status }) => status === 'Error')?.migrationName
    throw faultOf(
      error,
      failed === undefined ? 'Cannot bring the schema up to date' : `Cannot run the schema step "${failed}"`,
    )
  }
  await recordDigests(db, digests)
}

/** The first PostgreSQL in which `create table` may say how a column is stored (its release notes, 16). */
const STORAGE_SINCE = 160_000

async function versionOf(db: Database): Promise<number> {
  const { rows } = await sql<{
    version: string
  }>`select current_setting('server_version_num') as version`.execute(db)
  return Number(rows[0]?.version)
}

/**
 * The same steps for a PostgreSQL 15, without a word that it does not know. How long texts are stored is about speed, and a later step
 * says it again in the words of all.
 */
export function inOldWords(migrations: Migrations): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(migrations).map(([name, step]) => [
      name,
      { up: (db: Database) => step.up(db.withPlugin(WITHOUT_STORAGE)) },
    ]),
  )
}

class WithoutStorage extends OperationNodeTransformer {
  protected override transformRaw(node: RawNode, queryId?: QueryId): RawNode {
    const raw = super.transformRaw(node, queryId)
    return {
      ...raw,
      sqlFragments: raw.sqlFragments.map((text) =>
        /^\s*create table /.test(text) ? text.replaceAll(' text storage external', ' text') : text,
      ),
    }
  }
}

const withoutStorage = new WithoutStorage()
const WITHOUT_STORAGE: KyselyPlugin = {
  transformQuery: ({ node, queryId }) => withoutStorage.transformNode(node, queryId),
  transformResult: ({ result }) => Promise.resolve(result),
}

/** The digest of the statements of a step, white space apart: the same from source and from the published package. */
async function digestOfStep(migration: Migration): Promise<Digest> {
  const statements: string[] = []
  const recorder: Database = new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: (event) => void statements.push(event.query.sql.replaceAll(/\s+/g, ' ').trim()),
  })
  await migration.up(recorder)
  return digestOfJson(statements)
}

async function requireSameHistory(db: Database, digests: ReadonlyMap<string, Digest>): Promise<void> {
  for (const { name, digest } of await readHistory(db)) {
    const ours = digests.get(name)
    if (ours === undefined) {
      throw new Fault('fault.directory_version', {
        what: `Cannot use the database: its schema has the step "${name}" of another version of Hedgerow`,
      })
    }
    if (ours !== digest) {
      throw new Fault('fault.directory_version', {
        what: `Cannot use the database: the schema step "${name}" ran there in another form`,
      })
    }
  }
}

async function readHistory(db: Database): Promise<readonly { name: string; digest: string }[]> {
  try {
    return await db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(${SCHEMA_LOCK})`.execute(tx)
      await sql`create table if not exists schema_step_digest (name text primary key, digest text not null)`.execute(
        tx,
      )
      const { rows } = await sql<{
        name: string
        digest: string
      }>`select name, digest from schema_step_digest order by name`.execute(tx)
      return rows
    })
  } catch (error) {
    const fault = faultOf(error, 'Cannot read the version of the schema')
    if (fault.code !== 'fault.database_unfit') throw fault
    throw new Fault('fault.database_unfit', {
      what: 'Cannot use the database: its role may not make tables in it; make it the owner of the database ("alter database NAME owner to ROLE")',
      cause: error,
    })
  }
}

async function recordDigests(db: Database, digests: ReadonlyMap<string, Digest>): Promise<void> {
  await sql`
    insert into schema_step_digest (name, digest)
    select * from unnest(${[...digests.keys()]}::text[], ${[...digests.values()]}::text[])
    on conflict (name) do nothing`.execute(db)
}
