import { consentAgeRule, consentGiver } from '../protocol/law/consent-ages.ts'
import type { WireGrant } from '../sdk/issuer.ts'
import { seededRandom } from './seeded-random.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Athlete } from './split-athletes.ts'

/**
 * Makes up the grants of the demonstration. NOBODY IN THE DATA GAVE ANY OF THEM: they are drawn by a seeded
 * generator, so that a run can be repeated, and every output of the demonstration says so.
 *
 * Each person draws an attitude:
 *
 * | share | attitude | grants |
 * | --- | --- | --- |
 * | 10 % | nothing | none |
 * | 12 % | results only | research, in aggregates, without body measures |
 * | 18 % | science only | scientific and academic research by researchers, in aggregates, all columns |
 * | 35 % | aggregates | research by anybody, in aggregates, all columns |
 * | 25 % | rows too | research by anybody, in aggregates and in rows, all columns |
 *
 * Besides, 60 % of those who grant anything let publishers sell what their results show (never body measures).
 *
 * Those who were below the age of consent when the games opened need their guardian: for 60 % of them the guardian
 * is established and gave the grant (in France the child too), for the others only the child did, which counts for nothing.
 */
export const GRANTS_SEED = 'hedgerow-demo-1'

/** The day for which age is judged: the opening of the games, as in the manifest. */
const GAMES_OPENED = '2016-08-05'

const RESULTS_COLUMNS = [
  'nationality',
  'residence',
  'sex',
  'date_of_birth',
  'sport',
  'gold',
  'silver',
  'bronze',
]

type Attitude = 'nothing' | 'results' | 'science' | 'aggregates' | 'rows'

/** Upper ends of the shares, in order. */
const ATTITUDES: readonly (readonly [number, Attitude])[] = [
  [0.1, 'nothing'],
  [0.22, 'results'],
  [0.4, 'science'],
  [0.75, 'aggregates'],
  [1, 'rows'],
]

type Terms = Omit<WireGrant, 'person' | 'dataSet' | 'givenBy'>

const TERMS: Readonly<Record<Exclude<Attitude, 'nothing'>, Terms>> = {
  results: {
    grantee: { anyone: true },
    purposes: ['dpv:ResearchAndDevelopment'],
    modes: ['aggregate'],
    columns: RESULTS_COLUMNS,
  },
  science: {
    grantee: { class: 'researcher' },
    purposes: ['dpv:ScientificResearch', 'dpv:AcademicResearch'],
    modes: ['aggregate'],
    isExplicit: true,
  },
  aggregates: {
    grantee: { anyone: true },
    purposes: ['dpv:ResearchAndDevelopment'],
    modes: ['aggregate', 'private'],
    isExplicit: true,
  },
  rows: {
    grantee: { anyone: true },
    purposes: ['dpv:ResearchAndDevelopment'],
    modes: ['aggregate', 'private', 'rows'],
    isExplicit: true,
  },
}

const PUBLISHERS: Terms = {
  grantee: { class: 'publisher' },
  purposes: ['dpv:SellInsightsFromData'],
  modes: ['aggregate'],
  columns: RESULTS_COLUMNS,
}

/** The grants that are made up for one person. The same person gets the same ones every time. */
export function grantsOf(
  athlete: Athlete,
  {
    dataSet,
    siteCountry,
    today,
    seed = GRANTS_SEED,
  }: { dataSet: string; siteCountry: string; today: string; seed?: string },
): readonly WireGrant[] {
  const random = seededRandom(seed, `${dataSet} ${athlete.key}`)
  const attitude = attitudeOf(random)
  const allowsPublishers = random.next() < 0.6
  const hasGuardian = random.next() < 0.6
  if (attitude === 'nothing') return []
  const terms = [TERMS[attitude], ...(allowsPublishers ? [PUBLISHERS] : [])]
  const givers = giversOf(athlete, { siteCountry, today, hasGuardian })
  return terms.flatMap((one) =>
    givers.map((givenBy) => ({
      ...one,
      dataSet,
      person: athlete.key,
      givenBy,
      ...(givenBy === 'guardian' ? { guardian: guardianOf(athlete.key) } : {}),
    })),
  )
}

/** Whoever is made up to be the guardian of somebody. */
export function guardianOf(person: string): string {
  return `guardian-of-${person}`
}

function attitudeOf(random: SeededRandom): Attitude {
  const drawn = random.next()
  return ATTITUDES.find(([upTo]) => drawn < upTo)?.[1] ?? 'nothing'
}

function giversOf(
  { residence, birthDate }: Athlete,
  { siteCountry, today, hasGuardian }: { siteCountry: string; today: string; hasGuardian: boolean },
): readonly ('self' | 'guardian')[] {
  const age = Temporal.PlainDate.from(GAMES_OPENED).since(birthDate, { largestUnit: 'years' }).years
  const giver = consentGiver(age, consentAgeRule({ residence, siteCountry }, today))
  if (giver === 'self' || !hasGuardian) return ['self']
  return giver === 'joint' ? ['self', 'guardian'] : ['guardian']
}
