import { testManifest } from '../site/query/two-engines.ts'
import type { Cell, TestDataSet } from '../site/query/two-engines.ts'

/*
 * One population three times. Those who gave a grant are the same in each; those who did not carry markers in one,
 * values that break things in another, and are not there at all in the third. Whoever can tell two of these worlds
 * apart has learnt something of people who allowed nothing.
 */

export const PEOPLE = 240
/** The planted target: granted, and unlike anybody else in every column. */
export const TARGET = 7

/** Every sixth person gave no grant. */
function isGranted(person: number): boolean {
  return person % 6 !== 3
}

export const GRANTED: readonly number[] = Array.from({ length: PEOPLE }, (_, person) => person).filter(
  isGranted,
)

const MARKERS = {
  text: 'Mq7xMARKER',
  integer: 987_654_321,
  number: 987_654.125,
  date: '1904-04-04',
  timestamp: '1904-04-04 04:04:04',
} as const

/** What a marker looks like, wherever it shows; among the digits behind a point it is chance (2771/81 is 34.2098765…). */
export const MARKER_PATTERN = /Mq7x|MARKER|(?<!\.\d*)987_?654|987_?654\.?_?(?:321|125)|1904-04/i

export const athletes = testManifest('athletes', {
  minimumGroup: 10,
  dimensionsMax: 2,
  columns: [
    { name: 'name', type: 'text', sensitivity: 'direct_identifier' },
    { name: 'remark', type: 'text', sensitivity: 'free_text' },
    { name: 'town', type: 'text' },
    { name: 'sex', type: 'text' },
    { name: 'born', type: 'date' },
    { name: 'height', type: 'number', bounds: [1, 3], unit: 'm' },
    { name: 'score', type: 'integer', bounds: [0, 100] },
    { name: 'medals', type: 'integer', bounds: [0, 50] },
    { name: 'smokes', type: 'boolean' },
    { name: 'seen', type: 'timestamp' },
    { name: 'profile', type: 'json' },
    { name: 'tags', type: 'text[]' },
    { name: 'marks', type: 'integer[]' },
  ],
})
export const sessions = testManifest('sessions', {
  minimumGroup: 10,
  rowsMax: 6,
  columns: [
    { name: 'place', type: 'text' },
    { name: 'day', type: 'date' },
    { name: 'minutes', type: 'integer', bounds: [0, 600] },
    { name: 'load', type: 'number', bounds: [0, 1_000] },
    { name: 'at', type: 'timestamp' },
  ],
})

export const WORLDS = ['marked', 'breaking', 'empty'] as const
export type World = (typeof WORLDS)[number]

/** The data sets of one world. */
export function dataSetsOf(world: World): readonly TestDataSet[] {
  const people = Array.from({ length: PEOPLE }, (_, person) => person).filter(
    (person) => isGranted(person) || world !== 'empty',
  )
  return [
    { manifest: athletes, rows: people.map((person) => [person, ...athleteCells(person, world)] as const) },
    {
      manifest: sessions,
      rows: people.flatMap((person) =>
        Array.from(
          { length: sessionCount(person, world) },
          (_, index) => [person, ...sessionCells({ person, index, world })] as const,
        ),
      ),
    },
  ]
}

function athleteCells(person: number, world: World): readonly Cell[] {
  if (!isGranted(person)) return world === 'marked' ? MARKED_ATHLETE : brokenAthlete(person)
  const isTarget = person === TARGET
  return [
    `name ${person}`,
    `remark ${person}`,
    isTarget ? 'Nowhere' : (['Galway', 'Cork', 'Sligo'][person % 3] ?? null),
    person % 2 === 0 ? 'f' : 'm',
    isTarget ? '1999-09-09' : `${1970 + (person % 20)}-0${1 + (person % 9)}-15`,
    person % 16 === 4 ? null : isTarget ? 2.5 : 1.5 + ((person * 37) % 97) / 128,
    isTarget ? 100 : 5 + ((person * 13) % 85),
    isTarget ? 50 : 0,
    person % 5 === 0,
    `2026-0${1 + (person % 6)}-1${person % 10} 1${person % 10}:00:00`,
    JSON.stringify({
      team: isTarget ? 'lone' : ['red', 'blue'][person % 2],
      age: person % 16 === 4 ? null : isTarget ? 99 : 20 + (person % 12),
      likes: isTarget ? ['solitude'] : ['run', ...(person % 4 === 0 ? ['swim'] : [])],
    }),
    JSON.stringify(isTarget ? ['lone'] : person % 3 === 0 ? ['a', 'b'] : ['a']),
    JSON.stringify(isTarget ? [100] : [person % 4, 1]),
  ]
}

const MARKED_ATHLETE: readonly Cell[] = [
  MARKERS.text,
  MARKERS.text,
  MARKERS.text,
  MARKERS.text,
  MARKERS.date,
  MARKERS.number,
  MARKERS.integer,
  MARKERS.integer,
  true,
  MARKERS.timestamp,
  JSON.stringify({ team: MARKERS.text, age: MARKERS.integer, likes: [MARKERS.text] }),
  JSON.stringify([MARKERS.text]),
  JSON.stringify([MARKERS.integer]),
]

const BREAKING_DOCUMENTS: readonly Cell[] = [
  `${'['.repeat(31)}${']'.repeat(31)}`,
  '"a text"',
  '{"team": {"team": 1e149}, "age": "1e999", "likes": {"0": null}}',
  '{"team": true, "age": -1e149, "likes": [[], {}]}',
  'null',
  '17',
]

/** Values at which an expression fails, if it can. */
function brokenAthlete(person: number): readonly Cell[] {
  return [
    '',
    "'; drop",
    person % 2 === 0 ? '' : 'x'.repeat(20_000),
    null,
    person % 2 === 0 ? '0001-01-01' : '9999-12-31',
    person % 4 === 1 ? 'nan' : person % 4 === 3 ? 'infinity' : '-infinity',
    person % 2 === 0 ? '9223372036854775807' : '-9223372036854775808',
    0,
    null,
    person % 2 === 0 ? '0001-01-01 00:00:00' : '9999-12-31 23:59:59',
    BREAKING_DOCUMENTS[Math.floor(person / 6) % BREAKING_DOCUMENTS.length] ?? null,
    person % 2 === 0 ? '[]' : JSON.stringify(Array.from({ length: 1_000 }, () => '')),
    person % 2 === 0 ? null : '[9007199254740991]',
  ]
}

function sessionCount(person: number, world: World): number {
  if (isGranted(person)) return 1 + (person % 4)
  return world === 'marked' ? 3 : 6
}

function sessionCells({
  person,
  index,
  world,
}: {
  person: number
  index: number
  world: World
}): readonly Cell[] {
  if (!isGranted(person))
    return world === 'marked'
      ? [MARKERS.text, MARKERS.date, MARKERS.integer, MARKERS.number, MARKERS.timestamp]
      : ['', '9999-12-31', '-9223372036854775808', 'nan', '0001-01-01 00:00:00']
  return [
    person === TARGET ? 'vault' : (['pool', 'track'][(person + index) % 2] ?? null),
    `2026-05-0${1 + ((person + index) % 7)}`,
    person % 9 === 2 ? null : 10 + ((person * 7 + index * 13) % 50),
    ((person * 11 + index * 3) % 64) / 4,
    `2026-05-0${1 + ((person + index) % 7)} 1${index}:30:00`,
  ]
}
