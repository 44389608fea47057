import type { Command } from 'commander'
import { momentText, shortMomentText } from '../../protocol/words/plain-words.ts'
import { purposeLabel } from '../../protocol/law/purpose.ts'
import {
  ACKNOWLEDGED_OUTCOMES,
  ASKED_SENTENCES,
  KEPT_GROUNDS,
} from '../../protocol/rights/recipient-notice.ts'
import { openNoticeBox } from '../../sdk/notice-box.ts'
import type { NoticeAnswer, NoticeBox, ReceivedNotice } from '../../sdk/notice-box.ts'
import type { SentNotice } from '../../sdk/rights.ts'
import { connectAcquirer } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { EXIT, FellShort, WrongUse } from '../failures.ts'
import { pinFile } from '../member-profile.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import type { Terminal } from '../terminal.ts'
import { addMemberOptions, perform, verb } from '../verb.ts'
import { memberName } from '../../protocol/words/plain-words.ts'

interface NoticesOptions extends NetworkOptions {
  readonly all?: boolean
  readonly outcome?: string
  readonly ground?: string
  readonly json?: boolean
}

/** `hedgerow notices …`: what sites tell a member whom they gave rows to, and its answers. */
export function addNoticesVerbs(program: Command, session: Session): void {
  const notices = program
    .command('notices')
    .description('notices about people whose rows a member was given: erasures, corrections, restrictions')
  addMemberOptions(
    verb(notices, {
      name: 'list',
      summary: 'open and verify the notices that wait for an answer; 1 when one does not hold',
      example: 'hedgerow notices list --as northcare',
    }),
  )
    .option('--all', 'those that are acknowledged too')
    .action((options: NoticesOptions) => perform(session, () => list(session, options)))
  addMemberOptions(
    verb(notices, {
      name: 'acknowledge <notice...>',
      summary: 'say, signed, what was done about notices',
      example:
        'hedgerow notices acknowledge notice_01KB0000000000000000000000 --as northcare\nhedgerow notices acknowledge notice_01KB0000000000000000000000 --as northcare --outcome kept --ground legal_obligation',
    }),
  )
    .option('--outcome <word>', `what: ${ACKNOWLEDGED_OUTCOMES.join(', ')}`, 'done')
    .option('--ground <word>', `why rows are kept (GDPR Art. 17(3)): ${KEPT_GROUNDS.join(', ')}`)
    .action((ids: readonly string[], options: NoticesOptions) =>
      perform(session, () => acknowledge(session, { ids, options })),
    )
}

async function openBox(session: Session, options: NetworkOptions): Promise<NoticeBox> {
  const { client, profile } = await connectAcquirer(session, options)
  const { clock } = session
  return openNoticeBox({ client, ...profile, pins: pinFile(profile.directory), clock })
}

async function list(session: Session, options: NoticesOptions): Promise<number> {
  const box = await openBox(session, options)
  const found = await box.list(options.all === true ? 'all' : 'open')
  show(session, {
    json: options.json,
    value: found.map(({ carried: { sealed: _, ...carried }, notice, problem }) => ({
      ...carried,
      ...(notice === undefined ? {} : { opened: notice }),
      ...(problem === undefined ? {} : { problem }),
    })),
    print: () => {
      if (found.length === 0) say(session.terminal, 'No notice waits for an answer')
      for (const one of found) printReceived(session.terminal, one)
    },
  })
  return found.some(({ problem }) => problem !== undefined) ? EXIT.fellShort : EXIT.done
}

