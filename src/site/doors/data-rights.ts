import type { Door } from '../../kernel/http/door.ts'
import { bodyOf } from '../../kernel/http/request-body.ts'
import type { Result } from '../../kernel/result.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { MESSAGE_CHARACTERS_MAX } from '../data-rights/open-message.ts'
import type { AgentDesk } from '../data-rights/agent-desk.ts'
import type { Refusal } from '../data-rights/open-message.ts'
import { requireReader } from './may.ts'
import type { SiteCaller } from './site-acts.ts'

/** `/v1/agent` and `/v1/data-rights-request`: the Data Rights Protocol, whose callers and errors are its own. */
export function serveDataRights(
  door: Door<SiteCaller>,
  desk: AgentDesk,
  reachedAt: (request: Request) => string,
): void {
  door.serve(SITE_API.dataRightsDirectory, ({ caller, raw }) =>
    desk.directory({ ...requireReader(caller), apiBase: reachedAt(raw) }),
  )
  door.serve(SITE_API.setUpAgent, async ({ params, raw }) => {
    const made = await desk.setUpAgent({ ...params, text: await textOf(raw) })
    // Nothing is said of why: it is for the two parties to find out (2.05.1).
    return made.ok ? made.value : new Response(null, { status: 403 })
  })
  door.serve(SITE_API.agent, async ({ params, raw }) =>
    answer(await desk.agent({ ...params, token: bearerOf(raw) })),
  )
  door.serve(SITE_API.exerciseRight, async ({ raw }) =>
    answer(await desk.exercise({ token: bearerOf(raw), text: await textOf(raw) })),
  )
  door.serve(SITE_API.exerciseStatus, async ({ params, raw }) =>
    answer(await desk.status({ token: bearerOf(raw), id: params.request })),
  )
  door.serve(SITE_API.revokeExercise, async ({ params, raw }) =>
    answer(await desk.revoke({ token: bearerOf(raw), id: params.request, text: await textOf(raw) })),
  )
}

function answer<T>(result: Result<T, Refusal>): T | Response {
  if (result.ok) return result.value
  const { status, message, isFatal } = result.error
  return Response.json(
    { code: String(status), message, ...(isFatal === true ? { fatal: true } : {}) },
    { status, headers: status === 401 ? { 'www-authenticate': 'Bearer' } : {} },
  )
}

function bearerOf(request: Request): string | undefined {
  return /^Bearer ([A-Za-z0-9_-]{20,200})$/.exec(request.headers.get('authorization') ?? '')?.[1]
}

/** The body as text, no more of it than a message may have and a little, so that one that is too long is seen to be. */
async function textOf(request: Request): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of bodyOf(request)) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > MESSAGE_CHARACTERS_MAX) break
  }
  return text
}
