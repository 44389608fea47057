import { z } from 'zod'

/** Who shares in a price. `interchange` is what goes to the issuer's side: issuer, its processor and the subjects. */
export const SPLIT_PARTIES = ['issuer', 'issuerProcessor', 'custodian', 'network', 'subjects'] as const
export type SplitParty = (typeof SPLIT_PARTIES)[number]

const basisPointsSchema = z
  .int('expected whole basis points')
  .min(0, 'expected 0 or more')
  .max(10_000, 'expected at most 10000')

/** Shares in basis points; they add up to the whole. */
export const splitsSchema = z
  .strictObject({
    issuer: basisPointsSchema,
    issuerProcessor: basisPointsSchema.default(0),
    custodian: basisPointsSchema,
    network: basisPointsSchema,
    subjects: basisPointsSchema,
  })
  .refine(
    (splits) => SPLIT_PARTIES.reduce((sum, party) => sum + splits[party], 0) === 10_000,
    'expected shares that add up to 10000 basis points',
  )
export type Splits = z.infer<typeof splitsSchema>

/** Each party's part, rounded down, and what rounding left over (0 to 4 minor units, for the named remainder account). */
export interface SplitAmounts {
  readonly parts: Readonly<Record<SplitParty, bigint>>
  readonly remainderMinor: bigint
}

/** Splits an amount of minor units: parts and remainder always add up to it. */
export function splitAmount(amountMinor: bigint, splits: Splits): SplitAmounts {
  const parts: Record<SplitParty, bigint> = {
    issuer: 0n,
    issuerProcessor: 0n,
    custodian: 0n,
    network: 0n,
    subjects: 0n,
  }
  let given = 0n
  for (const party of SPLIT_PARTIES) {
    parts[party] = (amountMinor * BigInt(splits[party])) / 10_000n
    given += parts[party]
  }
  return { parts, remainderMinor: amountMinor - given }
}
