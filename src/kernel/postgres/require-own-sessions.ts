import pg from 'pg'
import { Fault } from '../faults.ts'
import type { Secret } from '../secret.ts'

/** What a connection is asked: which process of the server works for it. */
export interface Asked {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>
}

const CONNECT_TIMEOUT_MS = 30_000

/** Each of two connections is asked so often; who is asked last is asked first next, so that sessions that go round do not fall in step. */
const ROUNDS = 3

/**
 * Whether two connections have a session each, and keep it. A pool that lends a session for one transaction only gives the one that is free
 * to whoever comes next: then both are worked for by the same process, or one of them by several.
 */
export async function haveOwnSessions(first: Asked, second: Asked): Promise<boolean> {
  const [ofFirst, ofSecond] = [new Set<unknown>(), new Set<unknown>()]
  const order: [Asked, Set<unknown>][] = [
    [first, ofFirst],
    [second, ofSecond],
  ]
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [asked, processes] of order) processes.add(await processOf(asked))
    order.reverse()
  }
  return ofFirst.size === 1 && ofSecond.size === 1 && [...ofFirst].every((one) => !ofSecond.has(one))
}

async function processOf(connection: Asked): Promise<unknown> {
  const { rows } = await connection.query('select pg_backend_pid() as pid')
  const [row] = rows
  return typeof row === 'object' && row !== null && 'pid' in row ? row.pid : undefined
}

/**
 * Refuses a pool that does not keep sessions: what every connection is set to (`pinned-session.ts`), and the locks by which a server has its
 * database for itself, would be another's after the next transaction.
 *
 * @throws Fault `fault.database_unfit`
 */
export async function requireOwnSessions(url: Secret<string>): Promise<void> {
  const settings = {
    connectionString: url.reveal(),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // A pool lets somebody in and lends no session while it has none to lend.
    query_timeout: CONNECT_TIMEOUT_MS,
  }
  const clients = [new pg.Client(settings), new pg.Client(settings)] as const
  for (const client of clients) client.on('error', () => undefined)
  try {
    for (const client of clients) await client.connect()
    if (await haveOwnSessions(...clients)) return
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
  }
  throw new Fault('fault.database_unfit', {
    what: 'Cannot use the database through this pool: it lends a session for one transaction only; let it keep sessions (of PgBouncer pool_mode = session), or reach PostgreSQL directly',
  })
}
