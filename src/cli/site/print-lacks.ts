import type { DescribedView } from '../../sdk/issuer.ts'
import { purposeName } from '../../protocol/words/plain-words.ts'
import { missingPapers } from '../../site/missing-papers.ts'
import type { Session } from '../session.ts'
import { paint, say, wrapped } from '../terminal.ts'

/** What a data set still lacks before anybody is answered, each with the command that brings it. */
export function printLacks(
  { terminal }: Session,
  { site, lacks }: { site: string; lacks: DescribedView['lacks'] },
): void {
  const { contracts, assessments, bases, laterAssessments } = lacks
  for (const { says, remedy } of missingPapers({ site, contracts, assessments, bases })) {
    say(terminal, wrapped(terminal, `Missing: ${says}`))
    say(terminal, paint(terminal, 'dim', `    ${remedy}`))
  }
  const [later] = laterAssessments
  if (later === undefined) return
  const purposes = laterAssessments.map(({ purpose }) => purposeName(purpose)).join(', ')
  say(
    terminal,
    wrapped(terminal, `Later: with more people it needs an assessment for ${purposes} too: ${later.reason}`),
  )
}
