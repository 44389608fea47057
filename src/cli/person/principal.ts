import type { Command } from 'commander'
import { formatDate, instant } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import {
  actorWords,
  momentText,
  placeName,
  purposeName,
  shortMomentText,
} from '../../protocol/words/plain-words.ts'
import { openPrincipalDesk } from '../../sdk/principals.ts'
import type { Principal, PrincipalDesk } from '../../sdk/principals.ts'
import { WrongUse } from '../failures.ts'
import { readNamed } from '../open-file.ts'
import { addPersonOptions, connectForPerson } from './person.ts'
import type { PersonOptions } from './person.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

interface PrincipalOptions extends PersonOptions {
  readonly atLeast?: string
  readonly below?: string
  readonly document?: string
  readonly until?: string
  readonly end?: string
  readonly proof?: string
  readonly to?: string
  readonly from?: string
  readonly dataset?: string
  readonly grant?: string[]
}

/** `hedgerow person age/evidence/move` and `hedgerow grant confirm`: who decides for a person. */
export function addPrincipalVerbs(program: Command, session: Session): void {
  const person =
    program.commands.find((command) => command.name() === 'person') ??
    program.command('person').description('what a site has about one person, and their rights')
  addPersonOptions(
    verb(person, {
      name: 'age',
      summary: 'who decides for a person today, by which law and evidence, and which grants lapsed for it',
      example: 'hedgerow person age --site galway --token-file my.token',
    }),
  ).action((options: PrincipalOptions) =>
    perform(session, () => showing(session, options, (desk) => desk.view())),
  )
  addPersonOptions(
    verb(person, {
      name: 'evidence',
      summary: 'give evidence of an age (never a birth date), or end it as the issuer',
      example:
        'hedgerow person evidence --site galway --as world-sport --person 736041664 --at-least 16 \\\n    --document "passport seen on 24 November"\nhedgerow person evidence --site galway --token-file parent.token --person 736041664 --below 16',
    }),
  )
    .option('--at-least <years>', 'an age that is reached')
    .option('--below <years>', 'an age that is not reached')
    .option('--document <reference>', 'what the issuer has seen; only its digest leaves this machine')
    .option('--until <time>', 'until when it counts (RFC 3339), if sooner than its kind ends')
    .option('--end <evidence>', 'end this evidence instead, as the issuer')
    .action((options: PrincipalOptions) => perform(session, () => evidence(session, options)))
  addPersonOptions(
    verb(person, {
      name: 'prove-age',
      summary: 'say what your wallet has to sign, or give its proof of your age (an SD-JWT with key binding)',
      example:
        'hedgerow person prove-age --site galway --token-file my.token\nhedgerow person prove-age --site galway --token-file my.token --proof presentation.txt',
    }),
  )
    .option('--proof <file>', 'the presentation of the wallet; absent: show the challenge')
    .action((options: PrincipalOptions) => perform(session, () => proveAge(session, options)))
  addPersonOptions(
    verb(person, {
      name: 'move',
      summary: 'tell that a person lives in another country from a day on; the law on ages changes with it',
      example:
        'hedgerow person move --site galway --as world-sport --person 736041664 --to DE --from 2026-12-01',
    }),
  )
    .requiredOption('--to <country>', 'ISO 3166-1 alpha-2 code')
    .option('--from <day>', 'the first day there; absent: today')
    .action((options: PrincipalOptions) =>
      perform(session, () =>
        showing(session, options, (desk) => desk.tellMove(options.to ?? '', options.from)),
      ),
    )
  const grant = program.commands.find((command) => command.name() === 'grant') ?? program.command('grant')
  addPersonOptions(
    verb(grant, {
      name: 'confirm',
      summary: 'confirm as your own what guardians granted, once you decide yourself',
      example: 'hedgerow grant confirm --site galway --token-file my.token',
    }),
  )
    .option('--dataset <name>', 'only on this data set')
    .option('--grant <grant...>', 'only these grants')
    .action((options: PrincipalOptions) => perform(session, () => confirm(session, options)))
}

async function deskOf(session: Session, options: PrincipalOptions): Promise<PrincipalDesk> {
  const { client, isPerson } = await connectForPerson(session, options)
  const { person, issuer, reason } = options
  if (!isPerson && person === undefined)
    throw new WrongUse('Say whose data, with --person KEY, or who you are, with --token-file FILE')
  return openPrincipalDesk(client, { ref: person ?? 'me', issuer, reason })
}

