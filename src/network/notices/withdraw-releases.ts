import { sql } from 'kysely'
import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { verifyJws } from '../../kernel/crypto/jws.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { parseWith } from '../../kernel/parse.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { SiteRecord } from '../../protocol/http/network-api.ts'
import type { withdrawnReleaseSchema } from '../../protocol/http/notice-api.ts'
import { withdrawalOrderSchema } from '../../protocol/rights/recipient-notice.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import { everKey } from '../membership/directory.ts'
import type { Directory } from '../membership/directory.ts'
import type { AsksUnderWay } from '../routing/asks-under-way.ts'

/** What withdrawing releases works with. */
export interface WithdrawalParts {
  readonly db: Database
  readonly clock: Clock
  readonly directory: Directory
  readonly log: Pick<ReceiptLog, 'issue'>
  readonly underWay: Pick<AsksUnderWay, 'forget'>
}

/**
 * Deletes sealed releases at the word of the site that made them: somebody in them was erased. From the moment that this
 * resolves nobody is given one, and a release of these asks that comes later is refused. Ordered again it tells how
 * thoroughly it is done.
 *
 * @throws Fault `fault.conflict` for an order that is not signed by the site
 */
export async function withdrawReleases(
  parts: WithdrawalParts,
  { site, order }: { site: SiteRecord; order: string },
): Promise<z.input<typeof withdrawnReleaseSchema>[]> {
  const asks = readOrder(order, { site, directory: parts.directory })
  await parts.db.transaction().execute(async (tx) => {
    await deleteReleases(tx, parts, { site: site.id, asks, now: parts.clock.now() })
  })
  // Whoever waits for an answer of other sites is told from the record again.
  for (const ask of asks) parts.underWay.forget(ask)
  return withdrawnReleases(parts.db, { site: site.id, asks })
}

async function withdrawnReleases(
  db: Database,
  { site, asks }: { site: string; asks: readonly string[] },
): Promise<z.input<typeof withdrawnReleaseSchema>[]> {
  const { rows } = await sql<{ ask: string; had: boolean; purged: boolean }>`
    select ask, had_release as had, purged_at is not null as purged from release_withdrawal
    where site = ${site} and ask = any(${[...asks]}) order by ask`.execute(db)
  return rows.map(({ ask, had, purged }) => ({
    ask,
    hadRelease: had,
    grade: purged ? 'permanent' : 'deleted',
  }))
}

/** Deletes sealed releases of a site, and refuses those that come later, in the transaction of the caller, with a receipt for each. `asks` in order. */
export async function deleteReleases(
  tx: DatabaseTransaction,
  { log }: Pick<WithdrawalParts, 'log'>,
  { site, asks, now: moment }: { site: string; asks: readonly string[]; now: Instant },
): Promise<void> {
  const now = formatInstant(moment)
  // In one order, so that two orders do not wait for one another in a circle.
  for (const ask of asks)
    await sql`select pg_advisory_xact_lock(hashtextextended(${site} || ' ' || ${ask}, 30))`.execute(tx)
  const { rows } = await sql<{ ask: string; digest: Digest; acquirer: string }>`
    update decision d set release = null, withdrawn_at = ${now}::timestamptz from ask a
    where d.site = ${site} and d.ask = any(${[...asks]}) and d.release is not null and a.id = d.ask
    returning d.ask, d.release_digest as digest, a.acquirer`.execute(tx)
  const had = rows.map(({ ask }) => ask)
  await sql`
    insert into release_withdrawal (site, ask, had_release, ordered_at, purged_at)
    select ${site}, o.ask, o.ask = any(${had}::text[]), ${now}::timestamptz,
      case when o.ask = any(${had}::text[]) then null else ${now}::timestamptz end
    from unnest(${[...asks]}::text[]) as o(ask) on conflict do nothing`.execute(tx)
  await log.issue(
    tx,
    rows.map(({ ask, digest, acquirer }) => ({
      kind: 'withdrawal',
      askId: ask,
      acquirer,
      release: digest,
    })),
  )
}

function readOrder(
  jws: string,
  { site, directory }: { site: SiteRecord; directory: Directory },
): readonly string[] {
  const verified = verifyJws(jws, {
    typ: TYP.withdrawal,
    keyFor: (keyId) => everKey(directory.find(site.id), keyId),
  })
  if (!verified.ok) throw refused(`it is not signed by the site (${verified.error})`)
  const parsed = parseWith(withdrawalOrderSchema, parseJson(verified.value.payload))
  if (!parsed.ok || parsed.value.site !== site.id) throw refused('it is not one of this site')
  return [...new Set(parsed.value.asks)].toSorted()
}

function refused(why: string): Fault {
  return new Fault('fault.conflict', { what: `Cannot take the order: ${why}` })
}
