import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { parseInstant } from '../clock.ts'
import { Fault } from '../faults.ts'
import type { Log } from '../log.ts'
import { Secret } from '../secret.ts'
import type { Database } from './database.ts'
import { startEmbedded } from './embedded-postgres.ts'
import { faultOf } from './fault-of.ts'
import { keepStatements } from './kept-statements.ts'
import { findSession, pinSession } from './pinned-session.ts'
import type { PinnedSession } from './pinned-session.ts'
import { requireOwnSessions } from './require-own-sessions.ts'

/** A server's PostgreSQL, open. Disposing closes the connections, and stops it if it is our own. */
export interface Postgres extends AsyncDisposable {
  readonly db: Database
  /** Where it is, with the password: for what must open its own connections. */
  readonly url: Secret<string>
  /** How each of its connections is set: also one that somebody opens for themselves (`pinned-session.ts`). */
  readonly session: PinnedSession
  /** Resolves when our own has ended though nobody stopped it; one of somebody else's may come back, and is waited for. */
  readonly ended: Promise<Fault>
}

/** PostgreSQL 15 is the oldest version that is tested. */
const VERSION_MIN = 150_000
const POOL_CONNECTIONS = 8
const CONNECT_TIMEOUT_MS = 30_000
/** `bigint[]` in `pg_type`. */
const INT8_ARRAY = 1016

/**
 * Opens a server's PostgreSQL: the one at `url`, else an embedded one under `<directory>/postgres`, in which the
 * database `name` is made if it is missing.
 *
 * Types on the way out: `bigint` (int8, and so `count(*)` and `sum(int)`) is a JavaScript bigint, `bigint[]` an array of them; `timestamptz` is an
 * `Instant`; `date` and `numeric` stay texts; `bytea` is a Buffer; `json` is parsed.
 *
 * @throws Fault `fault.database_unreachable`, `fault.database_version`, `fault.database_unfit`, `fault.directory_version`, `fault.disk_full`
 */
export async function openPostgres({
  directory,
  url,
  name,
  log,
  embeddedSettings = [],
}: {
  directory: string
  url?: Secret<string> | undefined
  name: string
  log: Log
  /** `name=value`, for the embedded server only: one that somebody else runs is set by them. */
  embeddedSettings?: readonly string[]
}): Promise<Postgres> {
  if (url) return connectToForeign(checkedUrl(url), { name, log })
  const embedded = await startEmbedded({ directory, log, settings: embeddedSettings })
  try {
    const urlOf = (database: string) => embeddedUrl(embedded, database)
    await ensureDatabase(urlOf('postgres'), name)
    return await connect(urlOf(name), { name, log, stop: () => embedded.stop(), ended: embedded.ended })
  } catch (error) {
    await embedded.stop()
    throw error
  }
}

async function connectToForeign(url: Secret<string>, parts: { name: string; log: Log }): Promise<Postgres> {
  const postgres = await connect(url, { ...parts, stop: () => Promise.resolve() })
  try {
    await requireOwnSessions(url)
    return postgres
  } catch (error) {
    await postgres[Symbol.asyncDispose]()
    throw faultOf(error, refusalOf(error, addressOf(url)))
  }
}

/**
 * Modes of libpq that encrypt and do not say who answers are the one that does: the driver takes them so too, with a warning that it
 * will not for ever.
 */
export function checkedUrl(url: Secret<string>): Secret<string> {
  return new Secret(
    url.reveal().replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full'),
  )
}

/** The address of a database of an embedded server, in the form that libpq and its relatives read. */
export function embeddedUrl(
  { host, port, user, password }: { host: string; port: number; user: string; password: Secret<string> },
  database: string,
): Secret<string> {
  const place = host.startsWith('/')
    ? `/${database}?host=${encodeURIComponent(host)}&port=${port}`
    : `${host}:${port}/${database}`
  return new Secret(`postgresql://${user}:${password.reveal()}@${place}`)
}

