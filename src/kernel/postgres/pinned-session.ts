import pg from 'pg'
import { Fault } from '../faults.ts'

/**
 * What every connection of a server is set to, whatever its role, its database or its cluster was set to (`alter role … set`), so
 * that statements mean one thing, and what was acknowledged is on the disk.
 */
export interface PinnedSession {
  /** The schema that holds the tables: the only one besides PostgreSQL's own in which a name is looked up (CVE-2018-1058). */
  readonly schema: string
  /** For what of standbys a commit waits is the administrator's; it waits for the disk of the server in any case. */
  readonly synchronousCommit: (typeof DURABLE)[number]
}

/** All of them but `off`, in whose place the least of them comes: nobody waits for a standby that nobody wanted to wait for. */
const DURABLE = ['local', 'remote_write', 'on', 'remote_apply'] as const

/** Settings that change what a statement or a value's text means, when it ends, or whether it lasts. */
const PINNED: Readonly<Record<string, string>> = {
  array_nulls: 'on',
  backslash_quote: 'safe_encoding',
  bytea_output: 'hex',
  client_encoding: 'UTF8',
  datestyle: 'ISO, MDY',
  default_tablespace: '',
  default_transaction_deferrable: 'off',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  extra_float_digits: '1',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  intervalstyle: 'postgres',
  lc_monetary: 'C',
  lc_numeric: 'C',
  lc_time: 'C',
  lock_timeout: '0',
  // Whoever owns tables is not held by their policies; if one held all the same, a statement fails instead of seeing less.
  row_security: 'off',
  standard_conforming_strings: 'on',
  statement_timeout: '0',
  timezone: 'UTC',
  transform_null_equals: 'off',
}

/** Settings that only a superuser may change; with any other value triggers do not run, or damage is taken for data. */
const REQUIRED: Readonly<Record<string, string>> = {
  ignore_checksum_failure: 'off',
  server_encoding: 'UTF8',
  session_replication_role: 'origin',
  zero_damaged_pages: 'off',
}

/** Sets a new connection. */
export async function pinSession(
  client: pg.ClientBase,
  { schema, synchronousCommit }: PinnedSession,
): Promise<void> {
  // What is temporary comes last: it is looked for first where it is not named.
  const path = `${pg.escapeIdentifier(schema)}, pg_temp`
  await client.query(`${SET_ALL}; set synchronous_commit = ${synchronousCommit}; set search_path = ${path}`)
}

/** Since PostgreSQL 17; first, because it is running already. With its schema, because the path is not set yet. */
const SET_TRANSACTION_TIMEOUT = `select pg_catalog.set_config('transaction_timeout', '0', false)
  where pg_catalog.current_setting('transaction_timeout', true) is not null`

const SET_ALL = [
  SET_TRANSACTION_TIMEOUT,
  ...Object.entries(PINNED).map(([name, value]) => `set ${name} = ${pg.escapeLiteral(value)}`),
].join('; ')

/**
 * How the connections of a server are to be set, by looking at the database with one that is not yet.
 *
 * @throws Fault `fault.database_unfit` when others may put things between us and our tables, or values would not be what they are
 */
export async function findSession(client: pg.ClientBase): Promise<PinnedSession> {
  await client.query(SET_ALL)
  // With their schema, because until the path is set a name without one is what somebody else made of it.
  const [found] = await rowsOf<{ schema: string | null; commit: string }>(
    client,
    `select pg_catalog.current_schema() as schema, pg_catalog.current_setting('synchronous_commit') as commit`,
  )
  await client.query('set search_path = pg_catalog, pg_temp')
  await requireSettings(client)
  const schema = found?.schema ?? undefined
  if (schema === undefined)
    throw unfit(
      'its role finds no schema on its search path; make one that it owns and run alter role … set search_path',
    )
  await requireOneHome(client, schema)
  await requireNoOtherMakers(client, schema)
  await requireNothingPlanted(client, schema)
  return { schema, synchronousCommit: DURABLE.find((level) => level === found?.commit) ?? 'local' }
}

async function requireSettings(client: pg.ClientBase): Promise<void> {
  const settings = await rowsOf<{ name: string; value: string }>(
    client,
    'select name, current_setting(name) as value from pg_settings where name = any($1)',
    [Object.keys(REQUIRED)],
  )
  const wrong = settings.find(({ name, value }) => REQUIRED[name] !== value)
  if (wrong) throw unfit(`its ${wrong.name} is "${wrong.value}", and "${REQUIRED[wrong.name]}" is needed`)
}

/** A search path that was changed since would make a server begin anew, beside all that it has. */
async function requireOneHome(client: pg.ClientBase, schema: string): Promise<void> {
  const homes = await rowsOf<{ home: string }>(
    client,
    `select n.nspname as home from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relname = 'schema_step_digest' and c.relkind = 'r' and pg_has_role(c.relowner, 'usage') order by 1`,
  )
  if (homes.length === 0 || homes.some(({ home }) => home === schema)) return
  throw unfit(
    `the tables of Hedgerow stand in the schema "${homes[0]?.home}", and its role looks into "${schema}"; run alter role … set search_path = ${homes[0]?.home}`,
  )
}

/** Whoever makes a function beside our tables has it called in the place of PostgreSQL's own, with our rights. */
async function requireNoOtherMakers(client: pg.ClientBase, schema: string): Promise<void> {
  const [maker] = await rowsOf<{ who: string }>(
    client,
    `select coalesce(r.rolname, 'public') as who
     from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a left join pg_roles r on r.oid = a.grantee
     where n.nspname = $1 and a.privilege_type = 'CREATE' and a.grantee <> n.nspowner and not coalesce(r.rolsuper, false)
       and (a.grantee = 0 or not pg_has_role(a.grantee, 'usage')) order by 1 limit 1`,
    [schema],
  )
  if (!maker) return
  throw unfit(
    `"${maker.who}" may make functions in its schema "${schema}"; run revoke create on schema ${schema} from ${maker.who}`,
  )
}

/** What somebody put there while they could. Of superusers it is not asked: they need no such trick. */
async function requireNothingPlanted(client: pg.ClientBase, schema: string): Promise<void> {
  const [planted] = await rowsOf<{ what: string; who: string }>(
    client,
    `with home as (select oid, nspowner from pg_namespace where nspname = $1),
     made as (
       select p.oid::regprocedure::text as what, p.proowner as owner from home join pg_proc p on p.pronamespace = home.oid
       union all select o.oid::regoperator::text, o.oprowner from home join pg_operator o on o.oprnamespace = home.oid
       union all select c.relname, c.relowner from home join pg_class c on c.relnamespace = home.oid
       union all select t.typname, t.typowner from home join pg_type t on t.typnamespace = home.oid and t.typrelid = 0 and t.typelem = 0
     )
     select made.what, r.rolname as who from made join pg_roles r on r.oid = made.owner
     where not r.rolsuper and made.owner <> (select nspowner from home) and not pg_has_role(made.owner, 'usage')
     order by 1 limit 1`,
    [schema],
  )
  if (!planted) return
  throw unfit(
    `"${planted.who}" put "${planted.what}" into its schema "${schema}"; use a database of Hedgerow’s own, or drop it`,
  )
}

async function rowsOf<R>(
  client: pg.ClientBase,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  const { rows } = await client.query(text, [...values])
  return rows as readonly R[]
}

function unfit(why: string): Fault {
  return new Fault('fault.database_unfit', { what: `Cannot use the database: ${why}` })
}
