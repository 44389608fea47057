import type { Command } from 'commander'
import { formatMoney } from '../../kernel/money.ts'
import { OPERATOR } from '../../protocol/http/network-api.ts'
import { DISPUTE_REASONS, disputeOutcomeSchema, disputeRequestSchema } from '../../protocol/money/dispute.ts'
import type { Dispute } from '../../protocol/money/dispute.ts'
import { wireMoney } from '../../protocol/wire.ts'
import { shortMomentText } from '../../protocol/words/plain-words.ts'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { openDisputes } from '../../sdk/disputes.ts'
import type { Disputes } from '../../sdk/disputes.ts'
import { amountOf } from '../amount.ts'
import { connectToNetwork } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { inLine, say, table } from '../terminal.ts'
import { addMemberOptions, perform, verb } from '../verb.ts'

interface DisputeOptions extends NetworkOptions {
  readonly json?: boolean
}

const REASONS = `an acquirer: ${DISPUTE_REASONS.acquirer.join(', ')}; an issuer or custodian: ${DISPUTE_REASONS.provider.join(', ')}`

/** `hedgerow dispute …`: disputes over trades, their answers and their outcomes. */
export function addDisputeVerbs(program: Command, session: Session): void {
  const dispute = program
    .command('dispute')
    .description('disputes over trades: money back, or deletion of what was released')
  addRaiseVerb(dispute, session)
  addMemberOptions(
    verb(dispute, {
      name: 'list',
      summary: 'disputes, newest first, and who they wait for; exit code 1 when one waits for somebody',
      example: 'hedgerow dispute list --as northcare',
    }),
  ).action((options: DisputeOptions) => perform(session, () => list(session, options)))
  addMemberOptions(
    verb(dispute, {
      name: 'show <dispute>',
      summary: 'what was said and decided',
      example: 'hedgerow dispute show dispute_01J… --as northcare',
    }),
  ).action((id: string, options: DisputeOptions) =>
    perform(session, () => tell(session, options, (disputes) => disputes.find(id))),
  )
  addAnswerVerbs(dispute, session)
  addDecideVerb(dispute, session)
  addMemberOptions(
    verb(dispute, {
      name: 'remove-texts <dispute>',
      summary: 'remove what was written about it, since it names somebody (operator of the network)',
      example: 'hedgerow dispute remove-texts dispute_01J…',
    }),
  ).action((id: string, options: DisputeOptions) =>
    perform(session, () => tell(session, options, (disputes) => disputes.removeTexts(id))),
  )
}

interface RaiseOptions extends DisputeOptions {
  readonly site: string
  readonly reason: string
  readonly claim?: string
  readonly statement: string
}

function addRaiseVerb(dispute: Command, session: Session): void {
  addMemberOptions(
    verb(dispute, {
      name: 'raise <ask>',
      summary: 'dispute what a site answered to an ask, within 30 days',
      example:
        'hedgerow dispute raise ask_01J… --site galway --reason not_delivered --statement "The release does not open" --as northcare',
    }),
  )
    .requiredOption('--site <site>', 'whose answer')
    .requiredOption('--reason <code>', REASONS)
    .option('--claim <amount>', 'how much is claimed back, such as 1.25EUR; absent: all of the price')
    .requiredOption('--statement <text>', 'what happened; name nobody')
    .action((ask: string, { site, reason, claim, statement, ...options }: RaiseOptions) =>
      perform(session, () => {
        const request = {
          ask,
          site,
          reason,
          statement,
          ...(claim === undefined ? {} : { claim: wireMoney(amountOf(claim)) }),
        }
        const parsed = parseWith(disputeRequestSchema, request)
        if (!parsed.ok) throw new WrongUse(`Cannot raise it: ${describeProblems(parsed.error)}`)
        const wire = { ...request, reason: parsed.value.reason }
        return tell(session, options, (disputes) => disputes.raise(wire, session.ids.next('key')))
      }),
    )
}

interface AnswerOptions extends DisputeOptions {
  readonly accept?: boolean
  readonly contest?: boolean
  readonly text: string
}

function addAnswerVerbs(dispute: Command, session: Session): void {
  addMemberOptions(
    verb(dispute, {
      name: 'answer <dispute>',
      summary: 'say what you, of the other side, say of it, within 14 days',
      example: 'hedgerow dispute answer dispute_01J… --contest --text "It opened on 3 May" --as world-sport',
    }),
  )
    .option('--accept', 'what is claimed is right')
    .option('--contest', 'it is not')
    .requiredOption('--text <text>', 'why; name nobody')
    .action((id: string, { accept = false, contest = false, text, ...options }: AnswerOptions) =>
      perform(session, () => {
        if (accept === contest) throw new WrongUse('Say one of --accept and --contest')
        const answer = accept ? 'accepted' : 'contested'
        return tell(session, options, (disputes) => disputes.answer(id, { answer, text }))
      }),
    )
  addMemberOptions(
    verb(dispute, {
      name: 'withdraw <dispute>',
      summary: 'take a dispute back that you raised',
      example: 'hedgerow dispute withdraw dispute_01J… --as northcare',
    }),
  ).action((id: string, options: DisputeOptions) =>
    perform(session, () => tell(session, options, (disputes) => disputes.withdraw(id))),
  )
  addMemberOptions(
    verb(dispute, {
      name: 'confirm-deletion <dispute>',
      summary: 'say that what was released is deleted, as the outcome asks (acquirer)',
      example: 'hedgerow dispute confirm-deletion dispute_01J… --as northcare',
    }),
  ).action((id: string, options: DisputeOptions) =>
    perform(session, () => tell(session, options, (disputes) => disputes.confirmDeletion(id))),
  )
}

