import { z } from 'zod'
import { instantSchema, memberIdSchema } from '../wire.ts'
import { subProcessorSchema } from './processing-contract.ts'

/**
 * Another processor whom a custodian intends to engage under a contract, and what the controller says of it (GDPR Art. 28(2)). Under a
 * general authorisation it may come in on its day unless the controller objects before; without one it needs the controller's approval.
 */
export const subProcessorRequestSchema = subProcessorSchema
  .extend({
    contract: z.string('expected the id of a contract').max(60),
    from: z.iso.date('expected a date such as 2026-01-31'),
  })
  .openapi('SubProcessorRequest')
export type SubProcessorRequest = z.output<typeof subProcessorRequestSchema>

/** How the change is kept: `noticeDays` as the contract had it when it was announced. */
export const subProcessorFactsSchema = subProcessorRequestSchema
  .omit({ contract: true })
  .extend({ noticeDays: z.int().min(1).optional() })
export type SubProcessorFacts = z.output<typeof subProcessorFactsSchema>

export const SUB_PROCESSOR_ANSWERS = ['approved', 'objected', 'withdrawn'] as const
export type SubProcessorAnswer = (typeof SUB_PROCESSOR_ANSWERS)[number]

/**
 * `asked`: waits for approval. `announced`: comes in on its day unless there is an objection. `approved`: comes in on its day.
 * `in_use`: its day has come. `barred`: it would be one of the last three, but nothing carries a transfer to its country now, so nothing may
 * go there. `objected`, `withdrawn`: it does not come in. `void`: the contract has ended.
 */
export const SUB_PROCESSOR_STATES = [
  'asked',
  'announced',
  'approved',
  'in_use',
  'barred',
  'objected',
  'withdrawn',
  'void',
] as const
export type SubProcessorState = (typeof SUB_PROCESSOR_STATES)[number]

export const subProcessorViewSchema = subProcessorFactsSchema
  .extend({
    change: z.string(),
    contract: z.string(),
    reference: z.string(),
    controller: memberIdSchema,
    announcedAt: instantSchema,
    state: z.enum(SUB_PROCESSOR_STATES),
    /** Why it was objected to or withdrawn. */
    reason: z.string().optional(),
    answeredAt: instantSchema.optional(),
    /** `operator` or `issuer:NAME`. */
    answeredBy: z.string().optional(),
  })
  .openapi('SubProcessorChange')
export type SubProcessorView = z.input<typeof subProcessorViewSchema>
