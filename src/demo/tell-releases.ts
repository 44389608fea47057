import { printRelease } from '../cli/print-answer.ts'
import type { Session } from '../cli/session.ts'
import { paint, say } from '../cli/terminal.ts'
import { formatMoney } from '../kernel/money.ts'
import { counted, heading } from './report.ts'
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
  for (const { scenario, result } of shown) {
    for (const { release, decision } of result.sites) {
      if (!release) continue
      const coverage =
        decision?.coveragePct === undefined
          ? ''
          : `, of at least ${decision.coveragePct} % of the people there`
      say(
        terminal,
        `  ${paint(terminal, 'strong', `${scenario.acquirer}: ${scenario.wish}`)} ${paint(terminal, 'dim', `from ${release.site}${coverage}, for ${decision?.price ? formatMoney(decision.price) : 'nothing'}; ${counted(release.rows.length)} rows`)}`,
      )
      printRelease(terminal, release, isWhole ? 1_000 : ROWS_SHOWN)
      say(terminal)
    }
  }
}

const ROWS_SHOWN = 5
