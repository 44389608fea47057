import { join } from 'node:path'
import { EXIT, sentenceOf } from '../cli/failures.ts'
import type { Session } from '../cli/session.ts'
import { paint, say } from '../cli/terminal.ts'
import { Fault } from '../kernel/faults.ts'
import { monotonicMs } from '../kernel/clock.ts'
import { NETWORK_API } from '../protocol/network-endpoints.ts'
import { httpClient } from '../sdk/http-client.ts'
import type { Operator } from '../sdk/operator.ts'
import { DATA_SET, prepareLoads, whoWithdraws } from './demo-data.ts'
import type { SiteLoad } from './demo-data.ts'
import { MEMBERS, NETWORK_PORT } from './demo-parties.ts'
import { counted, heading, step } from './report.ts'
import { serverProcess } from './server-process.ts'
import type { ServerProcess } from './server-process.ts'
import { setUpNetwork } from './set-up-network.ts'
import { accessSite, ensureEvidence, loadSite, makeDemoSite } from './set-up-site.ts'
import { restoreWithdrawn, tellAsks, tellReleases } from './tell-asks.ts'
import type { LiveSite } from './tell-asks.ts'
import { memoryLine, tellMoney, tellProofs } from './tell-money.ts'

/** What the demonstration is told. */
export interface DemoOptions {
  /** Stop afterwards; 0 only if every expectation held. */
  readonly once?: boolean
  /** A directory with the larger studies. */
  readonly data?: string
  /** Print every release whole. */
  readonly details?: boolean
}

/** A demonstration that is up. */
interface Stage {
  readonly network: ServerProcess
  readonly operator: Operator
  readonly sites: readonly LiveSite[]
}

const NETWORK_URL = `http://127.0.0.1:${NETWORK_PORT}`

/**
 * Shows a whole trade: starts a network and three sites as processes of their own, loads real data, carries asks from
 * signed request to settled money, and verifies every receipt. Gives the exit code.
 */
export async function runDemo(session: Session, options: DemoOptions): Promise<number> {
  const { terminal } = session
  const begunMs = monotonicMs()
  say(terminal, paint(terminal, 'strong', 'Hedgerow: a whole trade on this machine'))
  say(terminal)
  say(
    terminal,
    '  The athletes are real people. The grants are not theirs: a seeded generator makes them up (src/demo/generate-grants.ts);',
  )
  say(terminal, '  nobody in the data gave any. Members, prices and money are made up too.')
  const servers: ServerProcess[] = []
  try {
    const stage = await setTheStage(session, servers)
    const problems = await tellAll(session, { stage, options, begunMs })
    return await closeOrStay(session, { servers, problems, options })
  } catch (thrown) {
    if (session.signal.aborted) return EXIT.fellShort
    throw thrown
  } finally {
    await stopAll(servers)
  }
}

async function tellAll(
  session: Session,
  { stage, options, begunMs }: { stage: Stage; options: DemoOptions; begunMs: number },
): Promise<readonly string[]> {
  const { terminal } = session
  say(terminal, paint(terminal, 'dim', `  first ask after ${seconds(begunMs)}`))
  const told = await tellAsks(session, { sites: stage.sites, members: MEMBERS })
  tellReleases(session, { outcomes: told.outcomes, isWhole: options.details === true })
  const problems = [
    ...told.outcomes.flatMap((outcome) => outcome.problems),
    ...told.problems,
    ...(await tellMoney(session, { operator: stage.operator, outcomes: told.outcomes })),
    ...(await tellProofs(session)),
  ]
  const memory = await memoryLine([stage.network, ...stage.sites.map(({ server }) => server)])
  if (memory !== '') step(terminal, `Memory: ${memory}`)
  step(terminal, `${told.outcomes.length} asks in ${seconds(begunMs)} with everything before them`)
  return problems
}

async function closeOrStay(
  session: Session,
  {
    servers,
    problems,
    options,
  }: { servers: readonly ServerProcess[]; problems: readonly string[]; options: DemoOptions },
): Promise<number> {
  const { terminal } = session
  say(terminal)
  for (const problem of problems) say(terminal, paint(terminal, 'bad', `  ✗ ${problem}`))
  if (problems.length === 0) say(terminal, paint(terminal, 'good', '  Every expectation held.'))
  else
    say(
      terminal,
      paint(
        terminal,
        'bad',
        `  ${problems.length} expectations did not hold. The logs are in "${join(session.home, 'logs')}"`,
      ),
    )
  if (options.once !== true) {
    heading(terminal, 'Running')
    for (const { name, url } of servers)
      say(terminal, `  ${name.padEnd(8)} ${url}   ${paint(terminal, 'dim', `${url}/docs`)}`)
    say(terminal)
    say(terminal, `  Try:  ./hedgerow offers`)
    say(terminal, `        ./hedgerow ledger balance --as northcare`)
    say(terminal, `        ./hedgerow site doctor --site galway`)
    say(terminal, '  Ctrl-C stops everything; the next run goes on from what is on disk.')
    await aborted(session.signal)
    say(terminal)
  }
  return problems.length === 0 ? EXIT.done : EXIT.fellShort
}

