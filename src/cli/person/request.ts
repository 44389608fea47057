import type { Command } from 'commander'
import { actorWords, shortMomentText } from '../../protocol/words/plain-words.ts'
import { REFUSAL_GROUNDS, REQUEST_KINDS } from '../../protocol/http/request-api.ts'
import type { RefusalGround, RequestEvent } from '../../protocol/http/request-api.ts'
import { openRequestDesk } from '../../sdk/requests.ts'
import type { RequestDesk, RequestDetail } from '../../sdk/requests.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { addPersonOptions, connectForPerson } from './person.ts'
import type { PersonOptions } from './person.ts'
import { addDirectoryVerb } from './request-directory.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

interface RequestOptions extends PersonOptions {
  readonly right?: string
  readonly said?: string
  readonly received?: string
  readonly ground?: string
  readonly all?: boolean
}

/** What is done to a request, as verbs. */
const ACTS = [
  ['begin', 'begin', 'note that it is being worked on'],
  ['doubt', 'doubt_identity', 'ask the person to show who they are; the clock stands still'],
  ['confirm', 'confirm_identity', 'note that it is clear who asks; the clock goes on'],
  ['extend', 'extend', 'take two months more; must be told in the first, with the reason'],
  ['fulfil', 'fulfil', 'note that it is done'],
  ['refuse', 'refuse', 'refuse it, with ground and reason; the answer names the authority and the courts'],
  ['withdraw', 'withdraw', 'take your own request back'],
] as const satisfies readonly (readonly [string, Exclude<RequestEvent, 'receive'>, string])[]

/** `hedgerow request …`: the request desk, with the clocks of the law. */
export function addRequestVerbs(program: Command, session: Session): void {
  const request = program
    .command('request')
    .description('requests of people under the GDPR, with their clocks')
  addDirectoryVerb(request, session)
  addPersonOptions(
    verb(request, {
      name: 'make',
      summary: 'make a request, or enter one that came by letter; the clock runs from when it came',
      example:
        'hedgerow request make --site galway --token-file my.token --right erasure\nhedgerow request make --site galway --as world-sport --person 736041664 --right access \\\n    --received 2026-11-20T09:00:00Z --reason "letter of 18 November"',
    }),
  )
    .requiredOption('--right <right>', REQUEST_KINDS.join(', '))
    .option('--said <text>', 'what the person says')
    .option('--received <time>', 'when it came (RFC 3339), if it is entered for somebody')
    .action((options: RequestOptions) => perform(session, () => make(session, options)))
  addPersonOptions(
    verb(request, {
      name: 'list',
      summary: 'the desk, oldest first, or the requests of one person; exit code 1 when one is overdue',
      example:
        'hedgerow request list --site galway\nhedgerow request list --site galway --token-file my.token',
    }),
  )
    .option('--all', 'also those that have ended')
    .option('--limit <number>', 'at most so many', '100')
    .action((options: RequestOptions) => perform(session, () => list(session, options)))
  addPersonOptions(
    verb(request, {
      name: 'show <request>',
      summary: 'one request with all that happened and was said',
      example: 'hedgerow request show req_01J… --site galway --reason "to answer it"',
    }),
  ).action((id: string, options: RequestOptions) =>
    perform(session, async () => {
      const desk = await deskOf(session, options)
      showDetail(session, { detail: await desk.find(id, options.reason), options })
    }),
  )
  for (const [name, event, summary] of ACTS) {
    const command = verb(request, {
      name: `${name} <request>`,
      summary,
      example: `hedgerow request ${name} req_01J… --site galway${event === 'refuse' ? ' --ground excessive' : ''} --said "…"`,
    })
    addSiteOptions(command)
      .option('--token-file <file>', 'your token of the OpenID Connect provider; or HEDGEROW_PERSON_TOKEN')
      .option('--said <text>', 'for the person to read')
    if (event === 'refuse') command.option('--ground <ground>', REFUSAL_GROUNDS.join(', '))
    command.action((id: string, options: RequestOptions) =>
      perform(session, () => handle(session, { id, event, options })),
    )
  }
}

