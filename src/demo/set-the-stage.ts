import { join } from 'node:path'
import { FellShort } from '../cli/failures.ts'
import type { Session } from '../cli/session.ts'
import { monotonicMs } from '../kernel/clock.ts'
import { Fault } from '../kernel/faults.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import { momentText } from '../protocol/words/plain-words.ts'
import { httpClient } from '../sdk/http-client.ts'
import type { Operator } from '../sdk/operator.ts'
import { networkUrl, sitePort, siteUrl } from './demo-addresses.ts'
import { DATA_SET, prepareLoads, whoWithdraws } from './demo-data.ts'
import type { SiteLoad } from './demo-data.ts'
import { MEMBERS, SITES } from './demo-parties.ts'
import type { DemoMember } from './demo-parties.ts'
import { loadStudy, studiesIn } from './load-studies.ts'
import { counted, heading, seconds, step, working } from './report.ts'
import { requirePlace, serverProcess } from './server-process.ts'
import type { ServerProcess } from './server-process.ts'
import { setUpNetwork } from './set-up-network.ts'
import { accessSite, ensureEvidence, loadSite, makeDemoSite } from './set-up-site.ts'
import type { Study } from './studies/studies.ts'
import { STUDY_MEMBERS } from './studies/studies.ts'
import { restoreWithdrawn } from './tell-asks.ts'
import type { LiveSite } from './tell-asks.ts'

/** A demonstration that is up and loaded. */
export interface Stage {
  readonly network: ServerProcess
  readonly operator: Operator
  readonly sites: readonly LiveSite[]
  readonly members: readonly DemoMember[]
  readonly studies: readonly Study[]
}

/** Starts everything and loads it. Servers are noted before they start, so that they are stopped whatever happens. */
export async function setTheStage(
  session: Session,
  { servers, data }: { servers: ServerProcess[]; data: string | undefined },
): Promise<Stage> {
  const { terminal } = session
  const url = networkUrl(session)
  await requirePlaces(session)
  const studies = studiesIn(data)
  const members = studies.length === 0 ? MEMBERS : [...MEMBERS, ...STUDY_MEMBERS]
  heading(terminal, 'Setting up')
  working(terminal, 'starting a network and three sites')
  const network = newServer(session, {
    name: 'network',
    url,
    args: ['network', 'serve', '--port', new URL(url).port],
  })
  servers.push(network)
  const startMs = monotonicMs()
  const starting = network.start()
  starting.catch(() => undefined)
  const loads = await prepareLoads(session).catch(settledFirst(starting))
  const made = await Promise.all(
    loads.map(async (load) => ({
      load,
      keys: await makeDemoSite(session, load.site),
    })),
  )
  // Sites start while the network does: what they need of it they ask for until they get it.
  const starts = made.map(({ load }) => startServer(session, { load, servers }))
  const started = Promise.all(starts)
  started.catch(() => undefined)
  await starting
  const operator = await setUpNetwork(session, {
    url,
    members,
    sites: made.map(({ load, keys }) => ({ site: load.site, keys })),
  })
  await network.ready()
  step(terminal, `network  ${url}  ${members.length} members (${seconds(startMs)})`)
  working(terminal, 'loading athletes, giving made-up grants')
  const sites = await Promise.all(
    (await started).map(({ load, server }) => fillSite(session, { load, server, startMs })),
  )
  for (const study of studies) await fillStudy(session, { study, directory: data ?? '' })
  await offered(session, sites)
  const galway = sites.find(({ load }) => load.site.id === 'galway')
  // A run that was stopped in the middle may have left an athlete withdrawn.
  if (galway) await restoreWithdrawn({ galway, athlete: whoWithdraws(galway.load) })
  return { network, operator, sites, members, studies }
}

/** Before anything is made: what has no place to run leaves nothing behind. */
async function requirePlaces(session: Session): Promise<void> {
  await requirePlace({ name: 'network', url: networkUrl(session) })
  for (const { id } of SITES) await requirePlace({ name: id, url: siteUrl(session, id) })
}

/** Lets something that was begun come to its end before a failure beside it is told. */
function settledFirst(begun: Promise<unknown>): (thrown: unknown) => Promise<never> {
  return async (thrown) => {
    await begun.catch(() => undefined)
    throw thrown
  }
}

async function startServer(
  session: Session,
  { load, servers }: { load: SiteLoad; servers: ServerProcess[] },
): Promise<{ load: SiteLoad; server: ServerProcess }> {
  const { id } = load.site
  const server = newServer(session, {
    name: id,
    url: siteUrl(session, id),
    args: ['site', 'serve', id, '--port', String(sitePort(session, id))],
  })
  servers.push(server)
  await server.start()
  return { load, server }
}

async function fillSite(
  session: Session,
  { load, server, startMs }: { load: SiteLoad; server: ServerProcess; startMs: number },
): Promise<LiveSite> {
  const { site, athletes, grants } = load
  const access = await accessSite(session, { site })
  const { windDown } = await access.operator.site()
  if (windDown)
    throw new FellShort(
      `Cannot show a trade: ${site.id} winds down since ${momentText(windDown.since)} and takes nothing any more; remove "${session.home}", or set HEDGEROW_HOME to another directory, to begin anew`,
    )
  await ensureEvidence(session, { site, access })
  await loadSite(session, { load, access })
  await server.ready()
  const holds = `${counted(athletes.length)} ${site.holds}, ${counted(grants.length)} grants`
  step(
    session.terminal,
    `${site.id.padEnd(8)} ${server.url}  in ${site.territory}: ${holds} (${seconds(startMs)})`,
  )
  return { load, access, server }
}

async function fillStudy(
  session: Session,
  { study, directory }: { study: Study; directory: string },
): Promise<void> {
  const startMs = monotonicMs()
  working(session.terminal, `loading the study "${study.name}"`)
  const { rows } = await loadStudy(session, { study, directory })
  step(
    session.terminal,
    `${study.site.padEnd(8)} study "${study.name}": ${counted(rows)} rows in ${study.dataSets.length} data sets (${seconds(startMs)})`,
  )
}

/** Waits until the network offers what every site holds. */
async function offered(session: Session, sites: readonly LiveSite[]): Promise<void> {
  const client = httpClient({
    server: { url: networkUrl(session), name: 'anybody' },
    clock: session.clock,
    ids: session.ids,
  })
  for (let tries = 0; tries < OFFER_TRIES; tries += 1) {
    const { items } = await client.call(NETWORK_API.listOffers, { query: { dataSet: DATA_SET } })
    if (sites.every(({ load }) => items.some(({ site }) => site === load.site.id))) return
    await session.clock.sleep(OFFER_PAUSE_MS)
  }
  throw new Fault('fault.unavailable', {
    what: `The network does not offer what the sites hold; look at the logs in "${join(session.home, 'logs')}"`,
  })
}

const OFFER_TRIES = 500
const OFFER_PAUSE_MS = 40

function newServer(
  session: Session,
  { name, url, args }: { name: string; url: string; args: readonly string[] },
): ServerProcess {
  const { environment } = session
  return serverProcess({
    name,
    url,
    args,
    environment,
    logFile: join(session.home, 'logs', `${name}.log`),
    clock: session.clock,
  })
}
