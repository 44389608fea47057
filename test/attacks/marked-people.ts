import assert from 'node:assert/strict'
import type { Decline } from '../../src/protocol/reason.ts'
import { askEngine } from '../site/query/ask-engine.ts'
import { testManifest, twoEngines } from '../site/query/two-engines.ts'
import type { TestDataSet, TwoEngines } from '../site/query/two-engines.ts'

/*
 * People who gave no grant, and carry values that nobody else has: whatever a question does, none of them may show in
 * an answer, and none may be told from an answer, an error or its absence.
 */

const MARKER_TEXT = 'MARKER'
const MARKER_NUMBER = 987_654

const people = testManifest('people', {
  dimensionsMax: 3,
  columns: [
    { name: 'name', type: 'text', sensitivity: 'direct_identifier' },
    { name: 'town', type: 'text' },
    { name: 'score', type: 'number', bounds: [0, 1_000_000] },
    { name: 'count', type: 'integer', bounds: [0, 1_000_000] },
    { name: 'born', type: 'date' },
  ],
})
const visits = testManifest('visits', {
  rowsMax: 4,
  columns: [
    { name: 'place', type: 'text' },
    { name: 'spent', type: 'number', bounds: [0, 1_000_000] },
    { name: 'at', type: 'timestamp' },
  ],
})

const PEOPLE = 60
/** Every sixth person gave no grant. */
const isMarked = (person: number): boolean => person % 6 === 0

const dataSets: readonly TestDataSet[] = [
  {
    manifest: people,
    rows: Array.from({ length: PEOPLE }, (_, person) =>
      isMarked(person)
        ? ([person, `${MARKER_TEXT} name`, MARKER_TEXT, MARKER_NUMBER, MARKER_NUMBER, '1904-04-04'] as const)
        : ([
            person,
            `name ${person}`,
            person % 2 === 0 ? 'Galway' : 'Cork',
            person / 4,
            person % 5,
            '1990-02-03',
          ] as const),
    ),
  },
  {
    manifest: visits,
    rows: Array.from({ length: PEOPLE * 2 }, (_, row) =>
      isMarked(row % PEOPLE)
        ? ([row % PEOPLE, MARKER_TEXT, MARKER_NUMBER, '1904-04-04 04:04:04'] as const)
        : ([row % PEOPLE, row % 3 === 0 ? 'pool' : 'track', row / 8, '2026-01-02 03:04:05'] as const),
    ),
  },
]
const eligible = Array.from({ length: PEOPLE }, (_, person) => person).filter((person) => !isMarked(person))

let engines: TwoEngines | undefined

/** Stops the engines, if any were started. */
export async function stopEngines(): Promise<void> {
  await engines?.[Symbol.asyncDispose]()
}

/**
 * Asks on both engines without any guard, and requires that no marked person shows: not in the answer, not among the
 * people behind it, not in what is said instead. Gives the decline, or the rows.
 */
export async function askUnguarded(
  sql: string,
  mode: 'aggregate' | 'rows' = 'aggregate',
): Promise<{ readonly declined?: Decline; readonly rows: readonly (readonly unknown[])[] }> {
  engines ??= await twoEngines()
  const answers: (readonly (readonly unknown[])[])[] = []
  for (const engine of [engines.duckdb, engines.postgres]) {
    const answer = await askEngine(engine, { sql, mode, dataSets, eligible })
    const said = JSON.stringify(answer, (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    )
    assert.doesNotMatch(said, new RegExp(`${MARKER_TEXT}|${MARKER_NUMBER}|1904-`), sql)
    if (!answer.ok) return { declined: answer.error, rows: [] }
    const behind = [
      ...answer.value.people,
      ...answer.value.groups.flatMap((group) => [
        ...group.people,
        ...group.measures.flatMap((measure) => [...measure.people]),
      ]),
    ]
    assert.ok(!behind.some(isMarked), sql)
    answers.push(answer.value.rows)
  }
  const [duckdb = [], postgres = []] = answers
  assert.equal(duckdb.length, postgres.length, sql)
  return { rows: duckdb }
}
