import { sql } from 'kysely'
import type { z } from 'zod'
import { Fault } from '../../kernel/faults.ts'
import type { DoorRequest } from '../../kernel/http/door.ts'
import type { askWaitQuerySchema } from '../../protocol/http/network-api.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import type { AskStateMessage } from '../authorisation/ask-state.ts'
import { readAsk, readAsks } from '../authorisation/read-asks.ts'
import type { KnownAsk } from '../authorisation/read-asks.ts'
import { readReleases } from '../authorisation/read-releases.ts'
import { readSubmission } from '../authorisation/read-submission.ts'
import type { Submission } from '../authorisation/read-submission.ts'
import { requireStillIn } from '../membership/authenticate.ts'
import { isOverseer, requireRole } from '../membership/principal.ts'
import type { Principal } from '../membership/principal.ts'
import { withCosignatures } from '../witness/cosign-receipts.ts'
import { askBell } from './network-parts.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** Asks: sending, waiting for what becomes of them, fetching what was released. */
export function serveAsks(door: NetworkDoor, parts: NetworkParts): void {
  const { authoriser, membership, db, ids, log, wakeUp, witness } = parts
  door.serve(NETWORK_API.ask, async (request) => {
    const { caller, body } = request
    const sender = requireRole(caller, ['acquirer', 'acquirer-processor'])
    const submission = readSubmission(body, { sender, directory: membership.directory, ids })
    if ('batch' in body) return { answers: [...(await authoriser.authorise(submission))] }
    return takeAndWait(parts, submission, request)
  })
  door.serve(NETWORK_API.listAsks, async ({ caller, query: { cursor, limit } }) => {
    const isOwn = isOverseer(caller)
      ? sql`true`
      : sql`a.acquirer = ${requireRole(caller, ['acquirer', 'acquirer-processor']).id}`
    const isAfter = cursor === undefined ? sql`true` : sql`a.id < ${cursor}`
    const found = await readAsks({ db, log }, { condition: sql`${isOwn} and ${isAfter}`, limit: limit + 1 })
    const items = found.slice(0, limit).map(({ state }) => state)
    const last = items.at(-1)
    return found.length > limit && last ? { items, nextCursor: last.id } : { items }
  })
  door.serve(NETWORK_API.askState, async ({ caller, params, query, signal }) => {
    const known = await wakeUp.lookUntil(askBell(params.id), {
      waitMs: query.wait ?? 0,
      signal,
      look: () => readAsk({ db, log }, params.id, releasesFor(caller, query)),
      isEnough: (found) => !found || !maySee(caller, found) || found.state.status !== 'waiting',
    })
    requireStillIn(membership, caller)
    if (!known || !maySee(caller, known)) throw noSuchAsk()
    // Who waits is in a hurry; who looks later is given what the witness has signed since.
    return query.wait === undefined ? withCosignatures(witness, known.state) : known.state
  })
  door.serve(NETWORK_API.releases, async ({ caller, params }) => {
    const known = await readAsk({ db, log }, params.id)
    if (!known || known.state.acquirer !== caller.name) throw noSuchAsk()
    return { releases: await readReleases(db, params.id) }
  })
}

type Waiting = Pick<
  DoorRequest<Principal, unknown, z.output<typeof askWaitQuerySchema>, unknown>,
  'caller' | 'query' | 'signal'
>

/**
 * Decides one ask and waits for its sites. The first look is the decision itself, so the one who asks is listening before a
 * site can have answered, and nothing is read before something has changed.
 */
async function takeAndWait(
  { authoriser, membership, db, log, wakeUp, underWay }: NetworkParts,
  submission: Submission,
  request: Waiting,
): Promise<AskStateMessage> {
  const { caller, query } = request
  const [sent] = submission.asks
  if (!sent) throw new Fault('fault.internal', { what: 'Cannot decide an ask that was not sent' })
  const { id } = sent.ask
  const wanted = releasesFor(caller, query)
  const read = () => readAsk({ db, log }, id, wanted)
  using watching = underWay.watch(id)
  let decided: AskStateMessage | undefined
  const look = async (): Promise<AskStateMessage | undefined> => {
    if (decided) return watching.state(wanted) ?? (await read())?.state
    decided = (await authoriser.authorise(submission))[0]
    // One that comes again may have been answered long ago.
    return decided?.status === 'answered' && query.releases === 'true' ? (await read())?.state : decided
  }
  const waitMs = query.wait ?? 0
  const state =
    waitMs === 0
      ? await look()
      : await wakeUp.lookUntil(askBell(id), {
          waitMs,
          signal: request.signal,
          look,
          isEnough: (found) => found?.status !== 'waiting',
        })
  requireStillIn(membership, caller)
  if (!state) throw new Fault('fault.internal', { what: 'Cannot answer an ask that was decided' })
  return state
}

/** Whose releases are wanted: those of the caller, who is given no others. */
function releasesFor({ name }: Principal, { releases }: Waiting['query']): string | undefined {
  return releases === 'true' ? name : undefined
}

/** Whether an ask exists is nobody's business but its sender's and the network's. */
function maySee(caller: Principal, { state, sender }: KnownAsk): boolean {
  return isOverseer(caller) || caller.name === state.acquirer || caller.name === sender
}

function noSuchAsk(): Fault {
  return new Fault('fault.not_found', { what: 'There is no such ask' })
}
