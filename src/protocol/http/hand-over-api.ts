import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { accessReasonSchema } from './person-api.ts'
import { dataSetIdSchema, digestSchema, instantSchema } from '../wire.ts'

export const HAND_OVER_PARTS = ['rows', 'grants', 'consents', 'receipts'] as const

/** How rows are handed over: converted where it is asked for, or `received`, which is as they came or not at all (DGA Art. 12(d)). */
export const HAND_OVER_FORMATS = ['csv', 'ndjson', 'received'] as const

/** That a part of a data set arrived at its issuer, whole: known by the digest of the bytes that were sent. */
export const handOverArrivalSchema = z
  .strictObject({
    part: z.enum(HAND_OVER_PARTS),
    digest: digestSchema,
    sizeBytes: z.int(),
    arrivedAt: instantSchema,
  })
  .openapi('HandOverArrival')
export type HandOverArrival = z.input<typeof handOverArrivalSchema>

export const windDownSchema = z.strictObject({ since: instantSchema, reason: z.string() }).openapi('WindDown')

/** The end of a custody: data goes back to the issuers, and the site winds down (GDPR Art. 28(3)(g); DGA Art. 12(h)). */
export const HAND_OVER_API = {
  handOver: endpoint({
    method: 'get',
    path: '/v1/datasets/{dataSet}/hand-over',
    tag: 'data sets',
    summary: 'Rows, grants or consent records of a data set, whole, one a line',
    description:
      'The issuer whose data set it is, with a reason that each person sees. `rows` can be imported, `grants` given, at another site. Rows come in the format in which the newest of them were received, packed with gzip if they were; what came as Parquet comes as NDJSON. `format` asks for another, or with `received` for no conversion: 409 where rows cannot be handed over as they came. The name in `content-disposition` says which it is (`.csv`, `.ndjson`, `.gz`). `consents` are every decision of every person, what was refused, withdrawn and has ended too, each a record of ISO/IEC TS 27560 in JSON-LD; `receipts` are one receipt a person with these records.',
    params: z.object({ dataSet: dataSetIdSchema }),
    query: z.object({
      part: z.enum(HAND_OVER_PARTS, `expected one of ${HAND_OVER_PARTS.join(', ')}`),
      format: z
        .enum(HAND_OVER_FORMATS, `expected one of ${HAND_OVER_FORMATS.join(', ')}`)
        .optional()
        .openapi({ description: 'Of rows alone.' }),
      reason: accessReasonSchema,
    }),
    produces: 'application/x-ndjson',
  }),
  confirmHandOver: endpoint({
    method: 'post',
    path: '/v1/datasets/{dataSet}/hand-over/arrival',
    tag: 'data sets',
    summary: 'Say that a part of a hand-over arrived whole',
    description:
      'The issuer whose data set it is, with the SHA-256 digest of the bytes that it got. 409 when nothing with this digest was sent to its end. After the end of a contract, what is due is counted as given back when all parts have arrived (`GET /v1/officer/contracts`).',
    params: z.object({ dataSet: dataSetIdSchema }),
    body: z.strictObject({ part: z.enum(HAND_OVER_PARTS), digest: digestSchema }).openapi('ConfirmHandOver'),
    response: handOverArrivalSchema,
    status: 201,
  }),
  windDown: endpoint({
    method: 'post',
    path: '/v1/wind-down',
    tag: 'site',
    summary: 'Wind the site down: it offers and answers nothing any more; rights and hand-over go on',
    description: 'The operator. It cannot be undone; again changes nothing.',
    body: z
      .strictObject({
        reason: z
          .string('expected a reason')
          .trim()
          .min(3, 'expected a reason of 3 to 500 characters')
          .max(500, 'expected a reason of 3 to 500 characters'),
      })
      .openapi('BeginWindDown'),
    response: windDownSchema,
    status: 201,
  }),
} as const
