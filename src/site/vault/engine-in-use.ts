import { AsyncLocalStorage } from 'node:async_hooks'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { Mutex } from '../../kernel/mutex.ts'
import { ConnectionPool } from './connection-pool.ts'
import { EligibleTables } from './eligible-tables.ts'
import type { Engine } from './engine.ts'

/** An engine with what belongs to it alone. */
export interface ServingEngine {
  readonly engine: Engine
  readonly pool: ConnectionPool
  /** For what the site reads at length for itself. */
  readonly apart: ConnectionPool
  readonly eligible: EligibleTables
}

interface Served extends ServingEngine {
  holders: number
  /** Told when nobody holds it any more, once another has taken its place. */
  onIdle: (() => void) | undefined
}

/**
 * The engine in use, which a compaction replaces while others still read from the one before. Whoever holds one goes
 * on with it to the end (a table of eligible people is of one engine); who comes later gets the new one.
 */
export class EngineInUse {
  /** Changes of the vault happen one after another, whichever engine is in use when their turn comes. */
  readonly writing = new Mutex()
  /** What is written beside the turns of changes, and what replaces the engine, which would lose it. */
  readonly besides = new Mutex()
  #current: Served
  #isClosed = false
  readonly #held = new AsyncLocalStorage<Served>()

  constructor(engine: Engine) {
    this.#current = servedOf(engine)
  }

  get current(): Engine {
    return this.#current.engine
  }

  /** Lends the engine that this course of events holds already, or the present one. */
  async hold<T>(act: (serving: ServingEngine) => Promise<T>): Promise<T> {
    const known = this.#held.getStore()
    // What outlives the course of events that held an engine finds it let go, perhaps closed.
    return this.#lend(known !== undefined && known.holders > 0 ? known : this.#current, act)
  }

  /** Lends the present one, whichever this course of events holds. */
  holdCurrent<T>(act: (serving: ServingEngine) => Promise<T>): Promise<T> {
    return this.#lend(this.#current, act)
  }

  async #lend<T>(held: Served, act: (serving: ServingEngine) => Promise<T>): Promise<T> {
    // A connection that is made now would keep the file open, and write to it, after it was said to be closed.
    if (this.#isClosed) throw new Fault('fault.unavailable', { what: 'Cannot use the vault: it is closed' })
    held.holders += 1
    try {
      return await this.#held.run(held, () => act(held))
    } finally {
      held.holders -= 1
      if (held.holders === 0) held.onIdle?.()
    }
  }

  /** Takes another engine into use; resolves when nobody holds the one before any more and it is closed. */
  async replace(engine: Engine): Promise<void> {
    const before = this.#current
    this.#current = servedOf(engine)
    await untilIdle(before)
    await before.pool.close()
    await before.apart.close()
    before.engine.abandon()
  }

  /**
   * Once nobody holds it any more, nor changes anything: a run or an import that nobody waits for may be under way, and an
   * engine that is closed under it takes the process with it. Whoever comes afterwards is refused.
   */
  async close(): Promise<void> {
    while (this.#current.holders > 0) await untilIdle(this.#current)
    this.#isClosed = true
    await this.writing.run(async () => {
      await this.#current.pool.close()
      await this.#current.apart.close()
      await this.#current.engine[Symbol.asyncDispose]()
    })
  }
}

async function untilIdle(served: Served): Promise<void> {
  if (served.holders === 0) return
  const { promise, resolve } = Promise.withResolvers<void>()
  served.onIdle = resolve
  await promise
}

function servedOf(engine: Engine): Served {
  return {
    engine,
    pool: new ConnectionPool(() => engine.connect(), LIMITS.vaultStatementsAtOnceMax),
    apart: new ConnectionPool(() => engine.connect(), LIMITS.vaultReadsApartMax),
    eligible: new EligibleTables({ connection: engine.reader, turn: engine.reading }),
    holders: 0,
    onIdle: undefined,
  }
}
