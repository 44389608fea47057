import { z } from '@hono/zod-openapi'
import { nothingToSettleSchema, settlementSchema } from '../money/settlement.ts'
import {
  ONE_LINE,
  askIdSchema,
  currencySchema,
  instantSchema,
  isOneLine,
  memberIdSchema,
  moneySchema,
  siteIdSchema,
} from '../wire.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'

/* What goes in and out of the network's door about money: balances, transfers, settlements. A table of schemas. */

/**
 * Owners of accounts: a member's name, `network`, `network/rounding`, or `subjects/ISSUER/SITE` for the pool of the
 * people's share. Kinds: `funds` (available and held), `earned` (cleared, not yet settled), `bank` (the other side of deposits).
 */
export const ACCOUNT_KINDS = ['funds', 'earned', 'bank'] as const

/** One account. For `funds`: `available` + `held` = what was put in less what went out. Minor units; `bank` is negative. */
export const balanceSchema = z
  .strictObject({
    owner: z.string(),
    kind: z.enum(ACCOUNT_KINDS),
    currency: currencySchema,
    availableMinor: z.int(),
    heldMinor: z.int().min(0),
    debitsMinor: z.int().min(0),
    creditsMinor: z.int().min(0),
  })
  .openapi('Balance')
export type Balance = z.infer<typeof balanceSchema>
export const balanceListSchema = z.strictObject({ items: z.array(balanceSchema) }).openapi('BalanceList')
/** `owner` is for the operator, who sees every account; a member sees its own. */
export const balanceQuerySchema = z.object({ owner: z.string().max(200).optional() })

/** `POST /v1/transfers`, by the operator, with `Idempotency-Key`: money that came in or went out at the bank. */
export const newTransferSchema = z
  .strictObject({
    kind: z.enum(['deposit', 'withdrawal'], 'expected "deposit" or "withdrawal"'),
    member: memberIdSchema,
    amount: moneySchema.refine(({ amountMinor }) => amountMinor > 0n, 'expected more than nothing'),
    /** The bank's own reference. */
    reference: z.string().max(140, 'expected at most 140 characters').refine(isOneLine, ONE_LINE).optional(),
  })
  .openapi('NewTransfer')

const TRANSFER_KINDS = ['deposit', 'withdrawal', 'capture', 'settlement', 'credit'] as const

/** One entry of the journal: the amount stands on the debit side of one account and the credit side of another. */
export const transferSchema = z
  .strictObject({
    id: z.string(),
    kind: z.enum(TRANSFER_KINDS),
    /** For captures: whose share it is (`issuer`, `issuerProcessor`, `custodian`, `network`, `subjects`, `rounding`); for credits `refund`. */
    party: z.string().optional(),
    debit: z.strictObject({ owner: z.string(), kind: z.enum(ACCOUNT_KINDS) }),
    credit: z.strictObject({ owner: z.string(), kind: z.enum(ACCOUNT_KINDS) }),
    amount: moneySchema,
    ask: askIdSchema.optional(),
    site: siteIdSchema.optional(),
    settlement: z.string().optional(),
    reference: z.string().optional(),
    time: instantSchema,
  })
  .openapi('Transfer')
export type Transfer = z.infer<typeof transferSchema>
export const transferPageSchema = z
  .strictObject({ items: z.array(transferSchema), nextCursor: nextCursorSchema })
  .openapi('TransferPage')
export const transferQuerySchema = pageQuerySchema.extend({ owner: z.string().max(200).optional() })

/** `GET /v1/balances/trial`: per currency, from the journal and from the accounts; `differenceMinor` is always 0. */
export const trialBalanceSchema = z
  .strictObject({
    isBalanced: z.boolean(),
    items: z.array(
      z.strictObject({
        currency: currencySchema,
        debitsMinor: z.int(),
        creditsMinor: z.int(),
        differenceMinor: z.int(),
        heldMinor: z.int(),
        openHoldsMinor: z.int(),
        journalMinor: z.int(),
      }),
    ),
  })
  .openapi('TrialBalance')
export type TrialBalance = z.infer<typeof trialBalanceSchema>

/** `POST /v1/settlements`, by the operator, with `Idempotency-Key`: closes the window up to now. */
export const newSettlementSchema = z.strictObject({}).openapi('NewSettlement')
export const settlementRecordSchema = settlementSchema.openapi('Settlement')
/** Answer to it: 201 with the settlement, or 200 where there was nothing to settle. */
export const settleAnswerSchema = z.union([
  settlementRecordSchema,
  nothingToSettleSchema.openapi('NothingToSettle'),
])
export type SettleAnswer = z.infer<typeof settleAnswerSchema>
export const settlementPageSchema = z
  .strictObject({ items: z.array(settlementRecordSchema), nextCursor: nextCursorSchema })
  .openapi('SettlementPage')
