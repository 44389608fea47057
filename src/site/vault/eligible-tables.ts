import { DuckDBDataChunk, INTEGER } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { Bitset } from '../../kernel/bitset.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Mutex } from '../../kernel/mutex.ts'
import { ELIGIBLE_CATALOGUE } from './engine.ts'
import { runOwn } from './own-sql.ts'
import { PERSON_COLUMN } from './stored-columns.ts'

/** Rows of a chunk: the engine's own vector size. */
const CHUNK_ROWS = 2_048

interface EligibleTable {
  readonly name: string
  readonly made: Promise<void>
  holders: number
}

/** Tables of eligible people, in memory only, shared by asks whose sets are the same. */
export class EligibleTables {
  readonly #connection: DuckDBConnection
  readonly #turn: Mutex
  /** In the order of last use. */
  readonly #tables = new Map<string, EligibleTable>()
  #number = 0

  constructor({ connection, turn }: { connection: DuckDBConnection; turn: Mutex }) {
    this.#connection = connection
    this.#turn = turn
  }

  /** Lends the table of a set to `act`. */
  async use<T>(
    { people, cacheKey }: { readonly people: Bitset; readonly cacheKey: string },
    act: (table: string) => Promise<T>,
  ): Promise<T> {
    const table = this.#tables.get(cacheKey) ?? this.#begin(people)
    this.#tables.delete(cacheKey)
    this.#tables.set(cacheKey, table)
    table.holders += 1
    try {
      await table.made
      return await act(table.name)
    } catch (error) {
      if (await isFailed(table.made)) this.#tables.delete(cacheKey)
      throw error
    } finally {
      table.holders -= 1
      await this.#dropIdle()
    }
  }

  #begin(people: Bitset): EligibleTable {
    this.#number += 1
    const name = `e_${this.#number}`
    return { name, made: this.#turn.run(() => this.#make(name, people)), holders: 0 }
  }

  async #make(name: string, people: Bitset): Promise<void> {
    const table = sql.id(ELIGIBLE_CATALOGUE, 'main', name)
    await runOwn(this.#connection, sql`create table ${table} (${sql.id(PERSON_COLUMN)} integer not null)`)
    const appender = await this.#connection.createAppender(name, 'main', ELIGIBLE_CATALOGUE)
    let numbers: number[] = []
    const send = () => {
      const chunk = DuckDBDataChunk.create([INTEGER], numbers.length)
      chunk.setColumnValues(0, numbers)
      appender.appendDataChunk(chunk)
      numbers = []
    }
    for (const person of people) if (numbers.push(person) === CHUNK_ROWS) send()
    if (numbers.length > 0) send()
    appender.closeSync()
  }

  async #dropIdle(): Promise<void> {
    const idle = [...this.#tables].filter(([, { holders }]) => holders === 0)
    for (const [cacheKey, { name, made }] of idle.slice(
      0,
      Math.max(0, idle.length - LIMITS.vaultIdleEligibleTablesMax),
    )) {
      this.#tables.delete(cacheKey)
      if (await isFailed(made)) continue
      await this.#turn.run(() =>
        runOwn(this.#connection, sql`drop table ${sql.id(ELIGIBLE_CATALOGUE, 'main', name)}`),
      )
    }
  }
}

function isFailed(made: Promise<void>): Promise<boolean> {
  return made.then(
    () => false,
    () => true,
  )
}
