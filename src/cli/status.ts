import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { Fault } from '../kernel/faults.ts'
import { dayText, placeName } from '../protocol/words/plain-words.ts'
import { openOfficer } from '../sdk/officer.ts'
import type { Officer } from '../sdk/officer.ts'
import type { SiteSettings } from '../site/config.ts'
import { counted } from '../kernel/counted.ts'
import {
  DEFAULT_NETWORK_URL,
  connectToSite,
  isThisMachine,
  nearestNetwork,
  requireNetworkUrl,
  siteSettingsHere,
  siteUrlHere,
} from './connect.ts'
import { EXIT, sentenceOf } from './failures.ts'
import { reach, readiness } from './reach.ts'
import { namesIn } from './require-home.ts'
import { show } from './session.ts'
import type { Session } from './session.ts'
import { paint, say, table } from './terminal.ts'
import type { Tone } from './terminal.ts'
import { perform, verb } from './verb.ts'

/** A server as it is found: `not_ready` answers, and says itself that something is missing. */
interface FoundServer {
  readonly kind: 'network' | 'site'
  readonly name: string
  readonly url: string
  readonly state: 'serving' | 'not_ready' | 'away'
  readonly about: string
  /** What to type next, where something is to be done. */
  readonly next?: string | undefined
}

/** What is on this machine under one home directory. */
interface Overview {
  readonly home: string
  readonly servers: readonly FoundServer[]
  /** Members whose keys are here. */
  readonly members: readonly string[]
}

/** `hedgerow status`: everything that is here at one look, and what to type next. */
export function addStatusVerb(program: Command, session: Session): void {
  verb(program, {
    name: 'status',
    summary: 'what is on this machine: network, sites, members, whether they serve, and what to do next',
    example: 'hedgerow status',
  })
    .option('--network <url>', 'address of the network; absent: those of the sites here, and the one here')
    .action((options: { network?: string; json?: boolean }) =>
      perform(session, async () => {
        const found = await lookAround(session, options.network)
        show(session, { json: options.json, value: found, print: () => print(session, found) })
        if (found.servers.some(({ state }) => state === 'away')) return EXIT.unreachable
        return found.servers.some(({ state }) => state === 'not_ready') ? EXIT.fellShort : EXIT.done
      }),
    )
}

async function lookAround(session: Session, network: string | undefined): Promise<Overview> {
  const { home, environment } = session
  const names = namesIn(home, 'sites')
  const settings = await Promise.all(names.map((name) => siteSettingsHere(session, name)))
  const told = network ?? environment['HEDGEROW_NETWORK_URL']
  const isHere = existsSync(join(home, 'network'))
  const urls =
    told === undefined ? await networksOf(session, { settings, isHere }) : new Set([requireNetworkUrl(told)])
  const servers = await Promise.all([
    ...[...urls].map((url) => lookAtNetwork(session, { url, isHere: isHere && isThisMachine(url) })),
    ...names.map((name) => lookAtSite(session, name)),
  ])
  return { home, servers, members: namesIn(home, 'members') }
}

/** Where the networks of the sites here are, and the one whose directory is here. */
async function networksOf(
  session: Session,
  { settings, isHere }: { settings: readonly (SiteSettings | undefined)[]; isHere: boolean },
): Promise<ReadonlySet<string>> {
  const known = settings.flatMap((each) => (each ? [each.network.url] : []))
  const all = isHere && !known.some(isThisMachine) ? [...known, DEFAULT_NETWORK_URL] : known
  return new Set(await Promise.all(all.map((url) => nearestNetwork(session, url))))
}

const networkSchema = z.object({ name: z.string(), version: z.string() })

async function lookAtNetwork(
  session: Session,
  { url, isHere }: { url: string; isHere: boolean },
): Promise<FoundServer> {
  const facts = { kind: 'network', url } as const
  try {
    const answer = await reach(session, `${url}/v1/network`)
    const { isReady } = await readiness(session, url)
    const parsed = networkSchema.safeParse(answer.body)
    const { name, version } = parsed.data ?? { name: 'network', version: '?' }
    return { ...facts, name, state: isReady ? 'serving' : 'not_ready', about: `version ${version}` }
  } catch (thrown) {
    const next = isHere ? `hedgerow network serve --port ${portOf(url)}` : undefined
    return { ...facts, name: 'network', ...failing(thrown, next) }
  }
}

