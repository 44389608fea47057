import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Position, Settlement } from '../../protocol/money/settlement.ts'

interface SettlementRow {
  readonly id: string
  readonly sequence: bigint
  readonly from_at: Instant | null
  readonly until_at: Instant
  readonly positions: Position[]
}

/** The settlement that meets a condition over `s`. */
export async function findSettlement(
  db: Database,
  condition: RawBuilder<unknown>,
): Promise<Settlement | undefined> {
  const [row] = await select(db, { condition, limit: 1 })
  return row && settlementOf(row)
}

/** Settlements, newest first, and where the next page begins. */
export async function listSettlements(
  db: Database,
  { before, limit }: { before: bigint | undefined; limit: number },
): Promise<{ readonly items: readonly Settlement[]; readonly next: bigint | undefined }> {
  const condition = before === undefined ? sql`true` : sql`s.sequence < ${before}`
  const rows = await select(db, { condition, limit: limit + 1 })
  const page = rows.slice(0, limit)
  return { items: page.map(settlementOf), next: rows.length > limit ? page.at(-1)?.sequence : undefined }
}

/** What an owner may see of a settlement: its own positions. */
export function positionsOf(settlement: Settlement, owners: readonly string[] | undefined): Settlement {
  if (owners === undefined) return settlement
  return { ...settlement, positions: settlement.positions.filter(({ account }) => owners.includes(account)) }
}

async function select(
  db: Database,
  { condition, limit }: { condition: RawBuilder<unknown>; limit: number },
): Promise<readonly SettlementRow[]> {
  const { rows } = await sql<SettlementRow>`
    select s.id, s.sequence, s.from_at, s.until_at, coalesce((
      select jsonb_agg(jsonb_build_object('account', p.owner, 'currency', p.currency, 'debitsMinor', p.debits_minor,
        'creditsMinor', p.credits_minor, 'netMinor', p.net_minor) order by p.owner, p.currency)
      from settlement_position p where p.settlement = s.id), '[]') as positions
    from settlement s where ${condition} order by s.sequence desc limit ${limit}`.execute(db)
  return rows
}

function settlementOf({ id, from_at, until_at, positions }: SettlementRow): Settlement {
  return { id, ...(from_at === null ? {} : { from: from_at }), until: until_at, positions }
}
