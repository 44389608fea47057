import type { Manifest } from '../../protocol/data-set.ts'
import { minimumPeopleOf } from '../../protocol/data-set.ts'

/** Technical and organisational measures that hold for a data set (GDPR Art. 30(1)(g), 32(1)), as the site enforces them. */
export function measuresOf(manifest: Manifest): readonly string[] {
  const sealed = manifest.columns.filter(
    ({ sensitivity }) => sensitivity === 'direct_identifier' || sensitivity === 'free_text',
  )
  const isSpecial = manifest.columns.some(({ sensitivity }) => sensitivity === 'special_category')
  return [
    `Pseudonymised and encrypted under a key for each person: ${sealed.map(({ name }) => name).join(', ') || 'no column'}`,
    ...(manifest.modes.includes('rows')
      ? [
          'Rows leave the site only as people granted them: each to whom its person named, under a pseudonym that differs for each acquirer and purpose',
        ]
      : ['Rows do not leave the site']),
    'Questions are rewritten so that they read permitted columns of eligible people only',
    ...(manifest.modes.includes('aggregate')
      ? [
          `Exact answers stand on ${minimumPeopleOf(manifest, isSpecial)} people or more, also when earlier answers are combined with them`,
        ]
      : []),
    ...(manifest.person.others ? ['Rows about several people are used only if each of them allows it'] : []),
    'Every store, process and release operation is checked against the perimeter and signed evidence of place',
    'Releases are sealed to the acquirer; neither network nor uplink can read them',
    'Every decision, release, grant and withdrawal has a signed receipt in an append-only log',
  ]
}

/** Measures of the custodian for everything it keeps. */
export const SITE_MEASURES: readonly string[] = [
  'Keys of the site lie in files that only its account may read; each person’s key is wrapped under one of them',
  'The site dials out and is not dialled into by the network',
  'Access by short-lived signed tokens; the operator has no query role',
  'Imports are whole batches or nothing; what is acknowledged survives a crash',
]
