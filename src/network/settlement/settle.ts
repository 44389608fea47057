import { sql } from 'kysely'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { IdSource } from '../../kernel/id.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Position, Settlement } from '../../protocol/money/settlement.ts'
import { earnedBy, fundsOf } from '../ledger/account-name.ts'
import type { Posting } from '../ledger/account-name.ts'
import { lockLedger } from '../ledger/lock-ledger.ts'
import { postTransfers } from '../ledger/post-transfers.ts'
import { findSettlement } from './list-settlements.ts'

/**
 * Closes the settlement window: nets what was captured, and what of it went back, since the last settlement into one position per owner and
 * currency, and moves what was earned to where its owner can spend it. The positions of a currency add up to zero,
 * because each capture stands on both sides. The same key settles nothing again. Undefined, and nothing done, where the window holds
 * nothing: it stays open, so that a settlement that is made has positions.
 */
export async function settle(
  { db, clock, ids }: { db: Database; clock: Clock; ids: IdSource },
  idempotencyKey: string,
): Promise<Settlement | undefined> {
  return db.transaction().execute(async (tx) => {
    await lockLedger(tx)
    const earlier = await findSettlement(tx, sql`s.idempotency_key = ${idempotencyKey}`)
    if (earlier) return earlier
    const at = clock.now()
    const window = await openWindow(tx)
    const positions = await netPositions(tx, window)
    if (positions.length === 0) return undefined
    const settlement: Settlement = {
      id: ids.next('stl'),
      ...(window.from === undefined ? {} : { from: window.from }),
      until: at,
      positions: [...positions],
    }
    await store(tx, { settlement, last: window.last, idempotencyKey })
    await postTransfers(tx, { postings: await earnedPostings(tx, settlement.id), at })
    return settlement
  })
}

interface Window {
  readonly from: Instant | undefined
  readonly after: bigint
  readonly last: bigint
}

async function openWindow(tx: Database): Promise<Window> {
  const { rows } = await sql<{ from_at: Instant | null; after: bigint; last: bigint }>`
    select (select until_at from settlement order by sequence desc limit 1) as from_at,
      coalesce((select last_transfer from settlement order by sequence desc limit 1), 0)::bigint as after,
      coalesce((select max(id) from transfer), 0)::bigint as last`.execute(tx)
  const { from_at = null, after = 0n, last = 0n } = rows[0] ?? {}
  return { from: from_at ?? undefined, after, last }
}

async function netPositions(tx: Database, { after, last }: Window): Promise<readonly Position[]> {
  const { rows } = await sql<{ owner: string; currency: Currency; debits: bigint; credits: bigint }>`
    select a.owner, a.currency, sum(x.debit)::bigint as debits, sum(x.credit)::bigint as credits
    from transfer t, lateral (values (t.debit_account, t.amount_minor, 0), (t.credit_account, 0, t.amount_minor)) as x(account, debit, credit)
      join account a on a.id = x.account
    where t.kind in ('capture', 'credit') and t.id > ${after} and t.id <= ${last}
    group by a.owner, a.currency order by a.owner, a.currency`.execute(tx)
  return rows.map(({ owner, currency, debits, credits }) => ({
    account: owner,
    currency,
    debitsMinor: Number(debits),
    creditsMinor: Number(credits),
    netMinor: Number(credits - debits),
  }))
}

async function earnedPostings(tx: Database, settlement: string): Promise<readonly Posting[]> {
  const { rows } = await sql<{ owner: string; currency: Currency; earned: bigint }>`
    select owner, currency, credits_minor - debits_minor as earned from account
    where kind = 'earned' and credits_minor > debits_minor order by owner, currency`.execute(tx)
  return rows.map(({ owner, currency, earned }) => ({
    kind: 'settlement',
    debit: earnedBy(owner),
    credit: fundsOf(owner),
    amountMinor: earned,
    currency,
    settlement,
  }))
}

async function store(
  tx: Database,
  { settlement, last, idempotencyKey }: { settlement: Settlement; last: bigint; idempotencyKey: string },
): Promise<void> {
  const { id, from, until, positions } = settlement
  await sql`
    insert into settlement (id, from_at, until_at, last_transfer, idempotency_key)
    values (${id}, ${from === undefined ? null : sql`to_timestamp(${from / 1000})`}, to_timestamp(${until / 1000}), ${last}, ${idempotencyKey})`.execute(
    tx,
  )
  const rows = positions.map(({ account, currency, debitsMinor, creditsMinor, netMinor }) => ({
    account,
    currency,
    debits: debitsMinor,
    credits: creditsMinor,
    net: netMinor,
  }))
  await sql`
    insert into settlement_position (settlement, owner, currency, debits_minor, credits_minor, net_minor)
    select ${id}, p.account, p.currency, p.debits, p.credits, p.net
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as p(account text, currency text, debits bigint, credits bigint, net bigint)`.execute(
    tx,
  )
}
