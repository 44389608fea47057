import type { DecisionMessage, ReceiptBundle } from '../../protocol/decision.ts'
import type { StoredAnswer } from './answer-store.ts'

/**
 * The message that tells the network an answer. Its receipts are in the published log by now: what is not durable and
 * provable does not leave.
 */
export async function decisionMessageOf(
  answer: StoredAnswer,
  log: { bundle(sequence: number): Promise<ReceiptBundle> },
): Promise<DecisionMessage> {
  const receipts: ReceiptBundle[] = []
  for (const sequence of answer.receiptSequences) receipts.push(await log.bundle(sequence))
  return {
    decision: answer.decisionJws,
    receipts,
    ...(answer.releaseJwe === undefined ? {} : { release: answer.releaseJwe }),
    ...(answer.clearingJws === undefined ? {} : { clearing: answer.clearingJws }),
  }
}
