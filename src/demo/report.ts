import { monotonicMs } from '../kernel/clock.ts'
import { formatMoney } from '../kernel/money.ts'
import { purposeLabel } from '../protocol/purpose.ts'
import { peopleText } from '../cli/print-answer.ts'
import { paint, say } from '../cli/terminal.ts'
import type { Terminal } from '../cli/terminal.ts'
import type { DemoMember } from './demo-parties.ts'
import type { ScenarioOutcome } from './run-scenario.ts'

/** Widths of the table of asks: it is printed line by line as answers come in. */
const WIDTHS = [25, 21, 45, 8, 29, 9, 9] as const
const HEAD = ['who', 'why', 'what is asked', 'site', 'answer', 'people', 'price'] as const

/** A heading between parts of the output. */
export function heading(terminal: Terminal, text: string): void {
  say(terminal)
  say(terminal, paint(terminal, 'strong', text))
  say(terminal)
}

/** One step that was done, with how long it took where that matters. */
export function step(terminal: Terminal, text: string): void {
  say(terminal, `  ${paint(terminal, 'good', '✓')} ${text}`)
}

/** The head of the table of asks. */
export function askTableHead(terminal: Terminal): void {
  say(
    terminal,
    `  ${paint(
      terminal,
      'dim',
      HEAD.map((title, index) => fit(title, WIDTHS[index] ?? 10))
        .join(' ')
        .trimEnd(),
    )}`,
  )
}

/** The lines of one ask: one for each site that answered. */
export function askTableRows(
  terminal: Terminal,
  { outcome, members }: { outcome: ScenarioOutcome; members: readonly DemoMember[] },
): void {
  const { scenario, result, problems } = outcome
  const member = members.find(({ id }) => id === scenario.acquirer)
  const who = [member?.name ?? scenario.acquirer, purposeLabel(scenario.purpose), scenario.wish]
  const answers =
    result.status === 'declined'
      ? [{ site: 'network', reason: result.reason, people: '', price: '' }]
      : result.sites.map((site) => ({
          site: site.site,
          reason: site.reason,
          people: peopleText(site),
          price: site.captured && site.captured.amountMinor > 0n ? formatMoney(site.captured) : '',
        }))
  for (const [index, { site, reason, people, price }] of answers.entries()) {
    const [name = '', why = '', what = ''] = index === 0 ? who : []
    const cells = [
      fit(name, WIDTHS[0]),
      fit(why, WIDTHS[1]),
      fit(what, WIDTHS[2]),
      fit(site, WIDTHS[3]),
      reasonCell(terminal, reason),
      fit(people, WIDTHS[5]),
      price.padStart(WIDTHS[6]),
    ]
    say(terminal, `  ${cells.join(' ').trimEnd()}`)
  }
  for (const problem of problems) say(terminal, paint(terminal, 'bad', `  ✗ not as expected: ${problem}`))
}

function reasonCell(terminal: Terminal, reason: string | undefined): string {
  const text = fit(reason ?? 'no answer', WIDTHS[4])
  if (reason === 'approved') return paint(terminal, 'good', text)
  return paint(terminal, reason?.startsWith('partial.') === true ? 'warn' : 'accent', text)
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
