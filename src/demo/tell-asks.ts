import type { Session } from '../cli/session.ts'
import { later } from '../kernel/clock.ts'
import type { Athlete } from './split-athletes.ts'
import { DATA_SET, whoWithdraws } from './demo-data.ts'
import type { SiteLoad } from './demo-data.ts'
import type { DemoMember } from './demo-parties.ts'
import { askTableHead, askTableRows, heading, note } from './report.ts'
import { runScenario, runScenarioDuring } from './run-scenario.ts'
import type { ScenarioOutcome } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import {
  AFTER_REVOCATION,
  BEFORE_REVOCATION,
  DURING_KILL,
  EVIDENCE_EXPIRED,
  EVIDENCE_RENEWED,
  NEWCOMER_AFTER_REVOCATION,
  PLAIN_SCENARIOS,
} from './scenarios.ts'
import type { ServerProcess } from './server-process.ts'
import { ensureEvidence, signDemoEvidence } from './set-up-site.ts'
import type { SiteAccess } from './set-up-site.ts'

/** A site of the running demonstration. */
export interface LiveSite {
  readonly load: SiteLoad
  readonly access: SiteAccess
  readonly server: ServerProcess
}

/** What the asks came to. */
export interface AsksTold {
  readonly outcomes: readonly ScenarioOutcome[]
  /** What else was not as expected. */
  readonly problems: readonly string[]
}

/** How long the evidence lives that is made to run out before everybody's eyes. */
const SHORT_EVIDENCE_MS = 700

/** Sends every ask and prints what came of each; the order is that of the story. */
export async function tellAsks(
  session: Session,
  { sites, members }: { sites: readonly LiveSite[]; members: readonly DemoMember[] },
): Promise<AsksTold> {
  const { terminal } = session
  const outcomes: ScenarioOutcome[] = []
  const problems: string[] = []
  const tell = (outcome: ScenarioOutcome) => {
    outcomes.push(outcome)
    askTableRows(terminal, { outcome, members })
  }
  const run = async (scenario: Scenario) => {
    session.signal.throwIfAborted()
    tell(await runScenario(session, scenario))
  }
  heading(terminal, 'What is asked, and what comes of it')
  askTableHead(terminal)
  for (const scenario of PLAIN_SCENARIOS) await run(scenario)
  await tellEvidence(session, { dresden: siteNamed(sites, 'dresden'), run })
  await tellWithdrawal(session, { galway: siteNamed(sites, 'galway'), run })
  const zurich = siteNamed(sites, 'zurich')
  problems.push(...(await tellKill(session, { zurich, tell })))
  return { outcomes, problems }
}

type Run = (scenario: Scenario) => Promise<void>

/** The evidence of Dresden runs out, is renewed, and the same ask is approved. */
async function tellEvidence(
  session: Session,
  { dresden, run }: { dresden: LiveSite; run: Run },
): Promise<void> {
  const { site } = dresden.load
  note(session.terminal, 'the evidence of where dresden is runs out')
  const until = later(session.clock.now(), SHORT_EVIDENCE_MS)
  await dresden.access.operator.giveEvidence(await signDemoEvidence(session, { site, until }))
  await session.clock.sleep(Math.max(0, until - session.clock.now()) + 20)
  await run(EVIDENCE_EXPIRED)
  note(session.terminal, 'its operator looks at the map and signs new evidence')
  await ensureEvidence(session, { site, access: dresden.access })
  await run(EVIDENCE_RENEWED)
}

/** One athlete withdraws: the same ask would show them by the difference and is refused; a newcomer is answered without them. */
async function tellWithdrawal(
  { terminal }: Session,
  { galway, run }: { galway: LiveSite; run: Run },
): Promise<void> {
  const athlete = whoWithdraws(galway.load)
  await run(BEFORE_REVOCATION)
  note(terminal, 'one athlete of galway withdraws; in force at once')
  await galway.access.issuer.revokeGrants([{ dataSet: DATA_SET, person: athlete.key }])
  await run(AFTER_REVOCATION)
  await run(NEWCOMER_AFTER_REVOCATION)
  await restoreWithdrawn({ galway, athlete })
}

/** Gives the grants back that the story took, so that the next run tells the same. */
export async function restoreWithdrawn({
  galway,
  athlete,
}: {
  galway: LiveSite
  athlete: Athlete
}): Promise<void> {
  await galway.access.issuer.giveGrants(galway.load.grants.filter(({ person }) => person === athlete.key))
}

/** Zurich dies in the middle of an ask and comes back with everything, and answers once. */
async function tellKill(
  session: Session,
  { zurich, tell }: { zurich: LiveSite; tell: (outcome: ScenarioOutcome) => void },
): Promise<readonly string[]> {
  const { terminal } = session
  const before = await zurich.access.operator.dataSets()
  const outcome = await runScenarioDuring(session, {
    scenario: DURING_KILL,
    meanwhile: async () => {
      note(terminal, 'zurich is killed (SIGKILL) with an ask on its way, and started again')
      await zurich.server.kill()
      await zurich.server.start()
    },
  })
  tell(outcome)
  await zurich.server.ready()
  const after = await zurich.access.operator.dataSets()
  const isSame = JSON.stringify(before) === JSON.stringify(after)
  return isSame ? [] : ['after the kill, the data sets of zurich are not what they were']
}

function siteNamed(sites: readonly LiveSite[], name: string): LiveSite {
  const found = sites.find(({ load }) => load.site.id === name)
  if (!found) throw new Error(`The demonstration has no site "${name}"`)
  return found
}
