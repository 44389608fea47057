import type { Session } from '../cli/session.ts'
import type { DemoMember } from './demo-parties.ts'
import { askTableHead, askTableRows, heading } from './report.ts'
import { runScenario } from './run-scenario.ts'
import type { ScenarioOutcome } from './run-scenario.ts'
import type { Study } from './studies/studies.ts'
import { STUDY_ASKS } from './studies/study-asks.ts'
import type { StudyAsk } from './studies/study-asks.ts'

/** Sends every ask of the studies that are there and prints what came of each. */
export async function tellStudies(
  session: Session,
  { studies, members }: { studies: readonly Study[]; members: readonly DemoMember[] },
): Promise<readonly ScenarioOutcome[]> {
  const names = new Set(studies.map(({ name }) => name))
  const asks = STUDY_ASKS.filter(({ study }) => names.has(study))
  if (asks.length === 0) return []
  heading(session.terminal, 'What is asked of the studies')
  askTableHead(session.terminal)
  const outcomes: ScenarioOutcome[] = []
  for (const ask of asks) {
    session.signal.throwIfAborted()
    const outcome = await runScenario(session, ask)
    const checked = { ...outcome, problems: [...outcome.problems, ...rowProblems(ask, outcome)] }
    outcomes.push(checked)
    askTableRows(session.terminal, { outcome: checked, members })
  }
  return outcomes
}

function rowProblems({ name, rows, why }: StudyAsk, { result }: ScenarioOutcome): readonly string[] {
  const release = result.sites[0]?.release
  if (rows === undefined || !release) return []
  const found = release.rows.length + (release.remainder ? 1 : 0)
  return found === rows ? [] : [`${name}: expected ${rows} rows, got ${found} (${why})`]
}