async function showing(
  session: Session,
  options: PrincipalOptions,
  act: (desk: PrincipalDesk) => Promise<readonly Principal[]>,
): Promise<void> {
  const found = await act(await deskOf(session, options))
  show(session, {
    json: options.json,
    value: found,
    print: () => {
      for (const one of found) print(session, one)
    },
  })
}

async function evidence(session: Session, options: PrincipalOptions): Promise<void> {
  const { end, atLeast, below, document, until } = options
  if (end !== undefined) return showing(session, options, (desk) => desk.endEvidence(end))
  if (atLeast === undefined && below === undefined)
    throw new WrongUse('Say an age that is reached, with --at-least, or one that is not, with --below')
  // With `--as` it is the issuer that has seen something.
  if (document?.trim() === '' || (options.as !== undefined && document === undefined))
    throw new WrongUse('Say what was seen, with --document REFERENCE')
  const given = {
    ...(atLeast === undefined ? {} : { atLeast: yearsOf(atLeast) }),
    ...(below === undefined ? {} : { below: yearsOf(below) }),
    ...(document === undefined ? {} : { document: digestOf(document) }),
    ...(until === undefined ? {} : { expires: until }),
  }
  await showing(session, options, (desk) => desk.giveEvidence(given))
}

async function proveAge(session: Session, options: PrincipalOptions): Promise<void> {
  const { proof, json } = options
  if (proof !== undefined) {
    const presentation = (await readNamed(proof)).trim()
    return showing(session, options, (desk) => desk.prove(presentation))
  }
  const challenge = await (await deskOf(session, options)).challenge()
  show(session, {
    json,
    value: challenge,
    print: ({ audience, nonce, validUntil }) =>
      say(
        session.terminal,
        `Have the wallet sign this for ${audience}, by ${momentText(instant(validUntil))}: ${nonce}`,
      ),
  })
}

async function confirm(session: Session, options: PrincipalOptions): Promise<void> {
  const { dataset: dataSet, grant: grants, json } = options
  const desk = await deskOf(session, options)
  const changed = await desk.confirm({
    ...(dataSet === undefined ? {} : { dataSet }),
    ...(grants === undefined ? {} : { grants }),
  })
  show(session, {
    json,
    value: changed,
    print: () =>
      say(
        session.terminal,
        `${changed.changed} confirmed as your own; ${changed.unchanged} left as they were`,
      ),
  })
}

const DECIDES = {
  self: 'the person alone',
  guardian: 'a guardian',
  joint: 'the person and a guardian together',
} as const satisfies Record<Principal['decides'], string>

function print(session: Session, one: Principal): void {
  const { terminal } = session
  say(terminal, `${one.issuer}: age ${one.band.replaceAll('_', ' ')}; decides: ${DECIDES[one.decides]}`)
  say(
    terminal,
    `Decides alone from the age of ${one.laws.map(({ country, consentAge }) => `${consentAge} (${placeName(country)})`).join(', ')}`,
  )
  if (one.evidence.length > 0)
    table(terminal, {
      head: ['evidence', 'kind', 'worth', 'at least', 'below', 'by', 'until'],
      rows: one.evidence.map((held) => [
        held.evidence,
        held.kind,
        held.assurance,
        String(held.atLeast ?? ''),
        String(held.below ?? ''),
        actorWords(held.givenBy),
        held.endedAt === undefined ? shortMomentText(held.expires) : `ended ${formatDate(held.endedAt)}`,
      ]),
    })
  for (const { country, fromDay, toldBy } of one.moves)
    say(terminal, `Lives in ${placeName(country)} from ${fromDay} on, says ${actorWords(toldBy)}`)
  for (const { grant, dataSet, why } of one.lapsed) say(terminal, `${grant} on ${dataSet}: ${why}`)
  for (const { guardianship, terms } of one.awaiting)
    say(
      terminal,
      `Agreed under ${guardianship}, waits for the other: ${terms.dataSet}, ${terms.purposes.map((purpose) => purposeName(purpose)).join(', ')}`,
    )
}

function yearsOf(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new WrongUse(`Cannot use "${text}": expected whole years`)
  return Number(text)
}
