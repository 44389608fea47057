import { formatMoney } from '../../kernel/money.ts'
import type { Question } from '../../protocol/ask.ts'
import { REASONS } from '../../protocol/reason.ts'
import type { ReasonCode } from '../../protocol/reason.ts'
import type { Acquirer, AskResult } from '../../sdk/acquirer.ts'
import { askInStages } from '../../sdk/stages/ask-in-stages.ts'
import type { StagedAsk, StagedRequest, StagedResult, StagedSite } from '../../sdk/stages/ask-in-stages.ts'
import { planStages } from '../../sdk/stages/plan-stages.ts'
import type { StageProblem } from '../../sdk/stages/plan-stages.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, progress, say } from '../terminal.ts'
import { exitCodeOfAnswer, printAnswer } from './print-answer.ts'
import { printPosition } from './print-position.ts'
import { keepReceipts } from './receipt-files.ts'

/** What is asked in stages, and by whom. */
export interface StagedUse {
  readonly request: Omit<StagedRequest, 'parameters'> & { readonly question: Question }
  readonly acquirer: Pick<Acquirer, 'offers' | 'ask'>
  /** Where the member keeps its receipts. */
  readonly directory: string
  readonly json: boolean | undefined
}

/** `hedgerow ask --stages`: one ask after another at each site, the answers of the earlier written out in the later. */
export async function askStaged(session: Session, use: StagedUse): Promise<number> {
  const { question, ...request } = use.request
  if (!('sql' in question))
    throw new WrongUse('Only a question in SQL is asked in stages: leave out --stages')
  const offers = await use.acquirer.offers()
  const plan = await planStages(question.sql, offers)
  if (!plan.ok) return fellShort(session, { problem: plan.error, sql: question.sql, json: use.json })
  const line = progress(session.terminal)
  const count = plan.value.stages.length
  let answered = 0
  const showNext = () => line.show(`asking: ${(answered += 1)} of ${count + 1} at each site …`)
  showNext()
  const staged = await askInStages(
    { ...request, parameters: question.parameters },
    {
      plan: plan.value,
      acquirer: use.acquirer,
      offers,
      clock: session.clock,
      signal: session.signal,
      onAnswer: async (result) => {
        // What comes later may fall short; this is answered and paid.
        await keepReceipts(use.directory, result)
        showNext()
      },
    },
  ).finally(() => line.end())
  if (!staged.ok)
    return fellShort(session, { problem: { why: staged.error }, sql: question.sql, json: use.json })
  const isDryRun = request.dryRun === true
  show(session, {
    json: use.json,
    value: staged.value,
    print: () => printStaged(session, { staged: staged.value, count, isDryRun }),
  })
  return exitCodeOf(staged.value)
}

/** Nothing was asked. */
function fellShort(
  session: Session,
  { problem, sql, json }: { problem: StageProblem; sql: string; json: boolean | undefined },
): number {
  show(session, {
    json,
    value: { problem },
    print: () => {
      say(session.terminal, paint(session.terminal, 'bad', problem.why))
      if (problem.position !== undefined)
        printPosition(session.terminal, { text: sql, position: problem.position })
    },
  })
  return EXIT.fellShort
}

/** Of the answers to the question itself the best; of a dry run, whether it would go on everywhere. */
function exitCodeOf({ sites }: StagedResult): number {
  const codes = sites.map(({ asks, stopped }): number => {
    const last = asks.at(-1)?.result
    if (stopped !== undefined) return EXIT.fellShort
    return last === undefined ? EXIT.done : exitCodeOfAnswer(last)
  })
  return codes.length === 0 ? EXIT.fellShort : Math.min(...codes)
}

interface Staged {
  readonly staged: StagedResult
  readonly count: number
  readonly isDryRun: boolean
}

function printStaged(session: Session, { staged, count, isDryRun }: Staged): void {
  const { terminal } = session
  const { sites, highest, paid } = staged
  if (sites.length === 0) say(terminal, REASONS['declined.no_route'].forAsker)
  if (sites.length > 1) say(terminal, 'Each site is asked for itself, and is given its own answers only')
  for (const site of sites) printSite(session, site, count)
  say(terminal)
  const asks = `${count + 1} ${count === 0 ? 'ask' : 'asks'} at ${sites.length === 1 ? 'one site' : `${sites.length} sites`}`
  say(
    terminal,
    isDryRun
      ? `${asks}: at most ${formatMoney(highest)} over all; a dry run: nothing was held, nothing left`
      : `${asks}: ${formatMoney(paid)} of at most ${formatMoney(highest)}`,
  )
}

function printSite(session: Session, { site, highestEach, asks, stopped }: StagedSite, count: number): void {
  const { terminal } = session
  for (const ask of asks) {
    say(terminal)
    const named = ask.stage === undefined ? 'the question' : `stage ${ask.stage} of ${count}`
    say(terminal, paint(terminal, 'strong', `${site}, ${named}, at most ${formatMoney(highestEach)}`))
    say(terminal, paint(terminal, 'dim', ask.text))
    printAsk(session, ask)
  }
  if (stopped === undefined) return
  const kept = asks.some(({ result }) => result?.sites.some(({ release }) => release !== undefined))
  say(terminal, paint(terminal, 'bad', `${site}: ${stopped}. The rest was not asked`))
  if (kept) say(terminal, `${site}: what was answered before stays answered and paid`)
}

function printAsk(session: Session, { result, text, notes }: StagedAsk): void {
  const { terminal } = session
  if (result === undefined) {
    say(terminal, 'waits for an answer, so a dry run cannot look at it')
    return
  }
  say(terminal, paint(terminal, 'dim', result.id))
  printAnswer(terminal, result)
  for (const { decision } of result.sites)
    if (decision?.position !== undefined) printPosition(terminal, { text, position: decision.position })
  for (const note of notes) say(terminal, paint(terminal, 'warn', note))
}

/** Reasons that a site gives for a sub-query over other people. */
const NOT_UNDERSTOOD: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'declined.sql_not_supported',
  'declined.sql_function',
  'declined.column',
])

/** A sentence where what was declined can be asked in stages. */
export async function hintAtStages(
  { sites }: AskResult,
  { question, acquirer }: { question: Question; acquirer: Pick<Acquirer, 'offers'> },
): Promise<string | undefined> {
  const isNotUnderstood = sites.some(({ reason }) => reason !== undefined && NOT_UNDERSTOOD.has(reason))
  if (!isNotUnderstood || !('sql' in question)) return undefined
  const plan = await planStages(question.sql, await acquirer.offers())
  if (!plan.ok || plan.value.stages.length === 0) return undefined
  return `This can be asked in ${plan.value.stages.length + 1} asks, each with its own price: add --stages, and --dry-run to see them first`
}
