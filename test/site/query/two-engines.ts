import assert from 'node:assert/strict'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { CompiledQuery } from 'kysely'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { ok } from '../../../src/kernel/result.ts'
import { elementType, isScalarType, manifestSchema } from '../../../src/protocol/data-set.ts'
import type { Column, Manifest } from '../../../src/protocol/data-set.ts'
import type { Dialect } from '../../../src/site/query/catalogue/catalogue-row.ts'
import type { PlanRelation, QueryRunner } from '../../../src/site/query/plan/plan-context.ts'
import { storedText } from '../../../src/site/vault/stored-json.ts'
import { runStatement } from '../../../src/site/vault/run-statement.ts'
import type { VaultStatement, VaultValue } from '../../../src/site/vault/vault.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

export type Cell = string | number | boolean | null

/** A data set with its rows: each begins with the person's number, then the columns of the manifest but the person key. */
export interface TestDataSet {
  readonly manifest: Manifest
  readonly rows: readonly (readonly [number, ...Cell[]])[]
}

/** One engine holding some data sets, as the vault lays them out. */
export interface TestEngine {
  readonly dialect: Dialect
  readonly runner: QueryRunner
  /** Every statement that ran, for tests that look at the text. */
  readonly statements: VaultStatement[]
  relations(
    dataSets: readonly TestDataSet[],
    eligible: readonly number[],
  ): Promise<ReadonlyMap<string, PlanRelation>>
}

export interface TwoEngines extends AsyncDisposable {
  readonly duckdb: TestEngine
  readonly postgres: TestEngine
}

type ColumnInput = Partial<Column> & Pick<Column, 'name' | 'type'>

interface ManifestInput extends Partial<Omit<Manifest, 'columns' | 'person'>> {
  readonly key?: string
  readonly rowsMax?: number
  readonly columns: readonly ColumnInput[]
}

const everywhere = { within: ['EEA'] }

/** A manifest that says only what a test is about. The person key is the column `id` unless another is named. */
export function testManifest(
  dataSet: string,
  { key = 'id', rowsMax = 1, columns, ...rest }: ManifestInput,
): Manifest {
  return manifestSchema.parse({
    dataSet,
    title: dataSet,
    issuer: 'federation',
    person: { key, rowsMax },
    legalBasis: 'eu-gdpr:A6-1-a',
    specialCategoryBasis: 'eu-gdpr:A9-2-a',
    purposes: ['dpv:AcademicResearch'],
    modes: ['aggregate', 'rows'],
    perimeter: { store: everywhere, process: everywhere, release: everywhere },
    retention: { period: 'P5Y', from: '2026-01-01' },
    tariff: testTariff,
    splits: testSplits,
    ...rest,
    columns: [{ name: key, type: 'text', sensitivity: 'direct_identifier' }, ...columns],
  })
}

const testTariff = { currency: 'EUR', perRunMinor: 100, capMinor: 1_000 }
const testSplits = { issuer: 5_000, issuerProcessor: 0, custodian: 2_000, network: 1_000, subjects: 2_000 }

/** DuckDB, run as the vault runs it, and PostgreSQL. */
export async function twoEngines(): Promise<TwoEngines> {
  const { engine, ...duckdb } = await duckdbAlone({ threads: '2' })
  const postgres = await testPostgres()
  return {
    duckdb: engine,
    postgres: postgresEngine(postgres.db),
    async [Symbol.asyncDispose]() {
      duckdb[Symbol.dispose]()
      await postgres[Symbol.asyncDispose]()
    },
  }
}

