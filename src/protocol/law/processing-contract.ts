import { z } from '@hono/zod-openapi'
import { countrySchema, dataSetIdSchema, digestSchema, instantSchema, memberIdSchema } from '../wire.ts'

/**
 * Under which paper a custodian keeps and computes on an issuer's data: a contract with a processor (GDPR Art. 28), or the arrangement
 * of controllers who decide together (Art. 26). Without one in force no question is opened.
 */
const CONTRACT_KINDS = ['processing', 'joint_controllers'] as const

const textSchema = (what: string, charactersMax = 500) =>
  z.string(`expected ${what}`).trim().min(1, `expected ${what}`).max(charactersMax)
const daySchema = z.iso.date('expected a date such as 2026-01-31')

/** Another processor whom the custodian engages (Art. 28(2), (4)). A day of `from` that lies ahead announces a change. */
export const subProcessorSchema = z.strictObject({
  name: textSchema('the name of a firm', 200),
  country: countrySchema,
  /** What it does with the data. */
  task: textSchema('what it does'),
  from: daySchema.optional(),
  /**
   * What carries a transfer to it outside of the European Economic Area where no adequacy decision covers everybody there (Art. 44 to 46):
   * `scc:REFERENCE`, `bcr:REFERENCE`, or the condition of a decision, such as `dpf-certified`.
   */
  transferBasis: textSchema('a basis such as scc:2026-118', 100).optional(),
})

const COMMON = {
  /** Under which name the paper is kept. It stands in notices: no name of a person. */
  reference: textSchema('a reference, such as the number of the contract', 200),
  documentDigest: digestSchema.optional(),
  /** The issuer of the data sets; the other party is the custodian of the site. */
  controller: memberIdSchema,
  /** `all`: those that come later, too. */
  dataSets: z
    .union(
      [z.literal('all'), z.array(dataSetIdSchema).min(1, 'expected at least one data set').max(100)],
      'expected "all" or a list of data sets',
    )
    .default('all'),
  /** What is processed, how and why (Art. 28(3)). */
  subject: textSchema('what the contract is about'),
  concludedOn: daySchema,
  /** Absent: from now on. */
  validFrom: instantSchema.optional(),
  /** Nothing runs under it from then on; absent: until it is ended. */
  validUntil: instantSchema.optional(),
}

/** What becomes of the data when a contract has ended, by the choice of the controller (Art. 28(3)(g)). */
const AFTER_END = ['return', 'deletion'] as const

const processingShape = {
  kind: z.literal('processing'),
  ...COMMON,
  /** By which way the controller instructs (Art. 28(3)(a)), for example `the signed manifests`. */
  instructions: textSchema('by which way the controller instructs'),
  subProcessors: z.array(subProcessorSchema).max(100).default([]),
  /** A general authorisation: days before another one may come in, in which the controller may object. Absent: each needs its approval. */
  noticeDays: z.int('expected whole days').min(1).max(365).optional(),
  afterEnd: z.enum(AFTER_END, 'expected "return" or "deletion"'),
}

const jointShape = {
  kind: z.literal('joint_controllers'),
  ...COMMON,
  /** Who answers for what, as the people are to be told (Art. 26(2)). */
  arrangement: textSchema('who answers for what', 1_000),
  /** Where people may turn to (Art. 26(1)): an address. */
  contactPoint: textSchema('where people may turn to', 200),
}

export const contractRequestSchema = z
  .discriminatedUnion('kind', [z.strictObject(processingShape), z.strictObject(jointShape)])
  .openapi('ContractRequest')
export type ContractRequest = z.output<typeof contractRequestSchema>

/** A contract as it is kept. */
const keptShape = { validFrom: instantSchema }
export const contractFactsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...processingShape, ...keptShape }),
  z.strictObject({ ...jointShape, ...keptShape }),
])
export type ContractFacts = z.output<typeof contractFactsSchema>

/** Only under one that is `in_force` anything runs. `unconfirmed`: the custodian recorded it, and the controller has not said that it stands. */
export const CONTRACT_STATES = ['in_force', 'unconfirmed', 'not_yet', 'expired', 'ended'] as const
export type ContractState = (typeof CONTRACT_STATES)[number]

const viewShape = {
  contract: z.string(),
  /** The custodian of the site. */
  processor: memberIdSchema,
  recordedAt: instantSchema,
  /** `operator` or `issuer:NAME`. */
  recordedBy: z.string(),
  /** When the other party said that it stands. */
  confirmedAt: instantSchema.optional(),
  confirmedBy: z.string().optional(),
  endedAt: instantSchema.optional(),
  endReason: z.string().optional(),
  state: z.enum(CONTRACT_STATES),
  ...keptShape,
}

export const contractViewSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ ...processingShape, ...viewShape }),
    z.strictObject({ ...jointShape, ...viewShape }),
  ])
  .openapi('Contract')
export type ContractView = z.input<typeof contractViewSchema>

/**
 * A data set that no contract in force covers. `contract`: one has to be recorded; `confirmation`: by the controller, of the one that the
 * custodian recorded. `return`, `deletion`: the one there was has ended, and
 * what it says of the time afterwards is due.
 */
export const missingContractSchema = z.strictObject({
  dataSet: dataSetIdSchema,
  controller: memberIdSchema,
  needs: z.enum(['contract', 'confirmation', ...AFTER_END]),
  /** The contract that ended, and when; or that is not confirmed. */
  contract: z.string().optional(),
  since: instantSchema.optional(),
  /** Of `return`: what has not arrived since. Of `deletion`: when all had, where it had to. */
  parts: z.array(z.string()).optional(),
  returnedAt: instantSchema.optional(),
})
export type MissingContract = z.input<typeof missingContractSchema>

/** A data set that was deleted after the end of its contract; `returnedAt`: all of it had gone back to its controller before. */
export const custodyEndSchema = z
  .strictObject({
    dataSet: dataSetIdSchema,
    controller: memberIdSchema,
    contract: z.string(),
    endedAt: instantSchema,
    afterEnd: z.enum(AFTER_END),
    returnedAt: instantSchema.optional(),
    deletedAt: instantSchema,
  })
  .openapi('CustodyEnd')
export type CustodyEnd = z.input<typeof custodyEndSchema>

/** A contract as registers, notices and exports name it. */
export const contractNamedSchema = z.strictObject({
  contract: z.string(),
  kind: z.enum(CONTRACT_KINDS),
  reference: z.string(),
  concludedOn: daySchema,
})
export type ContractNamed = z.infer<typeof contractNamedSchema>
