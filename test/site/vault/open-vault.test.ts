import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { sha256 } from '../../../src/kernel/digest.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import type { RowChunk, Vault, VaultValue } from '../../../src/site/vault/vault.ts'
import { aManifest } from './a-manifest.ts'

const directories: string[] = []
after(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true })
})

async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-vault-'))
  directories.push(directory)
  return directory
}

async function freshVault(): Promise<Vault> {
  return openVault({ directory: await freshDirectory(), clock: systemClock })
}

const watch = dataSetIdSchema.parse('watch')
const LIMITS = { timeoutMs: 5_000, rowsMax: 1_000 }

function rowsOf(...rows: readonly (readonly VaultValue[])[]): RowChunk[] {
  return [{ rowCount: rows.length, values: (column) => rows.map((row) => row[column] ?? null) }]
}

const minute = (person: number, steps: number): readonly VaultValue[] => [
  person,
  '2026-01-01T00:00:00.000Z',
  steps,
  61.5,
  true,
  'walk',
]

async function rowsFrom(
  vault: Vault,
  sql: string,
  limits = LIMITS,
): Promise<readonly (readonly VaultValue[])[]> {
  const outcome = await vault.run({ sql }, limits)
  assert.ok(outcome.ok)
  return outcome.value.rows()
}

test('append() takes a batch once, and what was acknowledged is there after opening again', async () => {
  const directory = await freshDirectory()
  {
    await using vault = await openVault({ directory, clock: systemClock })
    await vault.describe(aManifest())
    await vault.numberPeople([sha256('a'), sha256('b')])
    const batch = { manifest: aManifest(), batch: 'one' }
    assert.deepEqual(await vault.append(batch, rowsOf(minute(0, 10), minute(1, 20))), {
      isNew: true,
      rows: 2,
    })
    assert.deepEqual(await vault.append(batch, rowsOf(minute(0, 99))), { isNew: false, rows: 2 })
  }
  await using vault = await openVault({ directory, clock: systemClock })
  assert.equal(await vault.findBatch({ dataSet: watch, batch: 'one' }), 2)
  assert.deepEqual(
    await rowsFrom(vault, 'select "_p", "at", steps, heart_rate, is_worn, activity from ds_watch order by 1'),
    [
      [0, '2026-01-01T00:00:00.000Z', 10n, 61.5, true, 'walk'],
      [1, '2026-01-01T00:00:00.000Z', 20n, 61.5, true, 'walk'],
    ],
  )
})

test('append() takes nothing of a batch whose rows break off', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  function* broken(): Generator<RowChunk> {
    yield* rowsOf(minute(0, 1))
    throw new Error('the file broke off')
  }
  await assert.rejects(vault.append({ manifest: aManifest(), batch: 'one' }, broken()))
  assert.deepEqual(await rowsFrom(vault, 'select count(*) from ds_watch'), [[0n]])
  assert.deepEqual(await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1))), {
    isNew: true,
    rows: 1,
  })
})

test('take() moves all parts that were set aside, at once and once', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  const batch = { dataSet: watch, batch: 'long' }
  const rows = { manifest: aManifest(), batch: 'long' }
  assert.equal(await vault.setAside({ ...rows, from: 0 }, rowsOf(minute(0, 1))), 1)
  assert.equal(await vault.setAside({ ...rows, from: 0 }, rowsOf(minute(0, 1))), 1)
  assert.equal(await vault.setAside({ ...rows, from: 1 }, rowsOf(minute(1, 2))), 2)
  await assert.rejects(vault.setAside({ ...rows, from: 5 }, rowsOf(minute(1, 2))), { code: 'fault.vault' })
  assert.equal(await vault.rowsAside(batch), 2)
  assert.deepEqual(await rowsFrom(vault, 'select count(*) from ds_watch'), [[0n]])
  assert.deepEqual(await vault.take(batch), { isNew: true, rows: 2 })
  assert.deepEqual(await vault.take(batch), { isNew: false, rows: 2 })
  assert.equal(await vault.rowsAside(batch), 0)
  assert.deepEqual(await rowsFrom(vault, 'select sum(steps) from ds_watch'), [[3n]])
})

