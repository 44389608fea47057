import { formatInstant } from '../../kernel/clock.ts'
import type { MissingContract } from '../../protocol/law/processing-contract.ts'
import type { ProcessorActivity } from '../../protocol/rights/register.ts'
import { contractNamed } from '../contracts/contract-named.ts'
import type { StoredContract } from '../contracts/contract-store.ts'

/** A contract with what the register says of it (GDPR Art. 28(2), (3), 26(2)). */
export function registeredContract(contract: StoredContract): ProcessorActivity['contracts'][number] {
  const { facts } = contract
  const { subject, dataSets, validUntil } = facts
  const common = {
    ...contractNamed(contract),
    subject,
    dataSets: dataSets === 'all' ? dataSets : [...dataSets],
    ...(validUntil === undefined ? {} : { until: formatInstant(validUntil) }),
  }
  if (facts.kind === 'joint_controllers')
    return {
      ...common,
      subProcessors: [],
      arrangement: facts.arrangement,
      contactPoint: facts.contactPoint,
    }
  return { ...common, instructions: facts.instructions, subProcessors: subProcessorsOf(facts) }
}

function subProcessorsOf({
  subProcessors,
}: Extract<StoredContract['facts'], { kind: 'processing' }>): string[] {
  return subProcessors.map(
    ({ name, country, task, from }) =>
      `${name} (${country}): ${task}${from === undefined ? '' : `, from ${from}`}`,
  )
}

/** What is to be done about a data set that no contract in force covers. */
export function missingContractText({
  dataSet,
  controller,
  needs,
  contract = '',
  since,
  parts,
  returnedAt,
}: MissingContract): string {
  const lacking = `"${dataSet}" has no contract of processing with "${controller}" in force and is declined`
  switch (needs) {
    case 'contract':
      return `${lacking}: hedgerow officer contract record --file FILE`
    case 'confirmation':
      return `${lacking}: "${controller}" confirms what the custodian recorded (hedgerow officer contract confirm ${contract})`
    case 'return':
      return `${lacking} since ${since ?? ''}: give it back (hedgerow dataset hand-over ${dataSet}${parts === undefined ? '' : `; to come: ${parts.join(', ')}`}), then hedgerow dataset retire ${dataSet}`
    case 'deletion':
      return `${lacking} since ${since ?? ''}${returnedAt === undefined ? '' : `, and went back on ${returnedAt}`}: delete it (hedgerow dataset retire ${dataSet})`
  }
}
