import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { ERASURE_STATES, erasureIdSchema } from '../rights/erasure.ts'
import { dataSetIdSchema, instantSchema, memberIdSchema } from '../wire.ts'

/** What ends when at a site, and what was deleted. */
export const retentionViewSchema = z
  .strictObject({
    /** People whose data is kept past its end, for them alone. */
    held: z.int().min(0),
    clocks: z.array(
      z.strictObject({
        dataSet: dataSetIdSchema,
        scope: z.enum(['all', 'category', 'purpose', 'row']),
        /** The category or purpose; of `row` the column with each row's date. */
        name: z.string().optional(),
        columns: z.array(z.string()).optional(),
        /** Of `row`: when the next rows end. */
        endsAt: instantSchema,
        /** Of `row`: rows of this day and later ones are kept, all others have ended. */
        keptFrom: z.iso.date().optional(),
        /** `ended`: read by nobody any more, and not deleted yet. */
        state: z.enum(['in_force', 'ended', 'swept']),
      }),
    ),
    /** Newest first. */
    sweeps: z.array(
      z.strictObject({
        dataSet: dataSetIdSchema,
        category: z.string().optional(),
        columns: z.array(z.string()).optional(),
        /** Only rows of earlier days were deleted. */
        keptFrom: z.iso.date().optional(),
        rows: z.int().min(0),
        doneAt: instantSchema.optional(),
        /** When no file of the vault held it any more. */
        permanentAt: instantSchema.optional(),
        receipt: z.int().min(0).optional(),
      }),
    ),
    /** Who had no row left and is not known any more, newest first: each has a certificate. */
    erasures: z.array(
      z.strictObject({
        erasure: erasureIdSchema,
        issuer: memberIdSchema,
        people: z.int().min(1),
        state: z.enum(ERASURE_STATES),
        deletedAt: instantSchema.optional(),
      }),
    ),
  })
  .openapi('Retention')

/** Endpoints of a site's door about how long data is kept. */
export const RETENTION_API = {
  retention: endpoint({
    method: 'get',
    path: '/v1/retention',
    tag: 'data sets',
    summary: 'What ends when, and what was deleted because it had ended',
    description: 'The operator and a supervisory authority see all, an issuer its own data sets.',
    response: retentionViewSchema,
  }),
  sweepRetention: endpoint({
    method: 'post',
    path: '/v1/retention/sweep',
    tag: 'data sets',
    summary: 'Delete now what has ended, instead of within the minute; nobody reads it anyway',
    description: 'The operator. Asks go on meanwhile.',
    response: z.strictObject({ rows: z.int().min(0), people: z.int().min(0) }).openapi('RetentionSwept'),
  }),
} as const
