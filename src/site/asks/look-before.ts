import { later } from '../../kernel/clock.ts'
import type { LookRequest } from '../guard/look-into-record.ts'
import type { PartitionLook } from '../guard/partition-store.ts'
import type { AskFacts } from './ask-facts.ts'
import type { PlannedAsk } from './plan-ask.ts'
import { runAhead } from './collect-answer.ts'
import type { RunAhead } from './collect-answer.ts'
import type { SiteParts } from './site-parts.ts'
import { questionDigest } from './stored-release.ts'

/** Everything that an answer depends on in the record, as it stands before the run: read once, in one statement. */
export async function lookBefore(
  facts: AskFacts,
  planned: PlannedAsk,
  parts: Pick<SiteParts, 'groups' | 'partitions' | 'refusalLimits'>,
): Promise<PartitionLook> {
  return parts.partitions.look(await lookRequest(facts, planned, parts))
}

/**
 * The same while the engine is at work already. A question that was asked before may have its answer in the record: nothing is
 * computed for that.
 */
export async function lookAndRun(
  facts: AskFacts,
  planned: PlannedAsk,
  parts: SiteParts,
): Promise<{ readonly look: PartitionLook; readonly ahead: RunAhead | undefined }> {
  const request = await lookRequest(facts, planned, parts)
  const { partitions } = parts
  const { acquirerGroup } = request
  const expected = (dataSet: string) => partitions.expected({ acquirerGroup, dataSet })
  const ahead = partitions.hasLooked(request) ? undefined : runAhead(planned, { expected, parts })
  return { look: await partitions.look(request), ahead }
}

async function lookRequest(
  facts: AskFacts,
  planned: PlannedAsk,
  { groups, refusalLimits }: Pick<SiteParts, 'groups' | 'refusalLimits'>,
): Promise<LookRequest> {
  return {
    acquirerGroup: await groups.groupOf(facts.acquirer),
    dataSets: [...planned.dataSets.keys()],
    question: questionDigest(facts, planned),
    since: later(facts.now, -refusalLimits.windowMs),
  }
}
