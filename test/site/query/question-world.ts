import { CompiledQuery } from 'kysely'
import assert from 'node:assert/strict'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import type { PlanRelation } from '../../../src/site/query/plan/plan-context.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { askEngine } from './ask-engine.ts'
import { cellText, testManifest, twoEngines } from './two-engines.ts'
import type { TestDataSet } from './two-engines.ts'

/*
 * Both engines with everybody in them, and a database for each set of eligible people that never held the others: the
 * oracle, which knows nothing of the gate. Who is not eligible carries marker values, so that one of them in any sum,
 * count or group would show.
 */

const PEOPLE = 40
const athletes = testManifest('athletes', {
  dimensionsMax: 3,
  columns: [
    { name: 'sex', type: 'text' },
    { name: 'sport', type: 'text' },
    { name: 'height', type: 'number', bounds: [0, 1_000_000] },
    { name: 'gold', type: 'integer', bounds: [-10, 1_000_000] },
    { name: 'born', type: 'date' },
    { name: 'profile', type: 'json' },
    { name: 'tags', type: 'text[]' },
    { name: 'marks', type: 'integer[]' },
  ],
})
const sessions = testManifest('sessions', {
  rowsMax: 4,
  columns: [
    { name: 'minutes', type: 'integer', bounds: [0, 1_000_000] },
    { name: 'place', type: 'text' },
    { name: 'started', type: 'timestamp' },
  ],
})

type Row = TestDataSet['rows'][number]

/** A person who is not eligible is 777,777 of everything and plays `marker`. */
function dataSetsFor(eligible: ReadonlySet<number>): readonly TestDataSet[] {
  const athleteRows = Array.from({ length: PEOPLE }, (_, person): Row =>
    eligible.has(person)
      ? [
          person,
          person % 3 === 0 ? 'f' : 'm',
          ['golf', 'rowing', null][person % 3 === 2 ? 2 : person % 2] ?? null,
          person % 7 === 0 ? null : 1.5 + (person % 11) / 16,
          (person % 5) - 1,
          `${1985 + (person % 6)}-0${1 + (person % 9)}-15`,
          person % 8 === 3 ? null : JSON.stringify(profileOf(person)),
          person % 10 === 9 ? null : JSON.stringify(['run', 'swim', 'row'].slice(person % 4)),
          JSON.stringify([person % 3, 3, person % 5].slice(0, person % 4)),
        ]
      : [
          person,
          'x',
          'marker',
          777_777,
          777_777,
          '1977-07-07',
          '{"city": "marker", "age": 777777, "home": {"zip": "marker"}, "likes": ["marker"]}',
          '["marker"]',
          '[777777]',
        ],
  ).filter((_, person) => person % 13 !== 5)
  const sessionRows = Array.from({ length: PEOPLE * 4 }, (_, index): Row => {
    const person = index % PEOPLE
    return eligible.has(person)
      ? [
          person,
          index % 9 === 0 ? null : (index * 7) % 50,
          index % 4 === 0 ? 'home' : 'gym',
          `2026-0${1 + (index % 6)}-1${index % 10} 1${index % 10}:00:${10 + Math.floor(index / PEOPLE)}`,
        ]
      : [person, 777_777, 'marker', '1977-07-07 07:07:07']
  }).filter((_, index) => (index % 3 !== 0 || index % 2 === 0) && (index % PEOPLE) % 11 !== 7)
  return [
    { manifest: athletes, rows: athleteRows },
    { manifest: sessions, rows: sessionRows },
  ]
}

function profileOf(person: number): unknown {
  return {
    city: ['Cork', 'Galway'][person % 2],
    ...(person % 5 === 0 ? {} : { age: person % 7 === 1 ? null : 20 + (person % 13) }),
    score: person / 8,
    home: person % 6 === 2 ? null : { zip: `Z${person % 3}`, is_new: person % 2 === 0 },
    likes: ['run', person % 3, null].slice(person % 4),
    0: person % 2,
  }
}

const ELIGIBLE: readonly (readonly number[])[] = [
  Array.from({ length: PEOPLE }, (_, person) => person),
  Array.from({ length: PEOPLE }, (_, person) => person).filter((person) => person % 3 !== 1),
  [2, 3, 5, 7, 8, 13, 18, 21, 34],
  [],
]

type EngineName = 'duckdb' | 'postgres'
export const ENGINES: readonly EngineName[] = ['duckdb', 'postgres']

export interface QuestionWorld extends AsyncDisposable {
  readonly manifests: ReadonlyMap<string, Manifest>
  /** What an engine answers through the gate, and what the oracle answers to the text as it is. */
  ask(this: void, engine: EngineName, sql: string, population: number): ReturnType<typeof askEngine>
  askOracle(this: void, sql: string, population: number): Promise<Rows>
  /** The same as `check`, of a question of mode `rows` that shows the person key first. */
  checkRows(this: void, sql: string, population: number): Promise<void>
  /** Fails unless both engines and the oracle give the same, for one of the sets of eligible people. */
  check(this: void, sql: string, population: number): Promise<void>
}

/** How many sets of eligible people there are. */
export const POPULATIONS = ELIGIBLE.length

