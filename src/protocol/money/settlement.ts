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

/**
 * Nothing was captured and nothing given back since the newest settlement, if there is one: no other is made, and the window stays open.
 */
export const nothingToSettleSchema = z.strictObject({
  nothingToSettle: z.literal(true),
  newest: z.string().optional(),
})
export type NothingToSettle = z.infer<typeof nothingToSettleSchema>
