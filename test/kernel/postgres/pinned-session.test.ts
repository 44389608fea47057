import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { Fault } from '../../../src/kernel/faults.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { haveOwnSessions, requireOwnSessions } from '../../../src/kernel/postgres/require-own-sessions.ts'
import { databaseUrlSchema } from '../../../src/kernel/postgres/database-url.ts'
import { testDatabaseUrl } from '../../../src/testing/test-postgres.ts'
import { HOSTILE_SETTINGS, databaseOfTenant, query } from './hostile-database.ts'

const open = (url: string) =>
  connect(new Secret(url), { name: 'test', log: silentLog, stop: () => Promise.resolve() })

const refusedBecause = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Fault && error.code === 'fault.database_unfit', String(error))
  assert.match(error.message, words)
  return true
}

const settingsOf = async (db: Parameters<ReturnType<typeof sql>['execute']>[0]) => {
  const { rows } = await sql<{ name: string; setting: string }>`
    select name, setting from pg_settings where name = any(${Object.keys(HOSTILE_SETTINGS)})`.execute(db)
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
}

/** What statements and texts mean where nobody has set anything. */
const PLAIN = sql<object>`
  select timestamptz '2026-03-04 05:06:07.123456+00' as at, interval '1 day 2 hours' as long, '\\x00ff'::bytea as bytes,
    1.1::float8 / 3 as part, '{NULL,a}'::text[] as list, to_char(1234.5, 'FM9G999D9') as number, 'a\\b' as slash,
    (null = null)::text as nothing, lower('Ä') as low, '01/02/2026'::date as day, ARRAY[1::int8] as bigs`

test('an address whose password breaks it is refused, and tells nothing of it', () => {
  const problemOf = (url: string) => databaseUrlSchema.safeParse(url).error?.issues[0]?.message
  for (const sound of [
    'postgres://u:p%40%2F@h:1/d?sslmode=require',
    'postgresql:///d?host=%2Frun&x=a@b',
    'postgres://h:5432/d?user=a@b',
    'postgres://h/d',
    'postgres://u:p@[::1]:1?sslmode=require',
  ])
    assert.equal(problemOf(sound), undefined, sound)
  // Digits before a sign would be taken for the port.
  const signs = ['u:p@q@h/d', 'u:p/q@h/d', 'u:12?q@h/d', 'u:12#q@h/d', 'u#v:p@h/d']
  for (const broken of [
    ...signs,
    'u:12/q?r@h/d',
    'u:p@q?r@h/d',
    'u:p@q?r=s@h/d',
    'u:1?q/r=s@h/d',
    'u:12/q#r@h/d',
  ])
    assert.equal(
      problemOf(`postgres://${broken}`),
      'expected no @, /, ? or # in the password: %40, %2F, %3F and %23 stand for them there',
      broken,
    )
  assert.match(problemOf('mysql://h/d') ?? '', /expected postgres/)
})

test('two connections have a session each, or a pool lends one to both of them', async () => {
  const url = (await testDatabaseUrl()).reveal()
  const clients = [new pg.Client(url), new pg.Client(url)] as const
  for (const client of clients) await client.connect()
  try {
    const [first, second] = clients
    assert.equal(await haveOwnSessions(first, second), true)
    // What is free goes to whoever comes next, or each time to another.
    assert.equal(await haveOwnSessions(first, first), false)
    let turn = 0
    const lent = { query: (text: string) => (turn++ % 3 === 0 ? second : first).query(text) }
    assert.equal(await haveOwnSessions(lent, second), false)
    // Two sessions that go round (of PgBouncer server_round_robin = 1).
    let round = 0
    const going = { query: (text: string) => (round++ % 2 === 0 ? first : second).query(text) }
    assert.equal(await haveOwnSessions(going, going), false)
  } finally {
    for (const client of clients) await client.end()
  }
  await requireOwnSessions(new Secret(url))
})

describe('a connection', () => {
  let url: string
  before(async () => {
    url = await databaseOfTenant()
  })

  test('is set as it has to be, whatever its role, its database or its address says', async () => {
    await using usual = await open((await testDatabaseUrl()).reveal())
    await using hostile = await open(
      `${url}&options=${encodeURIComponent('-c timezone=Asia/Tokyo')}&statement_timeout=50`,
    )
    const set = await settingsOf(hostile.db)
    for (const [name, value] of Object.entries(HOSTILE_SETTINGS)) assert.notEqual(set[name], value, name)
    assert.equal(set['synchronous_commit'], 'local')
    assert.deepEqual((await PLAIN.execute(hostile.db)).rows, (await PLAIN.execute(usual.db)).rows)
    await sql`create table kept (x text)`.execute(hostile.db)
    await sql`insert into kept select pg_sleep(0.1)::text`.execute(hostile.db)
  })

  test('waits for no standby for which its administrator lets nobody wait, and always for the disk', async () => {
    const cases = {
      off: 'local',
      local: 'local',
      remote_write: 'remote_write',
      on: 'on',
      remote_apply: 'remote_apply',
    }
    for (const [theirs, ours] of Object.entries(cases)) {
      await query(url, `alter role current_user set synchronous_commit = '${theirs}'`)
      await using postgres = await open(url)
      assert.equal((await settingsOf(postgres.db))['synchronous_commit'], ours, theirs)
    }
  })

  test('is set each time that one is made, and keeps what is stricter', async () => {
    await query(url, `alter role current_user set synchronous_commit = 'remote_apply'`)
    await using postgres = await open(url)
    await query(url, `alter role current_user set synchronous_commit = 'off'`)
    const [first, second] = await Promise.all(
      [0, 1].map(() =>
        postgres.db.connection().execute(async (one) => {
          await sql`select pg_sleep(0.05)`.execute(one)
          return settingsOf(one)
        }),
      ),
    )
    assert.equal(first?.['synchronous_commit'], 'remote_apply')
    assert.deepEqual(first, second)
  })
})

