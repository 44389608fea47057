import { sql } from 'kysely'
import { formatInstant, later } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { Mutex } from '../../kernel/mutex.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { purgeTables } from '../../kernel/postgres/purge-tables.ts'

/** Tables in whose files sealed releases and notices stand. */
const TABLES = ['decision', 'notice'] as const
/** Rewriting holds up decisions, so it takes at most this part of the time, whoever asks for it. */
const SHARE_MAX = 0.1

/** Removes withdrawn releases from every file of the network's PostgreSQL, within a window or when somebody asks for it. */
export class WithdrawnPurge {
  readonly #db: Database
  readonly #clock: Clock
  readonly #windowMs: number
  readonly #closing: AbortSignal
  readonly #turns = new Mutex()
  #notBefore: Instant | undefined

  constructor({
    db,
    clock,
    windowMs,
    closing,
  }: {
    db: Database
    clock: Clock
    windowMs: number
    /** Aborted when the network closes: it does not wait for somebody else's transaction. */
    closing: AbortSignal
  }) {
    this.#db = db
    this.#clock = clock
    this.#windowMs = windowMs
    this.#closing = closing
  }

  /** Purges when half of the window has passed for the oldest that waits. */
  async whenDue(): Promise<void> {
    const { rows } = await sql<{ oldest: Instant | null }>`
      select min(ordered_at) as oldest from release_withdrawal where purged_at is null`.execute(this.#db)
    const oldest = rows[0]?.oldest ?? undefined
    if (oldest !== undefined && this.#clock.now() >= oldest + this.#windowMs / 2) await this.now()
  }

  /** Purges tables in which something else was deleted for good. */
  async purge(tables: readonly string[]): Promise<void> {
    await this.#turns.run(() => purgeTables(this.#db, tables, { signal: this.#closing }))
  }

  /** Purges at once what waits, unless it was just done; a database of somebody else's keeps its log, and then nothing is said to be permanent. */
  async now(): Promise<void> {
    await this.#turns.run(async () => {
      const begun = this.#clock.now()
      if (this.#notBefore !== undefined && begun < this.#notBefore) return
      const { rows } = await sql<{ site: string; ask: string }>`
        select site, ask from release_withdrawal where purged_at is null`.execute(this.#db)
      if (rows.length === 0) return
      const purged = await purgeTables(this.#db, TABLES, { signal: this.#closing })
      const now = this.#clock.now()
      this.#notBefore = later(now, (now - begun) / SHARE_MAX)
      if (!purged.isRewritten || !purged.isLogRecycled) return
      await sql`
        update release_withdrawal w set purged_at = ${formatInstant(now)}::timestamptz
        from unnest(${rows.map(({ site }) => site)}::text[], ${rows.map(({ ask }) => ask)}::text[]) as p(site, ask)
        where w.site = p.site and w.ask = p.ask`.execute(this.#db)
    })
  }
}
