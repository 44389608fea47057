import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { parseYaml } from '../../kernel/yaml.ts'
import { manifestSchema } from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { AcquirerClass } from '../../protocol/member.ts'
import type { WireManifest } from '../../sdk/issuer.ts'
import type { DemoMember } from '../demo-parties.ts'

/**
 * Studies that the demonstration adds when it is given a directory of real, openly licensed data. Only the terms stand
 * here; the files stay where they are. Nobody in them granted anything to anyone: see `study-kinds.ts`.
 */
export interface Study {
  readonly name: string
  /** The site of the demonstration that keeps it; both studies of wearables lie at one, and must not be joined. */
  readonly site: string
  /** The member whose data sets they are. */
  readonly issuer: string
  readonly dataSets: readonly StudyDataSet[]
}

/** One file of a study with its manifest. */
export interface StudyDataSet {
  readonly dataSet: string
  /** Under the directory that was given: CSV, gzip. */
  readonly file: string
  /** The file to read the people's keys from, where it is not `file`: of a smaller set over the same people. */
  readonly peopleFile?: string | undefined
  /** Only people with a value in each of these columns of the people's file are taken to have granted anything. */
  readonly answered?: readonly string[] | undefined
}

/** The studies in the order in which they are loaded. */
export const STUDIES: readonly Study[] = [
  {
    name: 'gaming',
    site: 'galway',
    issuer: 'play-lab',
    dataSets: [
      { dataSet: 'players', file: 'gaming/players.csv.gz' },
      { dataSet: 'player_waves', file: 'gaming/player_waves.csv.gz' },
      { dataSet: 'play_sessions', file: 'gaming/play_sessions.csv.gz' },
      { dataSet: 'outriders_sessions', file: 'gaming/outriders_sessions.csv.gz' },
    ],
  },
  {
    name: 'wearables',
    site: 'zurich',
    issuer: 'fit-tracker',
    dataSets: [
      { dataSet: 'daily_activity', file: 'wearables/daily_activity.csv.gz' },
      { dataSet: 'hourly_activity', file: 'wearables/hourly_activity.csv.gz' },
      {
        dataSet: 'minute_steps',
        file: 'wearables/minute_steps.csv.gz',
        peopleFile: 'wearables/daily_activity.csv.gz',
      },
      { dataSet: 'sleep_day', file: 'wearables/sleep_day.csv.gz' },
      { dataSet: 'weight_log', file: 'wearables/weight_log.csv.gz' },
    ],
  },
  {
    name: 'lifesnaps',
    site: 'zurich',
    issuer: 'life-snaps',
    // Three of the 71 left the questionnaire empty: they signed nothing either.
    dataSets: [
      {
        dataSet: 'lifesnaps_persons',
        file: 'wearables/lifesnaps_persons.csv.gz',
        answered: ['age_band', 'gender'],
      },
      {
        dataSet: 'lifesnaps_daily',
        file: 'wearables/lifesnaps_daily.csv.gz',
        peopleFile: 'wearables/lifesnaps_persons.csv.gz',
        answered: ['age_band', 'gender'],
      },
    ],
  },
  {
    name: 'hr',
    site: 'dresden',
    issuer: 'swift-couriers',
    dataSets: [{ dataSet: 'absences', file: 'hr/absences.csv.gz' }],
  },
]

/** Issuers of the studies, and those who ask. All are made up, like what they allow and ask. */
export const STUDY_MEMBERS: readonly DemoMember[] = [
  { id: 'play-lab', name: 'Play Lab', country: 'IE', roles: ['issuer'] },
  { id: 'fit-tracker', name: 'Fit Tracker', country: 'CH', roles: ['issuer'] },
  { id: 'life-snaps', name: 'Life Snaps', country: 'GR', roles: ['issuer'] },
  { id: 'swift-couriers', name: 'Swift Couriers', country: 'DE', roles: ['issuer'] },
  asker('pulse-watches', 'Pulse Watches', 'FI', 'equipment-maker'),
  asker('steady-health', 'Steady Health', 'DE', 'insurer'),
  asker('rowan-health', 'Rowan Health', 'DE', 'insurer'),
  asker('lantern-games', 'Lantern Games', 'SE', 'publisher'),
]

function asker(id: string, name: string, country: string, acquirerClass: AcquirerClass): DemoMember {
  return { id, name, country, roles: ['acquirer'], acquirerClass, depositEur: 500 }
}

/** The studies of which every file is in a directory. */
export function findStudies(directory: string): readonly Study[] {
  return STUDIES.filter(({ dataSets }) => dataSets.every(({ file }) => existsSync(join(directory, file))))
}

/** The manifest of a data set of a study, in its wire form and parsed. A manifest that does not parse is a bug. */
export async function readStudyManifest(
  dataSet: string,
): Promise<{ readonly wire: WireManifest; readonly manifest: Manifest }> {
  const name = `${dataSet.replaceAll('_', '-')}.yaml`
  const yaml = parseYaml(await readFile(new URL(`manifests/${name}`, import.meta.url), 'utf8'))
  if (!yaml.ok) throw new Error(`Cannot read manifest "${name}": ${describeProblems(yaml.error)}`)
  const parsed = parseWith(manifestSchema, yaml.value)
  if (!parsed.ok) throw new Error(`Cannot use manifest "${name}": ${describeProblems(parsed.error)}`)
  return { wire: parsed.value, manifest: parsed.value }
}
