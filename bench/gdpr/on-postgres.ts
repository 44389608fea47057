import pg from 'pg'
import { countsText } from './operations.ts'
import type { Answer, GdprSystem, Operation } from './operations.ts'
import { recordOf } from './records.ts'

/**
 * Plain PostgreSQL with what GDPRbench adds to one: metadata beside each record with indexes on it, an expiry that every
 * read looks at, and a line in a log for every operation, in the same transaction. Commits are durable.
 */
export async function openOnPostgres(
  url: string,
  records: number,
): Promise<GdprSystem & { bytes(): Promise<number> } & AsyncDisposable> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`
    create table record (
      usr text primary key, data text not null, source text not null, purposes text[] not null,
      objections text[] not null default '{}', expires_at timestamptz not null default now() + interval '5 years');
    create table operation_log (id bigint generated always as identity primary key, at timestamptz not null default now(),
      operation text not null, usr text)`)
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
  await client.query(
    'create index on record using gin (purposes); create index on record (expires_at); analyze',
  )
  return {
    name: 'PostgreSQL',
    async perform(operation) {
      const logged = 'user' in operation ? operation.user : null
      await client.query('begin')
      await client.query({
        name: 'log',
        text: 'insert into operation_log (operation, usr) values ($1, $2)',
        values: [operation.kind, logged],
      })
      const answer = await answerOf(client, operation)
      await client.query('commit')
      return answer
    },
    async bytes() {
      const { rows } = await client.query<{ bytes: string }>(
        'select pg_database_size(current_database()) as bytes',
      )
      return Number(rows[0]?.bytes)
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

const IN_FORCE = 'expires_at > now()'

async function answerOf(client: pg.Client, operation: Operation): Promise<Answer> {
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
      const { rows } = await run<{ data: string }>(`select data from record where usr = $1 and ${IN_FORCE}`, [
        operation.user,
      ])
      return rows[0]?.data ?? 'gone'
    }
    case 'read-metadata-by-usr': {
      const { rows } = await run<{ purposes: string[] }>(
        `select purposes from record where usr = $1 and ${IN_FORCE}`,
        [operation.user],
      )
      return rows[0]?.purposes.toSorted().join(',') ?? ''
    }
    case 'read-data-by-pur': {
      const { rows } = await run<{ source: string; people: string }>(
        `select source, count(*) as people from record where purposes @> array[$1] and not objections @> array[$1] and ${IN_FORCE} group by source`,
        [operation.purpose],
      )
      return countsText(rows.map(({ source, people }) => [source, Number(people)]))
    }
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
