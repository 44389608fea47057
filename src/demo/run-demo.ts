import { join } from 'node:path'
import { EXIT, Interrupted, WrongUse, sentenceOf } from '../cli/failures.ts'
import { namesIn } from '../cli/require-home.ts'
import type { Session } from '../cli/session.ts'
import { paint, say, wrapped } from '../cli/terminal.ts'
import { monotonicMs } from '../kernel/clock.ts'
import { demoSession } from './demo-addresses.ts'
import { NETWORK_PORT } from './demo-parties.ts'
import { heading, seconds, step } from './report.ts'
import type { ServerProcess } from './server-process.ts'
import { setTheStage } from './set-the-stage.ts'
import type { Stage } from './set-the-stage.ts'
import { tellAsks } from './tell-asks.ts'
import { memoryLine, tellMoney } from './tell-money.ts'
import { tellProofs } from './tell-proofs.ts'
import { tellReleases } from './tell-releases.ts'
import { tellStudies } from './tell-studies.ts'

/** What the demonstration is told. */
export interface DemoOptions {
  /** Stop afterwards; 0 only if every expectation held. */
  readonly once?: boolean
  /** A directory with the larger studies. */
  readonly data?: string
  /** Port of the network; sites come 11, 12 and 13 after it. */
  readonly port?: string
  /** Print every release whole. */
  readonly details?: boolean
}

/** How it is typed: a checkout has it in its folder, a package puts it on the path. */
const COMMAND = import.meta.url.endsWith('.ts') ? './hedgerow' : 'hedgerow'

const PREAMBLE =
  'The athletes are real people. The grants are not theirs: a seeded generator makes them up, and nobody in the data gave any (src/demo/generate-grants.ts). Members, prices and money are made up too.'

/**
 * Shows a whole trade: starts a network and three sites as processes of their own, loads real data, carries asks from
 * signed request to settled money, and verifies every receipt. Gives the exit code.
 */
export async function runDemo(caller: Session, options: DemoOptions): Promise<number> {
  const session = demoSession(caller, portOf(options.port))
  const { terminal } = session
  const begunMs = monotonicMs()
  say(terminal, paint(terminal, 'strong', 'Hedgerow: a whole trade on this machine'))
  say(terminal)
  say(terminal, wrapped(terminal, PREAMBLE, '  '))
  const wasThere = namesIn(session.home, 'sites').length > 0
  const servers: ServerProcess[] = []
  try {
    const stage = await setTheStage(session, { servers, data: options.data })
    step(terminal, `ready for the first ask after ${seconds(begunMs)}`)
    const problems = await tellAll(session, { stage, options })
    say(terminal)
    step(terminal, `All of it took ${seconds(begunMs)}`)
    tellVerdict(session, { problems, wasThere })
    const areAllUp = options.once === true || (await stay(session, servers))
    return problems.length === 0 && areAllUp ? EXIT.done : EXIT.fellShort
  } catch (thrown) {
    // Ctrl-C in the middle is no failure to tell about.
    const { aborted, reason } = session.signal
    if (aborted) return reason instanceof Interrupted ? reason.exitCode : EXIT.fellShort
    // Often the cause of what was thrown, and said before it.
    for (const server of servers) await tellEnd(session, server)
    throw thrown
  } finally {
    await stopAll(servers)
  }
}

/** The story from the first ask to the last proof; gives what was not as expected. */
async function tellAll(
  session: Session,
  { stage, options }: { stage: Stage; options: DemoOptions },
): Promise<readonly string[]> {
  const { sites, members, studies, operator, network } = stage
  const told = await tellAsks(session, { sites, members })
  const outcomes = [...told.outcomes, ...(await tellStudies(session, { studies, members }))]
  tellReleases(session, { outcomes, isWhole: options.details === true })
  const problems = [
    ...outcomes.flatMap((outcome) => outcome.problems),
    ...told.problems,
    ...(await tellMoney(session, { operator, outcomes })),
    ...(await tellProofs(session)),
  ]
  const memory = await memoryLine([network, ...sites.map(({ server }) => server)])
  if (memory !== '') step(session.terminal, `Memory: ${memory}`)
  return problems
}

/** Whoever tried things out at a demonstration that was there changed what its asks are answered. */
export function tellVerdict(
  { terminal, home }: Pick<Session, 'terminal' | 'home'>,
  { problems, wasThere }: { problems: readonly string[]; wasThere: boolean },
): void {
  for (const problem of problems) say(terminal, paint(terminal, 'bad', `  ✗ ${problem}`))
  if (problems.length === 0) return step(terminal, 'Every expectation held')
  const words = problems.length === 1 ? 'One expectation' : `${problems.length} expectations`
  say(terminal, paint(terminal, 'bad', `  ${words} did not hold; the logs are in "${join(home, 'logs')}"`))
  if (wasThere)
    say(
      terminal,
      wrapped(
        terminal,
        `This run went on from an earlier one, and what was done there since counts: somebody who was erased, a grant, a price. To start afresh, stop it and remove "${home}".`,
        '  ',
      ),
    )
}

/** Leaves everything running until Ctrl-C, and says when a server ends by itself; gives whether none did. */
async function stay(session: Session, servers: readonly ServerProcess[]): Promise<boolean> {
  const { terminal, clock, signal } = session
  heading(terminal, 'Running')
  for (const { name, url } of servers)
    say(terminal, `  ${name.padEnd(8)} ${url}  ${paint(terminal, 'dim', `${url}/docs`)}`)
  say(terminal)
  say(terminal, `  Try   ${COMMAND} status`)
  say(terminal, `        ${COMMAND} offers --columns`)
  say(terminal, `        ${COMMAND} ledger balance northcare`)
  say(terminal, `        ${COMMAND} site doctor galway`)
  say(terminal, '  Ctrl-C stops everything; the next run goes on from what is on disk.')
  const up = new Set(servers)
  while (!signal.aborted && up.size > 0) {
    await clock.sleep(LOOK_UP_MS, signal)
    for (const server of up) if (await tellEnd(session, server)) up.delete(server)
  }
  say(terminal)
  return up.size === servers.length
}

/** Says that a server ended by itself, how, and what to do; gives whether it did. */
async function tellEnd({ terminal, home }: Session, server: ServerProcess): Promise<boolean> {
  const { name, url } = server
  const how = await server.ended()
  if (how === undefined) return false
  const verb = name === 'network' ? 'network serve' : `site serve ${name}`
  say(terminal, paint(terminal, 'bad', `  ✗ ${name} ended: ${how}`))
  say(terminal, `    Start it again with   ${COMMAND} ${verb} --port ${new URL(url).port}`)
  say(terminal, `    Its log is "${join(home, 'logs', `${name}.log`)}"`)
  return true
}

function portOf(text: string | undefined): number {
  if (text === undefined) return NETWORK_PORT
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_500)
    throw new WrongUse(`Cannot use "${text}" as a port: expected 1 to 65500`)
  return port
}

/** How soon the end of a server is noticed. */
const LOOK_UP_MS = 500

/** Sites first, then the network: nobody loses somebody to talk to before it has said its last word. */
async function stopAll(servers: readonly ServerProcess[]): Promise<void> {
  const [network, ...sites] = servers
  await Promise.all(sites.map((site) => site.stop().catch(complain)))
  await network?.stop().catch(complain)
}

function complain(thrown: unknown): void {
  process.stderr.write(`${sentenceOf(thrown)}\n`)
}
