import { sql } from 'kysely'
import type { Currency } from '../../kernel/currency.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Balance, TrialBalance } from '../../protocol/http/money-api.ts'
import type { AccountKind } from './account-name.ts'

interface AccountRow {
  readonly owner: string
  readonly kind: AccountKind
  readonly currency: Currency
  readonly debits_minor: bigint
  readonly credits_minor: bigint
  readonly held_minor: bigint
}

/** Balances of some owners, or of all. */
export async function listBalances(db: Database, owners?: readonly string[]): Promise<readonly Balance[]> {
  const { rows } = await sql<AccountRow>`
    select owner, kind, currency, debits_minor, credits_minor, held_minor from account
    where ${owners === undefined ? sql`true` : sql`owner = any(${owners})`}
    order by owner, kind desc, currency`.execute(db)
  return rows.map(({ owner, kind, currency, debits_minor, credits_minor, held_minor }) => ({
    owner,
    kind,
    currency,
    availableMinor: Number(credits_minor - debits_minor - held_minor),
    heldMinor: Number(held_minor),
    debitsMinor: Number(debits_minor),
    creditsMinor: Number(credits_minor),
  }))
}

interface TrialRow {
  readonly currency: Currency
  readonly debits: bigint
  readonly credits: bigint
  readonly held: bigint
  readonly open_holds: bigint
  readonly journal: bigint
  readonly astray: bigint
}

/**
 * The trial balance, from three sides that were written apart: sums of the accounts, sums of the journal, and open
 * holds of asks and floor limits. Balanced means that all agree, account by account.
 */
export async function trialBalance(db: Database): Promise<TrialBalance> {
  const { rows } = await sql<TrialRow>`
    with sides as (
      select account, sum(debit) as debits, sum(credit) as credits
      from transfer t, lateral (values (t.debit_account, t.amount_minor, 0), (t.credit_account, 0, t.amount_minor)) as x(account, debit, credit)
      group by account),
    holds as (
      select owner, currency, sum(held) as held from (
        select a.acquirer as owner, a.currency, s.hold_minor as held
        from ask_site s join ask a on a.id = s.ask where s.is_hold_open
        union all
        select acquirer, currency, amount_minor - captured_minor from floor_limit where is_open) as open group by 1, 2)
    select c.currency, sum(c.debits_minor)::bigint as debits, sum(c.credits_minor)::bigint as credits,
      sum(c.held_minor)::bigint as held, coalesce(sum(h.held), 0)::bigint as open_holds, coalesce(sum(s.debits), 0)::bigint as journal,
      count(*) filter (where c.debits_minor <> coalesce(s.debits, 0) or c.credits_minor <> coalesce(s.credits, 0)
        or c.held_minor <> coalesce(h.held, 0)) as astray
    from account c
      left join sides s on s.account = c.id
      left join holds h on h.owner = c.owner and h.currency = c.currency and c.kind = 'funds'
    group by c.currency order by c.currency`.execute(db)
  const items = rows.map(({ currency, debits, credits, held, open_holds, journal }) => ({
    currency,
    debitsMinor: Number(debits),
    creditsMinor: Number(credits),
    differenceMinor: Number(debits - credits),
    heldMinor: Number(held),
    openHoldsMinor: Number(open_holds),
    journalMinor: Number(journal),
  }))
  const isBalanced = rows.every(({ debits, credits, astray }) => debits === credits && astray === 0n)
  return { isBalanced, items }
}
