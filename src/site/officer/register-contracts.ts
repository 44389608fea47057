import { formatInstant } from '../../kernel/clock.ts'
import type { MissingContract } from '../../protocol/law/processing-contract.ts'
import type { ProcessorActivity, RegisteredSubProcessor } from '../../protocol/rights/register.ts'
import { contractNamed } from '../contracts/contract-named.ts'
import type { StoredContract } from '../contracts/contract-store.ts'
import { subProcessorTransfer } from '../contracts/sub-processor-ground.ts'
import type { TransfersNow } from '../contracts/sub-processor-ground.ts'

/** A contract with what the register says of it (GDPR Art. 28(2), (3), 26(2)). */
export function registeredContract(
  contract: StoredContract,
  now: TransfersNow,
): ProcessorActivity['contracts'][number] {
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
  const subProcessors = facts.subProcessors.map((one) => registeredSubProcessor(one, now))
  return { ...common, instructions: facts.instructions, subProcessors }
}

function registeredSubProcessor(
  one: Extract<StoredContract['facts'], { kind: 'processing' }>['subProcessors'][number],
  now: TransfersNow,
): RegisteredSubProcessor {
  const { name, country, task, from } = one
  const transfer = subProcessorTransfer(one, now)
  return {
    name,
    country,
    task,
    ...(from === undefined ? {} : { from }),
    ...(transfer === undefined ? {} : { transfer }),
  }
}

/** A sub-processor in a line of the register. */
export function subProcessorText({ name, country, task, from, transfer }: RegisteredSubProcessor): string {
  const since = from === undefined ? '' : `, from ${from}`
  const ground =
    transfer === undefined
      ? ''
      : transfer.ground === undefined
        ? '; no ground for the transfer today: nothing may go there'
        : `; transfer on the ground of ${transfer.ground}`
  return `${name} (${country}): ${task}${since}${ground}`
}

/** What is to be done about sub-processors to whom nothing may go (GDPR Art. 44). */
export function barredSubProcessorTexts({ contracts }: Pick<ProcessorActivity, 'contracts'>): string[] {
  return contracts.flatMap(({ reference, subProcessors }) =>
    subProcessors
      .filter(({ transfer }) => transfer !== undefined && transfer.ground === undefined)
      .map(
        ({ name, country }) =>
          `"${name}" (${country}), sub-processor under "${reference}", may be given nothing, because no ground carries a transfer there today: record the contract again with its transferBasis, or without it`,
      ),
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
