import { z } from 'zod'
import { withDeadline } from '../kernel/deadline.ts'
import { Fault } from '../kernel/faults.ts'
import type { Session } from './session.ts'

/** What a public address of a server answered, read to its end; `body` is what its JSON says, if it is any. */
export interface PublicAnswer {
  readonly isOk: boolean
  readonly headers: Headers
  readonly body: unknown
}

/**
 * Gets a public address of a server, within seconds.
 *
 * @throws Fault `fault.peer_unreachable`
 */
export function reach({ clock }: Session, url: string): Promise<PublicAnswer> {
  return withDeadline({ clock, timeoutMs: 3_000 }, async (signal) => {
    const response = await fetch(url, { signal }).catch((cause: unknown) => {
      throw new Fault('fault.peer_unreachable', { what: `Cannot reach ${url}`, cause })
    })
    return {
      isOk: response.ok,
      headers: response.headers,
      body: await response.json().catch(() => undefined),
    }
  })
}

const readySchema = z.object({ checks: z.record(z.string(), z.boolean()) })

/** Whether a server may serve, and what of it is well or not (`/readyz`). */
export async function readiness(
  session: Session,
  url: string,
): Promise<{ isReady: boolean; checks: Readonly<Record<string, boolean>> }> {
  const { isOk, body } = await reach(session, `${url}/readyz`)
  const parsed = readySchema.safeParse(body)
  return { isReady: isOk, checks: parsed.success ? parsed.data.checks : {} }
}