/** Engines and oracles, filled once. */
export async function questionWorld(): Promise<QuestionWorld> {
  const engines = await twoEngines()
  const oracles = await Promise.all(ELIGIBLE.map(() => testPostgres()))
  const relations = new Map<string, ReadonlyMap<string, PlanRelation>>()
  for (const [population, eligible] of ELIGIBLE.entries()) {
    const dataSets = dataSetsFor(new Set(eligible))
    for (const name of ENGINES)
      relations.set(`${name} ${population}`, await engines[name].relations(dataSets, eligible))
    await fillOracle(population, dataSets)
  }

  async function run(population: number, text: string): Promise<readonly Record<string, unknown>[]> {
    const oracle = oracles[population]
    assert.ok(oracle)
    return (await oracle.db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text))).rows
  }

  async function fillOracle(population: number, dataSets: readonly TestDataSet[]): Promise<void> {
    const eligible = new Set(ELIGIBLE[population])
    await run(
      population,
      'create table athletes (id text, sex text collate "C", sport text collate "C", height float8, gold bigint, born date, profile jsonb, tags text[], marks int[])',
    )
    await run(
      population,
      'create table sessions (id text, minutes bigint, place text collate "C", started timestamp)',
    )
    for (const { manifest, rows } of dataSets) {
      const values = rows
        .filter(([person]) => eligible.has(person))
        .map(
          ([person, ...cells]) =>
            `(${[`'${person}'`, ...cells.map((cell, index) => cellText(cell, { type: manifest.columns[index + 1]?.type ?? 'text', dialect: 'postgres' }))].join(', ')})`,
        )
      if (values.length > 0)
        await run(population, `insert into ${manifest.dataSet} values ${values.join(', ')}`)
    }
  }

  async function ask(
    name: EngineName,
    sql: string,
    population: number,
    mode: 'aggregate' | 'rows' = 'aggregate',
  ): ReturnType<typeof askEngine> {
    const eligible = ELIGIBLE[population] ?? []
    const known = relations.get(`${name} ${population}`)
    assert.ok(known)
    const dataSets = dataSetsFor(new Set(eligible))
    return askEngine(engines[name], { sql, mode, dataSets, eligible, relations: known })
  }

  async function check(sql: string, population: number): Promise<void> {
    const eligible = ELIGIBLE[population] ?? []
    const expected = await askOracle(sql, population)
    for (const name of ENGINES) {
      const answer = await ask(name, sql, population)
      if (!answer.ok) assert.fail(`${sql}: ${answer.error.code} ${answer.error.detail}`)
      assertSameRows(answer.value.rows, expected, `${name}: ${sql}`)
      for (const { people } of answer.value.groups)
        for (const person of people) assert.ok(eligible.includes(person), `${name}: ${sql}`)
    }
  }

  async function checkRows(sql: string, population: number): Promise<void> {
    const expected = await askOracle(sql, population)
    for (const name of ENGINES) {
      const answer = await ask(name, sql, population, 'rows')
      if (!answer.ok) assert.fail(`${sql}: ${answer.error.code} ${answer.error.detail}`)
      const { rows, people } = answer.value
      const shown = rows.map(([, ...cells], index) => [String(people[index]), ...cells])
      assertSameRows(shown, expected, `${name}: ${sql}`)
    }
  }

  async function askOracle(sql: string, population: number): Promise<Rows> {
    const rows = await run(
      population,
      sql.replaceAll(/date_trunc\([^)]*\)/g, (text) => `to_char(${text}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`),
    )
    return rows.map((row) => Object.values(row))
  }

  return {
    manifests: new Map([athletes, sessions].map((manifest) => [String(manifest.dataSet), manifest])),
    ask,
    askOracle,
    check,
    checkRows,
    async [Symbol.asyncDispose]() {
      await engines[Symbol.asyncDispose]()
      for (const oracle of oracles) await oracle[Symbol.asyncDispose]()
    },
  }
}

export type Rows = readonly (readonly unknown[])[]

/** The same rows in any order: numbers to 9 digits, because the order in which doubles are added up is the engine's. */
export function assertSameRows(actual: Rows, expected: Rows, message: string): void {
  const [rows, others] = [sorted(actual), sorted(expected)]
  const isSame =
    rows.length === others.length &&
    rows.every((row, index) => row.every((cell, column) => isSameCell(cell, others[index]?.[column])))
  if (!isSame) assert.deepEqual(rows, others, message)
}

function sorted(rows: Rows): Rows {
  return rows
    .map((row) => row.map(asNumber))
    .map((row) => ({
      row,
      key: JSON.stringify(row.map((cell) => (typeof cell === 'number' ? cell.toPrecision(4) : cell))),
    }))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ row }) => row)
}

/** What a driver gives as a text is a number all the same. */
function asNumber(cell: unknown): unknown {
  const isNumber =
    typeof cell === 'number' ||
    typeof cell === 'bigint' ||
    (typeof cell === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(cell))
  return isNumber ? Number(cell) : cell
}

function isSameCell(a: unknown, b: unknown): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b
  return (
    Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)) || Math.max(Math.abs(a), Math.abs(b)) < 1e-12
  )
}
