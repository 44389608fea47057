import type { RawBuilder } from 'kysely'
import pg from 'pg'
import type { Database } from '../../kernel/postgres/database.ts'
import { faultOf } from '../../kernel/postgres/fault-of.ts'
import type { Secret } from '../../kernel/secret.ts'

/**
 * A connection of its own for booking asks, on which statements stay prepared. A statement is on its way when `run`
 * returns, so that the caller can do something useful while the database works. Measured against the pool: a third less
 * time for an ask that comes alone.
 */
export class BookingLine implements AsyncDisposable {
  readonly #url: Secret<string>
  readonly #db: Database
  readonly #names = new Map<string, string>()
  #client: pg.Client | undefined

  /** `db` only writes the statements down; they run on the line. */
  constructor({ url, db }: { url: Secret<string>; db: Database }) {
    this.#url = url
    this.#db = db
  }

  /** Runs a statement; one that fails because the line broke is not tried again, for it may have been booked. */
  run<T>(statement: RawBuilder<T>): Promise<readonly T[]> {
    const { sql, parameters } = statement.compile(this.#db)
    const query = { name: this.#nameOf(sql), text: sql, values: [...parameters] }
    const client = this.#client
    const answer = client ? client.query(query) : this.#connect().then((fresh) => fresh.query(query))
    return answer.then(
      ({ rows }) => rows as readonly T[],
      (error: unknown) => {
        throw isOfTheStatement(error) ? error : faultOf(error, 'Cannot book asks')
      },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.end()
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url.reveal(),
      application_name: 'hedgerow-booking',
      keepAlive: true,
      options: '-c timezone=UTC',
    })
    const forget = () => {
      if (this.#client === client) this.#client = undefined
    }
    client.on('error', forget)
    client.on('end', forget)
    await client.connect()
    this.#client = client
    return client
  }

  /** PostgreSQL keeps a prepared statement under its name for as long as the connection lives. */
  #nameOf(text: string): string {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    const name = `booking_${this.#names.size}`
    this.#names.set(text, name)
    return name
  }
}

/** A SQLSTATE that the statement itself raised, which its caller knows how to read. */
function isOfTheStatement(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('HG')
  )
}
