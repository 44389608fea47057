import pg from 'pg'
import { testDatabaseUrl } from '../../../src/testing/test-postgres.ts'

/** What an administrator may set for a role, each of which changes what some statement means, when it ends or whether it lasts. */
export const HOSTILE_SETTINGS: Readonly<Record<string, string>> = {
  array_nulls: 'off',
  bytea_output: 'escape',
  DateStyle: 'SQL, DMY',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  extra_float_digits: '-15',
  IntervalStyle: 'iso_8601',
  lock_timeout: '1',
  standard_conforming_strings: 'off',
  statement_timeout: '40',
  synchronous_commit: 'off',
  TimeZone: 'Asia/Kathmandu',
  transaction_timeout: '1000',
  transform_null_equals: 'on',
}

/** Another who may enter every database of the cluster, with no right in any. */
const NEIGHBOUR = 'neighbour'

/**
 * The address of a fresh database that belongs to a role of its own: collated as people sort words, and with every setting of the
 * role hostile. The role `neighbour` is nobody of ours; as `hedgerow` one enters as the administrator.
 */
export async function databaseOfTenant(): Promise<string> {
  const own = (await testDatabaseUrl()).reveal()
  const name = nameIn(own)
  const tenant = `tenant_${name}`
  const settings = Object.entries(HOSTILE_SETTINGS).map(
    ([key, value]) => `alter role ${tenant} set ${key} = '${value}'`,
  )
  const admin = own.replace(`/${name}`, '/postgres')
  await query(
    admin,
    `do $$ begin create role ${NEIGHBOUR} login password '${PASSWORD}'; exception when duplicate_object then null; end $$`,
  )
  await query(admin, [`create role ${tenant} login password '${PASSWORD}'`, ...settings].join('; '))
  await query(admin, `drop database ${name}`)
  await query(
    admin,
    `create database ${name} owner ${tenant} template template0 locale_provider icu icu_locale 'en-US' locale 'C'`,
  )
  const url = as(own, tenant)
  await query(url, `alter database ${name} set datestyle = 'Postgres, YMD'`, 'hedgerow')
  return url
}

const PASSWORD = 'a-password-of-tests'
let administration = ''

/** Runs statements at an address, as its own role or another. */
export async function query(url: string, text: string, role?: string): Promise<void> {
  if (url.includes('//hedgerow:')) administration = url
  const client = new pg.Client({
    connectionString: role === undefined ? url : entering(url, role),
    options: FREE,
  })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

/** The role’s own time-outs are not for those who arrange a test. */
const FREE =
  '-c statement_timeout=0 -c lock_timeout=0 -c transaction_timeout=0 -c default_transaction_read_only=off'

function entering(url: string, role: string): string {
  return role === 'hedgerow' ? administration.replace(/\/postgres\b/, `/${nameIn(url)}`) : as(url, role)
}

function as(url: string, role: string): string {
  return url.replace(/\/\/[^@]+@/, `//${role}:${PASSWORD}@`)
}

function nameIn(url: string): string {
  return /\/(?<name>test_\d+)\b/.exec(url)?.groups?.['name'] ?? 'postgres'
}
