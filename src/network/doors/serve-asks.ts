import { sql } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import { NETWORK_API } from '../../protocol/network-endpoints.ts'
import { readAsk, readAsks } from '../authorisation/read-asks.ts'
import type { KnownAsk } from '../authorisation/read-asks.ts'
import { readReleases } from '../authorisation/read-releases.ts'
import { readSubmission } from '../authorisation/read-submission.ts'
import { isOverseer, requireRole } from '../membership/principal.ts'
import type { Principal } from '../membership/principal.ts'
import { askBell } from './network-parts.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** Asks: sending, waiting for what becomes of them, fetching what was released. */
export function serveAsks(door: NetworkDoor, parts: NetworkParts): void {
  const { authoriser, membership, db, ids, log, wakeUp } = parts
  door.serve(NETWORK_API.ask, async ({ caller, body }) => {
    const sender = requireRole(caller, ['acquirer', 'acquirer-processor'])
    const states = await authoriser.authorise(
      readSubmission(body, { sender, directory: membership.directory, ids }),
    )
    const [first] = states
    if ('batch' in body) return { answers: [...states] }
    if (!first) throw new Fault('fault.internal', { what: 'Cannot answer an ask that was decided' })
    return first
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
      look: () => readAsk({ db, log }, params.id),
      isEnough: (found) => !found || !maySee(caller, found) || found.state.status !== 'waiting',
    })
    if (!known || !maySee(caller, known)) throw noSuchAsk()
    return known.state
  })
  door.serve(NETWORK_API.releases, async ({ caller, params }) => {
    const known = await readAsk({ db, log }, params.id)
    if (!known || known.state.acquirer !== caller.name) throw noSuchAsk()
    return { releases: await readReleases(db, params.id) }
  })
}

/** Whether an ask exists is nobody's business but its sender's and the network's. */
function maySee(caller: Principal, { state, sender }: KnownAsk): boolean {
  return isOverseer(caller) || caller.name === state.acquirer || caller.name === sender
}

function noSuchAsk(): Fault {
  return new Fault('fault.not_found', { what: 'There is no such ask' })
}
