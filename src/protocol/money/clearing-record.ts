import { z } from 'zod'
import { splitsSchema } from './split.ts'
import {
  askIdSchema,
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  memberIdSchema,
  moneySchema,
  siteIdSchema,
} from '../wire.ts'

/** What a site delivered and what it costs (ISO 8583: the advice that completes an authorisation). Captured once. */
export const clearingRecordSchema = z.strictObject({
  ask: askIdSchema,
  site: siteIdSchema,
  acquirer: memberIdSchema,
  dataSet: dataSetIdSchema,
  issuer: memberIdSchema,
  issuerProcessor: memberIdSchema.optional(),
  units: z.strictObject({ peopleStep: z.int().min(0), rowsStep: z.int().min(0), cpuSeconds: z.int().min(0) }),
  price: moneySchema,
  splits: splitsSchema,
  releaseDigest: digestSchema,
  time: instantSchema,
})
export type ClearingRecord = z.infer<typeof clearingRecordSchema>