async function lookAtSite(session: Session, name: string): Promise<FoundServer> {
  const url = (await siteUrlHere(session, name)) ?? ''
  const facts = { kind: 'site', name, url } as const
  try {
    const { administration, client } = await connectToSite(session, { site: name })
    const { checks } = await readiness(session, url)
    const evidence = await administration.evidence()
    const dataSets = (await administration.dataSets()).filter(({ state }) => state === 'active')
    const people = dataSets.reduce((sum, one) => sum + one.people, 0)
    const isSound = Object.values(checks).every(Boolean)
    const until = evidence.validUntil === undefined ? '' : `, evidence until ${dayText(evidence.validUntil)}`
    const held = `${counted(dataSets.length, 'data set')}, ${counted(people, 'person', 'people')}`
    const { territory, windDown } = await administration.site()
    const ending = windDown === undefined ? '' : `, winds down since ${dayText(windDown.since)}`
    const about = `in ${placeName(territory)}${until}; ${held}${ending}`
    if (windDown !== undefined) return { ...facts, state: isSound ? 'serving' : 'not_ready', about }
    const hasEvidence = checks['evidence'] !== false
    const lacked = await firstLacked(name, openOfficer(client))
    const next = nextOf(name, { hasEvidence, dataSets: dataSets.length, lacked })
    return { ...facts, state: isSound ? 'serving' : 'not_ready', about, next }
  } catch (thrown) {
    return { ...facts, ...failing(thrown, `hedgerow site serve ${name}`) }
  }
}

/** The command that brings the first paper without which asks for what is here are declined. */
async function firstLacked(site: string, officer: Officer): Promise<string | undefined> {
  const { missingPapers } = await import('../site/missing-papers.ts')
  const [contracts, assessments, bases] = await Promise.all([
    officer.contracts(),
    officer.assessments(),
    officer.bases(),
  ])
  const [first] = missingPapers({
    site,
    contracts: contracts.missing,
    assessments: assessments.missing,
    bases: bases.missing,
  })
  return first?.command
}

/** The first thing that is missing on the way to an answer. A site does not say whom it knows, and may be told of an issuer again. */
function nextOf(
  site: string,
  { hasEvidence, dataSets, lacked }: { hasEvidence: boolean; dataSets: number; lacked: string | undefined },
): string | undefined {
  if (!hasEvidence) return `hedgerow site evidence --site ${site} --longitude … --latitude …`
  if (dataSets > 0) return lacked
  const describe = `hedgerow dataset describe MANIFEST.yaml --site ${site} --as ISSUER`
  return `hedgerow site issuer ISSUER --site ${site} && ${describe}`
}

/** Names that fit into a line. */
const MEMBERS_SHOWN = 6

const STATES: Readonly<Record<FoundServer['state'], { readonly words: string; readonly tone: Tone }>> = {
  serving: { words: 'serving', tone: 'good' },
  not_ready: { words: 'not ready', tone: 'bad' },
  away: { words: 'not running', tone: 'warn' },
}

/** It comes with the package too, and there it is not below the directory of who types. */
const TUTORIAL = fileURLToPath(new URL('../../docs/tutorial/first-trade.md', import.meta.url))

function pathHere(path: string): string {
  const here = relative('.', path)
  return here.startsWith('..') ? path : here
}

function print({ terminal }: Session, { home, servers, members }: Overview): void {
  if (servers.length === 0 && members.length === 0) {
    say(terminal, `Nothing is under "${home}" yet`)
    say(terminal, '  hedgerow demo    shows a whole trade on this machine')
    say(terminal, `  ${pathHere(TUTORIAL)}    makes one by hand`)
    return
  }
  say(terminal, `Under "${home}"`)
  table(terminal, {
    indent: '  ',
    head: ['what', 'name', 'where', 'state', ''],
    rows: servers.map(({ kind, name, url, state, about }) => [
      kind,
      paint(terminal, 'strong', name),
      url,
      paint(terminal, STATES[state].tone, STATES[state].words),
      about,
    ]),
  })
  const shown = members.slice(0, MEMBERS_SHOWN).join(', ')
  const more = members.length > MEMBERS_SHOWN ? ` and ${members.length - MEMBERS_SHOWN} more` : ''
  say(terminal, members.length === 0 ? '  No keys of members' : `  Keys of members: ${shown}${more}`)
  for (const { name, next } of servers) if (next !== undefined) say(terminal, `Next, for ${name}:  ${next}`)
}

function portOf(url: string): string {
  const { port, protocol } = new URL(url)
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port
}

/** One server that is away or in disorder is a finding: the others are looked at all the same. */
function failing(thrown: unknown, start: string | undefined): Pick<FoundServer, 'state' | 'about' | 'next'> {
  if (thrown instanceof Fault && thrown.code === 'fault.peer_unreachable')
    return { state: 'away', about: 'does not answer', next: start }
  return { state: 'not_ready', about: sentenceOf(thrown) }
}
