import { z } from 'zod'
import { currencySchema, instantSchema } from '../wire.ts'

/** One member's net position in one currency: positive is owed to the member, negative by it. Minor units as text-safe integers. */
export const positionSchema = z.strictObject({
  account: z.string(),
  currency: currencySchema,
  debitsMinor: z.int(),
  creditsMinor: z.int(),
  netMinor: z.int(),
})
export type Position = z.infer<typeof positionSchema>

/** A closed settlement window: positions per member and currency; they add up to zero. */
export const settlementSchema = z.strictObject({
  id: z.string(),
  from: instantSchema.optional(),
  until: instantSchema,
  positions: z.array(positionSchema),
})
export type Settlement = z.infer<typeof settlementSchema>
