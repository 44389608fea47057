import { z } from 'zod'
import type { Money } from '../../kernel/money.ts'
import { currencySchema } from '../wire.ts'

const minorSchema = z
  .int('expected a whole number of minor units')
  .min(0, 'expected 0 or more')
  .max(1_000_000_000)

/** Steps in which people and rows are counted for money and shown to acquirers: a price or a count tells no more than its step. */
export const COUNT_STEPS = [
  0, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
] as const

/** The public price list of an offer: the same class of ask costs the same for everybody (DGA Art. 12(b), (f)). */
export const tariffSchema = z
  .strictObject({
    currency: currencySchema,
    /** For every approved run. */
    perRunMinor: minorSchema.default(0),
    /** For each 100 contributing people of the step reached. */
    per100PeopleMinor: minorSchema.default(0),
    /** For each 100 rows of the step reached (`rows` and `function`). */
    per100RowsMinor: minorSchema.default(0),
    perCpuSecondMinor: minorSchema.default(0),
    minimumFeeMinor: minorSchema.default(0),
    /** The most one run at one site can cost; what is held. */
    capMinor: minorSchema.min(1, 'expected a cap of at least 1'),
    /** Reduction of what is above `fromPeople`, in basis points. */
    volumeTiers: z
      .array(z.strictObject({ fromPeople: z.int().min(1), reductionBp: z.int().min(1).max(10_000) }))
      .default([]),
  })
  .refine((tariff) => tariff.minimumFeeMinor <= tariff.capMinor, {
    message: 'expected at most the cap',
    path: ['minimumFeeMinor'],
  })
export type Tariff = z.infer<typeof tariffSchema>

/** What was used, already in steps. */
export interface MeteredUnits {
  readonly peopleStep: number
  readonly rowsStep: number
  readonly cpuSeconds: number
}

/** The largest step that is not above the count. */
export function stepOf(count: number): number {
  let step = 0
  for (const candidate of COUNT_STEPS) if (candidate <= count) step = candidate
  return step
}

/** The price of one run at one site by its tariff: between the minimum fee and the cap. */
export function priceOf(units: MeteredUnits, tariff: Tariff): Money {
  const people = peoplePriceMinor(units.peopleStep, tariff)
  const rows = BigInt(tariff.per100RowsMinor) * BigInt(Math.floor(units.rowsStep / 100))
  const compute = BigInt(tariff.perCpuSecondMinor) * BigInt(units.cpuSeconds)
  const sum = BigInt(tariff.perRunMinor) + people + rows + compute
  const atLeast = sum < BigInt(tariff.minimumFeeMinor) ? BigInt(tariff.minimumFeeMinor) : sum
  return {
    amountMinor: atLeast > BigInt(tariff.capMinor) ? BigInt(tariff.capMinor) : atLeast,
    currency: tariff.currency,
  }
}

/** What is held for one site: the cap. */
export function highestPrice(tariff: Tariff): Money {
  return { amountMinor: BigInt(tariff.capMinor), currency: tariff.currency }
}

function peoplePriceMinor(people: number, tariff: Tariff): bigint {
  // In basis points of a hundredth until the end: rounding each tier could make more people cheaper.
  let owedBp = BigInt(people) * 10_000n
  let taken = 0n
  for (const tier of tariff.volumeTiers.toSorted((a, b) => a.fromPeople - b.fromPeople)) {
    const above = BigInt(Math.max(0, people - tier.fromPeople))
    owedBp -= above * (BigInt(tier.reductionBp) - taken)
    taken = BigInt(tier.reductionBp)
  }
  return (BigInt(tariff.per100PeopleMinor) * owedBp) / 1_000_000n
}
