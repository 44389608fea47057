import { Fault } from '../../kernel/faults.ts'
import type { LocalAnswer } from '../../protocol/floor-limit.ts'
import type { StoredAnswer } from '../asks/answer-store.ts'
import { decisionMessageOf } from '../asks/decision-message.ts'
import type { SiteContext } from '../site-context.ts'
import { findLocalAsk } from './local-ask-store.ts'

/** The message that tells the network an answer that is booked on a floor limit: with the ask that was signed for it. */
export async function localMessage(
  answer: StoredAnswer,
  { db, log }: Pick<SiteContext, 'db' | 'log'>,
): Promise<LocalAnswer> {
  const local = await findLocalAsk(db, answer.askId)
  const { clearingJws, floorLimit } = answer
  if (!local || clearingJws === undefined || floorLimit === undefined)
    throw new Fault('fault.internal', { what: 'Cannot clear an answer that was not booked on a floor limit' })
  const message = await decisionMessageOf(answer, log)
  return { ...message, clearing: clearingJws, ask: local.jws, floorLimit }
}
