import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'
import { KEPT } from '../../../kernel/postgres/kept-statements.ts'
import { readTogether } from '../../../kernel/postgres/read-together.ts'

/** Most people of a caller who is not worth a statement alone. */
const PEOPLE_TOGETHER_MAX = 64

/** People's keys as they stand in the record, by person; those without one are not in it. */
export type WrappedKeys = ReadonlyMap<number, Uint8Array>

/**
 * Reads wrapped keys. Where few people are meant, those of callers who come at the same time are read by one statement: what was
 * destroyed before one asked is given to nobody.
 */
export async function readWrappedKeys(db: Database, people: readonly number[]): Promise<WrappedKeys> {
  return people.length > PEOPLE_TOGETHER_MAX ? readAlone(db, people) : readOfSeveral(db, people)
}

const readOfSeveral = readTogether(async (db, calls: readonly (readonly number[])[]) => {
  const all = await readAlone(db, [...new Set(calls.flat())])
  // Each is given what it asked for and nothing of the others.
  return calls.map((people): WrappedKeys => {
    const own = new Map<number, Uint8Array>()
    for (const person of people) {
      const wrapped = all.get(person)
      if (wrapped !== undefined) own.set(person, wrapped)
    }
    return own
  })
})

async function readAlone(db: Database, people: readonly number[]): Promise<WrappedKeys> {
  const { rows } = await sql<{ person: number; wrapped: Uint8Array }>`
    ${KEPT} select person, wrapped from person_key where person = any(${people}::integer[])`.execute(db)
  return new Map(rows.map(({ person, wrapped }) => [person, wrapped]))
}
