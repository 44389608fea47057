import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { isOverdrawn } from '../ledger/overdrawn.ts'
import { lockLedger } from '../ledger/lock-ledger.ts'
import { postTransfers } from '../ledger/post-transfers.ts'
import { creditPostings } from './credit-postings.ts'
import type { CreditShare } from './credit-postings.ts'
import type { StoredDispute } from './dispute-store.ts'

/**
 * Gives money of a captured price back to its acquirer (`credit-postings.ts`). The share of the people stays theirs: they gave what was
 * asked of them; what it was worth to them is paid out by the site.
 *
 * @throws Fault `fault.conflict` that names who has too little
 */
export async function bookCredit(
  tx: DatabaseTransaction,
  { id, ask, site, acquirer, issuer, currency }: StoredDispute,
  { creditMinor, at }: { creditMinor: bigint; at: Instant },
): Promise<void> {
  // In the order in which bookings lock: the ledger, then accounts.
  await lockLedger(tx)
  const found = await sharesOf(tx, { ask, site, currency })
  const shares = found.length > 0 ? found : [await nothingShared(tx, { owner: issuer, currency })]
  const credit = { dispute: id, ask, site, acquirer, amountMinor: creditMinor, currency, shares }
  const { postings, short } = creditPostings(credit)
  if (short.length > 0) throw tooLittle(short)
  await postTransfers(tx, { postings, at }).catch((error: unknown) => {
    throw isOverdrawn(error) ? tooLittle([]) : error
  })
}

/** What has come back of a captured price so far, with what its acquirer had itself of it: by what was decided, since of that nothing moves. */
export async function creditedMinor(
  db: Database,
  { ask, site }: { readonly ask: string; readonly site: string },
): Promise<bigint> {
  const { rows } = await sql<{ credited: bigint }>`
    select coalesce(sum(s.credit_minor), 0)::bigint as credited from dispute d join dispute_step s on s.dispute = d.id
    where d.ask = ${ask} and d.site = ${site}`.execute(db)
  return rows[0]?.credited ?? 0n
}

interface AccountsRow {
  readonly owner: string
  readonly shared: bigint
  readonly earned: bigint
  readonly funds: bigint
}

/** Who shared in the price but the people and the account of what rounding left, the issuer first. */
async function sharesOf(
  tx: DatabaseTransaction,
  { ask, site, currency }: { ask: string; site: string; currency: string },
): Promise<readonly CreditShare[]> {
  const { rows } = await sql<AccountsRow>`
    select x.owner, x.shared, ${balanceOf('earned', currency)} as earned, ${balanceOf('funds', currency)} as funds
    from (
      select c.owner, sum(t.amount_minor)::bigint as shared, min(t.id) as first
      from transfer t join account c on c.id = t.credit_account
      where t.kind = 'capture' and t.ask = ${ask} and t.site = ${site} and t.party not in ('subjects', 'rounding')
      group by c.owner) as x order by x.first`.execute(tx)
  return rows.map(shareOf)
}

/** Where all of a price went to the people: then its issuer answers for it. */
async function nothingShared(
  tx: DatabaseTransaction,
  { owner, currency }: { owner: string; currency: string },
): Promise<CreditShare> {
  const { rows } = await sql<AccountsRow>`
    select x.owner, 1::bigint as shared, ${balanceOf('earned', currency)} as earned, ${balanceOf('funds', currency)} as funds
    from (values (${owner}::text)) as x(owner)`.execute(tx)
  const [row] = rows
  if (!row) throw new TypeError('A value that was just given is not there')
  return shareOf(row)
}

function balanceOf(kind: 'earned' | 'funds', currency: string) {
  return sql`coalesce((
    select a.credits_minor - a.debits_minor - a.held_minor from account a
    where a.owner = x.owner and a.kind = ${kind} and a.currency = ${currency}), 0)::bigint`
}

function shareOf({ owner, shared, earned, funds }: AccountsRow): CreditShare {
  return { owner, sharedMinor: shared, earnedMinor: earned, fundsMinor: funds }
}

function tooLittle(owners: readonly string[]): Fault {
  const whose = owners.length === 0 ? 'somebody' : owners.map((owner) => `"${owner}"`).join(', ')
  return new Fault('fault.conflict', {
    what: `Cannot give the money back: ${whose} has too little that is not held; nothing is decided`,
  })
}
