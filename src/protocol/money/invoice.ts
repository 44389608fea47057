import { z } from '@hono/zod-openapi'
import { currencySchema, instantSchema, memberIdSchema } from '../wire.ts'

/** What one kind of run came to in a settlement: asks of one data set at one site. `account` and `party` say whose share it is. */
const lineSchema = z.strictObject({
  dataSet: z.string(),
  site: z.string(),
  /** For what was earned: `issuer`, `issuerProcessor`, `custodian`, `network`, `subjects`, `rounding`; `refund` for what went back after a dispute. */
  party: z.string().optional(),
  /** Where it was booked, if not at the member itself: the pool of its people. */
  account: z.string().optional(),
  runs: z.int(),
  currency: currencySchema,
  amountMinor: z.int(),
})

/**
 * A member's invoice for a settlement: what it was charged for asks and what it earned. The totals are the member's
 * positions in the settlement. Amounts in minor units, without tax, which the network does not know.
 */
export const invoiceSchema = z
  .strictObject({
    /** The settlement and the member: there is one of each. */
    number: z.string(),
    settlement: z.string(),
    member: memberIdSchema,
    name: z.string(),
    country: z.string(),
    from: instantSchema.optional(),
    until: instantSchema,
    charges: z.array(lineSchema),
    credits: z.array(lineSchema),
    totals: z.array(
      z.strictObject({
        currency: currencySchema,
        chargesMinor: z.int(),
        creditsMinor: z.int(),
        netMinor: z.int(),
      }),
    ),
  })
  .openapi('Invoice')
export type Invoice = z.infer<typeof invoiceSchema>
export type InvoiceLine = z.infer<typeof lineSchema>

export const invoiceQuerySchema = z.object({
  member: memberIdSchema.optional().openapi({ description: 'Absent: the member that asks.' }),
})
