import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../../src/kernel/clock.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import { aManifest } from './a-manifest.ts'
import { freshDirectory, freshVault, LIMITS, rowsOf, minute, rowsFrom } from './vault-fixture.ts'

const ATTACKS = [
  `insert into ds_watch values (1, null, 1, 1, true, 'x')`,
  'update ds_watch set steps = 0',
  'delete from ds_watch returning *',
  'truncate ds_watch',
  'drop table ds_watch',
  'create table stolen as select * from ds_watch',
  'create temp table stolen as select * from ds_watch',
  'create or replace view v as select 1',
  `attach 'other.db'`,
  `attach ':memory:' as other`,
  'detach eligible',
  `copy ds_watch to '/tmp/stolen.csv'`,
  `copy (select 1) to '/tmp/stolen.csv'`,
  `export database '/tmp/stolen'`,
  'pragma database_list',
  'pragma enable_profiling',
  'call pragma_version()',
  'install httpfs',
  'load httpfs',
  'set threads = 1',
  'set lock_configuration = false',
  `set variable x = 1`,
  'reset memory_limit',
  'use eligible',
  'checkpoint',
  'vacuum',
  'begin',
  'commit',
  'prepare p as select 1',
  'explain select 1',
  'explain analyze select 1',
  'describe ds_watch',
  'show tables',
  'select 1; select 2',
  'select 1; drop table ds_watch',
  '',
  ';',
  `select getenv('HOME')`,
  `select * from read_csv('/etc/passwd')`,
  `select * from '/etc/passwd'`,
  `select * from "/etc/passwd"`,
  `select * from read_text('/etc/passwd')`,
  `select * from read_blob('/etc/passwd')`,
  `select * from glob('/etc/*')`,
  `select * from sniff_csv('/etc/passwd')`,
  `select * from read_parquet('https://example.org/x.parquet')`,
  `select * from duckdb_settings()`,
  'select * from duckdb_tables',
  'select * from information_schema.tables',
  'select * from sqlite_master',
  'select * from pg_catalog.pg_class',
  'select * from _person',
  'select * from "_person"',
  'select * from main._person_key',
  'select * from vault.main.ds_watch',
  'select (select count(*) from _person)',
  'with x as (select * from _person) select * from x',
  'select * from ds_watch where steps in (select number from _person)',
  `select * from query('select * from _person')`,
  `select * from query_table('_person')`,
  `select current_setting('memory_limit')`,
  `select write_log('x')`,
  `select * from force_checkpoint('vault')`,
  `select * from pragma_table_info('ds_watch')`,
  `select * from json_execute_serialized_sql(json_serialize_sql('select * from _person'))`,
  'with _person as (select * from _person) select * from _person',
  'with _PERSON as (select 1) select (with x as (select * from _PERSON) select count(*) from x)',
  'select * from (with _person as (select 1) select 1) x, _person',
  'with sqlite_master as (select 1) select * from sqlite_master',
  'select * from _Person',
  'from _person',
  'table _person',
  'pivot _person on number using count(*)',
  'select * from (describe ds_watch)',
  'select * from (show tables)',
]

test('run() runs nothing but a SELECT over data sets, however it is dressed', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1)))
  for (const sql of ATTACKS) {
    await assert.rejects(vault.run({ sql }, LIMITS), { name: 'Fault' }, `ran: ${sql}`)
  }
  assert.deepEqual(await rowsFrom(vault, 'select count(*), sum(steps) from ds_watch'), [[1n, 1n]])
})

test('run() reads not even the file of the vault, which the engine itself may', async () => {
  const directory = await freshDirectory()
  await using vault = await openVault({ directory, clock: systemClock })
  await assert.rejects(
    vault.run({ sql: `select * from read_blob('${join(directory, 'vault.duckdb')}')` }, LIMITS),
    {
      code: 'fault.internal',
    },
  )
})
