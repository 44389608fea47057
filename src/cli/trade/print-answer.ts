import { formatMoney } from '../../kernel/money.ts'
import type { ReasonCode } from '../../protocol/reason.ts'
import { REASONS } from '../../protocol/reason.ts'
import type { Release, ReleaseValue } from '../../protocol/release.ts'
import type { AskResult, SiteResult } from '../../sdk/acquirer.ts'
import { EXIT } from '../failures.ts'
import { printNoise } from './print-noise.ts'
import { paint, readable, say, table, wrapped } from '../terminal.ts'
import type { Terminal, Tone } from '../terminal.ts'

/** Rows of a release that are shown; `release save` writes all. */
const ROWS_SHOWN = 20

/** Prints what came of an ask: a table of sites, then each release. */
export function printAnswer(terminal: Terminal, result: AskResult): void {
  if (result.status === 'declined') {
    say(
      terminal,
      `${reasonText(terminal, result.reason)}  ${readable(result.detail ?? sentence(result.reason))}`,
    )
    return
  }
  table(terminal, {
    head: ['site', 'decision', 'reason', 'people', 'coverage', 'price', 'receipts'],
    rows: result.sites.map((site) => [
      site.site,
      site.decision?.decision ?? site.status,
      reasonText(terminal, site.reason),
      peopleText(site),
      site.decision?.coveragePct === undefined ? '' : `${site.decision.coveragePct} %`,
      site.decision?.price === undefined ? '' : formatMoney(site.decision.price),
      receiptsText(terminal, site),
    ]),
  })
  const notes = result.sites.flatMap((site) => notesOf(site).map((note) => ({ note, site: site.site })))
  // What several sites say in the same words is said once.
  for (const [note, by] of Map.groupBy(notes, (one) => one.note))
    sayNote(terminal, { who: `${by.map(({ site }) => site).join(', ')}:`, note })
  for (const site of result.sites) printSite(terminal, site)
}

/** A note in lines as wide as the terminal; whole in a pipe, where it is searched for. */
function sayNote(terminal: Terminal, { who, note }: { who: string; note: string }): void {
  const text = `${who} ${note}`
  const lines = terminal.isInteractive ? wrapped(terminal, text) : text
  say(
    terminal,
    lines.replace(who, () => paint(terminal, 'dim', who)),
  )
}

/** Done when some site answered with more than a decline and everything verifies. */
export function exitCodeOfAnswer(result: AskResult): number {
  if (result.sites.some(({ problems }) => problems.length > 0)) return EXIT.fellShort
  if (result.sites.some(({ decision }) => decision !== undefined && decision.decision !== 'declined'))
    return EXIT.done
  const isUnreachable = result.sites.length > 0 && result.sites.every(({ status }) => status !== 'answered')
  return isUnreachable ? EXIT.unreachable : EXIT.fellShort
}

function notesOf({ decision, reason }: SiteResult): readonly string[] {
  return [
    ...(reason === undefined || reason === 'approved'
      ? []
      : [readable(decision?.detail ?? sentence(reason))]),
    ...(decision?.narrowed?.columns ? [`without ${decision.narrowed.columns.join(', ')}`] : []),
    ...(decision?.narrowed?.mode ? [`in mode ${decision.narrowed.mode}`] : []),
  ]
}

function printSite(terminal: Terminal, site: SiteResult): void {
  const { decision, release, problems } = site
  for (const problem of problems) say(terminal, paint(terminal, 'bad', `${site.site}: ${problem}`))
  if (!release && decision?.privacy) printNoise(terminal, decision.privacy)
  if (release) {
    say(terminal)
    say(terminal, paint(terminal, 'strong', `${release.dataSet} at ${release.site}`))
    printRelease(terminal, release)
  }
}

/** Prints the rows of a release, the first of many. */
export function printRelease(
  terminal: Terminal,
  release: Release,
  { rowsShown = ROWS_SHOWN, indent = '' }: { rowsShown?: number; indent?: string } = {},
): void {
  const more = release.rows.length - rowsShown
  const rows = release.rows.slice(0, rowsShown).map((row) => row.map(valueText))
  if (more > 0) rows.push([paint(terminal, 'dim', `… ${more} more`)])
  if (release.remainder) rows.push(remainderCells(terminal, release.remainder))
  table(terminal, {
    head: release.columns.map(({ name, unit }) => (unit === undefined ? name : `${name} (${unit})`)),
    rows,
    indent,
  })
  if (release.isNarrowed)
    say(terminal, paint(terminal, 'warn', `${indent}${REASONS['partial.differencing'].forAsker}`))
  if (release.attribution !== undefined)
    say(terminal, paint(terminal, 'dim', `${indent}${release.attribution}`))
  if (release.privacy) printNoise(terminal, release.privacy, { columns: release.columns, indent })
}

function remainderCells(terminal: Terminal, remainder: readonly ReleaseValue[]): string[] {
  return remainder.map((value, index) =>
    value === null && index === 0 ? paint(terminal, 'dim', '(too small)') : valueText(value),
  )
}

/** Doubles are shown with as many digits as a person reads; the file that is saved has all of them. */
function valueText(value: ReleaseValue): string {
  if (value === null) return ''
  return typeof value === 'number' && !Number.isInteger(value)
    ? String(Number(value.toPrecision(6)))
    : String(value)
}

/** `at least 200 people`: only the step is known. */
export function peopleText({ decision }: Pick<SiteResult, 'decision'>): string {
  return decision?.people === undefined || decision.people === 0 ? '' : `≥ ${decision.people}`
}

/** A reason code in the colour of its kind. */
function reasonText(terminal: Terminal, reason: ReasonCode | undefined): string {
  if (reason === undefined) return paint(terminal, 'dim', 'none yet')
  const tone: Tone = reason === 'approved' ? 'good' : reason.startsWith('partial.') ? 'warn' : 'bad'
  return paint(terminal, tone, reason)
}

function receiptsText(terminal: Terminal, { receipts, status }: SiteResult): string {
  if (receipts.length === 0) return status === 'answered' ? paint(terminal, 'bad', 'none') : ''
  const good = receipts.filter(({ isVerified }) => isVerified).length
  return good === receipts.length
    ? `${good} verified`
    : paint(terminal, 'bad', `${receipts.length - good} do not verify`)
}

function sentence(reason: ReasonCode | undefined): string {
  return reason === undefined ? '' : REASONS[reason].forAsker
}
