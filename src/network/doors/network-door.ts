import type { OpenAPIHono } from '@hono/zod-openapi'
import { sql } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import { createDoor } from '../../kernel/http/door.ts'
import { recordIdempotencyStore } from '../../kernel/http/idempotency.ts'
import type { Log } from '../../kernel/log.ts'
import { authenticate } from '../membership/authenticate.ts'
import type { Principal } from '../membership/principal.ts'
import type { NetworkParts } from './network-parts.ts'
import { serveAsks } from './serve-asks.ts'
import { serveDisputes } from './serve-disputes.ts'
import { serveFloor } from './serve-floor.ts'
import { serveHomePage } from './serve-home-page.ts'
import { serveMembership } from './serve-membership.ts'
import { serveMoney } from './serve-money.ts'
import { serveIdentity } from './serve-network.ts'
import { serveNotices } from './serve-notices.ts'
import { serveOffers } from './serve-offers.ts'
import { serveContacts } from './serve-contacts.ts'
import { serveTerms } from './serve-terms.ts'
import { serveWitness } from './serve-witness.ts'
import { serveWork } from './serve-work.ts'

/** The network's HTTP door: every endpoint of `NETWORK_API`, and a page for people at `/`. */
export function networkDoor(parts: NetworkParts, { log }: { log: Log }): OpenAPIHono {
  const { db, clock, ids, events, authentication } = parts
  const door = createDoor<Principal>({
    title: 'Hedgerow network',
    description:
      'The switch: membership, offers, asks with their holds, clearing and settlement. It never holds or sees personal data, a question or a release in clear.',
    version: parts.version,
    log,
    clock,
    ids,
    async authenticate(request) {
      try {
        return await authenticate(authentication, request.headers.get('authorization'))
      } catch (error) {
        if (error instanceof Fault && error.code === 'fault.unauthenticated')
          events.refused({ reason: error.message })
        throw error
      }
    },
    nameOf: ({ name }) => name,
    idempotency: recordIdempotencyStore({ db, clock }),
    rates: parts.rates,
    async readiness() {
      const isThere = await sql`select 1`.execute(db).then(
        () => true,
        () => false,
      )
      return { isReady: isThere, checks: { database: isThere } }
    },
    metrics: () => events.metrics(),
  })
  serveIdentity(door, parts)
  serveMembership(door, parts)
  serveTerms(door, parts)
  serveContacts(door, parts)
  serveOffers(door, parts)
  serveAsks(door, parts)
  serveWork(door, parts)
  serveNotices(door, parts)
  serveFloor(door, parts)
  serveWitness(door, parts)
  serveMoney(door, parts)
  serveDisputes(door, parts)
  serveHomePage(door.app, parts)
  return door.app
}
