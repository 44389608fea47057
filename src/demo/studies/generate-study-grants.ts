import { formatInstant, later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { WireGrant } from '../../sdk/issuer.ts'
import { GRANTS_SEED } from '../generate-grants.ts'
import { readStudyPeople } from './read-study-people.ts'
import type { Study } from './studies.ts'
import { SUPPORT_CASE, kindOf } from './study-kinds.ts'

/** From what grants are made: the same seed and directory give the same grants, in the same order. */
export interface StudyGrantsFrom {
  readonly directory: string
  /** Absent: that of the whole demonstration. */
  readonly seed?: string | undefined
  /** When the grant for the support case begins. */
  readonly now: Instant
}

/** The grants of everybody in a study, one data set after the other, made while the files are read. */
export async function* generateStudyGrants(study: Study, from: StudyGrantsFrom): AsyncGenerator<WireGrant> {
  for (const source of study.dataSets) {
    const { dataSet } = source
    let isFirst = true
    for await (const person of readStudyPeople(from.directory, source)) {
      yield* grantsOfPerson(study.issuer, { dataSet, person, seed: from.seed ?? GRANTS_SEED })
      if (isFirst && dataSet === SUPPORT_CASE.dataSet) yield supportGrant(person, from.now)
      isFirst = false
    }
  }
}

/** What one person allows on one data set: none, one or a few grants. */
export function grantsOfPerson(
  issuer: string,
  { dataSet, person, seed }: { dataSet: string; person: string; seed: string },
): readonly WireGrant[] {
  const allows = kindOf(issuer, { person, seed })?.allows ?? []
  return allows
    .filter(({ dataSets }) => dataSets.includes(dataSet))
    .map(({ dataSets: _, ...terms }) => ({ dataSet, person, ...terms }))
}

function supportGrant(person: string, now: Instant): WireGrant {
  const { dataSet, grant, lifetimeMs } = SUPPORT_CASE
  const validUntil = formatInstant(later(now, lifetimeMs))
  return { ...grant, dataSet, person, validFrom: formatInstant(now), validUntil }
}
