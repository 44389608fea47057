import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'

/** That a site winds down, since when and why. */
export interface WindingDown {
  readonly since: Instant
  readonly reason: string
}

/**
 * Whether a site winds down (DGA Art. 12(h): rights go on when the intermediary does not). From then on it offers nothing,
 * answers no ask and takes no data; people's rights, withdrawal, export and the hand-over to issuers go on. It cannot be undone:
 * acquirers, issuers and people are told once.
 */
export class WindDown {
  readonly #db: Database
  #state: WindingDown | undefined

  private constructor(db: Database, state: WindingDown | undefined) {
    this.#db = db
    this.#state = state
  }

  static async open(db: Database): Promise<WindDown> {
    return new WindDown(db, await readState(db))
  }

  /** `undefined` while the site works as usual. */
  get state(): WindingDown | undefined {
    return this.#state
  }

  /** Begins it, once; beginning it again changes nothing. */
  async begin({ reason, now }: { reason: string; now: Instant }): Promise<WindingDown> {
    await sql`insert into wind_down (reason, since_ms) values (${reason}, ${now}) on conflict do nothing`.execute(
      this.#db,
    )
    const state = await readState(this.#db)
    if (!state) throw new Fault('fault.internal', { what: 'Cannot find that the site winds down' })
    this.#state = state
    return state
  }

  /** @throws Fault `fault.conflict` when the site winds down: it takes nothing more in */
  requireTaking(): void {
    if (this.#state)
      throw new Fault('fault.conflict', { what: 'The site winds down and takes no data any more' })
  }
}

async function readState(db: Database): Promise<WindingDown | undefined> {
  const { rows } = await sql<{ reason: string; since: string }>`
    select reason, since_ms::text as since from wind_down`.execute(db)
  const [row] = rows
  return row && { reason: row.reason, since: instant(Number(row.since)) }
}
