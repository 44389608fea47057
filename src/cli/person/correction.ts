import type { Command } from 'commander'
import { momentText } from '../../protocol/words/plain-words.ts'
import { RESTRICTION_REASONS } from '../../protocol/rights/restriction.ts'
import type { ColumnValues, RestrictionReason } from '../../protocol/rights/restriction.ts'
import type { PersonReference, Restriction } from '../../sdk/rights.ts'
import { addPersonOptions, openDesk, referencesOf } from './erasure.ts'
import type { PersonOptions } from './erasure.ts'
import { WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

interface CorrectionOptions extends PersonOptions {
  readonly dataset?: string
  readonly set?: readonly string[]
  readonly where?: readonly string[]
  readonly lift?: boolean
  readonly show?: boolean
}

/** `hedgerow person correct/restrict`. */
export function addCorrectionVerbs(program: Command, session: Session): void {
  const person =
    program.commands.find((command) => command.name() === 'person') ??
    program.command('person').description('what a site has about one person, and their rights')
  addPersonOptions(
    verb(person, {
      name: 'correct',
      summary: 'correct values in a person’s rows; every later run reads the new ones',
      example:
        'hedgerow person correct --site galway --as world-sport --person 736041664 --dataset athletes --set height=1.82\nhedgerow person correct --site galway --as world-sport --person neo --dataset sessions --where day=2026-05-01 --set minutes=12',
    }),
  )
    .option('--dataset <name>', 'data set')
    .option('--set <column=value...>', 'what is to stand there; an empty value empties the column')
    .option('--where <column=value...>', 'only rows that have these values; absent: all rows of the person')
    .action((options: CorrectionOptions) => perform(session, () => correct(session, options)))
  addPersonOptions(
    verb(person, {
      name: 'restrict',
      summary: 'restrict the processing of a person, see it, or tell that it ends',
      example:
        'hedgerow person restrict --site galway --as world-sport --person 736041664 --reason accuracy_contested\nhedgerow person restrict --site galway --as world-sport --person 736041664 --lift',
    }),
  )
    .option('--reason <ground>', `why: ${RESTRICTION_REASONS.join(', ')}`)
    .option('--lift', 'tell that it ends; it does when the notice is over')
    .option('--show', 'only show the restriction there is')
    .action((options: CorrectionOptions) => perform(session, () => restrict(session, options)))
}

async function correct(session: Session, options: CorrectionOptions): Promise<void> {
  const reference = await onlyReference(session, options)
  if (options.dataset === undefined) throw new WrongUse('Say in which data set, with --dataset NAME')
  const request = {
    dataSet: options.dataset,
    set: valuesOf(options.set, '--set'),
    where: valuesOf(options.where ?? [], '--where'),
  }
  const desk = await openDesk(session, options)
  const made = await desk.correct(reference, request)
  show(session, {
    json: options.json,
    value: made,
    print: () => {
      const rows = made.rows === 1 ? 'row' : 'rows'
      say(
        session.terminal,
        `${made.rows} ${rows} of "${made.dataSet}" corrected: ${made.columns.join(', ')}; receipt ${made.receipt}`,
      )
      if (made.recipients.length > 0)
        say(session.terminal, `Told to those who were given these rows: ${made.recipients.join(', ')}`)
    },
  })
}

async function restrict(session: Session, options: CorrectionOptions): Promise<void> {
  const reference = await onlyReference(session, options)
  const desk = await openDesk(session, options)
  const restriction = options.lift
    ? await desk.liftRestriction(reference)
    : options.show
      ? await desk.restriction(reference)
      : await desk.restrict(reference, reasonOf(options.reason))
  show(session, {
    json: options.json,
    value: restriction,
    print: () => printRestriction(session, restriction),
  })
}

function printRestriction(
  { terminal }: Session,
  { restriction, state, reason, since, liftsAt }: Restriction,
): void {
  const end = liftsAt === undefined ? '' : `, ${state === 'lifted' ? 'ended' : 'ends'} ${momentText(liftsAt)}`
  say(terminal, `${restriction}: ${reason.replaceAll('_', ' ')}, since ${momentText(since)}${end}`)
}

async function onlyReference(session: Session, options: CorrectionOptions): Promise<PersonReference> {
  const [reference, ...others] = await referencesOf(session, options)
  if (reference === undefined || others.length > 0) throw new WrongUse('Say one person, with --person KEY')
  return reference
}

function reasonOf(text: string | undefined): RestrictionReason {
  const reason = RESTRICTION_REASONS.find((known) => known === text)
  if (reason !== undefined) return reason
  throw new WrongUse(`Say why, with --reason: one of ${RESTRICTION_REASONS.join(', ')}`)
}

/** `column=value` pairs: numbers, true and false as such, an empty value as none, anything else as a text. */
function valuesOf(pairs: readonly string[] | undefined, option: string): ColumnValues {
  if (pairs === undefined) throw new WrongUse(`Say which values, with ${option} COLUMN=VALUE`)
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at <= 0) throw new WrongUse(`Cannot read "${pair}": expected COLUMN=VALUE`)
      const [column, text] = [pair.slice(0, at), pair.slice(at + 1)]
      if (text === '') return [column, null]
      if (text === 'true' || text === 'false') return [column, text === 'true']
      return [column, /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text]
    }),
  )
}