/** Makes the database if it is missing: as a copy of the files of another, which nobody may be using, or empty. */
export async function ensureDatabase(
  adminUrl: Secret<string>,
  name: string,
  template = 'template1',
): Promise<void> {
  const client = new pg.Client({
    connectionString: adminUrl.reveal(),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
    if (rowCount === 0) {
      const [made, from] = [name, template].map((each) => client.escapeIdentifier(each))
      // What has the tables of a server is copied in half the time as files; an empty one is small.
      const how = template === 'template1' ? '' : ' strategy file_copy'
      await client.query(`create database ${made} template ${from}${how}`)
    }
  } catch (error) {
    throw faultOf(error, `Cannot make the database "${name}"`)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Connects, and refuses a server that is too old, or set so that our statements would mean something else. */
export async function connect(
  url: Secret<string>,
  {
    name,
    log,
    stop,
    ended = NEVER,
  }: { name: string; log: Log; stop: () => Promise<void>; ended?: Promise<Fault> },
): Promise<Postgres> {
  const session = await lookAround(url)
  // The pool waits for it before the first statement, whatever its types say, and lets the connection go where it fails.
  const pin: (client: pg.ClientBase) => unknown = (client) => pinSession(client, session)
  const pool = new pg.Pool({
    connectionString: url.reveal(),
    application_name: `hedgerow-${name}`,
    max: POOL_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    allowExitOnIdle: true,
    onConnect: pin,
    types: { getTypeParser },
  })
  // A connection that breaks while nobody uses it is made anew by the pool; without a listener it would end the process.
  pool.on('error', () => log.warn('postgres.connection_lost'))
  // One that breaks between two statements of a transaction tells nobody else either; the next statement fails.
  pool.on('connect', (client) => client.on('error', () => undefined))
  pool.on('connect', keepStatements)
  const db: Database = new Kysely({ dialect: new PostgresDialect({ pool }) })
  return {
    db,
    url,
    session,
    ended,
    [Symbol.asyncDispose]: async () => {
      await db.destroy()
      await stop()
    },
  }
}

/** Looks at a database before the first of our statements. */
async function lookAround(url: Secret<string>): Promise<PinnedSession> {
  const client = new pg.Client({
    connectionString: url.reveal(),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await requireVersion(client)
    return await findSession(client)
  } catch (error) {
    throw faultOf(error, refusalOf(error, addressOf(url)))
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** What a PostgreSQL that is there says no with (its manual, Appendix A), or what is wrong with its certificate, and what to do. */
export function refusalOf(error: unknown, address: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const place = `PostgreSQL at ${address}`
  if (code === '28000')
    return `This user may not enter ${place} in this way: its pg_hba.conf says who may, from where, and whether only with TLS ("?sslmode=verify-full" at the end of the address)`
  if (code === '28P01') return `The password is not right for ${place}`
  if (code === '3D000') return `There is no such database in ${place}`
  if (code === '53300') return `There is no free connection to ${place}`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `The certificate of ${place} is for another host: use the name that it is for`
  if (code === 'CERT_HAS_EXPIRED') return `The certificate of ${place} has expired`
  if (code === 'CERT_NOT_YET_VALID')
    return `The certificate of ${place} is not valid yet: compare the clocks of both machines`
  if (code === 'CERT_REVOKED') return `The certificate of ${place} was revoked`
  if (code.includes('_CERT') || code.includes('LEAF_SIGNATURE'))
    return `The certificate of ${place} is not signed by anybody who is trusted here: add "&sslrootcert=FILE" to the address, with the certificate of who signed it`
  if (error instanceof Error && error.message.includes('does not support SSL'))
    return `There is no TLS at ${place}: turn it on there, or leave "sslmode" out of the address`
  return `Cannot reach ${place}`
}

const NEVER = new Promise<Fault>(() => undefined)

/** Where a PostgreSQL listens, without who may enter. */
function addressOf(url: Secret<string>): string {
  const { host, searchParams } = URL.parse(url.reveal()) ?? { host: '', searchParams: new URLSearchParams() }
  return host === '' ? (searchParams.get('host') ?? 'its address') : host
}

async function requireVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string }>('show server_version_num')
  requireNewEnough(Number(rows[0]?.server_version_num))
}

/**
 * Refuses a version, in the form of `server_version_num`.
 *
 * @throws Fault `fault.database_version`
 */
export function requireNewEnough(version: number): void {
  if (version >= VERSION_MIN) return
  throw new Fault('fault.database_version', {
    what: `Cannot use PostgreSQL ${Math.floor(version / 10_000)}: 15 or newer is needed`,
  })
}

function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (format !== 'binary') {
    if (oid === pg.types.builtins.INT8) return BigInt
    if (oid === pg.types.builtins.TIMESTAMPTZ) return parseTimestamp
    if (oid === pg.types.builtins.DATE) return (text) => text
    if (oid === INT8_ARRAY)
      return (text) =>
        text === '{}'
          ? []
          : text
              .slice(1, -1)
              .split(',')
              .map((item) => (item === 'NULL' ? null : BigInt(item)))
  }
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text')
}

/** `2026-11-24 10:00:00.123+00`; years past 9999 and infinity have no `Instant` and stay texts. */
function parseTimestamp(text: string): unknown {
  return parseInstant(text.replace(' ', 'T').replace(/([+-]\d{2})$/, '$1:00')) ?? text
}
