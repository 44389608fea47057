import { printRelease } from '../cli/trade/print-answer.ts'
import type { Session } from '../cli/session.ts'
import { paint, say, wrapped } from '../cli/terminal.ts'
import { formatMoney } from '../kernel/money.ts'
import { counted, coverageText, heading } from './report.ts'
import type { ScenarioOutcome } from './run-scenario.ts'

/** Prints some of what was released, as the acquirers see it. */
export function tellReleases(
  session: Session,
  { outcomes, isWhole }: { outcomes: readonly ScenarioOutcome[]; isWhole: boolean },
): void {
  const { terminal } = session
  heading(terminal, 'What the acquirers see: releases opened with their own keys')
  const shown = isWhole
    ? outcomes
    : outcomes.filter(({ scenario }) => ['two sites', 'rows', 'a column less'].includes(scenario.name))
  const attributions = new Set<string>()
  for (const { scenario, result } of shown) {
    for (const { release, decision } of result.sites) {
      if (!release) continue
      const { attribution, ...rows } = release
      if (attribution !== undefined) attributions.add(attribution)
      const facts = [
        `from ${release.site}`,
        ...(decision?.coveragePct === undefined
          ? []
          : [`${coverageText(decision.coveragePct)} of the people there`]),
        `${counted(release.rows.length)} rows`,
        ...(decision?.price ? [formatMoney(decision.price)] : []),
      ]
      say(terminal, paint(terminal, 'strong', `  ${scenario.acquirer}: ${scenario.wish}`))
      say(terminal, paint(terminal, 'dim', `  ${facts.join(', ')}`))
      printRelease(terminal, rows, { rowsShown: isWhole ? 1_000 : ROWS_SHOWN, indent: '    ' })
      say(terminal)
    }
  }
  for (const attribution of attributions)
    say(terminal, paint(terminal, 'dim', wrapped(terminal, attribution, '  ')))
}

const ROWS_SHOWN = 5
