import type { MissingBasis, Officer, WireBasis } from '../sdk/officer.ts'

/** What the bases of the demonstration rest on; made up like the grants. Those that are recorded stay as they are. */
export async function recordBases(officer: Officer): Promise<void> {
  const { missing } = await officer.bases()
  for (const one of missing) await officer.recordBasis(demoBasis(one, await assessed(officer, one)))
}

/** A record of the kind that is needed, for ten years and everybody. */
export function demoBasis(
  { dataSet, purpose, needs }: { dataSet: string; purpose: string; needs: MissingBasis['needs'] },
  assessment: string,
): WireBasis {
  const common = {
    dataSets: [dataSet],
    purposes: [purpose],
    reference: `Basis of the demonstration: ${dataSet}`,
    validUntil: '2036-01-15T00:00:00Z',
    people: 'everybody' as const,
  }
  switch (needs) {
    case 'contract':
      return { kind: needs, ...common }
    case 'legal_obligation':
      return { kind: needs, ...common, law: 'A law of the demonstration' }
    case 'permit':
      return { kind: needs, ...common, authority: 'An authority of the demonstration', acquirers: ['nobody'] }
    case 'legitimate_interest': {
      const interest = 'Safe staffing, so that nobody drives who is overworked'
      return { kind: needs, ...common, interest, assessment, objectTo: 'objections@swift-couriers.example' }
    }
    case 'employment': {
      const council = 'Works council of the demonstration'
      return {
        kind: needs,
        ...common,
        agreement: { with: 'works_council', council, concludedOn: '2026-01-15' },
      }
    }
  }
}

/** The assessment of an interest that a record names. */
async function assessed(officer: Officer, { dataSet, purpose, needs }: MissingBasis): Promise<string> {
  if (needs !== 'legitimate_interest') return ''
  const { assessment } = await officer.attachAssessment({
    dataSet,
    purpose,
    kind: 'lia',
    reference: `LIA of the demonstration: ${dataSet}`,
    approvedBy: 'The officer of the demonstration',
    approvedOn: '2026-01-15',
    reviewBy: '2036-01-15',
    balancing: {
      result: 'interest_prevails',
      because: 'Answers are about groups, nobody is decided about, and everybody may object.',
    },
  })
  return assessment
}
