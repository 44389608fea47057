import type { Clock } from '../kernel/clock.ts'
import type { SiteDirectory, SiteSettings } from './config.ts'
import type { LackedAssessment, LackedBasis, LackedContract } from './missing-papers.ts'

/** How a check came out: `bad` makes the site unsafe or unable to serve, `warning` will, `unknown` could not be told. */
export type FindingState = 'good' | 'warning' | 'bad' | 'unknown'

/** One check with what was found and, unless all is well, how to mend it. */
export interface Finding {
  readonly check: string
  readonly state: FindingState
  readonly says: string
  readonly remedy?: string
}

/** What the doctor asks the running site and network for; `undefined` when they do not answer. */
export interface DoctorQuestions {
  /** The evidence in force, as the site's door tells its operator. */
  evidence(): Promise<
    | {
        readonly state: string
        readonly territory?: string | undefined
        readonly validUntil?: number | undefined
      }
    | undefined
  >
  /** Whether the site says that it is ready, and what it looked at, by name. */
  readiness(): Promise<
    { readonly isReady: boolean; readonly checks: Readonly<Record<string, boolean>> } | undefined
  >
  /** The network's time by its answer, milliseconds. */
  networkTime(): Promise<number | undefined>
  /** Whether the network knows the site by its key. */
  isRegistered(): Promise<boolean | undefined>
  /** What is at the site, with where it may be stored and processed. */
  dataSets(): Promise<
    readonly { readonly dataSet: string; readonly store: boolean; readonly process: boolean }[] | undefined
  >
  /** Data sets that no contract in force covers. */
  missingContracts(): Promise<readonly LackedContract[] | undefined>
  /** Purposes of high risk that no assessment carries. */
  missingAssessments(): Promise<readonly LackedAssessment[] | undefined>
  /** Purposes of data sets for which nothing is recorded that their legal basis rests on. */
  missingBases(): Promise<readonly LackedBasis[] | undefined>
}

/** What the doctor looks at. */
export interface Examination {
  readonly directory: SiteDirectory
  readonly settings: SiteSettings
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly questions: DoctorQuestions
}

/** What a check found. */
export function finding(
  check: string,
  state: FindingState,
  { says, remedy }: { says: string; remedy?: string },
): Finding {
  return { check, state, says, ...(remedy === undefined ? {} : { remedy }) }
}