async function deskOf(session: Session, options: RequestOptions): Promise<RequestDesk> {
  const { client } = await connectForPerson(session, options)
  return openRequestDesk(client)
}

async function make(session: Session, options: RequestOptions): Promise<void> {
  const { right, said, received, person, issuer, reason } = options
  const kind = REQUEST_KINDS.find((one) => one === right)
  if (!kind) throw new WrongUse(`Cannot ask for "${right}": expected one of ${REQUEST_KINDS.join(', ')}`)
  const desk = await deskOf(session, options)
  const made = await desk.make({ ref: person ?? 'me', issuer, reason }, { kind, said, receivedAt: received })
  show(session, {
    json: options.json,
    value: made,
    print: () => {
      for (const { id, issuer: member, dueOn } of made)
        say(session.terminal, `${id}: ${member} has to answer by ${dueOn}`)
    },
  })
}

async function list(session: Session, options: RequestOptions): Promise<number> {
  const { client, isPerson } = await connectForPerson(session, options)
  const desk = openRequestDesk(client)
  const { person, issuer, reason, all = false, limit = '100' } = options
  const found =
    isPerson || person !== undefined
      ? await desk.ofPerson({ ref: person ?? 'me', issuer, reason })
      : await desk.list({ isOpen: !all, limit: wholeNumber(limit) })
  show(session, {
    json: options.json,
    value: found,
    print: () =>
      table(session.terminal, {
        none: 'No requests',
        head: ['request', 'right', 'issuer', 'received', 'state', 'due on', 'days left'],
        rows: found.map((one) => [
          one.id,
          one.kind,
          one.issuer,
          shortMomentText(one.receivedAt),
          one.state.replaceAll('_', ' '),
          one.dueOn,
          one.endedAt === undefined ? daysLeftText(one.daysLeft) : '',
        ]),
      }),
  })
  return found.some(({ isOverdue, endedAt }) => isOverdue && endedAt === undefined)
    ? EXIT.fellShort
    : EXIT.done
}

function daysLeftText(days: number): string {
  return days < 0 ? `overdue by ${-days}` : String(days)
}

async function handle(
  session: Session,
  { id, event, options }: { id: string; event: Exclude<RequestEvent, 'receive'>; options: RequestOptions },
): Promise<void> {
  const ground: RefusalGround | undefined = REFUSAL_GROUNDS.find((one) => one === options.ground)
  if (options.ground !== undefined && ground === undefined)
    throw new WrongUse(`Cannot refuse on "${options.ground}": expected one of ${REFUSAL_GROUNDS.join(', ')}`)
  const desk = await deskOf(session, options)
  showDetail(session, { detail: await desk.handle(id, { event, ground, said: options.said }), options })
}

const HAPPENED: Readonly<Record<RequestEvent, string>> = {
  receive: 'received',
  begin: 'begun',
  doubt_identity: 'identity doubted',
  confirm_identity: 'identity confirmed',
  extend: 'extended',
  fulfil: 'fulfilled',
  refuse: 'refused',
  withdraw: 'withdrawn',
}

function showDetail(
  session: Session,
  { detail, options }: { detail: RequestDetail; options: RequestOptions },
): void {
  const { terminal } = session
  show(session, {
    json: options.json,
    value: detail,
    print: ({ id, kind, issuer, state, dueOn, isOverdue, events, remedies }) => {
      const due = isOverdue ? paint(terminal, 'bad', `was due on ${dueOn}`) : `due on ${dueOn}`
      say(terminal, `${id}: ${kind}, to ${issuer}, ${state.replaceAll('_', ' ')}, ${due}`)
      for (const { at, event, by, ground, said } of events) {
        const why = [ground, said].filter((part) => part !== undefined).join(': ')
        say(
          terminal,
          `  ${shortMomentText(at)} ${HAPPENED[event]} by ${actorWords(by)}${why === '' ? '' : `: ${why}`}`,
        )
      }
      if (remedies) {
        say(terminal, `You may complain to ${remedies.authority.name}, ${remedies.authority.url}`)
        say(terminal, remedies.court)
      }
    },
  })
}
