import { formatDate, instant } from '../../kernel/clock.ts'
import { finding } from '../examination.ts'
import type { Examination, Finding } from '../examination.ts'
import { missingPapers } from '../missing-papers.ts'
import type { LackedPaper } from '../missing-papers.ts'

const EVIDENCE_RENEWAL_MS = 14 * 24 * 60 * 60_000
const START_OR_LOOK =
  'Start it with "hedgerow site serve"; if it runs, "hedgerow site evidence" says why it does not answer'

/** Whether the site has evidence of where it is, of the territory that it is set to, and not about to end. */
export async function checkEvidence({ questions, clock, settings }: Examination): Promise<Finding[]> {
  const evidence = await questions.evidence()
  const remedy = 'Give evidence with "hedgerow site evidence"'
  if (!evidence)
    return [
      finding('evidence', 'unknown', {
        says: 'the site gave no answer about its evidence',
        remedy: START_OR_LOOK,
      }),
    ]
  if (evidence.state !== 'valid' || evidence.validUntil === undefined) {
    return [
      finding('evidence', 'bad', {
        says: `location evidence is ${evidence.state.replaceAll('_', ' ')}: every ask is declined`,
        remedy,
      }),
    ]
  }
  const until = formatDate(instant(evidence.validUntil))
  if (evidence.territory !== settings.territory) {
    return [
      finding('evidence', 'bad', {
        says: `the evidence says ${evidence.territory ?? 'nothing'}, the settings say ${settings.territory}`,
        remedy,
      }),
    ]
  }
  return evidence.validUntil - clock.now() < EVIDENCE_RENEWAL_MS
    ? [finding('evidence', 'warning', { says: `location evidence ends on ${until}`, remedy })]
    : [finding('evidence', 'good', { says: `valid until ${until}` })]
}

/** Whether data may be where it is. */
export async function checkPerimeters({ questions }: Examination): Promise<Finding[]> {
  const dataSets = await questions.dataSets()
  if (!dataSets)
    return [
      finding('perimeters', 'unknown', {
        says: 'the site gave no answer about its data sets',
        remedy: START_OR_LOOK,
      }),
    ]
  const outside = dataSets.filter(({ store, process }) => !store || !process)
  if (outside.length === 0)
    return [
      finding('perimeters', 'good', {
        says: dataSets.length === 0 ? 'no data sets yet' : 'every data set may be stored and processed here',
      }),
    ]
  return outside.map(({ dataSet, store }) =>
    finding('perimeters', 'bad', {
      says: `"${dataSet}" may not be ${store ? 'processed' : 'stored'} where the site stands: every ask for it is declined`,
      remedy: 'Move the data set to a site inside its perimeter, or have its issuer change the manifest',
    }),
  )
}

/** What may be where it is, and is declined all the same: nobody agreed to its processing or to its risk, or its legal basis rests on nothing. */
export async function checkPapers({ questions, settings }: Examination): Promise<Finding[]> {
  const contracts = await questions.missingContracts()
  const assessments = await questions.missingAssessments()
  const bases = await questions.missingBases()
  const unknown = { says: 'the site gave no answer about them', remedy: START_OR_LOOK }
  const lacks = missingPapers({
    site: settings.site,
    contracts: contracts ?? [],
    assessments: assessments ?? [],
    bases: bases ?? [],
  })
  const told = (check: LackedPaper['check'], isKnown: boolean, good: string): Finding[] => {
    const bad = lacks.filter((lack) => lack.check === check).map((lack) => finding(check, 'bad', lack))
    if (!isKnown) return [finding(check, 'unknown', unknown)]
    return bad.length > 0 ? bad : [finding(check, 'good', { says: good })]
  }
  return [
    ...told('contracts', contracts !== undefined, 'one is in force for every data set that needs one'),
    ...told('assessments', assessments !== undefined, 'every purpose of high risk has one'),
    ...told('bases', bases !== undefined, 'what every legal basis rests on is recorded'),
  ]
}
