import type { FieldProblem } from '../../kernel/faults.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { DPV_VERSION } from '../../protocol/law/dpv-purposes.ts'
import { DATA_SUBJECTS } from '../../protocol/law/dpv-terms.ts'
import { isKnownPurpose } from '../../protocol/law/purpose.ts'
import { perimeterProblems } from '../place/check-polygon.ts'
import { isTerritoryCode } from '../place/locate.ts'

/** Areas of a perimeter that are no country. */
const GROUPS: ReadonlySet<string> = new Set(['EU', 'EEA', 'adequate'])

/**
 * What is wrong with a manifest though its form is right: polygons that cross, countries that there are not (`UK` is
 * `GB`), purposes that no ask can name. Kept out of the schema: what is described stays readable when tables change.
 */
export function manifestProblems({ perimeter, purposes, person }: Manifest): readonly FieldProblem[] {
  const problems: FieldProblem[] = [...perimeterProblems(perimeter)]
  for (const operation of ['store', 'process', 'release'] as const) {
    for (const [index, area] of perimeter[operation].within.entries()) {
      if (GROUPS.has(area) || isTerritoryCode(area)) continue
      const expected = `expected an ISO 3166-1 country code, "EU", "EEA" or "adequate"; there is no "${area}"`
      problems.push({ field: `perimeter.${operation}.within[${index}]`, expected })
    }
  }
  if (person.subjects !== undefined && !DATA_SUBJECTS.has(person.subjects.replace('dpv:', ''))) {
    const expected = `expected a category of data subjects of DPV ${DPV_VERSION} such as dpv:Employee; there is no "${person.subjects}"`
    problems.push({ field: 'person.subjects', expected })
  }
  for (const [index, purpose] of purposes.entries()) {
    if (isKnownPurpose(purpose)) continue
    const expected = `expected a purpose of DPV ${DPV_VERSION} such as dpv:AcademicResearch; there is no "${purpose}"`
    problems.push({ field: `purposes[${index}]`, expected })
  }
  return problems
}
