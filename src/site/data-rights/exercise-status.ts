import { formatInstant } from '../../kernel/clock.ts'
import { REASON_OF, STATUS_OF } from '../../protocol/http/data-rights-protocol.ts'
import type { ExerciseStatus, StatusReason } from '../../protocol/http/data-rights-protocol.ts'
import { readRequests } from '../rights/request-store.ts'
import { requestDetail } from '../rights/view-request.ts'
import type { RequestDetail } from '../rights/view-request.ts'
import type { SiteContext } from '../site-context.ts'
import type { AgentRequest } from './data-rights-store.ts'
import type { Business } from './directory.ts'

/** Where an agent's request stands, from the desk and its clock (3.02, 3.03). */
export async function exerciseStatus(
  site: SiteContext,
  { request, business }: { request: AgentRequest; business: Business | undefined },
): Promise<ExerciseStatus> {
  const base = {
    request_id: request.id,
    received_at: formatInstant(request.receivedAt),
    ...(request.agentRequestId === undefined ? {} : { agent_request_id: request.agentRequestId }),
  }
  if (request.deskRequest === undefined) {
    const reason = request.deniedReason ?? 'other'
    return { ...base, status: 'denied', reason, processing_details: DENIALS[reason] ?? 'It was denied' }
  }
  const [stored] = await readRequests(site.db, { id: request.deskRequest, limit: 1 })
  if (!stored) throw new TypeError('An agent’s request has none at the desk')
  return { ...base, ...deskStatus(await requestDetail(site, stored), business) }
}

/** What is said of a request that was denied at the door. */
const DENIALS: Readonly<Partial<Record<StatusReason, string>>> = {
  no_match: 'No data of a person with this claim is here',
  insuf_verification: 'The claim by which people are known here is missing',
  claim_not_covered:
    'Nothing here is this right; a consent, such as an opt-in, is given by the person themselves',
  outside_jurisdiction: 'Requests under this regime are not taken here; send it without a regime',
}

function deskStatus(
  { state, dueOn, events }: RequestDetail,
  business: Business | undefined,
): Pick<
  ExerciseStatus,
  'status' | 'expected_by' | 'reason' | 'processing_details' | 'user_verification_url'
> {
  const last = events.findLast(({ event }) => TELLING.has(event))
  const details = last?.said === undefined ? {} : { processing_details: last.said }
  const status = STATUS_OF[state]
  switch (state) {
    case 'waiting_for_identity':
      return {
        status,
        reason: 'need_user_verification',
        expected_by: dueOn,
        ...details,
        ...(business === undefined ? {} : { user_verification_url: business.verificationUrl }),
      }
    case 'refused': {
      const ground = events.findLast(({ event }) => event === 'refuse')?.ground
      return { status, reason: ground === undefined ? 'other' : REASON_OF[ground], ...details }
    }
    case 'open':
    case 'in_progress':
      return { status, expected_by: dueOn, ...details }
    case 'fulfilled':
    case 'withdrawn':
      return { status }
  }
}

/** Events whose words are for the person, whom the agent tells. */
const TELLING: ReadonlySet<string> = new Set(['extend', 'doubt_identity', 'refuse'])
