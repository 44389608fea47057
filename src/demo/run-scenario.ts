import { later } from '../kernel/clock.ts'
import { generateKeyPair } from '../kernel/crypto/keys.ts'
import { money } from '../kernel/money.ts'
import { acquirerOf, memberClient } from '../cli/connect.ts'
import { readMemberProfile } from '../cli/member-profile.ts'
import type { Session } from '../cli/session.ts'
import { keepReceipts } from '../cli/trade/receipt-files.ts'
import { openAcquirer } from '../sdk/acquirer.ts'
import type { Acquirer, AskResult } from '../sdk/acquirer.ts'
import type { AskRequest } from '../sdk/build-ask.ts'
import { pinFile } from '../cli/member-profile.ts'
import type { Scenario } from './scenario.ts'

/** What came of a scenario; `problems` says where it was not what was expected. */
export interface ScenarioOutcome {
  readonly scenario: Scenario
  readonly result: AskResult
  /** Files of the receipts that came with it. */
  readonly receiptFiles: readonly string[]
  readonly durationMs: number
  readonly problems: readonly string[]
}

/** How long sites may take in the demonstration. */
const PATIENCE_MS = 30_000

/** Runs one scenario as its acquirer and holds the answer against what was expected. */
export async function runScenario(session: Session, scenario: Scenario): Promise<ScenarioOutcome> {
  const { acquirer, directory } = await acquirerFor(session, scenario)
  const begun = session.clock.now()
  const result = await acquirer.ask(
    requestOf(session, { scenario, maxPriceMinor: await highestPriceMinor(acquirer, scenario) }),
  )
  return outcomeOf(session, { scenario, result, directory, begun })
}

/** Sends a scenario's ask, does something meanwhile, and waits for the answer. */
export async function runScenarioDuring(
  session: Session,
  { scenario, meanwhile }: { scenario: Scenario; meanwhile: () => Promise<void> },
): Promise<ScenarioOutcome> {
  const { acquirer, directory } = await acquirerFor(session, scenario)
  const begun = session.clock.now()
  const request = requestOf(session, { scenario, maxPriceMinor: await highestPriceMinor(acquirer, scenario) })
  const { ask, jws } = await acquirer.prepare(request)
  await acquirer.send(jws)
  await meanwhile()
  const result = await acquirer.open(await acquirer.wait(ask.id, request.expires))
  return outcomeOf(session, { scenario, result, directory, begun })
}

async function outcomeOf(
  session: Session,
  {
    scenario,
    result,
    directory,
    begun,
  }: { scenario: Scenario; result: AskResult; directory: string; begun: number },
): Promise<ScenarioOutcome> {
  const receiptFiles = await keepReceipts(directory, result)
  return {
    scenario,
    result,
    receiptFiles,
    durationMs: session.clock.now() - begun,
    problems: problemsOf(scenario, result),
  }
}

/** Where an answer is not what was expected, one sentence each. */
function problemsOf({ expected, name }: Scenario, result: AskResult): readonly string[] {
  const problems = result.sites.flatMap(({ site, problems: wrong }) =>
    wrong.map((one) => `${name}, ${site}: ${one}`),
  )
  if (expected.by === 'network') {
    const isAsExpected = result.status === 'declined' && result.reason === expected.reason
    return isAsExpected
      ? problems
      : [
          ...problems,
          `${name}: expected ${expected.reason} from the network, got ${result.reason ?? result.status}`,
        ]
  }
  if (result.status === 'declined') return [...problems, `${name}: the network said ${result.reason ?? 'no'}`]
  for (const [site, reasons] of Object.entries(expected.reasons)) {
    const answer = result.sites.find((one) => one.site === site)
    if (answer?.reason === undefined || !reasons.includes(answer.reason)) {
      problems.push(
        `${name}, ${site}: expected ${reasons.join(' or ')}, got ${answer?.reason ?? answer?.status ?? 'no answer'}`,
      )
    }
  }
  for (const { site } of result.sites) {
    if (!(site in expected.reasons)) problems.push(`${name}: ${site} answered, which was not asked`)
  }
  return problems
}

async function acquirerFor(
  session: Session,
  scenario: Scenario,
): Promise<{ acquirer: Acquirer; directory: string }> {
  const profile = await readMemberProfile(session.home, scenario.acquirer)
  const client = await memberClient(session, { profile })
  if (scenario.isForged !== true)
    return { acquirer: acquirerOf(session, { profile, client }), directory: profile.directory }
  const { clock, ids, random } = session
  const forged = {
    client,
    member: profile.member,
    signing: generateKeyPair('Ed25519'),
    sealing: profile.sealing,
  }
  return {
    acquirer: openAcquirer({ ...forged, pins: pinFile(profile.directory), clock, ids, random }),
    directory: profile.directory,
  }
}

function requestOf(
  session: Session,
  { scenario, maxPriceMinor }: { scenario: Scenario; maxPriceMinor: number },
): Omit<AskRequest, 'acquirer'> {
  const { purpose, legalBasis, mode, epsilon, offer, sites, within, releaseTo, transferBasis, sql } = scenario
  return {
    purpose,
    legalBasis,
    mode,
    offer,
    sites,
    within,
    releaseTo: { jurisdiction: releaseTo, ...(transferBasis === undefined ? {} : { transferBasis }) },
    question: { sql, parameters: [] },
    maxPrice: money(maxPriceMinor, 'EUR'),
    expires: later(session.clock.now(), PATIENCE_MS),
    ...(epsilon === undefined ? {} : { privacy: { epsilon } }),
  }
}

async function highestPriceMinor(
  acquirer: Acquirer,
  { offer, sites, maxPriceMinor }: Scenario,
): Promise<number> {
  if (maxPriceMinor !== undefined) return maxPriceMinor
  const offers = await acquirer.offers({ dataSet: offer })
  const caps = offers.filter(({ site }) => sites?.includes(site) ?? true).map(({ tariff }) => tariff.capMinor)
  return Math.max(
    1,
    caps.reduce((sum, cap) => sum + cap, 0),
  )
}
