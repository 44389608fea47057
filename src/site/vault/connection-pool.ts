import type { DuckDBConnection } from '@duckdb/node-api'

/** Connections for permitted statements. Beyond `max` at once the rest waits in order of arrival. */
export class ConnectionPool {
  readonly #connect: () => Promise<DuckDBConnection>
  readonly #max: number
  readonly #idle: DuckDBConnection[] = []
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = []
  #made = 0

  constructor(connect: () => Promise<DuckDBConnection>, max: number) {
    this.#connect = connect
    this.#max = max
  }

  /** Lends a connection to `act` alone. */
  async use<T>(act: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.#take()
    try {
      return await act(connection)
    } finally {
      const next = this.#waiting.shift()
      if (next) next(connection)
      else this.#idle.push(connection)
    }
  }

  /** Closes what is idle; nothing may be lent any more. */
  close(): void {
    for (const connection of this.#idle.splice(0)) connection.closeSync()
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
