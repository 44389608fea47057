import type { Command } from 'commander'
import { digestOf } from '../../kernel/digest.ts'
import { guardianshipStateWords } from '../../protocol/words/guardianship-words.ts'
import { shortMomentText } from '../../protocol/words/plain-words.ts'
import { GUARDIAN_AUTHORITIES, guardianshipIdSchema } from '../../protocol/consent/guardianship.ts'
import type { GuardianAuthority } from '../../protocol/consent/guardianship.ts'
import { openGuardianDesk } from '../../sdk/guardians.ts'
import type { GuardianDesk, Guardianship } from '../../sdk/guardians.ts'
import { WrongUse } from '../failures.ts'
import { addPersonOptions, connectForPerson, tokenOf } from './person.ts'
import type { PersonOptions } from './person.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

interface GuardianOptions extends PersonOptions {
  readonly guardian?: string
  readonly authority?: string
  readonly from?: string
  readonly until?: string
  readonly document?: string
}

/** `hedgerow guardian …`: who may speak for a child. */
export function addGuardianVerbs(program: Command, session: Session): void {
  const guardian = program.command('guardian').description('who may speak for a child at a site')
  addPersonOptions(
    verb(guardian, {
      name: 'add',
      summary: 'establish a guardian of a child, as the issuer that knows both, by a document that was seen',
      example:
        'hedgerow guardian add --site galway --as world-sport --person 736041664 --guardian parent-17 \\\n    --authority sole --document "birth register Galway 2014/1187"',
    }),
  )
    .requiredOption('--guardian <key>', 'key by which the issuer knows the guardian: what is in their token')
    .option(
      '--authority <kind>',
      `${GUARDIAN_AUTHORITIES.join(' or ')}: alone, or together with the others`,
      'sole',
    )
    .requiredOption(
      '--document <reference>',
      'reference of the document; only its digest leaves this machine',
    )
    .option('--from <time>', 'since when (RFC 3339); absent: now')
    .option('--until <time>', 'until when; absent: until it is ended, or the child comes of age')
    .action((options: GuardianOptions) => perform(session, () => add(session, options)))
  addPersonOptions(
    verb(guardian, {
      name: 'end <guardianship>',
      summary: 'end a guardianship; no power and no grant of it are left when the verb ends',
      example: 'hedgerow guardian end gsh_01KB0000000000000000000000 --site galway --as world-sport',
    }),
  ).action((id: string, options: GuardianOptions) => perform(session, () => end(session, { id, options })))
  addPersonOptions(
    verb(guardian, {
      name: 'list',
      summary: 'for whom you may speak; with --person who may speak for somebody',
      example:
        'hedgerow guardian list --site galway --token-file my.token\nhedgerow guardian list --site galway --as world-sport --person 736041664 --reason "the school asks"',
    }),
  ).action((options: GuardianOptions) => perform(session, () => list(session, options)))
}

async function deskOf(session: Session, options: GuardianOptions): Promise<GuardianDesk> {
  return openGuardianDesk((await connectForPerson(session, options)).client)
}

async function add(session: Session, options: GuardianOptions): Promise<void> {
  const { person, guardian = '', authority, from, until, document = '', json } = options
  if (person === undefined) throw new WrongUse('Say which child, with --person KEY')
  if (document.trim() === '') throw new WrongUse('Say which document was seen, with --document REFERENCE')
  const desk = await deskOf(session, options)
  const made = await desk.establish(person, {
    guardian,
    authority: authorityOf(authority),
    document: digestOf(document),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
  })
  show(session, { json, value: made, print: () => print(session, [made]) })
}

async function end(
  session: Session,
  { id, options }: { id: string; options: GuardianOptions },
): Promise<void> {
  if (!guardianshipIdSchema.safeParse(id).success)
    throw new WrongUse(`Cannot use "${id}": expected the id of a guardianship, gsh_…`)
  const ended = await (await deskOf(session, options)).end(id)
  show(session, { json: options.json, value: ended, print: () => print(session, [ended]) })
}

async function list(session: Session, options: GuardianOptions): Promise<void> {
  const { person, issuer, reason, json } = options
  if (person === undefined && (await tokenOf(session, options)) === undefined)
    throw new WrongUse('Say for whom, with --person KEY, or who you are, with --token-file FILE')
  const desk = await deskOf(session, options)
  const found =
    person === undefined ? await desk.wards() : await desk.guardiansOf({ ref: person, issuer, reason })
  show(session, { json, value: found, print: () => print(session, found) })
}

function print(session: Session, found: readonly Guardianship[]): void {
  if (found.length === 0) return say(session.terminal, 'No guardianships here')
  table(session.terminal, {
    head: ['guardianship', 'child', 'guardian', 'decides', 'since', 'until', 'state'],
    rows: found.map((one) => [
      one.guardianship,
      `${one.issuer}:${one.person}`,
      one.guardian ?? '(erased)',
      one.authority === 'sole' ? 'alone' : 'jointly',
      shortMomentText(one.from),
      untilText(one.endedAt ?? one.until),
      guardianshipStateWords(one),
    ]),
  })
}

function untilText(time: Parameters<typeof shortMomentText>[0] | undefined): string {
  return time === undefined ? '' : shortMomentText(time)
}

function authorityOf(text: string | undefined): GuardianAuthority {
  const known = GUARDIAN_AUTHORITIES.find((one) => one === text)
  if (known) return known
  throw new WrongUse(`Cannot use "${text ?? ''}": expected ${GUARDIAN_AUTHORITIES.join(' or ')}`)
}