describe('a database', () => {
  test('in which another may make functions is refused, and named', async () => {
    const url = await databaseOfTenant()
    await query(url, 'grant create on schema public to public')
    await assert.rejects(
      open(url),
      refusedBecause(
        /"public" may make functions in its schema "public"; run revoke create on schema public from public/,
      ),
    )
    await query(url, 'revoke create on schema public from public; grant create on schema public to neighbour')
    await assert.rejects(open(url), refusedBecause(/"neighbour" may make functions/))
    await query(url, 'revoke create on schema public from neighbour')
    await using postgres = await open(url)
    assert.equal(postgres.session.schema, 'public')
  })

  test('in which damage would be taken for data, or texts are not kept as they are, is refused, and told why', async () => {
    const url = await databaseOfTenant()
    const [, role = ''] = /\/\/(\w+):/.exec(url) ?? []
    for (const [name, value] of [
      ['zero_damaged_pages', 'on'],
      ['ignore_checksum_failure', 'on'],
    ]) {
      await query(url, `alter role ${role} set ${name} = '${value}'`, 'hedgerow')
      await assert.rejects(
        open(url),
        refusedBecause(new RegExp(`its ${name} is "${value}", and "\\w+" is needed`)),
      )
      await query(url, `alter role ${role} reset ${name}`, 'hedgerow')
    }
    await using postgres = await open(url)
    assert.equal(postgres.session.schema, 'public')
    const own = await testDatabaseUrl()
    const [, name = ''] = /\/(test_\d+)\b/.exec(own.reveal()) ?? []
    const admin = own.reveal().replace(`/${name}`, '/postgres')
    await query(admin, `drop database ${name}`)
    await query(admin, `create database ${name} template template0 encoding 'SQL_ASCII' locale 'C'`)
    await assert.rejects(
      open(own.reveal()),
      refusedBecause(/its server_encoding is "SQL_ASCII", and "UTF8" is needed/),
    )
  })

  test('into which another put something is refused, and named', async () => {
    for (const planted of [
      `create function public.lower(varchar) returns text language sql as 'select ''planted'''`,
      `create function public.later(text, text) returns boolean language sql as 'select true';
       create operator public.<# (leftarg = text, rightarg = text, function = public.later)`,
      'create table public.receipt (x text)',
    ]) {
      const url = await databaseOfTenant()
      await query(url, 'grant create on schema public to neighbour')
      await query(url, planted, 'neighbour')
      await query(url, 'revoke create on schema public from neighbour')
      await assert.rejects(
        open(url),
        refusedBecause(/"neighbour" put "(public\.)?(lower|later|<#|receipt).*" into its schema "public"/),
      )
    }
  })

  test('in which another has a schema of the role’s name or before on the search path is used as if it were not there', async () => {
    const url = await databaseOfTenant()
    await query(
      url,
      'create schema traps authorization neighbour; grant usage on schema traps to public',
      'hedgerow',
    )
    await query(
      url,
      `create function traps.lower(text) returns text language sql as 'select ''planted'''`,
      'neighbour',
    )
    await query(url, 'create schema home; alter role current_user set search_path = home, traps, pg_catalog')
    await using postgres = await open(url)
    assert.equal(postgres.session.schema, 'home')
    const { rows } = await sql`select lower('A') as low, current_schemas(true)::text as path`.execute(
      postgres.db,
    )
    assert.deepEqual(rows, [{ low: 'a', path: '{pg_catalog,home}' }])
  })

  test('is not begun anew beside its tables when the search path was changed', async () => {
    const url = await databaseOfTenant()
    await query(url, 'create table schema_step_digest (name text); create schema "Other place"')
    await query(url, 'alter role current_user set search_path = "Other place"')
    await assert.rejects(
      open(url),
      refusedBecause(/stand in the schema "public", and its role looks into "Other place"/),
    )
    await query(url, 'alter role current_user set search_path = nowhere')
    await assert.rejects(open(url), refusedBecause(/finds no schema/))
  })

  test('in which triggers would not run is refused', async () => {
    const url = await databaseOfTenant()
    const { pathname } = new URL(url.replace('@/', '@x/'))
    await query(
      url,
      `alter database ${pathname.slice(1)} set session_replication_role = 'replica'`,
      'hedgerow',
    )
    await assert.rejects(
      open(url),
      refusedBecause(/session_replication_role is "replica", and "origin" is needed/),
    )
  })
})
