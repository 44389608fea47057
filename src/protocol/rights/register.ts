import { z } from '@hono/zod-openapi'
import { basisNamedSchema } from '../law/basis-record.ts'
import { contractNamedSchema } from '../law/processing-contract.ts'
import { areaSchema } from '../law/perimeter.ts'
import {
  countrySchema,
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  memberIdSchema,
  purposeSchema,
  siteIdSchema,
} from '../wire.ts'

const contactSchema = z.strictObject({
  member: memberIdSchema,
  name: z.string().optional(),
  address: z.string().optional(),
  country: countrySchema.optional(),
  email: z.string().optional(),
  dataProtectionOfficer: z.string().optional(),
  representative: z.string().optional(),
  supervisoryAuthority: z.string().optional(),
})

const transferSchema = z.strictObject({
  country: countrySchema,
  /** The adequacy decision or safeguard that carries it today; absent when none does. */
  ground: z.string().optional(),
  releases: z.int().min(0),
})

const placeSchema = z.strictObject({ within: z.array(areaSchema), hasPolygon: z.boolean() })

const registeredSubProcessorSchema = z.strictObject({
  name: z.string(),
  country: countrySchema,
  task: z.string(),
  /** Absent: since the contract is in force. */
  from: z.string().optional(),
  /** Of one outside of the European Economic Area: what carries a transfer there today; without "ground" nothing does. */
  transfer: z.strictObject({ ground: z.string().optional() }).optional(),
})
export type RegisteredSubProcessor = z.input<typeof registeredSubProcessorSchema>

/** One processing activity of a controller: a data set at this site (GDPR Art. 30(1)(a) to (g)). */
export const controllerActivitySchema = z.strictObject({
  dataSet: dataSetIdSchema,
  title: z.string(),
  controller: contactSchema,
  purposes: z.array(
    z.strictObject({ purpose: purposeSchema, label: z.string(), assessments: z.array(z.string()) }),
  ),
  legalBasis: z.string(),
  specialCategoryBasis: z.string().optional(),
  /** What bases other than consent rest on today. `people`: how many a record lists; absent: everybody. */
  bases: z.array(
    basisNamedSchema.extend({
      purposes: z.array(purposeSchema),
      until: instantSchema,
      people: z.int().min(0).optional(),
    }),
  ),
  subjects: z.strictObject({
    description: z.string(),
    /** What they are to the controller, by the DPV. */
    category: z.string().optional(),
    people: z.int().min(0),
    includesMinors: z.boolean(),
  }),
  categories: z.array(
    z.strictObject({
      column: z.string(),
      description: z.string().optional(),
      category: z.string().optional(),
      sensitivity: z.string(),
    }),
  ),
  recipients: z.array(
    z.strictObject({
      acquirer: memberIdSchema,
      name: z.string().optional(),
      purposes: z.array(z.string()),
      modes: z.array(z.string()),
      countries: z.array(countrySchema),
      releases: z.int().min(0),
      last: instantSchema,
    }),
  ),
  transfers: z.array(transferSchema),
  erasure: z.strictObject({
    period: z.string(),
    until: instantSchema,
    /** Each row is kept no longer than this from its own date, in this column. */
    rows: z.strictObject({ column: z.string(), period: z.string() }).optional(),
    /** What ends before that: columns of a category, or the use for a purpose. */
    shorter: z.array(
      z.strictObject({
        scope: z.enum(['category', 'purpose']),
        name: z.string(),
        columns: z.array(z.string()).optional(),
        period: z.string(),
        until: instantSchema,
      }),
    ),
  }),
  perimeter: z.strictObject({ store: placeSchema, process: placeSchema, release: placeSchema }),
  /** Under which the custodian processes it now (Art. 28, 26). */
  contract: contractNamedSchema.optional(),
  measures: z.array(z.string()),
  policy: digestSchema,
})
export type ControllerActivity = z.input<typeof controllerActivitySchema>

/** What the custodian does for a controller (GDPR Art. 30(2)). */
export const processorActivitySchema = z.strictObject({
  controller: contactSchema,
  dataSets: z.array(dataSetIdSchema),
  processing: z.array(z.string()),
  /** Contracts with the controller that have not ended, with what they say of sub-processors (Art. 28(2), (3)). */
  contracts: z.array(
    contractNamedSchema.extend({
      subject: z.string(),
      dataSets: z.union([z.literal('all'), z.array(dataSetIdSchema)]),
      until: instantSchema.optional(),
      instructions: z.string().optional(),
      subProcessors: z.array(registeredSubProcessorSchema),
      /** Of joint controllers: who answers for what, and where people may turn to. */
      arrangement: z.string().optional(),
      contactPoint: z.string().optional(),
    }),
  ),
  transfers: z.array(transferSchema),
  measures: z.array(z.string()),
})
export type ProcessorActivity = z.input<typeof processorActivitySchema>

/** The register of processing activities at a site (GDPR Art. 30), as the terms in force and the log say. */
export const registerSchema = z
  .strictObject({
    site: siteIdSchema,
    madeAt: instantSchema,
    processor: contactSchema,
    place: z.strictObject({
      territory: countrySchema,
      evidence: z.enum(['missing', 'valid', 'expired', 'not_yet_valid']),
      longitude: z.number().optional(),
      latitude: z.number().optional(),
      validUntil: instantSchema.optional(),
    }),
    controllers: z.array(controllerActivitySchema),
    processing: z.array(processorActivitySchema),
    /** What the law asks for and nobody has said yet. */
    gaps: z.array(z.string()),
  })
  .openapi('Register')
export type Register = z.input<typeof registerSchema>
export type RegisterContact = z.input<typeof contactSchema>
export type RegisterTransfer = z.input<typeof transferSchema>
