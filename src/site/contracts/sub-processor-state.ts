import type { SubProcessorState } from '../../protocol/law/sub-processor.ts'
import type { StoredContract } from './contract-store.ts'
import { isBarred } from './sub-processor-ground.ts'
import type { TransfersNow } from './sub-processor-ground.ts'
import type { StoredSubProcessor } from './sub-processor-store.ts'

/** How things stand with a sub-processor on a day; `void` where no contract of the reference is in force any more. */
export function subProcessorState(
  { facts, answered }: Pick<StoredSubProcessor, 'facts' | 'answered'>,
  now: TransfersNow,
): Exclude<SubProcessorState, 'void'> {
  if (answered && answered.answer !== 'approved') return answered.answer
  if (!answered && facts.noticeDays === undefined) return 'asked'
  if (isBarred(facts, now)) return 'barred'
  if (facts.from <= now.today) return 'in_use'
  return answered ? 'approved' : 'announced'
}

/**
 * A contract with the sub-processors that have come in under it or are to come in on a day, as registers and notices name them; those that
 * wait for approval or met an objection are not among them (GDPR Art. 28(2)).
 */
export function withSubProcessors(
  contract: StoredContract,
  changes: readonly { readonly stored: StoredSubProcessor; readonly of: StoredContract }[],
  now: TransfersNow,
): StoredContract {
  const { facts } = contract
  if (facts.kind !== 'processing') return contract
  const named = new Set(facts.subProcessors.map(({ name }) => name.toLowerCase()))
  const added = changes
    .filter(({ of }) => isSamePaper(of, contract))
    .filter(({ stored }) => NAMED.has(subProcessorState(stored, now)))
    .map(({ stored }) => announcedOf(stored))
    .filter(({ name }) => !named.has(name.toLowerCase()))
  return { ...contract, facts: { ...facts, subProcessors: [...facts.subProcessors, ...added] } }
}

/** A sub-processor as a contract names it. */
function announcedOf({ facts: { name, country, task, from, transferBasis } }: StoredSubProcessor) {
  return { name, country, task, from, ...(transferBasis === undefined ? {} : { transferBasis }) }
}

/** Who has come in or is to come in; of whom nothing may go to, it is said. */
const NAMED: ReadonlySet<SubProcessorState> = new Set(['announced', 'approved', 'in_use', 'barred'])

/** Whether two records are of one paper: the newer takes over what was announced under the older. */
export function isSamePaper({ facts: one }: StoredContract, { facts: other }: StoredContract): boolean {
  return one.controller === other.controller && one.reference === other.reference
}
