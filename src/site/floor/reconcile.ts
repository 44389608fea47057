import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { PeerRefusal } from '../../kernel/http/call-json.ts'
import type { FloorLimitList } from '../../protocol/floor-limit.ts'
import type { SiteMessage } from '../line/network-line.ts'
import { isFinalRefusal } from '../line/serve-line.ts'
import { answersToClear, markPushed } from '../asks/answer-store.ts'
import type { StoredAnswer } from '../asks/answer-store.ts'
import type { NetworkLine } from '../line/network-line.ts'
import type { SiteContext } from '../site-context.ts'
import type { Bell } from './bell.ts'
import { localMessage } from './local-message.ts'
import { noteRefused } from './local-ask-store.ts'
import { openFloorLimit, pinNetworkKey } from './pinned-network.ts'

export interface ReconcileParts {
  readonly site: SiteContext
  readonly line: NetworkLine
  /** Rung when something was booked. */
  readonly bell: Bell
  readonly clock: Clock
  readonly refreshMs: number
  /** The network's key as the operator set it by hand. */
  readonly networkKey?: string | undefined
  readonly signal: AbortSignal
}

/**
 * Keeps a site and its network at one about floor limits until `signal` is aborted: takes up limits that were given, clears
 * what was booked on them, and closes those that have ended. While the network is away nothing is lost and nothing waits
 * for it: what is booked stands in the record.
 */
export async function reconcileForEver(parts: ReconcileParts): Promise<void> {
  const { bell, clock, signal, refreshMs } = parts
  while (!signal.aborted) {
    const rung = bell.next()
    try {
      await reconcileOnce(parts)
    } catch (error) {
      // That the line is down is told by the line.
      if (!isToldByLine(error)) parts.site.events.failed('clearing what was booked on floor limits', error)
    }
    await clock.sleep(refreshMs, AbortSignal.any([signal, rung]))
  }
}

/** All three, once. */
async function reconcileOnce(parts: ReconcileParts): Promise<void> {
  const { site, line } = parts
  await takeLimits(await line.floorLimits(), parts)
  await clearBooked(parts)
  for (const limit of site.floor.ended(site.clock.now())) {
    // Closed here first: should the network not hear of it, nothing more can be booked all the same.
    if (!(await site.floor.close(limit, site.clock.now()))) continue
    await line.closeFloorLimit(limit)
  }
}

async function takeLimits(
  { items, members }: FloorLimitList,
  { site, line, networkKey }: ReconcileParts,
): Promise<void> {
  const now = site.clock.now()
  for (const member of members) {
    const known = await site.pins.remember({ member, now })
    if (!known.ok)
      site.events.failed(
        `taking up member "${member.id}"`,
        untrusted('its keys do not follow from those pinned'),
      )
  }
  if (items.length === 0) return
  const info = await line.info()
  const key = await pinNetworkKey(site.db, { info, now, byHand: networkKey })
  if (!key) {
    site.events.failed(
      'taking up floor limits',
      untrusted('its key is not the one seen before, and no rotation signed by that one leads to it'),
    )
    return
  }
  const closed: string[] = []
  for (const { id, statement } of items) {
    const limit = openFloorLimit(statement, { key, network: info.name, site: site.site })
    if (limit?.id !== id)
      site.events.failed(
        `taking up floor limit "${id}"`,
        untrusted('the network did not sign it for this site'),
      )
    else if (!(await site.floor.take(limit, statement))) closed.push(id)
  }
  // One that was closed here while the network did not hear of it.
  for (const id of closed) await line.closeFloorLimit(id)
}

const ANSWERS_AT_ONCE = 100

async function clearBooked(parts: ReconcileParts): Promise<void> {
  const { site } = parts
  for (;;) {
    const waiting = await answersToClear(site.db, ANSWERS_AT_ONCE)
    for (const answer of waiting) await clearOne(answer, parts)
    if (waiting.length < ANSWERS_AT_ONCE) return
  }
}

async function clearOne(answer: StoredAnswer, { site, line }: ReconcileParts): Promise<void> {
  const message: SiteMessage = await localMessage(answer, site)
  const { askId } = answer
  try {
    await line.pushDecision(message)
  } catch (error) {
    if (!isFinalRefusal(error)) throw error
    site.events.decisionRefused(askId, error)
    await noteRefused(site.db, { id: askId, now: site.clock.now() })
  }
  await markPushed(site.db, { askId, now: site.clock.now() })
}

/** Whether nothing at all goes over the line now: the network is away, or does not know this site. */
function isToldByLine(error: unknown): boolean {
  if (error instanceof PeerRefusal) return error.status === 401
  return error instanceof Fault && error.code === 'fault.peer_unreachable'
}

function untrusted(why: string): Fault {
  return new Fault('fault.peer_refused', { what: `Cannot trust what the network says: ${why}` })
}
