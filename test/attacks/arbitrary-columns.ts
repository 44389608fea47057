import type fc from 'fast-check'

/* Columns that stand behind a FROM of the data sets of `worlds.ts`, for what is drawn over them. */

/** Columns that stand behind a FROM, by type. */
export interface Columns {
  readonly text: readonly string[]
  readonly integer: readonly string[]
  readonly number: readonly string[]
  readonly date: readonly string[]
  readonly timestamp: readonly string[]
  readonly boolean: readonly string[]
}

/** A type that a value of SQL has here. */
export type Type = keyof Columns

/** Texts of one kind of SQL. */
export type Sql = fc.Arbitrary<string>

/** A row a person. */
export const ATHLETES: Columns = {
  text: ['a.town', 'a.sex'],
  integer: ['a.score', 'a.medals'],
  number: ['a.height'],
  date: ['a.born'],
  timestamp: ['a.seen'],
  boolean: ['a.smokes'],
}

/** Several rows of a person. */
export const SESSIONS: Columns = {
  text: ['s.place'],
  integer: ['s.minutes'],
  number: ['s.load'],
  date: ['s.day'],
  timestamp: ['s.at'],
  boolean: [],
}

/** What a sub-query makes of the sessions of each. */
export const PER_PERSON: Columns = {
  text: [],
  integer: ['v.n', 'v.most'],
  number: ['v.total'],
  date: ['v.first'],
  timestamp: [],
  boolean: [],
}

function together(...parts: readonly Columns[]): Columns {
  const all = (type: Type) => parts.flatMap((columns) => columns[type])
  return {
    text: all('text'),
    integer: all('integer'),
    number: all('number'),
    date: all('date'),
    timestamp: all('timestamp'),
    boolean: all('boolean'),
  }
}

export const JOINED = together(ATHLETES, SESSIONS)
export const WITH_PER_PERSON = together(ATHLETES, PER_PERSON)

/** Arbitraries by what they are made of: a grammar is a graph, and building it as a tree takes longer than all else. */
const made = new Map<Columns, Map<string, Sql>>()

/** The arbitrary of this name over these columns, made once. */
export function once(columns: Columns, name: string, make: () => Sql): Sql {
  const known = made.get(columns) ?? new Map<string, Sql>()
  made.set(columns, known)
  const arbitrary = known.get(name) ?? make()
  known.set(name, arbitrary)
  return arbitrary
}
