import { later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { NetworkLine } from '../line/network-line.ts'
import type { SiteContext } from '../site-context.ts'
import { deliverNotices } from './deliver-notices.ts'
import type { DeliveryMemory } from './deliver-notices.ts'
import { orderWithdrawals } from './order-withdrawals.ts'
import { takeNews } from './take-acknowledgements.ts'

/** How often it is looked whether a recipient may still be told what it is told, and has still the same key. */
const LOOK_MS = 60_000
/** How often the network is asked whether withdrawn releases are in none of its files any more. */
const ORDER_AGAIN_MS = 600_000
const BACKOFF_MS_MIN = 200
const BACKOFF_MS_MAX = 60_000

/**
 * Carries notices and withdrawals to the network and acknowledgements back until `signal` is aborted. All of it stands in
 * the record, so a crash loses nothing; a line that breaks is tried again with growing pauses.
 */
export async function serveRecipients(
  site: SiteContext,
  { line, signal }: { line: NetworkLine; signal: AbortSignal },
): Promise<void> {
  const { clock, events, recipientsBell } = site
  const desk = new RecipientsDesk(site, line)
  let pauseMs = BACKOFF_MS_MIN
  while (!signal.aborted) {
    const rung = recipientsBell.until()
    const either = AbortSignal.any([signal, rung])
    try {
      await desk.look()
      if (desk.open === 0) await clock.sleep(LOOK_MS, either)
      else await takeNews(site, { line, news: await line.noticeNews(LIMITS.longPollMs, either) })
      pauseMs = BACKOFF_MS_MIN
    } catch (error) {
      if (signal.aborted) return
      if (!rung.aborted) {
        events.recipientsFailed(error)
        await clock.sleep(pauseMs, either)
        pauseMs = Math.min(pauseMs * 2, BACKOFF_MS_MAX)
      }
    }
    if (rung.aborted) desk.lookAgain()
  }
}

/** Knows when what goes out has to be looked at again. */
class RecipientsDesk {
  /** Notices that are not acknowledged. */
  open = 0
  readonly #site: SiteContext
  readonly #line: NetworkLine
  readonly #memory: DeliveryMemory = { sent: new Map() }
  #nextLook: Instant | undefined
  #nextOrder: Instant | undefined

  constructor(site: SiteContext, line: NetworkLine) {
    this.#site = site
    this.#line = line
  }

  lookAgain(): void {
    this.#nextLook = undefined
  }

  async look(): Promise<void> {
    const now = this.#site.clock.now()
    if (this.#nextLook !== undefined && now < this.#nextLook) return
    // What holds values of somebody who was erased is replaced before the network rewrites its files.
    this.open = await deliverNotices(this.#site, { line: this.#line, memory: this.#memory })
    const isAgain = this.#nextOrder === undefined || now >= this.#nextOrder
    await orderWithdrawals(this.#site, { line: this.#line, isAgain, isAtOnce: false })
    if (isAgain) this.#nextOrder = later(now, ORDER_AGAIN_MS)
    this.#nextLook = later(now, LOOK_MS)
  }
}
