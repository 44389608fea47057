import type { z } from 'zod'
import { CONTRACT_API } from '../protocol/http/contract-api.ts'
import { SUB_PROCESSOR_API } from '../protocol/http/sub-processor-api.ts'
import type {
  contractRequestSchema,
  contractViewSchema,
  custodyEndSchema,
  missingContractSchema,
} from '../protocol/law/processing-contract.ts'
import type { subProcessorRequestSchema, subProcessorViewSchema } from '../protocol/law/sub-processor.ts'
import type { HttpClient } from './http-client.ts'

/** Wire forms of what is sent. */
export type WireContract = z.input<typeof contractRequestSchema>
type WireSubProcessor = z.input<typeof subProcessorRequestSchema>

/** What the site's door answers, parsed. */
export type ContractView = z.output<typeof contractViewSchema>
export type MissingContract = z.output<typeof missingContractSchema>
export type CustodyEnd = z.output<typeof custodyEndSchema>
export type SubProcessorView = z.output<typeof subProcessorViewSchema>

/** An officer's calls about contracts of processing and the sub-processors under them. */
export interface OfficerContracts {
  contracts(): Promise<{
    items: readonly ContractView[]
    missing: readonly MissingContract[]
    ended: readonly CustodyEnd[]
  }>
  recordContract(contract: WireContract, idempotencyKey?: string): Promise<ContractView>
  /** That a contract stands which the other party recorded. */
  confirmContract(contract: string): Promise<ContractView>
  /** From when it resolves nothing runs under it. */
  endContract(contract: string, reason: string): Promise<ContractView>
  subProcessors(): Promise<readonly SubProcessorView[]>
  announceSubProcessor(announced: WireSubProcessor, idempotencyKey?: string): Promise<SubProcessorView>
  answerSubProcessor(
    change: string,
    answer: { answer: 'approved' } | { answer: 'objected' | 'withdrawn'; reason: string },
  ): Promise<SubProcessorView>
}

export function contractCalls(client: HttpClient): OfficerContracts {
  return {
    contracts: () => client.call(CONTRACT_API.listContracts),
    recordContract: (body, idempotencyKey) =>
      client.call(CONTRACT_API.recordContract, {
        body,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      }),
    confirmContract: (contract) => client.call(CONTRACT_API.confirmContract, { params: { contract } }),
    endContract: (contract, reason) =>
      client.call(CONTRACT_API.endContract, { params: { contract }, body: { reason } }),
    subProcessors: async () => (await client.call(SUB_PROCESSOR_API.listSubProcessors)).items,
    announceSubProcessor: (body, idempotencyKey) =>
      client.call(SUB_PROCESSOR_API.announceSubProcessor, {
        body,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      }),
    answerSubProcessor: (change, body) =>
      client.call(SUB_PROCESSOR_API.answerSubProcessor, { params: { change }, body }),
  }
}
