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
    for await (const person of readStudyPeople(from.directory, source)) {
      yield* grantsOfPerson(study.issuer, { dataSet, person, seed: from.seed ?? GRANTS_SEED })
      if (isSupportCase(study.issuer, { dataSet, person })) yield supportGrant(from.now)
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

function isSupportCase(issuer: string, { dataSet, person }: { dataSet: string; person: string }): boolean {
  return issuer === SUPPORT_CASE.issuer && dataSet === SUPPORT_CASE.dataSet && person === SUPPORT_CASE.person
}

function supportGrant(now: Instant): WireGrant {
  const { dataSet, person, grant, lifetimeMs } = SUPPORT_CASE
  return {
    dataSet,
    person,
    grantee: grant.grantee,
    purposes: [...grant.purposes],
    modes: [...grant.modes],
    validFrom: formatInstant(now),
    validUntil: formatInstant(later(now, lifetimeMs)),
  }
}
