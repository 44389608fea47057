import { getConnInfo } from '@hono/node-server/conninfo'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { sql } from 'kysely'
import { listOffers } from '../catalogue/list-offers.ts'
import { readAsks } from '../authorisation/read-asks.ts'
import { listBalances, trialBalance } from '../ledger/balances.ts'
import { listSettlements } from '../settlement/list-settlements.ts'
import { HOME_PAGE_SCRIPT_SOURCE } from './home-page-script.ts'
import { homePage } from './home-page.ts'
import type { Activity } from './home-page.ts'
import type { NetworkParts } from './network-parts.ts'

const ASKS_SHOWN = 25
const SETTLEMENTS_SHOWN = 3
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/
const FORWARDED = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]
const LOCAL_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** Nothing is loaded from elsewhere, and nothing runs but the script that renews the page. */
const CONTENT_POLICY = `default-src 'none'; script-src ${HOME_PAGE_SCRIPT_SOURCE}; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/**
 * The page at `/`: offers for everybody; what goes on only for visitors on the network's own machine, because who asked
 * whom is for the operator alone.
 */
export function serveHomePage(app: OpenAPIHono, parts: NetworkParts): void {
  app.get('/', async (context) => {
    const remote = getConnInfo(context).remote.address
    const isLocal = parts.activityPage === 'local' && isFromHere(context.req.raw, remote)
    const now = parts.clock.now()
    const html = homePage({
      name: parts.name,
      now,
      offers: listOffers({ catalogue: parts.catalogue, directory: parts.membership.directory, now }),
      activity: isLocal ? await readActivity(parts) : undefined,
    })
    return context.html(html, 200, {
      'content-security-policy': CONTENT_POLICY,
      'referrer-policy': 'no-referrer',
    })
  })
}

/** By a name of this machine, too: a page elsewhere may have pointed its own name here (DNS rebinding). */
function isFromHere({ headers }: Request, remote: string | undefined): boolean {
  const host = (headers.get('host') ?? '').replace(/:\d+$/, '')
  return remote !== undefined && LOOPBACK.test(remote) && LOCAL_NAMES.has(host) && !mayBeForwarded(headers)
}

/**
 * A proxy on this machine visits for somebody elsewhere, and one that was not told to (nginx) neither says so nor keeps the name
 * they asked for. But each leaves out what is said of the connection (RFC 9110 §7.6.1), which every browser says.
 */
function mayBeForwarded(headers: Headers): boolean {
  const isDirect = headers.get('connection')?.toLowerCase() === 'keep-alive'
  return !isDirect || FORWARDED.some((name) => headers.has(name))
}

async function readActivity({ db, log }: NetworkParts): Promise<Activity> {
  const asks = await readAsks({ db, log }, { condition: sql`true`, limit: ASKS_SHOWN })
  const { items: settlements } = await listSettlements(db, { before: undefined, limit: SETTLEMENTS_SHOWN })
  return {
    asks: asks.map(({ state }) => state),
    balances: await listBalances(db),
    trial: await trialBalance(db),
    settlements,
    checkpoint: await log.checkpoint(),
  }
}
