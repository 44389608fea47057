import { monotonicMs } from '../kernel/clock.ts'
import { formatMoney } from '../kernel/money.ts'
import { purposeLabel } from '../protocol/law/purpose.ts'
import { peopleText } from '../cli/trade/print-answer.ts'
import { paint, progress, say } from '../cli/terminal.ts'
import type { Terminal, Tone } from '../cli/terminal.ts'
import { REASONS } from '../protocol/reason.ts'
import type { ReasonCode } from '../protocol/reason.ts'
import type { AskResult } from '../sdk/acquirer.ts'
import type { DemoMember } from './demo-parties.ts'
import type { ScenarioOutcome } from './run-scenario.ts'

/** The table of asks: titles and widths. It is printed line by line as answers come in. */
const COLUMNS = [
  ['who', 20],
  ['why', 23],
  ['what is asked', 39],
  ['site', 8],
  ['answer', 27],
  ['people', 6],
  ['of all', 7],
  ['price', 9],
] as const

/** A heading between parts of the output. */
export function heading(terminal: Terminal, text: string): void {
  say(terminal)
  say(terminal, paint(terminal, 'strong', text))
  say(terminal)
}

/** One step that was done, with how long it took where that matters. */
export function step(terminal: Terminal, text: string): void {
  progress(terminal).end()
  say(terminal, `  ${paint(terminal, 'good', '✓')} ${text}`)
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
  say(
    terminal,
    paint(
      terminal,
      'dim',
      row(
        COLUMNS.map(([title, width]) =>
          title === 'price' || title === 'of all' ? title.padStart(width) : title,
        ),
      ),
    ),
  )
}

/** The lines of one ask: one for each site that answered, and below them why it was not simply approved. */
export function askTableRows(
  terminal: Terminal,
  { outcome, members }: { outcome: ScenarioOutcome; members: readonly DemoMember[] },
): void {
  const { scenario, result, problems } = outcome
  const member = members.find(({ id }) => id === scenario.acquirer)
  const who = [member?.name ?? scenario.acquirer, purposeLabel(scenario.purpose), scenario.wish]
  for (const [index, answer] of answersOf(result).entries()) {
    const line = row([...(index === 0 ? who : ['', '', '']), ...answer.cells])
    say(terminal, line.replace(answer.reason, paint(terminal, toneOf(answer.reason), answer.reason)))
  }
  for (const why of new Set(answersOf(result).flatMap(({ why }) => (why === undefined ? [] : [why])))) {
    say(terminal, paint(terminal, 'dim', `${' '.repeat(WHY_INDENT)}${why}`))
  }
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
      cells: [site.site, code, peopleText(site).padStart(6), coverage.padStart(7), price.padStart(9)],
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

/** Below what is asked. */
const WHY_INDENT = 2 + COLUMNS[0][1] + COLUMNS[1][1] + 2

function row(cells: readonly string[]): string {
  return `  ${cells.map((cell, index) => fit(cell, COLUMNS[index]?.[1] ?? 10)).join(' ')}`.trimEnd()
}

/** Fills or cuts a text to a width. */
export function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)
}

/** `11,538`. */
export function counted(number: number): string {
  return number.toLocaleString('en-GB')
}

/** `3.2 s` since a moment of `monotonicMs`. */
export function seconds(sinceMs: number): string {
  return `${((monotonicMs() - sinceMs) / 1000).toFixed(1)} s`
}
