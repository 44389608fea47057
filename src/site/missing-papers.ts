import { purposeName } from '../protocol/words/plain-words.ts'

/** A data set that no contract in force covers, as the officer is told it. */
export interface LackedContract {
  readonly dataSet: string
  readonly controller: string
  readonly needs: 'contract' | 'confirmation' | 'return' | 'deletion'
  /** The contract that is not confirmed, or that has ended. */
  readonly contract?: string | undefined
}

/** A purpose of high risk of a data set that no assessment carries, as the officer is told it. */
export interface LackedAssessment {
  readonly dataSet: string
  readonly purpose: string
  readonly reason: string
}

/** A purpose of a data set for which nothing is recorded that its legal basis rests on, as the officer is told it. */
export interface LackedBasis {
  readonly dataSet: string
  readonly purpose: string
  readonly needs: string
  /** What is declined without. */
  readonly for: string
}

/** A paper without which asks for a data set are declined, and the command that brings it. */
export interface LackedPaper {
  readonly check: 'contracts' | 'assessments' | 'bases'
  readonly says: string
  readonly remedy: string
  /** What to type. */
  readonly command: string
}

/**
 * What stands between data sets and an answer although their data is there: first contracts of processing (GDPR Art. 28(3), 26(1)), then
 * assessments of uses of high risk (Art. 35), then records of what legal bases rest on (Art. 6, 9(2), 88), each for a data set with all
 * its purposes.
 */
export function missingPapers({
  site,
  contracts,
  assessments,
  bases = [],
}: {
  readonly site: string
  readonly contracts: readonly LackedContract[]
  readonly assessments: readonly LackedAssessment[]
  readonly bases?: readonly LackedBasis[]
}): readonly LackedPaper[] {
  const byDataSet = Map.groupBy(assessments, ({ dataSet }) => dataSet)
  const byRecord = Map.groupBy(bases, ({ dataSet, needs, for: what }) =>
    JSON.stringify([dataSet, needs, what]),
  )
  return [
    ...contracts.map((lack) => contractLacked(site, lack)),
    ...[...byDataSet].map(([dataSet, lacks]) => assessmentLacked(site, { dataSet, lacks })),
    ...byRecord.values().flatMap((lacks) => basisLacked(site, lacks)),
  ]
}

function contractLacked(
  site: string,
  { dataSet, controller, needs, contract = '' }: LackedContract,
): LackedPaper {
  const as = `--site ${site} --as ${controller}`
  const record = `hedgerow officer contract record --file CONTRACT.yaml ${as}`
  const declined = 'every ask for it is declined'
  switch (needs) {
    case 'contract':
      return {
        check: 'contracts',
        says: `no contract with "${controller}" is in force that covers "${dataSet}": ${declined}`,
        remedy: `Have the contract recorded: ${record}`,
        command: record,
      }
    case 'confirmation': {
      const command = `hedgerow officer contract confirm ${contract} ${as}`
      return {
        check: 'contracts',
        says: `"${controller}" has not confirmed the contract that covers "${dataSet}": ${declined}`,
        remedy: `Have it confirmed: ${command}`,
        command,
      }
    }
    case 'return':
    case 'deletion': {
      const command = `hedgerow officer contract list --site ${site}`
      return {
        check: 'contracts',
        says: `the contract with "${controller}" that covered "${dataSet}" has ended: ${declined}`,
        remedy: `See what is due with "${command}"; where it is to go on, have a new contract recorded: ${record}`,
        command,
      }
    }
  }
}

function assessmentLacked(
  site: string,
  { dataSet, lacks }: { dataSet: string; lacks: readonly LackedAssessment[] },
): LackedPaper {
  const command = `hedgerow officer assessment attach --file DPIA.yaml --site ${site}`
  const purposes = lacks.map(({ purpose }) => purposeName(purpose)).join(', ')
  const reasons = [...new Set(lacks.map(({ reason }) => reason))].join('; ')
  return {
    check: 'assessments',
    says: `"${dataSet}" has no assessment in force for ${purposes}: every ask for that is declined; why it needs one: ${reasons}`,
    remedy: `Attach the approved assessment, one for each purpose: ${command}`,
    command,
  }
}

/** What is declined without a record, as a sentence ends. */
const DECLINED: Readonly<Record<string, string>> = {
  'every use': 'every use is declined',
  'special categories': 'every use of special categories is declined',
  'consent of employees': 'grants of employees count for nothing',
}

function basisLacked(site: string, lacks: readonly LackedBasis[]): readonly LackedPaper[] {
  const [first] = lacks
  if (first === undefined) return []
  const { dataSet, needs, for: what } = first
  const command = `hedgerow officer basis record --file BASIS.yaml --site ${site}`
  const kind = needs.replaceAll('_', ' ')
  const purposes = lacks.map(({ purpose }) => purposeName(purpose)).join(', ')
  // An interest rests on an assessment in which it prevails, so that one has to be there first (GDPR Art. 6(1)(f)).
  const before =
    needs === 'legitimate_interest'
      ? `Attach the assessment in which the interest prevails (kind: lia) with "hedgerow officer assessment attach --file LIA.yaml --site ${site}", then record it with its id`
      : 'Record what it rests on'
  return [
    {
      check: 'bases',
      says: `no record of the kind "${kind}" is in force that carries "${dataSet}" for ${purposes}: ${DECLINED[what] ?? what}`,
      remedy: `${before}: ${command}`,
      command,
    },
  ]
}
