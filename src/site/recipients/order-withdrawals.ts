import { canonicalJson } from '../../kernel/canonical-json.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { signJws } from '../../kernel/crypto/jws.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { rowsDisclosed } from '../asks/rows-recipients.ts'
import type { NetworkLine } from '../line/network-line.ts'
import type { SiteContext } from '../site-context.ts'
import { noteDisclosed } from './note-recipients.ts'
import { openWithdrawals, saveWithdrawn } from './withdrawal-store.ts'
import type { WithdrawalRecord } from './withdrawal-store.ts'

/** How an order is to be carried out. */
export interface OrderFacts {
  readonly line: NetworkLine
  /** Also those that the network has deleted, and whose bytes may still be in its files. */
  readonly isAgain: boolean
  /** Have the network remove the bytes now. */
  readonly isAtOnce: boolean
}

/**
 * Orders the network to delete the sealed releases that hold rows of people who were erased, and keeps what it says of
 * them. Ordering again does no harm.
 */
export async function orderWithdrawals(
  site: SiteContext,
  { line, isAgain, isAtOnce }: OrderFacts,
): Promise<void> {
  const open = await openWithdrawals(site.db, { isAgain, limit: LIMITS.withdrawalsPerOrderMax })
  if (open.length === 0) return
  const asks = [...new Set(open.map(({ ask }) => ask))]
  const now = site.clock.now()
  const order = signJws(canonicalJson({ site: site.site, asks, time: formatInstant(now) }), {
    typ: TYP.withdrawal,
    key: site.keys.signing,
  })
  const items = await line.withdrawReleases({ order, isAtOnce })
  await site.db.transaction().execute(async (tx) => {
    for (const item of items.filter(({ ask }) => asks.includes(ask))) {
      const confirmed = await saveWithdrawn(tx, { item, now: site.clock.now() })
      const unknown = confirmed.filter(({ isPushed }) => item.hadRelease && !isPushed)
      for (const withdrawal of unknown) await noteLate(tx, site, withdrawal)
    }
  })
  // What was withdrawn for the first time may have to be told; a rest past the limit is ordered next.
  if (asks.length === LIMITS.withdrawalsPerOrderMax && !isAgain)
    await orderWithdrawals(site, { line, isAgain, isAtOnce })
}

/**
 * The network had an answer that the site did not know it had, because the line broke in between: its acquirer may have
 * the rows, and is told like the others.
 */
async function noteLate(
  tx: DatabaseTransaction,
  site: SiteContext,
  { ask, erasure, person, knownAs }: WithdrawalRecord,
): Promise<void> {
  const disclosed = (await rowsDisclosed(tx, { person, numbers: [person, ...knownAs] })).filter(
    ({ askId }) => askId === ask,
  )
  const [first] = disclosed
  const issuer: MemberId | undefined = first && site.manifests().get(first.dataSet)?.issuer
  if (!issuer) return
  const event = { kind: 'erasure', cause: erasure, person, issuer, now: site.clock.now() } as const
  await noteDisclosed(tx, site, { event, disclosed })
  site.recipientsBell.ring()
}