test('describe() adds a column and refuses one of another type; rows find their columns by name', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1)))
  const columns = aManifest().columns
  const wider = aManifest({
    columns: [...columns.slice(0, 1), { name: 'mood', type: 'text' }, ...columns.slice(1)],
  })
  await vault.describe(wider)
  const [person, ...rest] = minute(1, 2)
  await vault.append({ manifest: wider, batch: 'two' }, rowsOf([person ?? null, 'glad', ...rest]))
  assert.deepEqual(await rowsFrom(vault, 'select steps, mood from ds_watch order by steps'), [
    [1n, null],
    [2n, 'glad'],
  ])
  const other = aManifest({
    columns: columns.map((column) =>
      column.name === 'steps' ? { ...column, type: 'text', bounds: undefined } : column,
    ),
  })
  await assert.rejects(vault.describe(other), { code: 'fault.conflict' })
})

test('numberPeople() numbers densely from 0 in order of first mention, for ever', async () => {
  const directory = await freshDirectory()
  const digests = (names: readonly number[]) => names.map((name) => sha256(`person ${name}`))
  const expected = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.nat(40), { maxLength: 30 }), { maxLength: 4 }), async (calls) => {
      await using vault = await openVault({ directory, clock: systemClock })
      for (const names of calls) {
        const numbers = await vault.numberPeople(digests(names))
        for (const [index, name] of names.entries()) {
          if (!expected.has(name)) expected.set(name, expected.size)
          assert.equal(numbers[index], expected.get(name))
        }
        assert.deepEqual([...(await vault.findPeople(digests(names)))], [...numbers])
      }
      assert.equal(await vault.personCount(), expected.size)
    }),
    { numRuns: 8 },
  )
})

test('findPeople() gives nobody for who is unknown', async () => {
  await using vault = await freshVault()
  await vault.numberPeople([sha256('a')])
  assert.deepEqual([...(await vault.findPeople([sha256('b'), sha256('a')]))], [-1, 0])
})

test('principals() keeps the later birth date and the newer residence', async () => {
  await using vault = await freshVault()
  await vault.numberPeople([sha256('a'), sha256('b'), sha256('c')])
  await vault.keepPrincipals([
    { person: 0, birthDate: '1970-01-11', residence: 'IE' },
    { person: 2, residence: 'CH' },
  ])
  await vault.keepPrincipals([{ person: 0, birthDate: '1970-01-02', residence: 'CH' }, { person: 2 }])
  const { birthDay, residence, countries } = await vault.principals()
  assert.deepEqual([...birthDay], [10, -2_147_483_648, -2_147_483_648])
  assert.deepEqual(
    [...residence].map((code) => countries[code]),
    ['CH', '', 'CH'],
  )
})

test('people() gives everybody with a row, and follows appends and forgetting', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  assert.deepEqual([...(await vault.people(watch))], [])
  await vault.numberPeople(Array.from({ length: 70 }, (_, index) => sha256(`${index}`)))
  await vault.append(
    { manifest: aManifest(), batch: 'one' },
    rowsOf(minute(3, 1), minute(66, 1), minute(3, 2)),
  )
  assert.deepEqual([...(await vault.people(watch))], [3, 66])
  await vault.forget(3)
  assert.deepEqual([...(await vault.people(watch))], [66])
  assert.deepEqual([...(await vault.findPeople([sha256('3')]))], [-1])
  assert.deepEqual([...(await vault.numberPeople([sha256('3')]))], [70])
})

test('correct() writes what comes at the same time together, and what cannot be written alone fails', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.numberPeople(Array.from({ length: 5 }, (_, index) => sha256(`${index}`)))
  const batch = { manifest: aManifest(), batch: 'one' }
  await vault.append(batch, rowsOf(...[0, 1, 2, 3, 4].map((person) => minute(person, 1))))
  const before = vault.changes()
  const outcomes = await Promise.allSettled(
    [10, 11, 'many', 13, 14].map((steps, number) =>
      vault.correct({
        manifest: aManifest(),
        number,
        person: number,
        set: new Map([['steps', steps]]),
        where: new Map(),
        facts: {},
      }),
    ),
  )
  assert.equal(vault.changes() - before, 4)
  assert.deepEqual(
    outcomes.map((one) => (one.status === 'fulfilled' ? one.value.rows : one.status)),
    [1, 1, 'rejected', 1, 1],
  )
  assert.ok(outcomes.every((one) => one.status === 'fulfilled' || !/many/.test(String(one.reason))))
  const steps = await Promise.all([0, 1, 2, 3, 4].map((number) => vault.listRows(watch, number)))
  assert.deepEqual(
    steps.map((rows) => rows.column(1)[0]),
    [10n, 11n, 1n, 13n, 14n],
  )
})

