import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { ReceiptBundle } from '../../protocol/decision.ts'
import type { Mode } from '../../protocol/mode.ts'
import type { ReasonCode } from '../../protocol/reason.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import { amount } from './ask-state.ts'
import type { AskStateMessage } from './ask-state.ts'

interface SiteRow {
  readonly site: string
  readonly status: 'waiting' | 'answered' | 'unreachable'
  readonly limit: number
  readonly captured: number | null
  readonly reason: ReasonCode | null
  readonly decision: string | null
  readonly receipts: readonly ReceiptBundle[] | null
  readonly hasRelease: boolean
  readonly release: string | null
  /** As JSON writes a moment. */
  readonly withdrawnAt: string | null
}

interface AskRow {
  readonly id: string
  readonly acquirer: string
  readonly sender: string
  readonly status: AskStateMessage['status']
  readonly reason: ReasonCode | null
  readonly detail: string | null
  readonly receipt: bigint | null
  readonly data_set: string
  readonly purpose: string
  readonly mode: Mode
  readonly currency: Currency
  readonly hold_minor: bigint
  readonly is_dry_run: boolean
  readonly received_at: Instant
  readonly expires_at: Instant
  readonly sites: readonly SiteRow[]
}

/** An ask's state with who may see it. */
export interface KnownAsk {
  readonly state: AskStateMessage
  readonly sender: string
}

/** What reading asks works with. */
export interface AskReading {
  readonly db: Database
  readonly log: Pick<ReceiptLog, 'bundle'>
}

/** Asks that meet a condition over `a`, newest first; with what was released to `releasesFor`, if that is said. */
export async function readAsks(
  { db, log }: AskReading,
  {
    condition,
    limit,
    releasesFor,
  }: { condition: RawBuilder<unknown>; limit: number; releasesFor?: string | undefined },
): Promise<readonly KnownAsk[]> {
  const { rows } = await sql<AskRow>`
    ${KEPT} select a.id, a.acquirer, a.sender, a.status, a.reason, a.detail, a.receipt, a.data_set, a.purpose, a.mode, a.currency, a.hold_minor,
      a.is_dry_run, a.received_at, a.expires_at,
      (select coalesce(jsonb_agg(jsonb_build_object('site', s.site, 'status', s.status, 'limit', s.limit_minor, 'captured', s.captured_minor,
          'reason', s.reason, 'decision', d.jws, 'receipts', d.receipts, 'hasRelease', d.release is not null, 'withdrawnAt', d.withdrawn_at,
          'release', case when a.acquirer = ${releasesFor ?? null} then d.release end) order by s.sequence), '[]')
        from ask_site s left join decision d on d.ask = s.ask and d.site = s.site where s.ask = a.id) as sites
    from ask a where ${condition} order by a.id desc limit ${limit}`.execute(db)
  const asks: KnownAsk[] = []
  for (const row of rows) {
    const receipt = row.receipt === null ? undefined : await log.bundle(Number(row.receipt))
    asks.push({ sender: row.sender, state: stateOf(row, receipt) })
  }
  return asks
}

/** One ask by its id; with what was released to `releasesFor`, if that is said. */
export async function readAsk(
  reading: AskReading,
  id: string,
  releasesFor?: string,
): Promise<KnownAsk | undefined> {
  const [known] = await readAsks(reading, { condition: sql`a.id = ${id}`, limit: 1, releasesFor })
  return known
}

function stateOf(row: AskRow, receipt: ReceiptBundle | undefined): AskStateMessage {
  const isHeld = row.status !== 'declined' && !row.is_dry_run
  return {
    id: row.id,
    acquirer: row.acquirer,
    status: row.status,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.detail === null ? {} : { detail: row.detail }),
    offer: row.data_set,
    purpose: row.purpose,
    mode: row.mode,
    dryRun: row.is_dry_run,
    ...(isHeld ? { hold: amount(row.hold_minor, row.currency) } : {}),
    received: formatInstant(row.received_at),
    expires: formatInstant(row.expires_at),
    sites: row.sites.map((site) => siteAnswer(site, row.currency)),
    ...(receipt === undefined ? {} : { receipt }),
  }
}

function siteAnswer(
  { site, status, limit, captured, reason, decision, receipts, hasRelease, release, withdrawnAt }: SiteRow,
  currency: Currency,
): AskStateMessage['sites'][number] {
  return {
    site,
    status,
    priceLimit: { amount: limit, currency },
    ...(reason === null ? {} : { reason }),
    ...(decision === null ? {} : { decision }),
    receipts: [...(receipts ?? [])].map(({ receipt, log }) => ({
      receipt,
      log: { ...log, inclusionProof: [...log.inclusionProof] },
    })),
    hasRelease,
    ...(release === null ? {} : { release }),
    ...(withdrawnAt === null ? {} : { withdrawnAt: withdrawnAt.replace('+00:00', 'Z') }),
    ...(captured === null ? {} : { captured: { amount: captured, currency } }),
  }
}
