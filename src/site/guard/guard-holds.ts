import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'

/**
 * Whom the guard may tell nothing exact, because it does not know what they know: after a restore, everybody who was
 * answered between the backup and the loss. Held in memory; read before anything is served.
 */
export class GuardHolds {
  readonly #db: Database
  #held: ReadonlySet<string>

  private constructor(db: Database, held: ReadonlySet<string>) {
    this.#db = db
    this.#held = held
  }

  static async open(db: Database): Promise<GuardHolds> {
    const { rows } = await sql<{ acquirer_group: string }>`
      select acquirer_group from guard_hold where lifted_ms is null order by 1`.execute(db)
    return new GuardHolds(db, new Set(rows.map((row) => row.acquirer_group)))
  }

  /** Who is held, in the order of names. */
  get held(): readonly string[] {
    return [...this.#held]
  }

  /** Noise is not the guard's: its budgets were debited. */
  check(acquirerGroup: string, mode: string): Outcome<undefined> {
    if (mode === 'private' || !this.#held.has(acquirerGroup)) return { ok: true, value: undefined }
    return declined('declined.differencing', {
      detail: 'The site was restored from a backup and does not know all that it told you; ask its operator',
      operatorNote: 'held since a restore; "hedgerow site holds" tells whom',
    })
  }

  /** A group that somebody is held in is held with all who are in it; in the transaction that makes it one. */
  async join(
    tx: DatabaseTransaction,
    { into, from }: { into: string; from: readonly string[] },
  ): Promise<void> {
    await sql`
      insert into guard_hold (acquirer_group, backup, since_ms)
      select ${into}, backup, since_ms from guard_hold
      where acquirer_group = any(${[...from]}::text[]) and lifted_ms is null order by since_ms limit 1
      on conflict (acquirer_group) where lifted_ms is null do nothing`.execute(tx)
    // Should the transaction fail, it is held for nothing until the next start.
    if (from.some((name) => this.#held.has(name))) this.#held = new Set([...this.#held, into])
  }

  /** From when this resolves the acquirer is answered again; gives whether it was held. */
  async lift({ group, reason, now }: { group: string; reason: string; now: Instant }): Promise<boolean> {
    const { rows } = await sql`
      update guard_hold set lifted_ms = ${now}, lift_reason = ${reason}
      where acquirer_group = ${group} and lifted_ms is null returning id`.execute(this.#db)
    this.#held = new Set([...this.#held].filter((name) => name !== group))
    return rows.length > 0
  }
}

/** Holds groups from now on, once each. */
export async function insertHolds(
  tx: DatabaseTransaction,
  { groups, backup, now }: { groups: readonly string[]; backup: string; now: Instant },
): Promise<void> {
  await sql`
    insert into guard_hold (acquirer_group, backup, since_ms)
    select name, ${backup}, ${now}::bigint from unnest(${groups}::text[]) as held (name)
    on conflict (acquirer_group) where lifted_ms is null do nothing`.execute(tx)
}
