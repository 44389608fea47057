import type { z } from 'zod'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import type {
  Dispute,
  disputeAnswerSchema,
  disputeOutcomeSchema,
  disputeRequestSchema,
} from '../protocol/money/dispute.ts'
import { collectPages } from './collect-pages.ts'
import type { HttpClient } from './http-client.ts'

/** Disputes over trades, as a member or the operator of a network works with them. */
export interface Disputes {
  raise(dispute: z.input<typeof disputeRequestSchema>, idempotencyKey: string): Promise<Dispute>
  /** Newest first. */
  list(): Promise<readonly Dispute[]>
  find(id: string): Promise<Dispute>
  answer(id: string, answer: z.input<typeof disputeAnswerSchema>): Promise<Dispute>
  withdraw(id: string): Promise<Dispute>
  /** The operator. */
  decide(id: string, outcome: z.input<typeof disputeOutcomeSchema>): Promise<Dispute>
  /** The acquirer, where an outcome asks for it. */
  confirmDeletion(id: string): Promise<Dispute>
  /** The operator. */
  removeTexts(id: string): Promise<Dispute>
}

export function openDisputes(client: HttpClient): Disputes {
  return {
    raise: (body, idempotencyKey) => client.call(NETWORK_API.raiseDispute, { body, idempotencyKey }),
    list: () =>
      collectPages((cursor) =>
        client.call(NETWORK_API.listDisputes, {
          query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) },
        }),
      ),
    find: (id) => client.call(NETWORK_API.dispute, { params: { id } }),
    answer: (id, body) => client.call(NETWORK_API.answerDispute, { params: { id }, body }),
    withdraw: (id) => client.call(NETWORK_API.withdrawDispute, { params: { id } }),
    decide: (id, body) => client.call(NETWORK_API.decideDispute, { params: { id }, body }),
    confirmDeletion: (id) => client.call(NETWORK_API.confirmDeletion, { params: { id } }),
    removeTexts: (id) => client.call(NETWORK_API.removeDisputeTexts, { params: { id } }),
  }
}
