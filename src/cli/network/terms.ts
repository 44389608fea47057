import type { Command } from 'commander'
import { parseInstant } from '../../kernel/clock.ts'
import type { TermsVersion } from '../../protocol/terms-of-use.ts'
import { shortMomentText } from '../../protocol/words/plain-words.ts'
import { openTermsOfUse } from '../../sdk/terms-of-use.ts'
import { connectToNetwork, memberClient, operatorClient, publicClient } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { readNamed } from '../open-file.ts'
import { readMemberProfile } from '../member-profile.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

interface TermsOptions extends Pick<NetworkOptions, 'network'> {
  readonly json?: boolean
}

/** `hedgerow terms …`: the terms under which acquirers use a network. */
export function addTermsVerbs(program: Command, session: Session): void {
  const terms = program.command('terms').description('the terms of use of a network, and who accepted them')
  verb(terms, {
    name: 'show',
    summary: 'the newest text, or another version',
    example: 'hedgerow terms show\nhedgerow terms show --version 2',
  })
    .option('--version <number>', 'another version than the newest')
    .option(...NETWORK)
    .action((options: TermsOptions & { version?: string }) =>
      perform(session, () => showTerms(session, options)),
    )
  verb(terms, {
    name: 'publish',
    summary:
      'publish terms of use or a new version; acquirers have to accept it before they ask (operator of the network)',
    example: 'hedgerow terms publish --file terms.md --from 2027-01-01T00:00:00Z',
  })
    .requiredOption('--file <file>', 'the text')
    .option('--from <time>', 'from when on it counts; absent: at once')
    .option(...NETWORK)
    .action((options: TermsOptions & { file: string; from?: string }) =>
      perform(session, () => publish(session, options)),
    )
  verb(terms, {
    name: 'accept [id]',
    summary: 'accept the newest terms of use as a member, by a statement signed with its key',
    example: 'hedgerow terms accept northcare',
  })
    .option('--version <number>', 'another version than the newest')
    .option(...NETWORK)
    .action((id: string | undefined, options: TermsOptions & { version?: string }) =>
      perform(session, () => accept(session, id, options)),
    )
  verb(terms, {
    name: 'list',
    summary: 'who accepted which version, and when: all for the operator, its own for a member',
    example: 'hedgerow terms list --as northcare',
  })
    .option('--as <id>', 'member that asks, or "operator"')
    .option(...NETWORK)
    .action((options: TermsOptions & NetworkOptions) => perform(session, () => list(session, options)))
}

const NETWORK = ['--network <url>', 'address of the network'] as const

async function showTerms(session: Session, options: TermsOptions & { version?: string }): Promise<number> {
  const versions = await openTermsOfUse(await publicClient(session, options)).versions()
  const wanted = versions.length === 0 ? undefined : chosen(versions, options.version)
  show(session, {
    json: options.json,
    value: options.version === undefined ? versions : wanted,
    print: () => {
      if (!wanted) return say(session.terminal, 'No terms are published: acquirers ask without')
      for (const one of versions) say(session.terminal, titleOf(one))
      say(session.terminal, `\n${wanted.text}`)
    },
  })
  return wanted ? EXIT.done : EXIT.fellShort
}

async function publish(
  session: Session,
  { file, from, json, ...options }: TermsOptions & { file: string; from?: string },
): Promise<void> {
  const text = await readNamed(file)
  const moment = from === undefined ? undefined : parseInstant(from)
  if (from !== undefined && moment === undefined)
    throw new WrongUse(`Cannot read the time "${from}": expected one such as 2027-01-01T00:00:00Z`)
  const terms = openTermsOfUse(await operatorClient(session, options))
  const published = await terms.publish({ text, from: moment })
  show(session, { json, value: published, print: () => say(session.terminal, titleOf(published)) })
}

async function accept(
  session: Session,
  id: string | undefined,
  { version, json, network }: TermsOptions & { version?: string },
): Promise<void> {
  const profile = await readMemberProfile(session.home, id, 'by its ID')
  const terms = openTermsOfUse(await memberClient(session, { profile, network }))
  const wanted = chosen(await terms.versions(), version)
  const { member, signing } = profile
  const accepted = await terms.accept(wanted, { member, signing, now: session.clock.now() })
  show(session, {
    json,
    value: accepted,
    print: () =>
      say(
        session.terminal,
        `${member} accepted version ${accepted.version} on ${shortMomentText(accepted.acceptedAt)} (${accepted.terms})`,
      ),
  })
}

async function list(session: Session, options: TermsOptions & NetworkOptions): Promise<void> {
  const { client } = await connectToNetwork(session, options)
  const accepted = await openTermsOfUse(client).acceptances()
  show(session, {
    json: options.json,
    value: accepted,
    print: () =>
      table(session.terminal, {
        none: 'Nobody has accepted terms',
        head: ['member', 'version', 'accepted'],
        // The digest of the text is that of its version, and of what was signed: for machines.
        rows: accepted.map(({ member, version, acceptedAt }) => [
          member,
          String(version),
          shortMomentText(acceptedAt),
        ]),
      }),
  })
}

function chosen(versions: readonly TermsVersion[], version: string | undefined): TermsVersion {
  const found = version === undefined ? versions[0] : versions.find((one) => String(one.version) === version)
  if (found) return found
  throw new WrongUse(
    version === undefined ? 'No terms are published' : `There is no version ${version} of the terms`,
  )
}

function titleOf({ version, state, from }: TermsVersion): string {
  const when = STATE_WORDS[state]
  return `Version ${version}, ${when} ${shortMomentText(from)}`
}

const STATE_WORDS: Readonly<Record<TermsVersion['state'], string>> = {
  coming: 'counts from',
  in_force: 'in force since',
  replaced: 'counted from',
  overtaken: 'overtaken by a newer one before it counted, from',
}
