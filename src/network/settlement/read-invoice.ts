import { sql } from 'kysely'
import type { Currency } from '../../kernel/currency.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Invoice, InvoiceLine } from '../../protocol/money/invoice.ts'
import type { Settlement } from '../../protocol/money/settlement.ts'

interface LineRow {
  readonly is_charge: boolean
  readonly data_set: string | null
  readonly site: string
  readonly party: string | null
  readonly account: string
  readonly currency: Currency
  readonly runs: bigint
  readonly amount: bigint
}

/**
 * What a member was charged and what it earned in the window of a settlement, by data set and site. The window is that
 * of the settlement itself, by numbers of transfers, so that the sums are its positions to the cent.
 */
export async function readInvoice(
  db: Database,
  {
    settlement,
    member,
    owners,
  }: {
    settlement: Settlement
    member: { readonly id: Invoice['member']; readonly name: string; readonly country: string }
    owners: readonly string[]
  },
): Promise<Omit<Invoice, 'from' | 'until'>> {
  const rows = await readLines(db, { settlement: settlement.id, owners })
  const { id } = settlement
  return {
    number: `${id}/${member.id}`,
    settlement: id,
    member: member.id,
    name: member.name,
    country: member.country,
    charges: rows.filter(({ is_charge }) => is_charge).map((row) => lineOf(row, member.id)),
    credits: rows.filter(({ is_charge }) => !is_charge).map((row) => lineOf(row, member.id)),
    totals: totalsOf(rows),
  }
}

async function readLines(
  db: Database,
  { settlement, owners }: { settlement: string; owners: readonly string[] },
): Promise<readonly LineRow[]> {
  const { rows } = await sql<LineRow>`
    with bounds as (
      select s.last_transfer as last, coalesce((
        select p.last_transfer from settlement p where p.sequence < s.sequence order by p.sequence desc limit 1), 0) as after
      from settlement s where s.id = ${settlement})
    select x.is_charge, k.data_set, t.site, case when x.is_charge and t.kind = 'capture' then null else t.party end as party, a.owner as account,
      a.currency, count(distinct t.ask) as runs, sum(t.amount_minor)::bigint as amount
    from bounds b
    join transfer t on t.kind in ('capture', 'credit') and t.id > b.after and t.id <= b.last
    cross join lateral (values (t.debit_account, true), (t.credit_account, false)) as x(account, is_charge)
    join account a on a.id = x.account and a.owner = any(${owners})
    left join ask k on k.id = t.ask
    group by 1, 2, 3, 4, 5, 6 order by 1 desc, 2, 3, 5, 4, 6`.execute(db)
  return rows
}

function lineOf(
  { data_set, site, party, account, currency, runs, amount }: LineRow,
  member: string,
): InvoiceLine {
  return {
    dataSet: data_set ?? '',
    site,
    ...(party === null ? {} : { party }),
    ...(account === member ? {} : { account }),
    runs: Number(runs),
    currency,
    amountMinor: Number(amount),
  }
}

function totalsOf(rows: readonly LineRow[]): Invoice['totals'] {
  const totals = new Map<Currency, { chargesMinor: number; creditsMinor: number }>()
  for (const { currency, is_charge, amount } of rows) {
    const { chargesMinor, creditsMinor } = totals.get(currency) ?? { chargesMinor: 0, creditsMinor: 0 }
    totals.set(currency, {
      chargesMinor: chargesMinor + (is_charge ? Number(amount) : 0),
      creditsMinor: creditsMinor + (is_charge ? 0 : Number(amount)),
    })
  }
  return [...totals].map(([currency, sums]) => ({
    currency,
    ...sums,
    netMinor: sums.creditsMinor - sums.chargesMinor,
  }))
}
