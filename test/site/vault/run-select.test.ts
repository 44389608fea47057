import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { freshVault, LIMITS, rowsFrom } from './vault-fixture.ts'

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