/** DuckDB, run as the vault runs it. */
export async function duckdbAlone(
  options: Readonly<Record<string, string>>,
): Promise<Disposable & { readonly engine: TestEngine }> {
  const instance = await DuckDBInstance.create(':memory:', { ...options })
  const connection = await instance.connect()
  return {
    engine: duckdbEngine(connection),
    [Symbol.dispose]() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

function duckdbEngine(connection: DuckDBConnection): TestEngine {
  const statements: VaultStatement[] = []
  return {
    dialect: 'duckdb',
    statements,
    runner: {
      run: async (statement) => {
        statements.push(statement)
        let tidied: Promise<void> | undefined
        const outcome = await runStatement(connection, {
          statement,
          limits: { timeoutMs: 30_000, rowsMax: 100_000 },
          clock: systemClock,
          tidy: (tidying) => {
            tidied = tidying
          },
          note: () => undefined,
        })
        await tidied
        return outcome
      },
    },
    relations: (dataSets, eligible) =>
      makeRelations('duckdb', { dataSets, eligible }, async (sql) => {
        await connection.run(sql)
      }),
  }
}

function postgresEngine(db: Database): TestEngine {
  const statements: VaultStatement[] = []
  return {
    dialect: 'postgres',
    statements,
    runner: {
      run: async ({ sql, parameters = [] }) => {
        statements.push({ sql, parameters })
        const { rows } = await db.executeQuery<Record<string, VaultValue>>(
          CompiledQuery.raw(
            sql,
            parameters.map(({ value }) => value),
          ),
        )
        const values = rows.map((row) => Object.values(row))
        return ok({
          columns: Object.keys(rows[0] ?? {}).map((name) => ({ name, type: '' })),
          rowCount: rows.length,
          column: (index) => values.map((row) => row[index] ?? null),
          doubles: (index) => Float64Array.from(values, (row) => Number(row[index] ?? Number.NaN)),
          bytes: () => [],
          sets: (index) => values.map((row) => setOf(row[index] ?? null)),
          listed: () => [],
          rows: () => values,
          pieces: () => [],
        })
      },
    },
    relations: (dataSets, eligible) =>
      makeRelations('postgres', { dataSets, eligible }, async (sql) => {
        await db.executeQuery(CompiledQuery.raw(sql))
      }),
  }
}

/** A list of numbers as a set, as the vault gives a list of INTEGERs. */
function setOf(value: VaultValue): Bitset {
  return Bitset.of(Array.isArray(value) ? value.map(Number) : [])
}

let tableCount = 0

interface ToMake {
  readonly dataSets: readonly TestDataSet[]
  readonly eligible: readonly number[]
}

async function makeRelations(
  dialect: Dialect,
  { dataSets, eligible }: ToMake,
  run: (sql: string) => Promise<void>,
): Promise<ReadonlyMap<string, PlanRelation>> {
  tableCount += 1
  const eligibleTable = `e_${tableCount}`
  await run(`create table "${eligibleTable}" ("_p" integer unique)`)
  if (eligible.length > 0)
    await run(`insert into "${eligibleTable}" values ${eligible.map((person) => `(${person})`).join(', ')}`)
  const relations = new Map<string, PlanRelation>()
  for (const { manifest, rows } of dataSets) {
    const table = `ds_${manifest.dataSet}_${tableCount}`
    const columns = manifest.columns.filter(({ name }) => name !== manifest.person.key)
    const types = {
      boolean: 'boolean',
      integer: 'bigint',
      number: dialect === 'duckdb' ? 'double' : 'float8',
      text: 'text',
      date: 'date',
      timestamp: 'timestamp',
      json: 'text',
      'boolean[]': 'boolean[]',
      'integer[]': 'bigint[]',
      'number[]': dialect === 'duckdb' ? 'double[]' : 'float8[]',
      'text[]': 'text[]',
    }
    await run(
      `create table "${table}" ("_p" integer, ${columns.map(({ name, type }) => `"${name}" ${types[type]}`).join(', ')})`,
    )
    for (let start = 0; start < rows.length; start += 500) {
      const some = rows
        .slice(start, start + 500)
        .map(
          ([person, ...cells]) =>
            `(${[person, ...cells.map((cell, index) => cellText(cell, { type: columns[index]?.type ?? 'text', dialect }))].join(', ')})`,
        )
      await run(`insert into "${table}" values ${some.join(', ')}`)
    }
    const counts = new Map<number, number>()
    for (const [person] of rows) counts.set(person, (counts.get(person) ?? 0) + 1)
    relations.set(manifest.dataSet, {
      table,
      eligible: eligibleTable,
      personCount: Math.max(0, ...rows.map(([person]) => person)) + 1,
      rowsPerPerson: Math.max(1, ...counts.values()),
    })
  }
  return relations
}

/** Documents and lists are given as JSON texts, and kept as the vault keeps them. */
export function cellText(
  cell: Cell,
  { type, dialect }: { readonly type: Column['type']; readonly dialect: Dialect },
): string {
  if (cell === null) return 'null'
  if (!isScalarType(type)) {
    const text = quotedText(storedText(String(cell), type) ?? assert.fail(`no ${type}: ${cell}`))
    if (type === 'json') return text
    const element = { boolean: 'boolean', integer: 'bigint', number: 'float8', text: 'text' }[
      elementType(type) ?? 'text'
    ]
    return dialect === 'duckdb'
      ? `cast(${text}::json as ${element}[])`
      : `array(select value::${element} from json_array_elements_text(${text}) with ordinality order by ordinality)`
  }
  if (typeof cell === 'string' && (type === 'number' || type === 'integer')) return `'${cell}'`
  if (typeof cell === 'number')
    return Object.is(cell, -0)
      ? "'-0'"
      : Number.isFinite(cell)
        ? `'${cell}'`
        : `'${cell > 0 ? 'infinity' : cell < 0 ? '-infinity' : 'nan'}'`
  return typeof cell === 'boolean' ? String(cell) : quotedText(cell)
}

function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
