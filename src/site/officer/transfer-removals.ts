import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'

/** That a ground for transfers no longer counts at this site, and since when. */
export interface TransferRemoval {
  readonly ground: string
  readonly reason: string
  /** Absent: by the settings of the site, since it was started with them. */
  readonly at?: Instant | undefined
}

/**
 * The kill switch for transfers: adequacy decisions and safeguards that the operator took away (a court annuls a decision
 * in a morning). Held in memory, so that the next ask is decided without them.
 */
export class TransferRemovals {
  readonly #db: Database
  readonly #bySettings: readonly TransferRemoval[]
  #removed: ReadonlyMap<string, TransferRemoval> = new Map()
  #ids: ReadonlySet<string> = new Set()

  private constructor(db: Database, bySettings: readonly string[]) {
    this.#db = db
    this.#bySettings = bySettings.map((ground) => ({ ground, reason: 'by the settings of the site' }))
  }

  /** `bySettings`: grounds that the settings remove (`removedTransferGrounds`), which nobody can restore here. */
  static async open(db: Database, bySettings: readonly string[]): Promise<TransferRemovals> {
    const removals = new TransferRemovals(db, bySettings)
    await removals.#read()
    return removals
  }

  /** Ids of grounds that do not count now. */
  get ids(): ReadonlySet<string> {
    return this.#ids
  }

  find(ground: string): TransferRemoval | undefined {
    return this.#removed.get(ground)
  }

  /** In force when it resolves; removing what is removed changes nothing. */
  async remove({ ground, reason, now }: { ground: string; reason: string; now: Instant }): Promise<void> {
    await sql`
      insert into transfer_removal (ground, reason, removed_ms) values (${ground}, ${reason}, ${now})
      on conflict (ground) where restored_ms is null do nothing`.execute(this.#db)
    await this.#read()
  }

  /** @throws Fault `fault.conflict` when the settings of the site remove it */
  async restore({ ground, now }: { ground: string; now: Instant }): Promise<void> {
    if (this.#bySettings.some((removal) => removal.ground === ground)) {
      throw new Fault('fault.conflict', {
        what: `Cannot restore "${ground}": the settings of the site remove it (removedTransferGrounds)`,
      })
    }
    await sql`
      update transfer_removal set restored_ms = ${now} where ground = ${ground} and restored_ms is null`.execute(
      this.#db,
    )
    await this.#read()
  }

  async #read(): Promise<void> {
    const removed = [...(await readRemoved(this.#db)), ...this.#bySettings]
    this.#removed = new Map(removed.map((removal) => [removal.ground, removal]))
    this.#ids = new Set(this.#removed.keys())
  }
}

async function readRemoved(db: Database): Promise<readonly TransferRemoval[]> {
  const { rows } = await sql<{ ground: string; reason: string; at: string }>`
    select ground, reason, removed_ms::text as at from transfer_removal where restored_ms is null`.execute(db)
  return rows.map(({ ground, reason, at }) => ({ ground, reason, at: instant(Number(at)) }))
}