test('a bit string comes back as a set of people', async () => {
  await using vault = await freshVault()
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(90), { minLength: 1 }),
      fc.integer({ min: 90, max: 130 }),
      async (numbers, max) => {
        const values = numbers.map((number) => `(${number})`).join(',')
        const outcome = await vault.run(
          { sql: `select bitstring_agg(n, 0, ${max}) from (values ${values}) v(n)` },
          LIMITS,
        )
        assert.ok(outcome.ok)
        const [set] = outcome.value.sets(0)
        assert.deepEqual(
          [...(set ?? [])],
          numbers.toSorted((a, b) => a - b),
        )
      },
    ),
    { numRuns: 50 },
  )
})

test('run() binds parameters by their type and gives typed columns', async () => {
  await using vault = await freshVault()
  const outcome = await vault.run(
    {
      sql: 'select $1 + 1, $2 / 2, $3, $4::date + 1, $5::timestamp, $6, 7/2, 1.50::decimal(4,2)',
      parameters: [
        { type: 'integer', value: 9007199254740993n },
        { type: 'number', value: 3 },
        { type: 'text', value: `x'; drop table t; --` },
        { type: 'date', value: '2026-02-28' },
        { type: 'timestamp', value: '2026-02-28T10:00:00.000Z' },
        { type: 'boolean', value: null },
      ],
    },
    LIMITS,
  )
  assert.ok(outcome.ok)
  assert.deepEqual(outcome.value.rows(), [
    [
      9007199254740994n,
      1.5,
      `x'; drop table t; --`,
      '2026-03-01',
      '2026-02-28T10:00:00.000Z',
      null,
      3,
      '1.50',
    ],
  ])
  assert.deepEqual([...outcome.value.doubles(0)], [9007199254740994])
  assert.ok(Number.isNaN(outcome.value.doubles(5)[0]))
})

test('run() orders nulls as PostgreSQL does', async () => {
  await using vault = await freshVault()
  assert.deepEqual(await rowsFrom(vault, 'select n from (values (1), (null), (2)) v(n) order by n'), [
    [1],
    [2],
    [null],
  ])
  assert.deepEqual(await rowsFrom(vault, 'select n from (values (1), (null), (2)) v(n) order by n desc'), [
    [null],
    [2],
    [1],
  ])
})

test('run() declines at the time limit, and the connection serves on', async () => {
  await using vault = await freshVault()
  const heavy =
    'select count(*) from range(100000) a, range(100000) b, range(1000) c where a.range % 7 = b.range % 5'
  const started = performance.now()
  const outcome = await vault.run({ sql: heavy }, { timeoutMs: 100, rowsMax: 10 })
  assert.ok(!outcome.ok)
  assert.equal(outcome.error.code, 'declined.timeout')
  assert.ok(performance.now() - started < 3_000)
  assert.deepEqual(await rowsFrom(vault, 'select 1'), [[1]])
})

test('run() declines more rows than allowed and exactly as many are fine', async () => {
  await using vault = await freshVault()
  const outcome = await vault.run({ sql: 'select * from range(11)' }, { timeoutMs: 5_000, rowsMax: 10 })
  assert.ok(!outcome.ok)
  assert.equal(outcome.error.code, 'declined.too_large')
  assert.equal(
    (await rowsFrom(vault, 'select * from range(10)', { timeoutMs: 5_000, rowsMax: 10 })).length,
    10,
  )
})

test('run() never lets a value out with an error', async () => {
  await using vault = await freshVault()
  await assert.rejects(vault.run({ sql: `select 'MARKER'::integer` }, LIMITS), (error: Error) => {
    assert.doesNotMatch(`${error.message} ${String(error.cause)} ${error.stack}`, /MARKER/)
    return true
  })
})

test('withEligible() lends a table of exactly the eligible people, shared by key', async () => {
  await using vault = await freshVault()
  const people = Bitset.of([1, 5, 4_000, 9_999])
  const names: string[] = []
  for (let turn = 0; turn < 2; turn += 1) {
    await vault.withEligible({ people, cacheKey: 'same' }, async (table) => {
      names.push(table)
      assert.deepEqual(await rowsFrom(vault, `select "_p" from "${table}" order by 1`), [
        [1],
        [5],
        [4_000],
        [9_999],
      ])
    })
  }
  assert.equal(names[0], names[1])
  for (let other = 0; other < 8; other += 1) {
    await vault.withEligible({ people: Bitset.of([other]), cacheKey: `${other}` }, async (table) => {
      assert.deepEqual(await rowsFrom(vault, `select "_p" from "${table}"`), [[other]])
    })
  }
  await assert.rejects(vault.run({ sql: `select * from "${names[0]}"` }, LIMITS), { code: 'fault.vault' })
  await vault.withEligible({ people: new Bitset(), cacheKey: 'nobody' }, async (table) => {
    assert.deepEqual(await rowsFrom(vault, `select count(*) from "${table}"`), [[0n]])
  })
})

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