function printReceived(terminal: Terminal, { carried, notice, problem }: ReceivedNotice): void {
  say(
    terminal,
    paint(terminal, 'strong', `${carried.notice} from ${carried.site}, ${momentText(carried.sentAt)}`),
  )
  if (problem !== undefined) return say(terminal, paint(terminal, 'bad', `  Do not act on it: ${problem}`))
  if (!notice)
    return say(terminal, `  Acknowledged ${carried.acknowledgedAt ? momentText(carried.acknowledgedAt) : ''}`)
  say(terminal, `  ${ASKED_SENTENCES[notice.kind]}`)
  say(terminal, `  ${notice.pseudonym} in "${notice.dataSet}" for ${purposeLabel(notice.purpose)}`)
  say(terminal, `  Releases: ${notice.releases.map(({ ask }) => ask).join(', ')}`)
  if (notice.correction) {
    const { columns, values } = notice.correction
    say(terminal, `  Columns: ${columns.join(', ')}`)
    if (values) say(terminal, `  Now: ${textOf(values.set)}${conditionOf(values.where)}`)
    else say(terminal, '  What stands there now may not be told any more')
  }
  if (notice.lifts !== undefined) say(terminal, `  Ends ${momentText(notice.lifts)}`)
}

type Values = Readonly<Record<string, string | number | boolean | null>>

function textOf(values: Values): string {
  return Object.entries(values)
    .map(([column, value]) => `${column} = ${JSON.stringify(value)}`)
    .join(', ')
}

function conditionOf(where: Values): string {
  return Object.keys(where).length === 0 ? '' : `, in rows with ${textOf(where)}`
}

async function acknowledge(
  session: Session,
  { ids, options }: { ids: readonly string[]; options: NoticesOptions },
): Promise<void> {
  const answer = answerOf(options)
  const box = await openBox(session, options)
  const open = new Map((await box.list()).map((one) => [String(one.carried.notice), one]))
  const meant = ids.map((id) => {
    const found = open.get(id)
    if (!found) throw new FellShort(`There is no open notice "${id}"`)
    if (found.problem !== undefined) throw new FellShort(`Cannot acknowledge ${id}: ${found.problem}`)
    return found
  })
  for (const one of meant) await box.acknowledge(one, answer)
  show(session, {
    json: options.json,
    value: { acknowledged: ids, ...answer },
    print: () => say(session.terminal, `Acknowledged: ${ids.join(', ')}`),
  })
}

function answerOf({ outcome: text, ground: reason }: NoticesOptions): NoticeAnswer {
  const outcome = ACKNOWLEDGED_OUTCOMES.find((known) => known === text)
  if (!outcome) throw new WrongUse(`Say what was done, with --outcome: ${ACKNOWLEDGED_OUTCOMES.join(', ')}`)
  const ground = KEPT_GROUNDS.find((known) => known === reason)
  if ((outcome === 'kept') !== (ground !== undefined))
    throw new WrongUse(
      `Where rows are kept, and only then, say why, with --ground: ${KEPT_GROUNDS.join(', ')}`,
    )
  return ground === undefined ? { outcome } : { outcome, ground }
}

/** Prints notices as the site's side sees them. */
export function printSentNotices(terminal: Terminal, found: readonly SentNotice[]): void {
  if (found.length === 0) return say(terminal, 'Nobody had to be told anything')
  table(terminal, {
    head: ['notice', 'about', 'told to', 'for what', 'state', 'noted', 'acknowledged', 'what was done'],
    rows: found.map((one) => [
      one.notice,
      one.kind.replaceAll('_', ' '),
      memberName(one.acquirer, one.acquirerName),
      purposeLabel(one.purpose),
      one.state,
      shortMomentText(one.notedAt),
      one.acknowledgedAt === undefined ? '' : shortMomentText(one.acknowledgedAt),
      [one.outcome, one.ground].filter((text) => text !== undefined).join(': '),
    ]),
  })
  const silent = new Map(
    found
      .filter(({ state }) => state !== 'acknowledged')
      .map((one) => [memberName(one.acquirer, one.acquirerName), one.acquirerAddress]),
  )
  for (const [name, address] of silent)
    if (address !== undefined) say(terminal, `Has not answered: ${name}, written to at ${address}`)
}
