import type { DuckDBConnection } from '@duckdb/node-api'

/** Connections for permitted statements. Beyond `max` at once the rest waits in order of arrival. */
export class ConnectionPool {
  readonly #connect: () => Promise<DuckDBConnection>
  readonly #max: number
  readonly #idle: DuckDBConnection[] = []
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = []
  #made = 0
  readonly #tidying = new Set<Promise<void>>()

  constructor(connect: () => Promise<DuckDBConnection>, max: number) {
    this.#connect = connect
    this.#max = max
  }

  /**
   * Lends a connection to `act` alone. What `act` hands to `tidy` is done before the next may have the connection, but
   * nobody who has the result waits for it.
   */
  async use<T>(
    act: (connection: DuckDBConnection, tidy: (tidying: Promise<void>) => void) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#take()
    let tidied: Promise<void> = Promise.resolve()
    try {
      return await act(connection, (tidying) => {
        tidied = tidying
      })
    } finally {
      const back = tidied.then(() => {
        this.#tidying.delete(back)
        this.#giveBack(connection)
      })
      this.#tidying.add(back)
    }
  }

  /** Closes the connections once those that are being tidied are back; nothing may be lent any more. */
  async close(): Promise<void> {
    await Promise.all(this.#tidying)
    for (const connection of this.#idle.splice(0)) connection.closeSync()
  }

  #giveBack(connection: DuckDBConnection): void {
    const next = this.#waiting.shift()
    if (next) next(connection)
    else this.#idle.push(connection)
  }

  async #take(): Promise<DuckDBConnection> {
    const idle = this.#idle.pop()
    if (idle) return idle
    if (this.#made >= this.#max) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#made += 1
    try {
      return await this.#connect()
    } catch (error) {
      this.#made -= 1
      throw error
    }
  }
}