test('openVault() says when another process or a stranger holds the file', async () => {
  const directory = await freshDirectory()
  await using vault = await openVault({ directory, clock: systemClock })
  const script = `
    import { openVault } from ${JSON.stringify(new URL('../../../src/site/vault/open-vault.ts', import.meta.url).href)}
    await openVault({ directory: ${JSON.stringify(directory)}, clock: {} }).catch((error) => console.log(error.code))`
  const child = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    encoding: 'utf8',
  })
  assert.equal(child.stdout.trim(), 'fault.directory_in_use')
  assert.equal(await vault.personCount(), 0)
})

test('snapshot() writes a whole copy of one moment that opens, while others write', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1)))
  const directory = await freshDirectory()
  let later: Promise<unknown> = Promise.resolve()
  const { path, moment } = await vault.snapshot(() => {
    later = vault.append({ manifest: aManifest(), batch: 'two' }, rowsOf(minute(0, 1)))
    return Promise.resolve('now')
  })
  await later
  assert.equal(moment, 'now')
  await copyFile(path, join(directory, 'vault.duckdb'))
  await vault.removeSnapshot()
  await assert.rejects(readFile(path), { code: 'ENOENT' })
  assert.deepEqual(await rowsFrom(vault, 'select count(*) from ds_watch'), [[2n]])
  await using copy = await openVault({ directory, clock: systemClock })
  assert.deepEqual(await rowsFrom(copy, 'select count(*) from ds_watch'), [[1n]])
})

test('retire() leaves nothing of a data set but the numbers of its people', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.numberPeople([sha256('a')])
  await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1)))
  await vault.retire(watch)
  await assert.rejects(vault.run({ sql: 'select * from ds_watch' }, LIMITS), { code: 'fault.vault' })
  assert.equal(await vault.findBatch({ dataSet: watch, batch: 'one' }), undefined)
  assert.equal(await vault.personCount(), 1)
})

test('lists come back as sets, and as rows: those of each group, nobody where the list is null', async () => {
  await using vault = await freshVault()
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ group: fc.nat(5), person: fc.nat(99), value: fc.nat(9) }), { minLength: 1 }),
      async (rows) => {
        const values = rows.map(({ group, person, value }) => `(${group}, ${person}, ${value})`).join(',')
        const outcome = await vault.run(
          {
            sql: `select g, list(cast(p as integer)) filter (where v > 4), list(cast(v as double)) filter (where v > 4), list(row(cast(p as integer), cast(v as double), cast(v + 1 as double))) from (values ${values}) t(g, p, v) group by g order by g`,
          },
          LIMITS,
        )
        assert.ok(outcome.ok)
        const groups = [...Map.groupBy(rows, ({ group }) => group)].toSorted(([a], [b]) => a - b)
        const chosen = groups.map(([, own]) => own.filter(({ value }) => value > 4))
        assert.deepEqual(
          outcome.value.sets(1).map((set) => [...set]),
          chosen.map((own) => [...new Set(own.map(({ person }) => person))].toSorted((a, b) => a - b)),
        )
        assert.deepEqual(
          outcome.value.listed(2).map((read) => {
            const listed = read()
            return 'doubles' in listed ? Array.from(listed.doubles).toSorted((a, b) => a - b) : undefined
          }),
          chosen.map((own) => own.map(({ value }) => value).toSorted((a, b) => a - b)),
        )
        assert.deepEqual(
          outcome.value.listed(3).map((read) => {
            const listed = read()
            assert.ok('people' in listed)
            const [first = [], second = []] = listed.values
            return Array.from(listed.people, (person, at) =>
              [person, first[at], second[at]].join(),
            ).toSorted()
          }),
          groups.map(([, own]) =>
            own.map(({ person, value }) => [person, value, value + 1].join()).toSorted(),
          ),
        )
      },
    ),
    { numRuns: 50 },
  )
})
