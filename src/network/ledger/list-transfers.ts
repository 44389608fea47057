import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Transfer } from '../../protocol/http/money-api.ts'
import type { AskId, SiteId } from '../../protocol/wire.ts'
import type { AccountKind } from './account-name.ts'

interface TransferRow {
  readonly id: bigint
  readonly kind: Transfer['kind']
  readonly party: string | null
  readonly debit_owner: string
  readonly debit_kind: AccountKind
  readonly credit_owner: string
  readonly credit_kind: AccountKind
  readonly amount_minor: bigint
  readonly currency: Currency
  readonly ask: AskId | null
  readonly site: SiteId | null
  readonly settlement: string | null
  readonly reference: string | null
  readonly made_at: Instant
}

/** Transfers that meet a condition over `t` (transfer), `d` and `c` (its accounts), newest first. */
export async function findTransfers(
  db: Database,
  condition: RawBuilder<unknown>,
  limit: number,
): Promise<readonly Transfer[]> {
  const { rows } = await sql<TransferRow>`
    select t.id, t.kind, t.party, d.owner as debit_owner, d.kind as debit_kind, c.owner as credit_owner, c.kind as credit_kind,
      t.amount_minor, d.currency, t.ask, t.site, t.settlement, t.reference, t.made_at
    from transfer t join account d on d.id = t.debit_account join account c on c.id = t.credit_account
    where ${condition} order by t.id desc limit ${limit}`.execute(db)
  return rows.map(transferOf)
}

/** A statement: what moved on an owner's accounts (or, for the operator, on all), newest first. */
export function listTransfers(
  db: Database,
  {
    owners,
    before,
    limit,
  }: { owners: readonly string[] | undefined; before: bigint | undefined; limit: number },
): Promise<readonly Transfer[]> {
  const isBefore = before === undefined ? sql`true` : sql`t.id < ${before}`
  const isOwn = owners === undefined ? sql`true` : sql`(d.owner = any(${owners}) or c.owner = any(${owners}))`
  return findTransfers(db, sql`${isBefore} and ${isOwn}`, limit)
}

function transferOf(row: TransferRow): Transfer {
  return {
    id: row.id.toString(),
    kind: row.kind,
    ...(row.party === null ? {} : { party: row.party }),
    debit: { owner: row.debit_owner, kind: row.debit_kind },
    credit: { owner: row.credit_owner, kind: row.credit_kind },
    amount: { amountMinor: row.amount_minor, currency: row.currency },
    ...(row.ask === null ? {} : { ask: row.ask }),
    ...(row.site === null ? {} : { site: row.site }),
    ...(row.settlement === null ? {} : { settlement: row.settlement }),
    ...(row.reference === null ? {} : { reference: row.reference }),
    time: row.made_at,
  }
}
