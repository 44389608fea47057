import { stepOf } from '../../protocol/tariff.ts'

const COVERAGE_STEP_PCT = 5

/** What an acquirer is told of how many people stand behind a release. */
export interface Coverage {
  /** The largest step of `COUNT_STEPS` that was reached, but at least the minimum group, which is public; 0 below that. */
  readonly peopleStep: number
  /** Share of the data set's people, rounded down to 5 %; 0 below the minimum group. Not told beside noise. */
  readonly coveragePct?: number
}

/**
 * People behind a release in coarse steps: between two releases neither may follow somebody who came or left, beyond
 * the crossing of a step that every ask over that many people shares.
 */
export function coverageOf({
  people,
  dataSetPeople,
  minimumGroup,
}: {
  people: number
  dataSetPeople: number
  minimumGroup: number
}): Coverage {
  if (people < minimumGroup || dataSetPeople < minimumGroup) return { peopleStep: 0, coveragePct: 0 }
  const share = Math.floor((people * 100) / dataSetPeople / COVERAGE_STEP_PCT) * COVERAGE_STEP_PCT
  return { peopleStep: Math.max(stepOf(people), minimumGroup), coveragePct: Math.min(100, share) }
}
