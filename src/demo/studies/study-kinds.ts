import type { WireGrant } from '../../sdk/issuer.ts'
import { seededRandom } from '../seeded-random.ts'

/**
 * A table: the kinds of people in each study and what they allow. Nobody in the files granted anything to anyone;
 * these grants are made up, by a person's key and a seed, so that each run of the demonstration sees the same ones.
 */
export interface StudyKind {
  readonly name: string
  /** Of a hundred people. The kinds of a study add up to a hundred. */
  readonly share: number
  readonly allows: readonly StudyAllowance[]
}

/** What people of a kind allow on some of a study's data sets: one grant for each data set. */
export interface StudyAllowance extends Pick<WireGrant, 'grantee' | 'purposes' | 'modes' | 'isExplicit'> {
  readonly dataSets: readonly string[]
}

const PUBLISHERS = { class: 'publisher' } as const
const RESEARCHERS = { class: 'researcher' } as const
const WATCH_MAKERS = { class: 'equipment-maker' } as const
const INSURERS = { class: 'insurer' } as const

/** Whoever plays lets publishers count play; well-being is for research only, and only from those who say so. */
const PLAY_FIGURES: StudyAllowance = {
  dataSets: ['players', 'player_waves', 'play_sessions', 'outriders_sessions'],
  grantee: PUBLISHERS,
  purposes: ['dpv:ServiceUsageAnalytics', 'dpv:ServiceOptimisation'],
  modes: ['aggregate'],
}

const PLAY_ROWS: StudyAllowance = {
  dataSets: ['outriders_sessions'],
  grantee: PUBLISHERS,
  purposes: ['dpv:IncreaseServiceRobustness'],
  modes: ['rows'],
}

/** All 33 let watch makers count: with fewer, most of what can be asked of 33 people would fall under the least group. */
const WATCH_FIGURES: StudyAllowance = {
  dataSets: ['daily_activity', 'hourly_activity', 'minute_steps'],
  grantee: WATCH_MAKERS,
  purposes: ['dpv:ImproveExistingProductsAndServices'],
  modes: ['aggregate'],
}

const BENEFITS: StudyAllowance = {
  dataSets: ['daily_activity', 'weight_log'],
  grantee: INSURERS,
  purposes: ['dpv:PersonalisedBenefits'],
  modes: ['aggregate'],
  isExplicit: true,
}

/** By issuer. An issuer without kinds, such as an employer, has another basis than consent and needs no grants. */
export const STUDY_KINDS: Readonly<Record<string, readonly StudyKind[]>> = {
  'play-lab': [
    {
      name: 'open: figures, and rows for bug hunts',
      share: 55,
      allows: [PLAY_FIGURES, PLAY_ROWS],
    },
    {
      name: 'research: the same, and well-being for research',
      share: 15,
      allows: [
        PLAY_FIGURES,
        PLAY_ROWS,
        {
          dataSets: ['players', 'player_waves'],
          grantee: RESEARCHERS,
          purposes: ['dpv:ResearchAndDevelopment'],
          modes: ['aggregate'],
          isExplicit: true,
        },
      ],
    },
    { name: 'figures: of play, nothing else', share: 27, allows: [PLAY_FIGURES] },
    { name: 'silent: never answered', share: 3, allows: [] },
  ],
  'fit-tracker': [
    {
      name: 'open: watch makers, insurers and research',
      share: 70,
      allows: [
        WATCH_FIGURES,
        BENEFITS,
        {
          dataSets: ['daily_activity', 'hourly_activity', 'minute_steps', 'sleep_day', 'weight_log'],
          grantee: RESEARCHERS,
          purposes: ['dpv:ResearchAndDevelopment'],
          modes: ['aggregate'],
          isExplicit: true,
        },
      ],
    },
    { name: 'bonus: watch makers, and insurers for a bonus', share: 30, allows: [WATCH_FIGURES, BENEFITS] },
  ],
  'life-snaps': [
    {
      name: 'open: anyone who asks, for research, health care or a bonus',
      share: 60,
      allows: [
        {
          dataSets: ['lifesnaps_persons', 'lifesnaps_daily'],
          grantee: { anyone: true },
          purposes: ['dpv:ResearchAndDevelopment', 'dpv:ImproveHealthcare', 'dpv:PersonalisedBenefits'],
          modes: ['aggregate'],
          isExplicit: true,
        },
      ],
    },
    {
      name: 'bonus: insurers only',
      share: 40,
      allows: [
        {
          dataSets: ['lifesnaps_persons', 'lifesnaps_daily'],
          grantee: INSURERS,
          purposes: ['dpv:PersonalisedBenefits', 'dpv:ImproveHealthcare'],
          modes: ['aggregate'],
          isExplicit: true,
        },
      ],
    },
  ],
  'swift-couriers': [],
}

/**
 * What the wearer who asked the support desk for help said yes to: their own rows, for a day. It is the first person
 * in the file, because no key of anybody stands in this repository.
 */
export const SUPPORT_CASE = {
  dataSet: 'minute_steps',
  grant: {
    grantee: { member: 'pulse-watches' },
    purposes: ['dpv:CommunicationForCustomerCare'],
    modes: ['rows'],
  } satisfies Omit<StudyAllowance, 'dataSets'>,
  lifetimeMs: 24 * 60 * 60_000,
}

/** The kind of a person: by key and seed alone, so the same in every data set of an issuer, in any order. */
export function kindOf(
  issuer: string,
  { person, seed }: { person: string; seed: string },
): StudyKind | undefined {
  let left = seededRandom(seed, `${issuer} ${person}`).next() * 100
  for (const kind of STUDY_KINDS[issuer] ?? []) {
    left -= kind.share
    if (left < 0) return kind
  }
  return undefined
}