/** Starts everything and loads it. Servers are noted as they start, so that they are stopped whatever happens. */
async function setTheStage(session: Session, servers: ServerProcess[]): Promise<Stage> {
  const { terminal } = session
  heading(terminal, 'Setting up')
  const network = newServer(session, {
    name: 'network',
    url: NETWORK_URL,
    args: ['network', 'serve', '--port', String(NETWORK_PORT)],
  })
  servers.push(network)
  const startMs = monotonicMs()
  const [loads] = await Promise.all([prepareLoads(session), network.start()])
  const made = await Promise.all(
    loads.map(async ({ site }) => ({
      site,
      keys: await makeDemoSite(session, { site, networkUrl: NETWORK_URL }),
    })),
  )
  const operator = await setUpNetwork(session, { url: NETWORK_URL, members: MEMBERS, sites: made })
  await network.ready()
  step(terminal, `network  ${NETWORK_URL}  ${MEMBERS.length} members (${seconds(startMs)})`)
  const sites = await Promise.all(loads.map((load) => startSite(session, { load, servers })))
  await offersOf(session, sites)
  const galway = sites.find(({ load }) => load.site.id === 'galway')
  // A run that was stopped in the middle may have left an athlete withdrawn.
  if (galway) await restoreWithdrawn({ galway, athlete: whoWithdraws(galway.load) })
  return { network, operator, sites }
}

async function startSite(
  session: Session,
  { load, servers }: { load: SiteLoad; servers: ServerProcess[] },
): Promise<LiveSite> {
  const { site, athletes, grants } = load
  const url = `http://127.0.0.1:${site.port}`
  const startMs = monotonicMs()
  const server = newServer(session, { name: site.id, url, args: ['site', 'serve', site.id] })
  servers.push(server)
  await server.start()
  const access = await accessSite(session, { site })
  await ensureEvidence(session, { site, access })
  await loadSite(session, { load, access })
  await server.ready()
  step(
    session.terminal,
    `${site.id.padEnd(8)} ${url}  in ${site.territory}: ${counted(athletes.length)} ${site.holds}, ${counted(grants.length)} made-up grants (${seconds(startMs)})`,
  )
  return { load, access, server }
}

/** Waits until the network offers what every site holds. */
async function offersOf(session: Session, sites: readonly LiveSite[]): Promise<void> {
  const client = httpClient({
    server: { url: NETWORK_URL, name: 'anybody' },
    clock: session.clock,
    ids: session.ids,
  })
  for (let tries = 0; tries < 250; tries += 1) {
    const { items } = await client.call(NETWORK_API.listOffers, { query: { dataSet: DATA_SET } })
    if (sites.every(({ load }) => items.some(({ site }) => site === load.site.id))) return
    await session.clock.sleep(40)
  }
  throw new Fault('fault.unavailable', {
    what: `The network does not offer what the sites hold; look at the logs in "${join(session.home, 'logs')}"`,
  })
}

function newServer(
  session: Session,
  { name, url, args }: { name: string; url: string; args: readonly string[] },
): ServerProcess {
  const environment = {
    ...session.environment,
    HEDGEROW_HOME: session.home,
    HEDGEROW_LOG_LEVEL: session.environment['HEDGEROW_LOG_LEVEL'] ?? 'info',
  }
  return serverProcess({
    name,
    url,
    args,
    environment,
    logFile: join(session.home, 'logs', `${name}.log`),
    clock: session.clock,
  })
}

/** Sites first, then the network: nobody loses somebody to talk to before it has said its last word. */
async function stopAll(servers: readonly ServerProcess[]): Promise<void> {
  const [network, ...sites] = servers
  await Promise.all(sites.map((site) => site.stop().catch(complain)))
  await network?.stop().catch(complain)
}

function complain(thrown: unknown): void {
  process.stderr.write(`${sentenceOf(thrown)}\n`)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
    // Waiting for a signal alone would not keep the process alive.
    const alive = new MessageChannel()
    alive.port1.ref()
    signal.addEventListener('abort', () => alive.port1.close(), { once: true })
  })
}

function seconds(sinceMs: number): string {
  return `${((monotonicMs() - sinceMs) / 1000).toFixed(1)} s`
}
