import { later } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import type { ExerciseStatus } from '../../protocol/http/data-rights-protocol.ts'
import type { SiteContext } from '../site-context.ts'
import { noteTold, requestsToTell } from './data-rights-store.ts'
import type { AgentRequest } from './data-rights-store.ts'
import type { DataRightsSettings } from './directory.ts'
import { exerciseStatus } from './exercise-status.ts'
import { postStatus } from './post-status.ts'
import type { SendStatus } from './post-status.ts'

const INTERVAL_MS = 30_000
const AT_A_TIME = 50
const MINUTE_MS = 60_000
/** Longest wait between two attempts. */
const WAIT_MINUTES_MAX = 24 * 60
/** How often a request that has ended and whose agent knows is looked at again: a state never changes after that. */
const ENDED_MS = 365 * 24 * 60 * MINUTE_MS

/** Tells agents what became of their requests, at the addresses that they gave (2.03), until `signal` is aborted. */
export async function serveAgents(
  site: SiteContext,
  {
    directory,
    clock,
    signal,
    send = postStatus({ clock, signal, mayBePrivate: directory?.mayCallPrivateAddresses === true }),
  }: {
    directory: DataRightsSettings | undefined
    clock: Clock
    signal: AbortSignal
    send?: SendStatus | undefined
  },
): Promise<void> {
  if (!directory) return
  while (!signal.aborted) {
    try {
      await tellAgents(site, directory, send)
    } catch (error) {
      site.events.failed('telling agents of requests', error)
    }
    await clock.sleep(INTERVAL_MS, signal)
  }
}

/** Tells those whose request stands elsewhere than they were told. What is not taken is sent again, later each time. */
export async function tellAgents(
  site: SiteContext,
  directory: DataRightsSettings,
  send: SendStatus,
): Promise<void> {
  const now = site.clock.now()
  for (const request of await requestsToTell(site.db, { now, limit: AT_A_TIME })) {
    const business = directory.businesses.find(({ id }) => id === request.business)
    const status = await exerciseStatus(site, { request, business })
    const digest = digestOfJson(status)
    const isKnown = digest === request.told
    const isTaken = isKnown || (await sendIfNamed(directory, { request, status, send }))
    const waitMs = isTaken
      ? isEnded(status)
        ? ENDED_MS
        : INTERVAL_MS
      : MINUTE_MS * Math.min(2 ** request.tries, WAIT_MINUTES_MAX)
    await noteTold(site.db, {
      id: request.id,
      told: isTaken ? digest : undefined,
      tries: isTaken ? 0 : request.tries + 1,
      nextTry: later(now, waitMs),
    })
  }
}

/** Only where the directory still names agent and origin: else an agent that left would go on being told. */
async function sendIfNamed(
  { agents }: DataRightsSettings,
  { request, status, send }: { request: AgentRequest; status: ExerciseStatus; send: SendStatus },
): Promise<boolean> {
  const { callback, agent } = request
  const named = agents.find(({ id }) => id === agent)
  if (callback === undefined || !named?.callbackOrigins.includes(new URL(callback).origin)) return false
  return send(callback, status)
}

function isEnded({ status }: ExerciseStatus): boolean {
  return status === 'fulfilled' || status === 'revoked' || status === 'denied'
}
