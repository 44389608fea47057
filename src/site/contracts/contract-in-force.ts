import type { Instant } from '../../kernel/clock.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { ContractState, MissingContract } from '../../protocol/law/processing-contract.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { isAgreed, isRecordedByController } from './contract-store.ts'
import type { ContractStore, StoredContract } from './contract-store.ts'

/** A data set as far as contracts go: whose it is. */
type ProcessedDataSet = Pick<Manifest, 'dataSet' | 'issuer'>

/** What contracts are looked for in: those of the site, and who keeps the data there. */
export interface ContractParts {
  readonly contracts: ContractStore
  readonly custodian: string
}

/** The contract under which a data set may be processed now: the newest of its controller that covers it. */
export function contractInForce(
  { contracts }: Pick<ContractParts, 'contracts'>,
  manifest: ProcessedDataSet,
  now: Instant,
): StoredContract | undefined {
  return contracts.standing().findLast((contract) => covers(contract, manifest) && isInTime(contract, now))
}

/**
 * Why a data set may not be processed now: the custodian keeps it for somebody else, and no contract or arrangement with that one is in force
 * (GDPR Art. 28(3), 26(1)). Nothing when it may; who keeps its own data needs none.
 */
export function contractLack(
  parts: ContractParts,
  manifest: ProcessedDataSet,
  now: Instant,
): string | undefined {
  const { dataSet, issuer } = manifest
  if (issuer === parts.custodian || contractInForce(parts, manifest, now)) return undefined
  return `no contract of processing with "${issuer}" is in force that covers "${dataSet}"`
}

/** What is missing of some data sets, or due after the end of the contract they were processed under. */
export function missingContracts(
  parts: ContractParts,
  manifests: readonly ProcessedDataSet[],
  now: Instant,
): readonly MissingContract[] {
  return manifests
    .filter((manifest) => contractLack(parts, manifest, now) !== undefined)
    .map((manifest) => missingOf(parts, manifest, now))
}

function missingOf({ contracts }: ContractParts, manifest: ProcessedDataSet, now: Instant): MissingContract {
  const { dataSet, issuer: controller } = manifest
  const proposed = contracts
    .list()
    .findLast((contract) => covers(contract, manifest) && contractState(contract, now) === 'unconfirmed')
  if (proposed) return { dataSet, controller, needs: 'confirmation', contract: proposed.id }
  const last = endedContract({ contracts }, manifest, now)
  if (!last) return { dataSet, controller, needs: 'contract' }
  const { contract, at, afterEnd } = last
  return { dataSet, controller, needs: afterEnd, contract: contract.id, since: formatInstant(at) }
}

/**
 * The contract under which a data set was processed that ended last by a moment, when, and what it says of the time afterwards. Nothing
 * where another one was in force at that moment.
 */
export function endedContract(
  { contracts }: { readonly contracts: Pick<ContractStore, 'list'> },
  manifest: ProcessedDataSet,
  by: Instant,
): { contract: StoredContract; at: Instant; afterEnd: 'return' | 'deletion' } | undefined {
  const own = contracts.list().filter((contract) => covers(contract, manifest))
  if (own.some((contract) => wasInForce(contract, by))) return undefined
  const [last] = own
    .toReversed()
    .flatMap((contract) => {
      const at = endOf(contract)
      const hasCarried = isAgreed(contract) || contract.aloneUntil !== undefined
      // One that ended before it began carried nothing.
      return hasCarried && at !== undefined && contract.facts.validFrom <= at && at <= by
        ? [{ contract, at }]
        : []
    })
    .toSorted((left, right) => right.at - left.at)
  if (!last) return undefined
  const { facts } = last.contract
  return { ...last, afterEnd: facts.kind === 'processing' ? facts.afterEnd : 'return' }
}

/** Whether data could be processed under a contract at a moment, by what the parties had said until then. */
function wasInForce(contract: StoredContract, at: Instant): boolean {
  const { facts, recordedAt, confirmed, aloneUntil = -Infinity } = contract
  const isSaid =
    (isRecordedByController(contract) && recordedAt <= at) ||
    (confirmed !== undefined && confirmed.at <= at) ||
    (recordedAt <= at && at < aloneUntil)
  return isSaid && facts.validFrom <= at && at < (endOf(contract) ?? Infinity)
}

export function contractState(contract: StoredContract, now: Instant): ContractState {
  const { facts, end } = contract
  if (end !== undefined) return 'ended'
  if ((facts.validUntil ?? Infinity) <= now) return 'expired'
  if (!isAgreed(contract)) return 'unconfirmed'
  return facts.validFrom > now ? 'not_yet' : 'in_force'
}

function isInTime({ facts }: StoredContract, now: Instant): boolean {
  return facts.validFrom <= now && now < (facts.validUntil ?? Infinity)
}

/** From when on nothing could run under it. */
function endOf({ facts: { validUntil }, end }: StoredContract): Instant | undefined {
  if (validUntil === undefined || end === undefined) return end?.at ?? validUntil
  return end.at < validUntil ? end.at : validUntil
}

/** Whether a contract is about a data set: its controller's, and all of them or this one. */
export function covers({ facts }: StoredContract, { dataSet, issuer }: ProcessedDataSet): boolean {
  return facts.controller === issuer && (facts.dataSets === 'all' || facts.dataSets.includes(dataSet))
}
