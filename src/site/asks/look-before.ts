import { later } from '../../kernel/clock.ts'
import type { PartitionLook } from '../guard/partition-store.ts'
import type { AskFacts } from './ask-facts.ts'
import type { PlannedAsk } from './plan-ask.ts'
import type { SiteParts } from './site-parts.ts'
import { questionDigest } from './stored-release.ts'

/** Everything that an answer depends on in the record, as it stands before the run: read once, in one statement. */
export async function lookBefore(
  facts: AskFacts,
  planned: PlannedAsk,
  { groups, partitions, refusalLimits }: Pick<SiteParts, 'groups' | 'partitions' | 'refusalLimits'>,
): Promise<PartitionLook> {
  return partitions.look({
    acquirerGroup: await groups.groupOf(facts.acquirer),
    dataSets: [...planned.dataSets.keys()],
    question: questionDigest(facts, planned),
    since: later(facts.now, -refusalLimits.windowMs),
  })
}
