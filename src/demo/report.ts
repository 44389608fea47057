import { monotonicMs } from '../kernel/clock.ts'
import { formatMoney } from '../kernel/money.ts'
import { purposeLabel } from '../protocol/law/purpose.ts'
import { peopleText } from '../cli/trade/print-answer.ts'
import { paint, progress, say, wrapped } from '../cli/terminal.ts'
import type { Terminal, Tone } from '../cli/terminal.ts'
import { REASONS } from '../protocol/reason.ts'
import type { ReasonCode } from '../protocol/reason.ts'
import type { AskResult } from '../sdk/acquirer.ts'
import type { DemoMember } from './demo-parties.ts'
import type { ScenarioOutcome } from './run-scenario.ts'

/** The tables of asks: first who asks, why and what, below it a line for each site that answered. Titles and widths. */
const ASK_COLUMNS = [
  ['who', 19],
  ['why', 23],
  ['what is asked', 0],
] as const
const ANSWER_COLUMNS = [
  ['site', 8],
  ['answer', 27],
  ['people', 6],
  ['of all', 6],
  ['price', 9],
] as const
/** Below who asks. */
const ANSWER_INDENT = '    '

/** A heading between parts of the output. */
export function heading(terminal: Terminal, text: string): void {
  say(terminal)
  say(terminal, paint(terminal, 'strong', text))
  say(terminal)
}

/** One step that was done, with how long it took where that matters. */
export function step(terminal: Terminal, text: string): void {
  progress(terminal).end()
  const lines = wrapped(terminal, text, '    ')
  say(terminal, `  ${paint(terminal, 'good', '✓')} ${lines.trimStart()}`)
}

/** Something that happens between asks. */
export function note(terminal: Terminal, text: string): void {
  say(terminal, `  ${paint(terminal, 'accent', `· ${text}`)}`)
}

/** What is under way: a line on a terminal that the next step takes the place of. */
export function working(terminal: Terminal, text: string): void {
  progress(terminal).show(`  … ${text}`)
}

/** The head of the table of asks. */
export function askTableHead(terminal: Terminal): void {
  say(terminal, paint(terminal, 'dim', askRow(ASK_COLUMNS.map(([title]) => title))))
  const titles = ANSWER_COLUMNS.map(([title, width]) => (isOfNumbers(title) ? title.padStart(width) : title))
  say(terminal, paint(terminal, 'dim', answerRow(titles)))
}

function isOfNumbers(title: string): boolean {
  return title === 'price' || title === 'of all'
}

/** The lines of one ask: one for each site that answered, and below them why it was not simply approved. */
export function askTableRows(
  terminal: Terminal,
  { outcome, members }: { outcome: ScenarioOutcome; members: readonly DemoMember[] },
): void {
  const { scenario, result, problems } = outcome
  const member = members.find(({ id }) => id === scenario.acquirer)
  const who = [member?.name ?? scenario.acquirer, purposeLabel(scenario.purpose), scenario.wish]
  say(terminal, paint(terminal, 'strong', askRow(who)))
  for (const { cells, reason } of answersOf(result))
    say(terminal, answerRow(cells).replace(reason, paint(terminal, toneOf(reason), reason)))
  for (const why of new Set(answersOf(result).flatMap(({ why }) => (why === undefined ? [] : [why]))))
    say(terminal, paint(terminal, 'dim', wrapped(terminal, why, ' '.repeat(WHY_INDENT))))
  for (const problem of problems) say(terminal, paint(terminal, 'bad', `  ✗ not as expected: ${problem}`))
}

interface AnswerLine {
  readonly reason: string
  /** From the site on. */
  readonly cells: readonly string[]
  readonly why: string | undefined
}

function answersOf({ status, reason, detail, sites }: AskResult): readonly AnswerLine[] {
  if (status === 'declined') {
    const code = reason ?? 'declined'
    return [{ reason: code, cells: ['network', code], why: whyOf(reason, detail) }]
  }
  return sites.map((site) => {
    const { decision, captured } = site
    const code = site.reason ?? 'no answer'
    const coverage = decision?.coveragePct === undefined ? '' : coverageText(decision.coveragePct)
    const price = captured && captured.amountMinor > 0n ? formatMoney(captured) : ''
    return {
      reason: code,
      cells: [site.site, code, peopleText(site).padStart(6), coverage.padStart(6), price.padStart(9)],
      why: whyOf(site.reason, decision?.detail, decision?.narrowed?.columns),
    }
  })
}

/** The site's own words where it has some, else those of the catalogue. */
function whyOf(
  reason: ReasonCode | undefined,
  detail: string | undefined,
  without: readonly string[] = [],
): string | undefined {
  if (reason === undefined || reason === 'approved') return undefined
  if (without.length > 0) return `Approved without ${without.join(', ')}, which too few people granted`
  return detail ?? REASONS[reason].forAsker
}

/** `≥ 55 %`: told in steps of five. */
export function coverageText(coveragePct: number): string {
  return coveragePct === 0 ? '< 5 %' : `≥ ${coveragePct} %`
}

function toneOf(reason: string): Tone {
  if (reason === 'approved') return 'good'
  return reason.startsWith('partial.') ? 'warn' : 'accent'
}

/** Below the answer. */
const WHY_INDENT = ANSWER_INDENT.length + ANSWER_COLUMNS[0][1] + 2

function askRow(cells: readonly string[]): string {
  return `  ${filled(cells, ASK_COLUMNS)}`
}

function answerRow(cells: readonly string[]): string {
  return `${ANSWER_INDENT}${filled(cells, ANSWER_COLUMNS)}`
}

function filled(cells: readonly string[], columns: readonly (readonly [string, number])[]): string {
  return cells
    .map((cell, index) => cell.padEnd(columns[index]?.[1] ?? 0))
    .join('  ')
    .trimEnd()
}

/** `11,538`. */
export function counted(number: number): string {
  return number.toLocaleString('en-GB')
}

/** `3.2 s` since a moment of `monotonicMs`. */
export function seconds(sinceMs: number): string {
  return `${((monotonicMs() - sinceMs) / 1000).toFixed(1)} s`
}
