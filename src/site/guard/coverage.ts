import { stepOf } from '../../protocol/money/tariff.ts'

const COVERAGE_STEP_PCT = 5

/** What an acquirer is told of how many people stand behind a release. */
export interface Coverage {
  /** The largest step of `COUNT_STEPS` that was reached, but at least the minimum group, which is public; 0 below that. */
  readonly peopleStep: number
  /** At least this share of the data set's people, rounded down to 5 %; 0 below the minimum group. Not told beside noise. */
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
  const whole = wholeOf(dataSetPeople, minimumGroup)
  const share = Math.floor((people * 100) / whole / COVERAGE_STEP_PCT) * COVERAGE_STEP_PCT
  return { peopleStep: Math.max(stepOf(people), minimumGroup), coveragePct: share }
}

/**
 * The people of a data set, rounded up to a minimum group, or to a twentieth of their step where that is more. Whoever
 * asks for a count knows exactly how many people an answer is about; of an exact whole, the shares of a few answers
 * would tell how many there are, and then who came and left, also of those who never allowed anything.
 */
function wholeOf(dataSetPeople: number, minimumGroup: number): number {
  const grain = Math.max(minimumGroup, stepOf(dataSetPeople) / 20)
  return Math.ceil(dataSetPeople / grain) * grain
}
