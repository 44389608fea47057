import { generateKeyPairSync, sign } from 'node:crypto'
import pg from 'pg'
import { databaseBytes } from './database-bytes.ts'
import { EVERYBODY, MINIMUM_GROUP, countsText } from './operations.ts'
import type { Answer, GdprSystem, Operation } from './operations.ts'
import { recordOf } from './records.ts'

/**
 * What of GDPRbench's own changes a PostgreSQL has. Both keep metadata beside each record and commit durably, each operation by
 * itself. `plain` has nothing else; its system log holds what was there before. `retrofitted` has what the paper adds:
 * indexes on metadata, an expiry that every read looks at, and a line in the log for every operation, reads too, in the same
 * transaction. `signed` has that line signed (Ed25519), as somebody who has to show it to others needs it: what the contract of a
 * site asks of every operation, and nothing else of it (no number without a gap, no proof, no keys of people, no consent).
 */
export type Retrofit = 'plain' | 'retrofitted' | 'signed'

/** Lines that the system log begins with: more than are ever asked for at once. */
const LOG_LINES = 200

/** Makes a database ready, with a connection for each caller. */
export async function openOnPostgres(
  url: string,
  { records, callers, retrofit }: { records: number; callers: number; retrofit: Retrofit },
): Promise<GdprSystem & AsyncDisposable> {
  const clients = await Promise.all(Array.from({ length: callers }, () => connected(url)))
  const clientOf = (caller: number): pg.Client => {
    const client = clients[caller % clients.length]
    if (!client) throw new Error('There is no connection')
    return client
  }
  await fill(clientOf(0), { records, retrofit })
  return {
    name: `PostgreSQL, ${retrofit}`,
    perform: (operation, caller) =>
      retrofit === 'plain'
        ? answerOf(clientOf(caller), operation, 'true')
        : logged(clientOf(caller), operation, retrofit),
    bytes: () => databaseBytes(url),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.end()))
    },
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  return client
}

async function fill(
  client: pg.Client,
  { records, retrofit }: { records: number; retrofit: Retrofit },
): Promise<void> {
  await client.query(`
    create table record (
      usr text primary key, data text not null, source text not null, purposes text[] not null,
      objections text[] not null default '{}', expires_at timestamptz not null default now() + interval '5 years');
    create table operation_log (id bigint generated always as identity primary key, at timestamptz not null default now(),
      operation text not null, usr text, signature bytea);
    insert into operation_log (operation) select 'filling' from generate_series(1, ${LOG_LINES})`)
  for (let start = 0; start < records; start += 5_000) {
    const some = Array.from({ length: Math.min(5_000, records - start) }, (_, index) =>
      recordOf(start + index),
    )
    await client.query(
      'insert into record (usr, data, source, purposes) select usr, data, source, array[purpose] from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as t (usr, data, source, purpose)',
      [
        some.map(({ user }) => user),
        some.map(({ data }) => data),
        some.map(({ source }) => source),
        some.map(({ purpose }) => purpose),
      ],
    )
  }
  if (retrofit !== 'plain')
    await client.query('create index on record using gin (purposes); create index on record (expires_at)')
  await client.query('vacuum analyze')
}

/** The operation and its line in the log, in one transaction. */
async function logged(
  client: pg.Client,
  operation: Operation,
  retrofit: Exclude<Retrofit, 'plain'>,
): Promise<Answer> {
  const user = 'user' in operation ? operation.user : null
  const line = Buffer.from(JSON.stringify({ operation: operation.kind, user, at: Date.now() }))
  await client.query('begin')
  await client.query({
    name: 'log',
    text: 'insert into operation_log (operation, usr, signature) values ($1, $2, $3)',
    values: [operation.kind, user, retrofit === 'signed' ? sign(null, line, logKey) : null],
  })
  const answer = await answerOf(client, operation, 'expires_at > now()')
  await client.query('commit')
  return answer
}

const logKey = generateKeyPairSync('ed25519').privateKey

async function answerOf(client: pg.Client, operation: Operation, inForce: string): Promise<Answer> {
  const run = <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
    client.query<Row>({ name: text.slice(0, 60), text, values: [...values] })
  const done = ({ rowCount }: pg.QueryResult): Answer => (rowCount === 0 ? 'gone' : 'done')
  switch (operation.kind) {
    case 'create-record': {
      const { user, data, source, purpose } = operation.record
      return done(
        await run('insert into record (usr, data, source, purposes) values ($1, $2, $3, array[$4])', [
          user,
          data,
          source,
          purpose,
        ]),
      )
    }
    case 'read-data-by-usr': {
      const { rows } = await run<{ data: string }>(`select data from record where usr = $1 and ${inForce}`, [
        operation.user,
      ])
      return rows[0]?.data ?? 'gone'
    }
    case 'read-metadata-by-usr': {
      const { rows } = await run<{ purposes: string[] }>(
        `select purposes from record where usr = $1 and ${inForce}`,
        [operation.user],
      )
      return rows[0]?.purposes.toSorted().join(',') ?? ''
    }
    case 'read-data-by-pur':
    case 'count-by-pur':
    case 'decide-use':
      return countedOf(run, operation, inForce)
    case 'update-data-by-key':
      return done(await run('update record set data = $2 where usr = $1', [operation.user, operation.data]))
    case 'update-metadata-by-pur': {
      const text = operation.isGranted
        ? 'update record set purposes = array_append(purposes, $2) where usr = $1'
        : 'update record set purposes = array_remove(purposes, $2) where usr = $1'
      return done(await run(text, [operation.user, operation.purpose]))
    }
    case 'update-metadata-by-usr': {
      const text = operation.isObjecting
        ? 'update record set objections = array_append(objections, $2) where usr = $1'
        : 'update record set objections = array_remove(objections, $2) where usr = $1'
      return done(await run(text, [operation.user, operation.purpose]))
    }
    case 'delete-record-by-usr':
      return done(await run('delete from record where usr = $1', [operation.user]))
    case 'get-system-logs': {
      const { rows } = await run('select * from operation_log order by id desc limit $1', [operation.count])
      return String(rows.length)
    }
    case 'verify-deletion': {
      const { rows } = await run('select 1 from record where usr = $1', [operation.user])
      return rows.length === 0 ? 'gone' : 'there'
    }
  }
}

type Run = <Row extends pg.QueryResultRow>(
  text: string,
  values: readonly unknown[],
) => Promise<pg.QueryResult<Row>>

/** What is asked of all who let their data be used for a purpose. */
async function countedOf(
  run: Run,
  operation: Extract<Operation, { kind: 'read-data-by-pur' | 'count-by-pur' | 'decide-use' }>,
  inForce: string,
): Promise<Answer> {
  const { kind, purpose } = operation
  const where = `purposes @> array[$1] and not objections @> array[$1] and ${inForce}`
  if (kind === 'read-data-by-pur') {
    const { rows } = await run<{ source: string; people: string }>(
      `select source, count(*) as people from record where ${where} group by source`,
      [purpose],
    )
    return countsText(rows.map(({ source, people }) => [source, Number(people)]))
  }
  const { rows } = await run<{ people: string }>(`select count(*) as people from record where ${where}`, [
    purpose,
  ])
  const people = Number(rows[0]?.people)
  if (kind === 'count-by-pur') return countsText([[EVERYBODY, people]])
  return people >= MINIMUM_GROUP ? 'allowed' : 'refused'
}