interface DecideOptions extends DisputeOptions {
  readonly uphold?: boolean
  readonly reject?: boolean
  readonly ground: string
  readonly credit?: string
  readonly deletion?: boolean
}

function addDecideVerb(dispute: Command, session: Session): void {
  addMemberOptions(
    verb(dispute, {
      name: 'decide <dispute>',
      summary:
        'decide a dispute once everybody on the other side has answered or the time is over (operator of the network)',
      example:
        'hedgerow dispute decide dispute_01J… --uphold --credit 1.25EUR --ground "It did not open"\nhedgerow dispute decide dispute_01J… --uphold --deletion --ground "It was passed on"',
    }),
  )
    .option('--uphold', 'what is claimed is right')
    .option('--reject', 'it is not')
    .requiredOption('--ground <text>', 'why; both sides see it')
    .option('--credit <amount>', 'with --uphold: how much goes back; absent: all that is claimed')
    .option('--deletion', 'with --uphold: what was released is deleted')
    .action((id: string, { uphold = false, reject = false, ground, credit, ...options }: DecideOptions) =>
      perform(session, () => {
        const { deletion = false } = options
        if (uphold === reject) throw new WrongUse('Say one of --uphold and --reject')
        if (reject && (credit !== undefined || deletion))
          throw new WrongUse('Cannot use --credit or --deletion with --reject')
        const outcome = uphold
          ? {
              outcome: 'upheld' as const,
              ground,
              deletion,
              ...(credit === undefined ? {} : { credit: wireMoney(amountOf(credit)) }),
            }
          : { outcome: 'rejected' as const, ground }
        const parsed = parseWith(disputeOutcomeSchema, outcome)
        if (!parsed.ok) throw new WrongUse(`Cannot decide so: ${describeProblems(parsed.error)}`)
        return tell(session, options, (disputes) => disputes.decide(id, outcome))
      }),
    )
}

async function list(session: Session, options: DisputeOptions): Promise<number> {
  const { client } = await connectToNetwork(session, options)
  const items = await openDisputes(client).list()
  show(session, {
    json: options.json,
    value: { items },
    print: () =>
      table(session.terminal, {
        none: 'Nothing is disputed',
        head: ['dispute', 'raised by', 'reason', 'site', 'claim', 'state', 'waits for'],
        rows: items.map((item) => [
          item.dispute,
          item.raisedBy,
          item.reason.replaceAll('_', ' '),
          item.site,
          item.claim ? formatMoney(item.claim) : 'deletion',
          item.state,
          item.waitsFor.join(', '),
        ]),
      }),
  })
  return items.some(({ waitsFor }) => waitsFor.length > 0) ? EXIT.fellShort : EXIT.done
}

async function tell(
  session: Session,
  options: DisputeOptions,
  act: (disputes: Disputes) => Promise<Dispute>,
): Promise<void> {
  const { client } = await connectToNetwork(session, options)
  const found = await act(openDisputes(client))
  show(session, { json: options.json, value: found, print: () => print(session, found) })
}

const ANSWER_WORDS = { accepted: 'accepts', contested: 'contests' } as const

function print({ terminal }: Session, found: Dispute): void {
  const { dispute, state, ask, site, raisedBy, reason, claim, answers, waitsFor, outcome } = found
  const textOf = (text: string | undefined) => (text === undefined ? '(the text was removed)' : inLine(text))
  say(terminal, `${dispute} is ${state}: ${ask} at ${site}`)
  const claimed = claim ? `${formatMoney(claim)} back` : 'deletion'
  say(terminal, `${raisedBy} claims ${claimed} (${reason.replaceAll('_', ' ')}): ${textOf(found.statement)}`)
  for (const { by, answer, text } of answers) say(terminal, `${by} ${ANSWER_WORDS[answer]}: ${textOf(text)}`)
  if (!outcome && waitsFor.includes(OPERATOR)) say(terminal, 'The operator of the network may decide')
  else if (!outcome && waitsFor.length > 0)
    say(terminal, `${waitsFor.join(' and ')} may answer until ${shortMomentText(found.answerBy)}`)
  if (!outcome) return
  say(terminal, `Decided on ${shortMomentText(outcome.at)}: ${textOf(outcome.ground)}`)
  if (outcome.credit) say(terminal, `${formatMoney(outcome.credit)} went back`)
  if (outcome.deletion === 'due')
    say(terminal, `${found.acquirer} has to delete what was released, and to say so`)
  if (outcome.deletion === 'done') say(terminal, `${found.acquirer} has deleted what was released`)
}
